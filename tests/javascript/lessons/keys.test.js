import assert from "node:assert/strict";
import test from "node:test";

import keys from "../../../pages/parts/lessons/keys.js";
import { FakeNode } from "../helpers.js";

/** Listens as a presenter's page; gives the window and all that Python was told. */
function present(data, parentElement = {}) {
  const told = [];
  globalThis.window = new FakeNode();
  const leave = keys({ data, parentElement, setStateValue: (_, moves) => told.push(moves) });
  const press = (key, field = {}) =>
    globalThis.window.send("keydown", { key, composedPath: () => [field] });
  return { told, press, leave };
}

/** A field that has the keys, or has them not. */
const field = (busy) => ({ closest: () => (busy ? {} : null) });

test("moves are numbered from what Python has heard, the last ones together", () => {
  const { told, press } = present({ on: true, heard: 4 });
  for (const key of ["ArrowRight", "PageUp", "Escape"]) assert.ok(press(key).defaultPrevented);
  assert.deepEqual(told.at(-1), [{ number: 5, move: "next" }, { number: 6, move: "back" },
    { number: 7, move: "leave" }]);
});

test("moves outlast a run of the page, and only the last twenty go along", () => {
  const parentElement = {};
  present({ on: true, heard: 0 }, parentElement).press("ArrowRight");
  const { told, press } = present({ on: true, heard: 0 }, parentElement);
  for (let i = 0; i < 25; i++) press("PageDown");
  assert.deepEqual([told.at(-1).length, told.at(-1).at(-1).number], [20, 26]);
});

test("whoever types has the arrows, Escape leaves all the same", () => {
  const { told, press } = present({ on: true, heard: 0 });
  press("ArrowRight", field(true));
  assert.equal(told.length, 0);
  press("ArrowRight", field(false));
  press("Escape", field(true));
  assert.deepEqual(told.at(-1).map(({ move }) => move), ["next", "leave"]);
});

test("keys are free while nobody presents, and afterwards", () => {
  assert.ok(!present({ on: false, heard: 0 }).press("ArrowRight").defaultPrevented);
  const { press, leave, told } = present({ on: true, heard: 0 });
  leave();
  press("ArrowRight");
  assert.equal(told.length, 0);
});
