import assert from "node:assert/strict";
import test from "node:test";

import { placeOf } from "../../../pages/parts/viewer/viewer_planes.js";
import { moveSlice, windowMoved, zoomBy }
  from "../../../pages/parts/viewer/viewer_pointer.js";

test("a drag to the right widens the grey window, one down darkens", () => {
  assert.deepEqual(windowMoved([0, 100], 100, 0), [-35, 135]);
  assert.deepEqual(windowMoved([0, 100], 0, 10), [7, 107]);
});

test("a window has at least 8 levels", () => {
  assert.deepEqual(windowMoved([0, 100], -1000, 0), [46, 54]);
});

/** A viewer of a volume of 10 x 20 x 8 voxels, and its axial plane. */
function viewer(changes = {}) {
  const state = {
    volume: { shape: [10, 20, 8], offset: [0, 0, 0], spacing: [1, 2, 3] }, cursor: [2, 3, 4],
    scale: 4, zoom: 1, centre: null, display: { radiological: true }, drawn: 0, told: [], acts: [],
    data: { full: [10, 20, 8] }, live: {}, ...changes,
  };
  return Object.assign(state, { redraw: () => { state.drawn += 1; }, send: () => {} });
}
const plane = { name: "axial", box: { x: 0, y: 0, w: 300, h: 400 } };

test("what is under the pointer stays there when it zooms", () => {
  for (const radiological of [true, false]) {
    const state = viewer({ display: { radiological } });
    const under = () => {
      const to = placeOf(state, plane);
      return [(160 - to.x) / to.sx, (230 - to.y) / to.sy];
    };
    const before = under();
    zoomBy(state, 2.5, plane, 160, 230);
    under().forEach((part, i) => assert.ok(Math.abs(part - before[i]) < 1e-9));
    zoomBy(state, 1.3, plane, 160, 230);
    under().forEach((part, i) => assert.ok(Math.abs(part - before[i]) < 1e-9));
  }
});

test("without a pointer the cursor comes to the middle", () => {
  const state = viewer();
  zoomBy(state, 2);
  assert.deepEqual([state.zoom, state.centre], [2, [2.5, 3.5, 4.5]]);
});

test("a zoom ends at 1, where all is in view, and at 24", () => {
  const state = viewer({ zoom: 3, centre: [1, 1, 1] });
  zoomBy(state, 0.1, plane, 10, 10);
  assert.deepEqual([state.zoom, state.centre], [1, null]);
  zoomBy(state, 1000);
  assert.equal(state.zoom, 24);
});

test("a slice moves along its own axis and stays in the volume", () => {
  const state = viewer();
  moveSlice(state, "axial", 2);
  assert.deepEqual(state.cursor, [2, 3, 6]);
  moveSlice(state, "sagittal", -9);
  assert.deepEqual(state.cursor, [0, 3, 6]);
  clearTimeout(state.timer);
});
