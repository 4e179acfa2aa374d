import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import {
  countBetween, runningSums, scoreTable, scoresAt,
} from "../../../pages/parts/viewer/scores.js";

/** 256 counts from [level, count] pairs. */
function counts(pairs) {
  const all = Array(256).fill(0);
  for (const [level, number] of pairs) all[level] = number;
  return all;
}

// made by make_scores.py, voxel by voxel; tests/unit/metrics/test_overlap.py holds Python to it
const cases = JSON.parse(readFileSync(new URL("../scores.json", import.meta.url), "utf-8"));

for (const { name, levels, lesion, outside, voxelMl, thresholds } of cases) {
  test(`scores of ${name} are those counted voxel by voxel`, () => {
    const known = lesion && counts(lesion);
    const truth = known ? known.reduce((sum, one) => sum + one, outside) : 0;
    const table = scoreTable({ levels: counts(levels), lesion: known, true: truth, voxelMl });
    assert.ok(thresholds.length > 10);
    for (const { t, upper, side, ...expected } of thresholds) {
      assert.deepEqual(scoresAt(table, { t, upper, side }), expected);
    }
  });
}

test("running sums count what lies below a level", () => {
  const sums = runningSums(counts([[0, 2], [3, 5], [255, 1]]));
  assert.equal(sums.length, 257);
  assert.deepEqual([sums[0], sums[1], sums[3], sums[4], sums[255], sums[256]], [0, 2, 2, 7, 7, 8]);
});

test("counts between two levels take both, and none where the ends are crossed", () => {
  const sums = runningSums(counts([[3, 5], [4, 1]]));
  assert.deepEqual([[3, 4], [4, 4], [0, 255], [5, 4]].map(([a, b]) => countBetween(sums, a, b)),
    [6, 1, 6, 0]);
});
