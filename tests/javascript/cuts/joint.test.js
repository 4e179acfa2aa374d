import assert from "node:assert/strict";
import test from "node:test";

import { equalLine, overlap } from "../../../pages/parts/cuts/joint.js";

const sigmoid = (x) => 1 / (1 + Math.exp(-x));

test("on a line of equal I_ro the network gives that level", () => {
  for (const weights of [[2, -5, 0.5], [-4, 1, 1], [0, 3, -1]]) {
    const line = equalLine(96, weights);
    assert.equal(line.length, 65);
    for (const [fence, wild] of line) {
      const level = 255 * sigmoid(weights[0] * fence + weights[1] * wild + weights[2]);
      assert.ok(Math.abs(level - 96) < 1e-9);
    }
  }
});

test("a line runs over the axis with the smaller weight", () => {
  const range = (line, i) => [line[0][i], line[64][i]];
  assert.deepEqual(range(equalLine(128, [1, 9, 0]), 0), [0, 1]);
  assert.deepEqual(range(equalLine(128, [9, 1, 0]), 1), [0, 1]);
});

test("black and white have lines too", () => {
  for (const level of [0, 255]) {
    assert.ok(equalLine(level, [1, 2, 0]).every((point) => point.every(Number.isFinite)));
  }
});

test("labels are in each other's way where they share rows and columns", () => {
  assert.ok(overlap([0, 0, 50, 13], [40, 5, 50, 13]));
  assert.ok(!overlap([0, 0, 50, 13], [60, 5, 50, 13]));
  assert.ok(!overlap([0, 0, 50, 13], [40, 13, 50, 13]));
});
