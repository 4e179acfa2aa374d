import assert from "node:assert/strict";
import test from "node:test";

import { cellsOf, meanOf, sourceOf, valleyBefore } from "../../../pages/parts/viewer/numbers.js";

const data = {
  proposal: { t: 128, side: "bright", rule: "otsu", kind: "mask-free", sentence: "Otsu.",
    text: "≥ 128" },
  peaks: [{}, {}, {}], hint: "", live: { t: 90, upper: null },
};
const live = { t: 128, upper: null, side: "bright", rule: "otsu" };

test("the rule's own proposal has the rule's sentence", () => {
  assert.deepEqual(sourceOf(data, live), ["mask-free", "Otsu."]);
});

test("a peak says which one it is", () => {
  assert.deepEqual(sourceOf(data, { ...live, rule: "peak:2" }),
    ["mask-free", "The level of peak 2 of 3."]);
});

test("from a peak the way leads to the valley that keeps all of it", () => {
  const peaks = { ...data, valleys: [40, 170] };
  const at = (number) => ({ ...live, rule: `peak:${number}` });
  assert.deepEqual(valleyBefore(peaks, at(3)), { t: 170, rule: "valley:2" });
  assert.equal(valleyBefore(peaks, at(1)), null);
  assert.deepEqual(valleyBefore(peaks, { ...at(1), side: "dark" }), { t: 40, rule: "valley:1" });
  assert.equal(valleyBefore(peaks, { ...at(3), side: "dark" }), null);
  assert.equal(valleyBefore(peaks, at(99)), null);
  assert.equal(valleyBefore(peaks, live), null);
});

test("a level by hand says how it came about, or what the rule proposes", () => {
  const byHand = { ...live, t: 90, rule: "" };
  assert.deepEqual(sourceOf({ ...data, hint: "Drawn." }, byHand), ["by hand", "Drawn."]);
  assert.deepEqual(sourceOf({ ...data, hint: "Drawn." }, { ...byHand, t: 91 }),
    ["by hand", "The rule “otsu” proposes ≥ 128."]);
  assert.deepEqual(sourceOf(data, byHand), ["by hand", "The rule “otsu” proposes ≥ 128."]);
  assert.deepEqual(sourceOf({ ...data, pending: true }, byHand), ["by hand",
    "What the rule “otsu” proposes is not known yet: the cohort is being counted."]);
});

test("where there is no lesion, the voxels that are marked are said instead of scores", () => {
  const numbers = { volume: 1.5, dice: 0, sensitivity: null, precision: 0 };
  const cells = { volume: "1.5 ml", sensitivity: "–", precision: "–" };
  assert.deepEqual(cellsOf(numbers, { voxelMl: 0.5, steps: "" }, true),
    { ...cells, dice: "3 voxels marked" });
  assert.deepEqual(cellsOf(numbers, { voxelMl: 0.5, steps: "open:3" }, true),
    { ...cells, dice: "3 voxels" });
  assert.equal(cellsOf(numbers, { voxelMl: 0.5, steps: "" }, false).dice, "0.000");
  assert.equal(cellsOf(null, { voxelMl: 0.5, steps: "" }, true).dice, "…");
});

test("a decision that was accepted is not called a level by hand", () => {
  const kept = { ...data, hint: "Decided by anna.", hintKind: "accepted" };
  assert.deepEqual(sourceOf(kept, { t: 90, upper: null, side: "bright", rule: "" }),
    ["accepted", "Decided by anna."]);
});

test("without a threshold the mean is that of empty masks, not of the end of the scale", () => {
  const mean = { meanDice: { bright: { 128: 0.4, 255: 0.1 } }, pending: false };
  const here = { ...live, none: false };
  assert.equal(meanOf(mean, here), 0.4);
  assert.equal(meanOf(mean, { ...here, t: 255, none: true }), 0);
  assert.equal(meanOf({ ...mean, pending: true }, { ...here, none: true }), null);
  assert.equal(meanOf(mean, { ...here, upper: 200 }), null);
  assert.equal(meanOf({ ...mean, meanDice: null }, here), null);
});
