import assert from "node:assert/strict";
import test from "node:test";

import { legend, sentence, summary } from "../../../pages/parts/film/film.js";

const film = {
  counts: [Uint32Array.of(3, 9), Uint32Array.of(7, 1)],
  header: {
    frames: [{ step: 10 }, { step: 20 }], colours: ["#111", "#222"],
    losses: [{ name: "a", x: [5, 40], y: [0.5, null] }, { name: "b", x: [5], y: [-1] },
      { name: "c", x: [5], y: [8] }],
    course: [{ step: 10, index: 0.1, stability: null, rank: 0.9 }],
  },
};
const look = { colour: (name) => `colour of ${name}` };

test("all frames share the highest count and the last step of frames and losses", () => {
  const { tallest, course, losses } = summary(film, look);
  assert.deepEqual([tallest, course.last, losses.last], [9, 40, 40]);
});

test("the course has three curves in the colours of their meaning", () => {
  const { course: { lines, low, high, log } } = summary(film, look);
  assert.deepEqual(lines.map(({ name, y }) => [name, ...y]),
    [["index", 0.1], ["stability", null], ["abs. rank corr.", 0.9]]);
  assert.deepEqual(lines[1].colour, "colour of mask");
  assert.deepEqual([low, high, log], [0, 1, false]);
});

test("losses reach from the smallest to the largest above 0, their colours in turn", () => {
  const { losses: { lines, low, high, log } } = summary(film, look);
  assert.deepEqual([low, high, log], [0.5, 8, true]);
  assert.deepEqual(lines.map(({ colour }) => colour), ["#111", "#222", "#111"]);
});

test("without losses there is still an axis", () => {
  const { losses } = summary({ counts: [], header: { ...film.header, losses: [] } }, look);
  assert.deepEqual([losses.low, losses.high], [0.1, 1]);
});

const frame = { label: "cycle 3", images: 240, separated: 1, index: 0.456, rule: "otsu", rank: null,
  stability: 0.9, holes: 0.126 };

test("a frame's sentence gives dashes for what there is not", () => {
  assert.equal(sentence(frame, "outer peak"), "cycle 3 · 240 slices seen · 1 separated peak · " +
    "index 0.46 · threshold otsu (outer peak) · stability 0.90 · holes 13 % · rank correlation –");
  const other = sentence({ ...frame, separated: 2, holes: null }, "x");
  assert.match(other, /2 separated peaks .* holes – ·/);
});

test("a loss's name cannot be markup", () => {
  assert.equal(legend([{ name: "a<b>&", colour: "#111" }, { name: "c", colour: "#222" }]),
    '<span style="color:#111">■</span> ab> <span style="color:#222">■</span> c');
});
