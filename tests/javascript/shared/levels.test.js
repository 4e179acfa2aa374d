import assert from "node:assert/strict";
import test from "node:test";

import {
  channels, clamp, fixed, keptBy, keptLevels, levelAxis, levelFrame, paintTurned, pixel, shades,
  sorted,
} from "../../../pages/parts/shared/browser/levels.js";

test("a value stays between its ends", () => {
  assert.deepEqual([-1, 0, 4, 9, 10].map((v) => clamp(v, 0, 9)), [0, 0, 4, 9, 9]);
});

test("the lower of two comes first", () => {
  assert.deepEqual([sorted(3, 1), sorted(1, 3), sorted(2, 2)], [[1, 3], [1, 3], [2, 2]]);
});

test("numbers have their digits, and a dash stands for none", () => {
  assert.deepEqual([fixed(0.12345, 3), fixed(2, 1)], ["0.123", "2.0"]);
  assert.deepEqual([null, undefined, NaN, Infinity].map((v) => fixed(v, 2)), ["–", "–", "–", "–"]);
});

test("a threshold keeps its own level", () => {
  assert.deepEqual(keptLevels(90, null, "bright"), [90, 255]);
  assert.deepEqual(keptLevels(90, null, "dark"), [0, 90]);
});

test("a band keeps both its ends, whatever the side and the order", () => {
  for (const side of ["bright", "dark"]) assert.deepEqual(keptLevels(90, 150, side), [90, 150]);
  assert.deepEqual(keptLevels(150, 90, "bright"), [90, 150]);
});

test("no threshold keeps nothing", () => {
  const [first, last] = keptLevels(null, null, "bright");
  assert.ok(first > last);
});

test("a parked line keeps nothing, whatever its level", () => {
  const live = { t: 90, upper: null, side: "bright" };
  assert.deepEqual(keptBy(live), [90, 255]);
  const [first, last] = keptBy({ ...live, none: true });
  assert.ok(first > last);
});

test("each level lies under the middle of its own bar", () => {
  for (const [from, length] of [[40, 512], [300, -256], [0, 100]]) {
    const axis = levelAxis(from, length);
    for (let level = 0; level < 256; level++) {
      assert.equal(axis.levelAt(axis.px(level)), level);
    }
  }
});

test("pixels beyond an axis mean its ends", () => {
  const axis = levelAxis(40, 512);
  assert.deepEqual([axis.levelAt(0), axis.levelAt(1000)], [0, 255]);
});

test("a frame knows its right, its bottom and a level's width", () => {
  const { right, bottom, step } = levelFrame(10, 20, 512, 100);
  assert.deepEqual([right, bottom, step], [522, 120, 2]);
});

test("a colour's three parts", () => {
  assert.deepEqual(channels("#D55E00"), [213, 94, 0]);
});

test("a pixel's bytes are red, green, blue, alpha in this order", () => {
  const bytes = new Uint8Array(Uint32Array.of(pixel([1, 2, 3], 4)).buffer);
  assert.deepEqual([...bytes], [1, 2, 3, 4]);
  assert.equal(pixel([1, 2, 3]), pixel([1, 2, 3], 255));
});

test("without a window the greys are the levels", () => {
  shades().forEach((grey, level) => assert.equal(grey, pixel([level, level, level])));
});

test("a window is black up to its low end and white from its high end on", () => {
  const greys = shades(100, 150);
  assert.deepEqual([greys[0], greys[100]], [pixel([0, 0, 0]), pixel([0, 0, 0])]);
  assert.deepEqual([greys[150], greys[255]], Array(2).fill(pixel([255, 255, 255])));
  assert.equal(greys[125], pixel([128, 128, 128]));
});

test("a colour laid over greys takes its share", () => {
  assert.equal(shades(0, 255, [200, 100, 0], 0.5)[100], pixel([150, 100, 50]));
  assert.equal(shades(0, 255, [200, 100, 0], 1)[7], pixel([200, 100, 0]));
});

test("a plane is painted turned, from its place on, black outside the tissue", () => {
  const pixels = new Uint32Array(6), greys = shades();
  paintTurned(pixels, 2, Uint8Array.of(1, 2, 3, 4), greys, Uint8Array.of(1, 0, 1, 1));
  assert.deepEqual([...pixels], [0, 0, greys[4], greys[3], greys[0], greys[1]]);
});
