import assert from "node:assert/strict";
import test from "node:test";

import { sourceOf } from "../../../pages/parts/viewer/numbers.js";

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

test("a level by hand says how it came about, or what the rule proposes", () => {
  const byHand = { ...live, t: 90, rule: "" };
  assert.deepEqual(sourceOf({ ...data, hint: "Drawn." }, byHand), ["by hand", "Drawn."]);
  assert.deepEqual(sourceOf({ ...data, hint: "Drawn." }, { ...byHand, t: 91 }),
    ["by hand", "The rule “otsu” proposes ≥ 128."]);
  assert.deepEqual(sourceOf(data, byHand), ["by hand", "The rule “otsu” proposes ≥ 128."]);
});
