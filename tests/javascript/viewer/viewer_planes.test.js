import assert from "node:assert/strict";
import test from "node:test";

import {
  layOut, localCursor, middle, pieceAt, placeOf, sidesOf, titleOf, voxelAt,
} from "../../../pages/parts/viewer/viewer_planes.js";

/** A viewer of a volume of 10 x 20 x 8 voxels that begins at (5, 6, 7) of the whole grid. */
const viewer = (changes = {}) => ({
  volume: { shape: [10, 20, 8], offset: [5, 6, 7], spacing: [1, 2, 3] }, cursor: [9, 10, 11],
  scale: 4, zoom: 1, centre: null, display: { radiological: true }, ...changes,
});
const plane = (name) => ({ name, box: { x: 0, y: 0, w: 300, h: 400 } });

test("slices are counted from 1", () => {
  assert.equal(titleOf("axial", 0, 48), "axial 1 of 48");
  assert.equal(titleOf("axial", 47, 48), "axial 48 of 48");
});

test("a picture lies in the middle of its plane, a voxel as large as its millimetres", () => {
  const { x, y, sx, sy } = placeOf(viewer(), plane("coronal"));
  assert.deepEqual([sx, sy], [4, 12]);
  assert.deepEqual([x + 5 * sx, y + 4 * sy], [150, 200]);
});

test("a zoomed picture has its centre in the middle", () => {
  const near = viewer({ zoom: 2, centre: [3, 5, 4] });
  const { x, y, sx, sy, reversed } = placeOf(near, plane("axial"));
  assert.deepEqual([sx, sy, reversed], [8, 16, true]);
  assert.deepEqual([x + (10 - 3) * sx, y + (20 - 5) * sy], [150, 206]); // 6: room for the title
});

test("the voxel under a pixel is the one that is drawn there", () => {
  for (const radiological of [true, false]) {
    for (const [name, [a, b]] of [["axial", [0, 1]], ["coronal", [0, 2]], ["sagittal", [1, 2]]]) {
      const state = viewer({ display: { radiological } }), { shape, offset } = state.volume;
      const to = placeOf(state, plane(name));
      for (const [column, row] of [[0, 0], [shape[a] - 1, 0], [2, shape[b] - 1]]) {
        const { voxel, inside } = voxelAt(state, plane(name), to.x + (column + 0.5) * to.sx,
          to.y + (row + 0.5) * to.sy);
        const expected = [...state.cursor];
        expected[a] = offset[a] + (to.reversed ? shape[a] - 1 - column : column);
        expected[b] = offset[b] + shape[b] - 1 - row;
        assert.deepEqual([voxel, inside], [expected, true]);
      }
    }
  }
});

test("the letters beside a plane name the sides that are drawn there", () => {
  for (const radiological of [true, false]) {
    const ends = [["axial", 0, "R"], ["coronal", 0, "R"], ["sagittal", 1, "A"]];
    for (const [name, axis, high] of ends) {
      const state = viewer({ display: { radiological } }), at = plane(name);
      const to = placeOf(state, at), { voxel } = voxelAt(state, at, to.x + 1, to.y + 1);
      // the plane's left edge is the patient's right, or the front, where x, or y, is highest
      const leftIsHigh = voxel[axis] === state.volume.offset[axis] + state.volume.shape[axis] - 1;
      assert.equal(sidesOf(name, radiological).indexOf(high), leftIsHigh ? 0 : 1);
    }
  }
});

test("beside the picture the nearest voxel is meant, and it is said", () => {
  const { voxel, inside } = voxelAt(viewer(), plane("axial"), 0, 0);
  assert.deepEqual([voxel, inside], [[14, 25, 11], false]);
});

test("the cursor is told in the volume's own voxels and stays in it", () => {
  assert.deepEqual(localCursor(viewer()), [4, 4, 4]);
  assert.deepEqual(localCursor(viewer({ cursor: [0, 99, 8] })), [0, 19, 1]);
  assert.deepEqual(middle(viewer()), [5, 10, 4]);
});

/** Three planes in a row of this size. */
function rowOf(shape, width, height) {
  const planes = ["axial", "coronal", "sagittal"].map((name) =>
    ({ name, node: { hidden: false, style: {} } }));
  const state = { planes, nodes: { planes: { clientWidth: width, clientHeight: height } },
    volume: { shape, spacing: [1, 1, 1] } };
  layOut(state);
  return state;
}

test("planes share a row at one scale and fill it", () => {
  const { planes, scale } = rowOf([100, 200, 50], 1000, 400);
  assert.equal(scale, 1.78); // (400 - 44) / 200: the axial plane is the tallest
  const widths = planes.map(({ box }) => box.w);
  assert.ok(Math.abs(widths.reduce((sum, one) => sum + one) - 1000) <= 2);
  assert.equal(planes[0].node.style.width, `${widths[0]}px`);
});

test("a narrow row makes the scale", () => {
  assert.equal(rowOf([100, 200, 50], 472, 4000).scale, 1); // 400 mm side by side, 72 pixels apart
});

test("a single slice has the axial plane alone", () => {
  const { planes } = rowOf([100, 100, 1], 600, 400);
  assert.deepEqual(planes.map(({ node }) => node.hidden), [false, true, true]);
  assert.equal(planes[0].box.w, 600);
});

test("the piece under a voxel is found in every plane, on the side that is drawn there", () => {
  for (const radiological of [true, false]) {
    for (const [name, [a, b]] of [["axial", [0, 1]], ["coronal", [0, 2]], ["sagittal", [1, 2]]]) {
      const state = viewer({ display: { radiological }, cleaned: null,
        live: { t: 1, upper: null, side: "bright" } });
      const { shape, offset } = state.volume, wide = shape[a];
      const slice = new Uint8Array(wide * shape[b]), at = plane(name);
      slice[wide * 2 + 1] = 1; // second column of the third row
      const { x, y, sx, sy } = placeOf(state, at);
      const { voxel } = voxelAt(state, at, x + 1.5 * sx, y + 2.5 * sy);
      Object.assign(at, { slice: { map: slice, labels: slice }, cleaned: { bits: null } });
      assert.deepEqual(pieceAt(state, at, voxel), slice);
      voxel[a] = offset[a] + Math.floor(shape[a] / 2);
      assert.equal(pieceAt(state, at, voxel), null);
    }
  }
});
