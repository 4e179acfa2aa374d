import assert from "node:assert/strict";
import test from "node:test";

import { scoreTable } from "../../../pages/parts/viewer/scores.js";
import { scoreWords, thresholdWords } from "../../../pages/parts/viewer/viewer_said.js";

test("a threshold is said in words", () => {
  const live = { t: 210, upper: null, side: "bright" };
  assert.equal(thresholdWords(live), "Threshold at least 210");
  assert.equal(thresholdWords({ ...live, side: "dark" }), "Threshold at most 210");
  assert.equal(thresholdWords({ ...live, upper: 90 }), "Threshold 90 to 210");
  assert.equal(thresholdWords({ ...live, none: true }), "No threshold");
});

test("scores are said as far as they are known", () => {
  const levels = new Array(256).fill(0), lesion = [...levels], live = { t: 210, upper: null,
    side: "bright" };
  levels[220] = 10;
  lesion[220] = 5;
  const known = { levels, lesion, true: 5, voxelMl: 0.1, hasTruth: true };
  assert.equal(scoreWords({ live, table: scoreTable(known) }),
    "Threshold at least 210, Dice 0.667, 1.0 millilitres");
  const unknown = { ...known, lesion: null, true: null, hasTruth: false };
  assert.equal(scoreWords({ live, table: scoreTable(unknown) }),
    "Threshold at least 210, 1.0 millilitres");
});
