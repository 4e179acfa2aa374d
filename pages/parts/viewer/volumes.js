// @ts-check
// Receives a case's volumes, unpacks them once, and keeps the few last ones for the tab.

import { bytesOf, gunzip, reader } from "../shared/browser/blocks.js";
import { sharedStore, tell } from "./viewer_store.js";

const KEPT = 3;

/** The volumes in the block that `viewer.pack_volumes` makes.
 * @param {Uint8Array} bytes @returns {Promise<import("./viewer_store.js").Volume>} */
export async function unpackVolumes(bytes) {
  const { take, json } = reader(bytes), { parts, ...header } = json();
  const maps = Object.fromEntries(await Promise.all(parts.map(
    async (/** @type {[string, number]} */ [name, size]) => [name, await gunzip(take(size))])));
  const { labels } = maps;
  delete maps.labels;
  return { ...header, maps, labels };
}

/** @param {{ data: any }} component */
export default function volumes({ data }) {
  if (data) unpackVolumes(bytesOf(data)).then(keep);
}

/** @param {import("./viewer_store.js").Volume} volume */
function keep(volume) {
  const store = sharedStore(), { volumes: kept } = store;
  kept.delete(volume.key);
  kept.set(volume.key, volume);
  for (const key of [...kept.keys()].slice(0, -KEPT)) kept.delete(key);
  tell(store, "volumes");
}
