import assert from "node:assert/strict";
import test from "node:test";

import { home, unpack, windowMoved } from "../../../pages/parts/cuts/slice_panel.js";
import { block } from "../helpers.js";

test("each map's held slices and the flags come by name", () => {
  const header = { shape: [2, 1, 9], held: 2, maps: ["input", "wild"] };
  const { volumes } = unpack(block(header, [1, 2, 3, 4], [5, 6, 7, 8], [1, 0, 1, 0]));
  assert.deepEqual(volumes, { input: Uint8Array.of(1, 2, 3, 4), wild: Uint8Array.of(5, 6, 7, 8),
    flags: Uint8Array.of(1, 0, 1, 0) });
});

test("a small region fills the view, in display's turned coordinates", () => {
  const { zoom, centre } = home({ shape: [100, 100], box: [10, 29, 50, 59] });
  assert.ok(Math.abs(zoom - 0.92 * 5) < 1e-12);
  assert.deepEqual(centre, [80, 45]);
});

test("a region that nearly fills the slice stays whole, a tiny one grows six times", () => {
  assert.deepEqual(home({ shape: [100, 80], box: [5, 94, 5, 74] }), { zoom: 1, centre: [50, 40] });
  assert.equal(home({ shape: [100, 100], box: [50, 50, 50, 50] }).zoom, 6);
});

test("to the right a window widens, downwards it brightens, within 0 to 255", () => {
  assert.deepEqual(windowMoved([50, 150], 20, 0), [40, 160]);
  assert.deepEqual(windowMoved([50, 150], 0, 10), [40, 140]);
  assert.deepEqual(windowMoved([0, 255], 500, 0), [0, 255]);
  const [low, high] = windowMoved([50, 150], -500, -500);
  assert.ok(low >= 0 && high <= 255 && high - low >= 2);
});
