import assert from "node:assert/strict";
import test from "node:test";

import { levelFrame } from "../../../pages/parts/shared/browser/levels.js";
import { frameOf, peakAt, topCount } from "../../../pages/parts/viewer/viewer_histogram.js";

test("Dice's curve needs room for its axis", () => {
  const chart = { width: 600, height: 300 };
  const plain = frameOf({ chart, display: { curve: false }, data: { dice: {} } });
  assert.deepEqual([plain.x, plain.y, plain.w, plain.h], [40, 24, 544, 226]);
  assert.equal(frameOf({ chart, display: { curve: true }, data: { dice: {} } }).w, 516);
  assert.equal(frameOf({ chart, display: { curve: true }, data: { dice: null } }).w, 544);
});

test("a pile at an end does not flatten all else", () => {
  const counts = Array(256).fill(1);
  counts[100] = 50;
  assert.equal(topCount(counts), 53);
  counts[0] = 150;
  assert.equal(topCount(counts), 159);
  counts[0] = 151;
  assert.equal(topCount(counts), 53);
  assert.equal(topCount(Array(256).fill(0)), 1.06);
});

test("a pointer means the nearest peak within reach, which is farther among the names", () => {
  const frame = levelFrame(0, 0, 256, 100), peaks = [{ position: 50 }, { position: 60 }];
  assert.equal(peakAt(peaks, frame, 54, 50), 0);
  assert.equal(peakAt(peaks, frame, 57, 50), 1);
  assert.equal(peakAt(peaks, frame, 80, 50), -1);
  assert.equal(peakAt(peaks, frame, 80, 110), 1);
  assert.equal(peakAt([], frame, 54, 50), -1);
});
