import assert from "node:assert/strict";
import test from "node:test";

import {
  frameClicked, levelTicks, nearestFrame, short,
} from "../../../pages/parts/film/film_charts.js";
import { levelFrame } from "../../../pages/parts/shared/browser/levels.js";

test("ticks of levels lie at their levels", () => {
  const ticks = levelTicks(levelFrame(0, 0, 256, 10));
  assert.deepEqual(ticks, [[0.5, 0], [64.5, 64], [128.5, 128], [192.5, 192], [255.5, 255]]);
});

test("numbers at an axis have two digits", () => {
  assert.deepEqual([0, 1, 0.123, 123.4, 0.00123].map(short), ["0", "1", "0.12", "120", "1e-3"]);
});

const frames = [0, 100, 200].map((step) => ({ step }));

test("the nearest frame is found, the first of two as near", () => {
  assert.deepEqual([-5, 50, 51, 199, 900].map((step) => nearestFrame(frames, step)),
    [0, 0, 1, 2, 2]);
});

test("a click on curves means the frame at its step", () => {
  const film = { header: { frames } }, target = { clientWidth: 252 }; // curves are 200 wide
  const clicked = (offsetX) => frameClicked({ offsetX, target }, { last: 200 }, film);
  assert.deepEqual([32, 132, 232].map(clicked), [0, 1, 2]);
});
