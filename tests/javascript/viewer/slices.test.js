import assert from "node:assert/strict";
import test from "node:test";

import {
  PLANES, columnsReversed, inMask, inVolume, pieceOf, takePlane,
} from "../../../pages/parts/viewer/slices.js";

const SHAPE = [3, 4, 5];
const at = ([x, y, z]) => x + 3 * (y + 4 * z);
const VOLUME = Uint8Array.from({ length: 60 }, (_, i) => i);

test("a volume is read x fastest, then y, then z", () => {
  const valueAt = inVolume(VOLUME, SHAPE);
  for (const voxel of [[0, 0, 0], [2, 0, 0], [0, 3, 0], [0, 0, 4], [1, 2, 3]]) {
    assert.equal(valueAt(voxel), at(voxel));
  }
});

test("the first row is the highest voxel; radiological columns run from high x to low", () => {
  const plane = takePlane(inVolume(VOLUME, SHAPE), SHAPE, "axial", 2, true);
  assert.deepEqual([...plane.subarray(0, 3)], [at([2, 3, 2]), at([1, 3, 2]), at([0, 3, 2])]);
  assert.deepEqual([...plane.subarray(9)], [at([2, 0, 2]), at([1, 0, 2]), at([0, 0, 2])]);
});

test("each plane holds the voxels of its slice, columns by the convention", () => {
  for (const [name, { axes: [a, b], fixed }] of Object.entries(PLANES)) {
    for (const radiological of [true, false]) {
      const plane = takePlane(inVolume(VOLUME, SHAPE), SHAPE, name, 1, radiological);
      assert.equal(plane.length, SHAPE[a] * SHAPE[b]);
      plane.forEach((value, i) => {
        const column = i % SHAPE[a], voxel = [0, 0, 0];
        voxel[fixed] = 1;
        voxel[a] = columnsReversed(name, radiological) ? SHAPE[a] - 1 - column : column;
        voxel[b] = SHAPE[b] - 1 - Math.floor(i / SHAPE[a]);
        assert.equal(value, at(voxel));
      });
    }
  }
});

test("anterior is always on the left of a sagittal plane", () => {
  assert.deepEqual([true, false].map((one) => columnsReversed("sagittal", one)), [true, true]);
  assert.deepEqual([true, false].map((one) => columnsReversed("axial", one)), [true, false]);
});

/** A mask's bits, highest first, x fastest. */
function packBits(values) {
  const bits = new Uint8Array(Math.ceil(values.length / 8));
  values.forEach((on, i) => { if (on) bits[i >> 3] |= 128 >> (i & 7); });
  return bits;
}

test("a mask's bits lie where its box lies, and nothing is outside it", () => {
  const shape = [2, 3, 2], values = [1, 0, 0, 1, 1, 1, 0, 0, 1, 0, 1, 1];
  const mask = { shape, offset: [11, 20, 31], bits: packBits(values) };
  const valueAt = inMask(mask, [10, 20, 30]); // the volume is a box of the whole grid, too
  for (let z = 0; z < 5; z++) {
    for (let y = 0; y < 4; y++) {
      for (let x = 0; x < 3; x++) {
        const [i, j, k] = [x - 1, y, z - 1];
        const inside = i >= 0 && i < 2 && j < 3 && k >= 0 && k < 2;
        assert.equal(valueAt([x, y, z]), inside ? values[i + 2 * (j + 3 * k)] : 0);
      }
    }
  }
});

test("an empty mask is nowhere", () => {
  const none = [0, 0, 0], bits = new Uint8Array(0);
  const valueAt = inMask({ shape: none, offset: none, bits }, none);
  assert.ok(takePlane(valueAt, SHAPE, "coronal", 0, true).every((one) => one === 0));
});

test("a piece is what sides and corners connect in a slice, and nothing round its edges", () => {
  const rows = [
    "#..#",
    ".#.#",
    "....",
    "#..#",
  ];
  const marked = Uint8Array.from(rows.join(""), (one) => Number(one === "#"));
  const held = (/** @type {number} */ where) =>
    [...(pieceOf(marked, 4, where) ?? [])].flatMap((on, i) => (on ? [i] : []));
  assert.deepEqual(held(0), [0, 5]);
  assert.deepEqual(held(7), [3, 7]);
  assert.deepEqual(held(12), [12]);
  assert.equal(pieceOf(marked, 4, 1), null);
});
