import assert from "node:assert/strict";
import test from "node:test";

import {
  litPixels, mapOf, overGrey, placeOf, tilesOf,
} from "../../../pages/parts/cuts/slice_tiles.js";

const header = { shape: [10, 20, 3], spacing: [1, 1, 2], maps: ["input", "fence", "wild"] };

test("tiles lie three beside each other, two where it is narrow", () => {
  const wide = tilesOf(604, header);
  assert.deepEqual(wide.tiles.map(({ name, x, y }) => [name, x, y]),
    [["input", 0, 0], ["fence", 202, 0], ["wild", 404, 0], ["mask", 0, 264]]);
  assert.deepEqual([wide.tiles[0].w, wide.tiles[0].h, wide.height], [200, 262, 526]);
  const narrow = tilesOf(300, header);
  assert.deepEqual(narrow.tiles.map(({ x }) => x), [0, 151, 0, 151]);
});

test("the mask is shown on the input", () => {
  assert.deepEqual(["mask", "input", "wild"].map(mapOf), ["input", "input", "wild"]);
});

test("a picture fills its tile and has its centre in the middle", () => {
  const tile = { x: 100, y: 50, w: 40, h: 40 };
  const { x, y, sx, sy } = placeOf(tile, { header, zoom: 1, centre: [5, 10] });
  assert.deepEqual([sx, sy, x, y], [2, 2, 110, 50]);
  const near = placeOf(tile, { header, zoom: 3, centre: [2, 4] });
  assert.deepEqual([near.x + 2 * near.sx, near.y + 4 * near.sy], [120, 70]);
});

const slices = { flags: Uint8Array.of(1, 1, 0, 3), fence: Uint8Array.of(10, 20, 20, 30),
  wild: Uint8Array.of(5, 6, 6, 7) };

test("levels light up the region's pixels, in screen order", () => {
  const lit = litPixels({ kind: "levels", map: "fence", from: 20, to: 30 }, slices);
  assert.deepEqual([...lit], [1, 0, 1, 0]);
});

test("a pair of ranges lights up what lies in both", () => {
  const lit = litPixels({ kind: "pairs", fence: [10, 20], wild: [6, 9] }, slices);
  assert.deepEqual([...lit], [0, 0, 1, 0]);
});

test("no choice lights up nothing", () => {
  assert.deepEqual([...litPixels(null, slices)], [0, 0, 0, 0]);
});

test("a colour laid over middle grey is seen as itself", () => {
  const over = overGrey([204, 121, 167], 190);
  over.forEach((part, i) => {
    const seen = part * (190 / 255) + 128 * (65 / 255);
    assert.ok(Math.abs(seen - [204, 121, 167][i]) < 1);
  });
  assert.deepEqual(overGrey([255, 0, 128], 100), [255, 0, 128]);
});
