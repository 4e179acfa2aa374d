// @ts-check
// The frames of a run as `film.pack` packs them, and their pictures.

import { reader, uint32 } from "../shared/browser/blocks.js";
import { keptLevels, paintTurned, shades } from "../shared/browser/levels.js";

/** A snapshot: its threshold, peaks, and figures that stand beside it (`film.frame_facts`).
 * @typedef {{ label: string, place: number, step: number, images: number, peaks: number[],
 *   level: number | null, upper: number | null, side: string, rule: string, separated: number,
 *   index: number, stability: number | null, rank: number | null, holes: number | null,
 *   area?: number | null, wild_in?: number | null, wild_out?: number | null,
 *   wild_input?: number | null, wild_reference?: number | null }} FrameFacts */
/** @typedef {{ name: string, x: number[], y: (number | null)[] }} Curve by steps */
/** `maps` come with each frame: those `shown` as pictures, and `map`, which is thresholded. `heads`
 * stand above the pictures: input, maps, mask. The histograms are of the map `counted`.
 * @typedef {{ id: string, run: string, map: string, rule: string, size: number, slices: number[],
 *   maps: string[], shown: string[], heads: string[], counted: string, countedName: string,
 *   joint: boolean, noJoint: string, frames: FrameFacts[], losses: Curve[], colours: string[],
 *   course: { step: number, index: number | null, stability: number | null,
 *     rank: number | null }[] }} FilmHeader */
/** @typedef {ReturnType<typeof unpackFilm>} Film */

/** @param {Uint8Array} bytes */
export function unpackFilm(bytes) {
  const { take, json } = reader(bytes), header = /** @type {FilmHeader} */ (json());
  const { frames, maps, joint } = header, plane = header.slices.length * header.size ** 2;
  const counts = frames.map(() => uint32(take(1024)));
  const joints = frames.map(() => take(joint ? 4096 : 0)), input = take(frames.length ? plane : 0);
  const cuts = frames.map(() => Object.fromEntries(maps.map((name) => [name, take(plane)])));
  return { header, counts, joints, input, cuts };
}

/** The levels that a frame's threshold keeps. @param {FrameFacts} frame */
export const levelsKept = ({ level, upper, side }) => keptLevels(level, upper, side);

/** Lines to draw in the histogram for a frame's threshold, where it is one of that map.
 * @type {(film: Film, at: number) => number[]} */
export function thresholdLines({ header }, at) {
  if (header.map !== header.counted) return [];
  const { level, upper } = header.frames[at];
  return [level, upper].filter((one) => one !== null);
}

const GREYS = shades();

/** Paint slice `k` at a frame as pictures one below the other: the input, the maps, the mask on the
 * input. Gives the mask (S * S), 1 where it is, in screen order.
 * @param {Uint32Array} pixels @param {number} start of the first picture
 * @param {Film} film @param {number} at @param {number} k
 * @param {Uint32Array} covered greys under the mask's colour */
export function paintSlice(pixels, start, { header, input, cuts }, at, k, covered) {
  const size = header.size ** 2, cut = (/** @type {Uint8Array} */ all) =>
    all.subarray(k * size, (k + 1) * size);
  const tissue = cut(input), map = cut(cuts[at][header.map]), mask = new Uint8Array(size);
  const planes = [tissue, ...header.shown.map((name) => cut(cuts[at][name])), tissue];
  planes.forEach((plane, i) => paintTurned(pixels, start + i * size, plane, GREYS, tissue));
  const [first, last] = levelsKept(header.frames[at]), below = start + (planes.length - 1) * size;
  for (let from = size - 1, to = 0; to < size; from--, to++) {
    if (!tissue[from] || map[from] < first || map[from] > last) continue;
    mask[to] = 1;
    pixels[below + to] = covered[tissue[from]];
  }
  return mask;
}

/** @type {(mask: Uint8Array) => number} */
export const countOf = (mask) => mask.reduce((sum, one) => sum + one, 0);
