import assert from "node:assert/strict";
import test from "node:test";

import { placeOf } from "../../../pages/parts/viewer/viewer_planes.js";
import { listenToPlane, moveSlice, windowMoved, zoomBy }
  from "../../../pages/parts/viewer/viewer_pointer.js";
import { FakeNode } from "../helpers.js";

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

/** A viewer whose axial slice holds two pieces of the mask, and a pointer that clicks voxels. */
function withPieces() {
  const marked = new Uint8Array(200); // rows from the highest y, columns from the highest x
  for (const pixel of [0, 11, 22, 199]) marked[pixel] = 1;
  const canvas = new FakeNode(), at = { ...plane, canvas, cleaned: { bits: null },
    slice: { map: marked.map((on) => on * 200), labels: marked } };
  canvas.style = {};
  const state = viewer({ tool: null, store: { pieces: [] }, seq: 0, told: [], timer: 0, picking: "",
    live: { t: 100, upper: null, side: "bright" }, cleaned: null,
    data: { full: [10, 20, 8], scan: "s", key: "k" }, root: { focus() {} } });
  state.volume.key = "v";
  state.send = (message) => state.told.push(message);
  listenToPlane(state, at);
  const press = ([x, y], more = {}, drag = 0) => {
    const to = placeOf(state, at);
    const offsetX = to.x + (9 - x + 0.5) * to.sx, offsetY = to.y + (19 - y + 0.5) * to.sy;
    const event = { button: 0, pointerId: 1, offsetX, offsetY, ...more };
    canvas.send("pointermove", event);
    canvas.send("pointerdown", event);
    canvas.send("pointerup", { ...event, offsetX: offsetX + drag });
    clearTimeout(state.timer);
  };
  return { state, press };
}

test("Alt and click drops the piece under the pointer, with Shift it is kept alone", () => {
  const { state, press } = withPieces();
  press([8, 18], { altKey: true });
  assert.equal(state.picking, "axial");
  press([0, 0], { altKey: true, shiftKey: true });
  assert.deepEqual(state.told.at(-1).pieces, [
    { scan: "s", voxel: [8, 18, 4], act: "drop" }, { scan: "s", voxel: [0, 0, 4], act: "keep" },
  ]);
  assert.deepEqual(state.cursor, [2, 3, 4]); // the cursor stays where it was
});

test("the tool needs no key; off the mask, or after a drag, nothing is edited", () => {
  const { state, press } = withPieces();
  press([8, 18]);
  assert.deepEqual([state.store.pieces, state.cursor, state.picking], [[], [8, 18, 4], ""]);
  press([4, 4], { altKey: true });
  press([8, 18], { altKey: true }, 30);
  assert.deepEqual(state.store.pieces, []);
  state.tool = "pieces";
  press([7, 17]);
  assert.equal(state.store.pieces.length, 1);
});
