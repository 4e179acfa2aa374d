import assert from "node:assert/strict";
import test from "node:test";

import { below, edges, fit, sharp, steps } from "../../../pages/parts/shared/browser/canvas.js";
import { levelFrame } from "../../../pages/parts/shared/browser/levels.js";

/** A path that keeps its corners. */
class Path2D {
  constructor(other) { this.corners = [...(other?.corners ?? [])]; }
  lineTo(x, y) { this.corners.push([x, y]); }
  closePath() { this.closed = true; }
}

globalThis.window = { devicePixelRatio: 2 };
globalThis.Path2D = Path2D;

/** A canvas whose context keeps its transform. */
function fakeCanvas() {
  const pen = { setTransform(...values) { pen.transform = values; }, clearRect() {} };
  return { width: 0, height: 0, style: {}, getContext: () => pen };
}

test("a canvas has the screen's pixels and is drawn on in CSS pixels", () => {
  const canvas = fakeCanvas(), pen = sharp(canvas, 100, 50.4);
  assert.deepEqual([canvas.width, canvas.height], [200, 101]);
  assert.deepEqual(pen.transform, [2, 0, 0, 2, 0, 0]);
  assert.deepEqual(canvas.style, {});
});

test("a canvas without room still has a pixel", () => {
  const canvas = fakeCanvas();
  fit(canvas, 0, 10);
  assert.deepEqual([canvas.width, canvas.style.width, canvas.style.height], [1, "0px", "10px"]);
});

/** All pixels' edges by brute force: between each pixel and its four neighbours. */
function unitEdges(marked, width, height) {
  const on = (x, y) => x >= 0 && y >= 0 && x < width && y < height && marked[y * width + x] > 0;
  const found = new Set();
  for (let y = 0; y <= height; y++) {
    for (let x = 0; x <= width; x++) {
      if (on(x, y) !== on(x, y - 1)) found.add(`${x} ${y} across`);
      if (on(x, y) !== on(x - 1, y)) found.add(`${x} ${y} down`);
    }
  }
  return found;
}

test("edges lie exactly between marked pixels and others", () => {
  let seed = 1;
  const draw = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
  for (const [width, height] of [[1, 1], [5, 3], [4, 7]]) {
    for (let round = 0; round < 20; round++) {
      const marked = Uint8Array.from({ length: width * height }, () => (draw() < 0.4 ? 2 : 0));
      const found = new Set();
      for (const [x0, y0, x1, y1] of edges(marked, width, height)) {
        assert.ok(x0 === x1 || y0 === y1);
        for (let x = x0; x < x1; x++) found.add(`${x} ${y0} across`);
        for (let y = y0; y < y1; y++) found.add(`${x0} ${y} down`);
      }
      assert.deepEqual(found, unitEdges(marked, width, height));
    }
  }
});

test("a straight edge is one line", () => {
  assert.equal(edges(Uint8Array.of(1, 1, 1, 0, 0, 0), 3, 2).length, 4);
  assert.deepEqual(edges(new Uint8Array(6), 3, 2), []);
});

test("a histogram's outline has a step for each level and ends at the frame", () => {
  const frame = levelFrame(10, 0, 256, 100), outline = steps(frame, (level) => level);
  assert.equal(outline.corners.length, 512);
  assert.deepEqual(outline.corners.slice(0, 3), [[10, 0], [11, 0], [11, 1]]);
  assert.deepEqual(outline.corners.at(-1), [266, 255]);
  const area = below(frame, outline);
  assert.deepEqual(area.corners.slice(-2), [[266, 100], [10, 100]]);
  assert.ok(area.closed);
  assert.equal(outline.corners.length, 512);
});
