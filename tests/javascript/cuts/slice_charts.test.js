import assert from "node:assert/strict";
import test from "node:test";

import { choiceOf, countTicks, frameOf, short } from "../../../pages/parts/cuts/slice_charts.js";

test("a frame has levels to the right and upwards", () => {
  const frame = frameOf(306, 298);
  assert.deepEqual([frame.x, frame.y, frame.w, frame.h], [42, 8, 256, 256]);
  assert.deepEqual([frame.px(0), frame.up.px(0), frame.up.px(255)], [42.5, 263.5, 8.5]);
  assert.deepEqual([frame.up.levelAt(8), frame.up.levelAt(263.5)], [255, 0]);
});

test("counts are written short", () => {
  assert.deepEqual([0, 999, 1000, 12345, 2.5e6].map(short), ["0", "999", "1k", "12k", "2.5M"]);
});

test("ticks are powers of ten, or three even ones", () => {
  assert.deepEqual(countTicks(12345, true), [1, 10, 100, 1000, 10000]);
  assert.deepEqual(countTicks(1000, true), [1, 10, 100, 1000]);
  assert.deepEqual(countTicks(1, true), [1]);
  assert.deepEqual(countTicks(900, false), [300, 600, 900]);
});

const peaks = [{ name: "peak 1", position: 30, left: 20, right: 40 },
  { name: "peak 2", position: 90, left: 80, right: 99 }];

test("a dragged range is a choice of levels, from either side", () => {
  const expected = { kind: "levels", map: "wild", from: 50, to: 60, name: "" };
  assert.deepEqual(choiceOf("wild", peaks, 50, 60), expected);
  assert.deepEqual(choiceOf("wild", peaks, 60, 50), expected);
});

test("a click chooses the peak it is on, or nothing", () => {
  assert.deepEqual(choiceOf("wild", peaks, 85, 86),
    { kind: "levels", map: "wild", from: 80, to: 99, name: "peak 2" });
  assert.equal(choiceOf("wild", peaks, 60, 60), null);
});
