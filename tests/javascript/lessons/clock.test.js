import assert from "node:assert/strict";
import test from "node:test";

import clock, { minutes } from "../../../pages/parts/lessons/clock.js";
import keys from "../../../pages/parts/lessons/keys.js";
import { FakeNode } from "../helpers.js";
import { fakeBrowser } from "./windows.js";

/** The speaker's window beside those that are open in this browser. */
function speaker(data = { stop: 1, stops: 9 }) {
  const nodes = {}, told = [], window = new FakeNode();
  for (const name of ["clock", "restart", "follows"]) {
    nodes[name] = new FakeNode();
    nodes[name].getAttribute = () => name;
  }
  const parentElement = { querySelectorAll: () => Object.values(nodes) };
  globalThis.window = window;
  const leave = clock({ data, parentElement, setStateValue: (_, stop) => told.push(stop) });
  return { nodes, told, leave, press: (key) => window.send("keydown", { key }) };
}

/** A window of the lessons; gives what its Python is told. */
function lessons(data) {
  const moves = [];
  globalThis.window = new FakeNode();
  const leave = keys({ data: { heard: 0, ...data }, parentElement: {},
    setStateValue: (_, told) => moves.push(told.at(-1).move) });
  return { moves, leave, hide: ((window) => () => window.send("pagehide"))(globalThis.window) };
}

test("minutes are whole ones, none before the lecture began", () => {
  assert.equal(minutes(0, 5_000_000), "– min");
  assert.equal(minutes(60_000, 12.9 * 60_000), "11 min");
});

test("the speaker's window follows the stop that is shown", (context) => {
  fakeBrowser();
  const first = lessons({ on: true, stop: 3 });
  const second = speaker();
  context.after(second.leave);
  assert.deepEqual(second.told, [3]);
  assert.equal(second.nodes.clock.textContent, "0 min");
  assert.equal(second.nodes.restart.disabled, false);
  first.leave();
  lessons({ on: true, stop: 4 });
  assert.deepEqual(second.told, [3, 4]);
});

test("its keys turn the page of the window that presents; without one, its own", (context) => {
  fakeBrowser();
  const first = lessons({ on: true, stop: 1 }), second = speaker();
  context.after(second.leave);
  second.press("PageDown");
  assert.deepEqual([first.moves, second.told], [["next"], []]);
  first.hide();
  second.press("PageDown");
  assert.deepEqual([first.moves, second.told], [["next"], [2]]);
});

test("of two windows it follows the one that presents", (context) => {
  fakeBrowser();
  lessons({ on: true, stop: 1 });
  const second = speaker();
  context.after(second.leave);
  lessons({ on: false, stop: 7 });
  assert.deepEqual(second.told, []);
});

test("the clock starts anew in the window that presents, and goes on after a reload", (context) => {
  const { stored } = fakeBrowser();
  stored.set("ascnet-lesson-began", `${Date.now() - 10 * 60_000}`);
  lessons({ on: true, stop: 1 });
  const { nodes, leave } = speaker();
  context.after(leave);
  assert.equal(nodes.clock.textContent, "10 min");
  nodes.restart.onclick();
  assert.equal(nodes.clock.textContent, "0 min");
});
