import assert from "node:assert/strict";
import test from "node:test";

import { windowMoved } from "../../../pages/parts/threshold/viewer_pointer.js";

test("a drag to the right widens the grey window, one down darkens", () => {
  assert.deepEqual(windowMoved([0, 100], 100, 0), [-35, 135]);
  assert.deepEqual(windowMoved([0, 100], 0, 10), [7, 107]);
});

test("a window has at least 8 levels", () => {
  assert.deepEqual(windowMoved([0, 100], -1000, 0), [46, 54]);
});
