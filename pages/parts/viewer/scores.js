// @ts-check
// From two histograms to the scores of any threshold: the same sums as ascnet_core/metrics/overlap.

import { keptBy } from "../shared/browser/levels.js";

/** Counts below each level: 257 entries. @param {number[]} counts */
export function runningSums(counts) {
  const sums = new Float64Array(257);
  counts.forEach((count, level) => { sums[level + 1] = sums[level] + count; });
  return sums;
}

/** All that the scores of a scan need; `lesion` is null where there is no truth, `truth` counts its
 * voxels outside the region too.
 * @param {{ levels: number[], lesion: number[] | null, true: number, voxelMl: number }} counts */
export const scoreTable = ({ levels, lesion, true: truth, voxelMl }) =>
  ({ levels: runningSums(levels), lesion: lesion && runningSums(lesion), truth, voxelMl });

/** Whether the truth is known and holds nothing: Dice says nothing there.
 * @type {(table: Pick<ReturnType<typeof scoreTable>, "lesion" | "truth">) => boolean} */
export const isLesionFree = ({ lesion, truth }) => lesion !== null && truth === 0;

/** Voxels from the first level to the last.
 * @type {(s: Float64Array, a: number, b: number) => number} */
export const countBetween = (sums, first, last) =>
  last < first ? 0 : sums[last + 1] - sums[first];

/** Scores at a threshold; null where one is not defined.
 * @param {ReturnType<typeof scoreTable>} table
 * @param {Parameters<typeof keptBy>[0]} threshold */
export function scoresAt({ levels, lesion, truth, voxelMl }, threshold) {
  const [first, last] = keptBy(threshold);
  const kept = countBetween(levels, first, last), volume = kept * voxelMl;
  if (!lesion) return { kept, volume, dice: null, sensitivity: null, precision: null };
  const hits = countBetween(lesion, first, last), all = kept + truth;
  return {
    kept, volume, dice: all ? (2 * hits) / all : 1,
    sensitivity: truth ? hits / truth : null, precision: kept ? hits / kept : null,
  };
}
