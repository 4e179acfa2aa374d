// @ts-check
// The pairs of masks that the browser holds: the one on the screen, the last one, the next one.

import { gunzip, reader } from "../shared/browser/blocks.js";

/** Input and two masks, cropped; x runs fastest, then y, then z. Masks are bits, highest first;
 * `start` is the slice to begin with, `first` where the box begins among `full` slices.
 * @typedef {{ key: string, subject: string, shape: number[], spacing: number[], start: number,
 *   first: number, full: number, input: Uint8Array, left: Uint8Array, right: Uint8Array }} Pair */
/** @typedef {{ pairs: Map<string, Pair>, listeners: Set<() => void> }} Store by subject */

const KEPT = 4;

/** The tab's one store. @returns {Store} */
export function sharedStore() {
  const tab = /** @type {any} */ (globalThis);
  return tab.ascnetVersus ??= { pairs: new Map(), listeners: new Set() };
}

/** What `versus_block.pack` packs. @param {Uint8Array} bytes @returns {Promise<Pair>} */
export async function unpackPair(bytes) {
  const { take, json } = reader(bytes), { parts, ...header } = json();
  const unpacked = await Promise.all(parts.map(
    async (/** @type {[string, number]} */ [name, size]) => [name, await gunzip(take(size))]));
  return { ...header, ...Object.fromEntries(unpacked) };
}

/** Keep a pair and let go of the oldest. @type {(store: Store, pair: Pair) => void} */
export function keep(store, pair) {
  store.pairs.delete(pair.subject);
  store.pairs.set(pair.subject, pair);
  for (const subject of [...store.pairs.keys()].slice(0, -KEPT)) store.pairs.delete(subject);
  for (const listener of store.listeners) listener();
}
