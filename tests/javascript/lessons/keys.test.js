import assert from "node:assert/strict";
import test from "node:test";

import keys from "../../../pages/parts/lessons/keys.js";
import { FakeNode } from "../helpers.js";
import { fakeBrowser } from "./windows.js";

/** Listens as a presenter's page; gives what Python was told, and what the page shows. */
function present(data, parentElement = {}) {
  const told = [], browser = fakeBrowser();
  const leave = keys({ data, parentElement, setStateValue: (_, moves) => told.push(moves) });
  const press = (key, ...inside) =>
    globalThis.window.send("keydown", { key, composedPath: () => inside });
  return { told, press, leave, ...browser };
}

/** A node that answers to one of the selectors in a list. */
const node = (selector) => ({ matches: (list) => list.split(", ").includes(selector) });
const lastMoves = (told) => told.at(-1)?.map(({ move }) => move) ?? [];

test("moves are numbered from what Python has heard, the last ones together", () => {
  const { told, press } = present({ on: true, heard: 4, stop: 1 });
  for (const key of ["ArrowRight", "PageUp", "Escape"]) assert.ok(press(key).defaultPrevented);
  assert.deepEqual(told.at(-1), [{ number: 5, move: "next" }, { number: 6, move: "back" },
    { number: 7, move: "leave" }]);
});

test("moves outlast a run of the page, and only the last twenty go along", () => {
  const parentElement = {};
  present({ on: true, heard: 0, stop: 1 }, parentElement).press("ArrowRight");
  const { told, press } = present({ on: true, heard: 0, stop: 1 }, parentElement);
  for (let i = 0; i < 25; i++) press("PageDown");
  assert.deepEqual([told.at(-1).length, told.at(-1).at(-1).number], [20, 26]);
});

test("arrows belong to the view, a field or a slider with the focus; page keys always turn", () => {
  const { told, press } = present({ on: true, heard: 0, stop: 1 });
  for (const owner of ["textarea", "[role=slider]", ".st-key-lesson_view"]) {
    assert.ok(!press("ArrowRight", node(owner)).defaultPrevented);
    assert.ok(press("PageDown", {}, node(owner)).defaultPrevented);
  }
  press("ArrowRight", node("button"));
  assert.deepEqual(lastMoves(told), ["next", "next", "next", "next"]);
});

test("Escape closes an open panel first, then leaves, from a field, too", () => {
  const { told, press, page } = present({ on: true, heard: 0, stop: 1 });
  page["[role=dialog]"] = new FakeNode();
  assert.ok(!press("Escape").defaultPrevented);
  delete page["[role=dialog]"];
  press("Escape", node("textarea"));
  assert.deepEqual(lastMoves(told), ["leave"]);
});

test("letters press the page's buttons, but not while one types", () => {
  const { press, page } = present({ on: true, heard: 0, stop: 1 });
  let pressed = 0;
  page[".st-key-lesson_questions"] = { click: () => { pressed += 1; } };
  press("q");
  press("q", node("textarea"));
  assert.equal(pressed, 1);
});

test("keys are free while nobody presents, and afterwards", () => {
  assert.ok(!present({ on: false, heard: 0, stop: 1 }).press("ArrowRight").defaultPrevented);
  const { press, leave, told } = present({ on: true, heard: 0, stop: 1 });
  leave();
  press("ArrowRight");
  assert.equal(told.length, 0);
});
