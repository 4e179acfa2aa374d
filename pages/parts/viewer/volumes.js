// @ts-check
// Receives a case's volumes, unpacks them once, and keeps the few last ones for the tab.

import { bytesOf, gunzip, reader } from "../shared/browser/blocks.js";
import { sharedStore, tell } from "./viewer_store.js";

const KEPT = 3, KEPT_AHEAD = 5; // with those before and after the one on a desk

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

/** @param {import("./viewer_store.js").Volume & { package?: object }} volume */
function keep({ package: sent, ...volume }) {
  const store = sharedStore();
  if (volume.key) keepVolume(store, volume);
  if (sent) store.takePackage?.(sent);
}

/** @type {(store: import("./viewer_store.js").Store,
 *   volume: import("./viewer_store.js").Volume) => void} */
function keepVolume(store, volume) {
  const { volumes: kept, takePackage } = store, most = takePackage ? KEPT_AHEAD : KEPT;
  kept.delete(volume.key);
  kept.set(volume.key, volume);
  for (const key of [...kept.keys()].slice(0, -most)) kept.delete(key);
  tell(store, "volumes");
}
