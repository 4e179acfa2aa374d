import assert from "node:assert/strict";
import test from "node:test";

import {
  countOf, levelsKept, paintSlice, thresholdLines, unpackFilm,
} from "../../../pages/parts/film/frames.js";
import { shades } from "../../../pages/parts/shared/browser/levels.js";
import { block, uint32s } from "../helpers.js";

const frame = (level, upper = null, side = "bright") => ({ level, upper, side });

/** A film of two frames of two slices of 2 x 2 pixels, as `film.pack` makes it. */
function packed(map, own = [], joint = true) {
  const shown = ["fence", "wild"], maps = own.length ? [...shown, map] : shown;
  const header = { size: 2, slices: [4, 7], map, maps, shown, joint,
    frames: [frame(null), frame(20)] };
  const planes = (first) => Array.from({ length: 8 }, (_, i) => first + i);
  return block(header, uint32s([70000, ...Array(255).fill(0)]), uint32s(Array(256).fill(2)),
    Array(joint ? 4096 : 0).fill(1), Array(joint ? 4096 : 0).fill(2), [0, 1, 2, 3, 10, 20, 30, 40],
    planes(10), planes(30), own, planes(110), planes(130), own);
}

test("a film's parts come in their order", () => {
  const { counts, joints, input, cuts } = unpackFilm(packed("wild"));
  assert.deepEqual([counts[0][0], counts[1][255], joints[1][4095]], [70000, 2, 2]);
  assert.deepEqual([...input], [0, 1, 2, 3, 10, 20, 30, 40]);
  assert.deepEqual([cuts[0].fence[0], cuts[0].wild[7], cuts[1].fence[0], cuts[1].wild[7]],
    [10, 37, 110, 137]);
});

test("a thresholded map that is none of them comes behind them", () => {
  const { cuts } = unpackFilm(packed("residual", [1, 2, 3, 4, 5, 6, 7, 8]));
  assert.deepEqual([...cuts[1].residual], [1, 2, 3, 4, 5, 6, 7, 8]);
  assert.equal(cuts[1].fence[0], 110);
});

test("a film of a method without two cuts has no joint histograms", () => {
  const { joints, input } = unpackFilm(packed("wild", [], false));
  assert.deepEqual([joints[0].length, joints[1].length, input[7]], [0, 0, 40]);
});

test("a film without frames is empty", () => {
  const header = { size: 2, slices: [1], map: "wild", maps: [], joint: true, frames: [] };
  const { counts, input } = unpackFilm(block(header));
  assert.deepEqual([counts.length, input.length], [0, 0]);
});

test("a frame keeps what its threshold keeps", () => {
  assert.deepEqual([frame(20), frame(20, null, "dark"), frame(20, 30)].map(levelsKept),
    [[20, 255], [0, 20], [20, 30]]);
});

test("only thresholds of the counted map have lines in its histogram", () => {
  const film = (map, ...frames) => ({ header: { map, counted: "reconstruction", frames } });
  assert.deepEqual(thresholdLines(film("reconstruction", frame(20)), 0), [20]);
  assert.deepEqual(thresholdLines(film("reconstruction", frame(20, 30)), 0), [20, 30]);
  assert.deepEqual(thresholdLines(film("reconstruction", frame(null)), 0), []);
  assert.deepEqual(thresholdLines(film("wild", frame(20)), 0), []);
});

test("a slice is painted turned: input, maps inside the tissue, mask on the input", () => {
  const film = unpackFilm(packed("fence")), greys = shades(), pixels = new Uint32Array(18);
  const covered = shades(0, 255, [255, 0, 0], 0.5);
  film.header.frames[1].level = 112;
  const mask = paintSlice(pixels, 2, film, 1, 0, covered);
  const look = (levels) => levels.map((level) => greys[level]);
  assert.deepEqual([...pixels.subarray(0, 2)], [0, 0]);
  assert.deepEqual([...pixels.subarray(2, 6)], look([3, 2, 1, 0]));
  assert.deepEqual([...pixels.subarray(6, 10)], look([113, 112, 111, 0]));
  assert.deepEqual([...pixels.subarray(10, 14)], look([133, 132, 131, 0]));
  assert.deepEqual([...pixels.subarray(14, 18)], [covered[3], covered[2], greys[1], greys[0]]);
  assert.deepEqual([...mask], [1, 1, 0, 0]);
  assert.equal(countOf(mask), 2);
});

test("each slice has its own planes, and no threshold marks nothing", () => {
  const film = unpackFilm(packed("fence")), pixels = new Uint32Array(16), greys = shades();
  const mask = paintSlice(pixels, 0, film, 0, 1, greys);
  assert.deepEqual([...pixels.subarray(0, 4)], [40, 30, 20, 10].map((level) => greys[level]));
  assert.deepEqual([...pixels.subarray(4, 8)], [17, 16, 15, 14].map((level) => greys[level]));
  assert.equal(countOf(mask), 0);
});
