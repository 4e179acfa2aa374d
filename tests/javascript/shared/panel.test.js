import assert from "node:assert/strict";
import test from "node:test";

import {
  beforePressOutside, change, nodesOf, onDrag, onKeys, onWheel, onceAFrame, pointOn, press, put,
  wheelSteps,
} from "../../../pages/parts/shared/browser/panel.js";
import { FakeNode } from "../helpers.js";

test("nodes are found by one attribute or several", () => {
  const node = (name) => ({ getAttribute: (attribute) => `${name}-${attribute}` });
  const root = { querySelectorAll: (selector) => [node(selector === "[name]" ? "b" : "a")] };
  assert.deepEqual(Object.keys(nodesOf(root)), ["a-data-node"]);
  assert.deepEqual(Object.keys(nodesOf(root, "data-is", "name")), ["a-data-is", "b-name"]);
});

test("a drawing is asked for once a frame", () => {
  const waiting = [];
  globalThis.requestAnimationFrame = (act) => waiting.push(act);
  let drawn = 0;
  const redraw = onceAFrame(() => { drawn += 1; });
  redraw();
  redraw();
  assert.equal(waiting.length, 1);
  waiting.pop()();
  assert.equal(drawn, 1);
  redraw();
  assert.equal(waiting.length, 1);
});

test("a change is drawn", () => {
  let drawn = 0;
  const state = { at: 1, other: 2, redraw: () => { drawn += 1; } };
  change(state, { at: 5 });
  assert.deepEqual([state.at, state.other, drawn], [5, 2, 1]);
});

test("a text is written only where it is another", () => {
  let writes = 0;
  const node = { get textContent() { return "old"; }, set textContent(_) { writes += 1; } };
  put(node, "old");
  put(node, "new");
  assert.equal(writes, 1);
});

test("a pressed button says so", () => {
  const button = new FakeNode();
  press(button, 3);
  assert.equal(button.attributes["aria-pressed"], "true");
  press(button, null);
  assert.equal(button.attributes["aria-pressed"], "false");
});

test("a pointer's place is told from the element's corner", () => {
  assert.deepEqual(pointOn({ clientX: 15, clientY: 27 }, new FakeNode()), [5, 7]);
});

test("a known key is answered and kept from the page; others are not", () => {
  const node = new FakeNode(), done = [];
  const forget = onKeys(node, ({ key }) => (key === "a" ? () => done.push(key) : undefined));
  assert.ok(node.send("keydown", { key: "a" }).defaultPrevented);
  assert.ok(!node.send("keydown", { key: "b" }).defaultPrevented);
  for (const held of ["ctrlKey", "metaKey", "altKey"]) {
    assert.ok(!node.send("keydown", { key: "a", [held]: true }).defaultPrevented);
  }
  assert.deepEqual(done, ["a"]);
  forget();
  node.send("keydown", { key: "a" });
  assert.equal(done.length, 1);
});

test("whoever listens first keeps a key from all others", () => {
  const node = new FakeNode(), done = [];
  onKeys(node, () => () => done.push("first"), true);
  onKeys(node, () => () => done.push("second"), true);
  node.send("keydown", { key: "a" });
  assert.deepEqual(done, ["first"]);
});

test("a drag is followed from its start to its end", () => {
  const node = new FakeNode(), heard = [];
  onDrag(node, {
    start: (event) => (event.button ? null : { from: event.at }),
    move: (event, held) => heard.push(["move", held.from, event.at]),
    end: (event, held) => heard.push(["end", held.from, event.type]),
    hover: (event) => heard.push(["hover", event.at]),
    leave: () => heard.push(["leave"]),
  });
  node.send("pointermove", { at: 1 });
  node.send("pointerdown", { at: 2, button: 0, pointerId: 7 });
  node.send("pointermove", { at: 3 });
  node.send("pointerup", { at: 3 });
  node.send("pointerup", { at: 3 });
  node.send("pointerdown", { at: 4, button: 2, pointerId: 7 });
  node.send("pointermove", { at: 5 });
  node.send("pointerdown", { at: 6, button: 0, pointerId: 7 });
  node.send("pointercancel");
  node.send("pointerleave");
  assert.deepEqual(heard, [["hover", 1], ["move", 2, 3], ["end", 2, "pointerup"], ["hover", 5],
    ["end", 6, "pointercancel"], ["leave"]]);
  assert.deepEqual(node.captured, [7, 7]);
});

test("a notch of a wheel is one slice, however far it turns", () => {
  const steps = wheelSteps();
  assert.deepEqual([100, 100, -120, 400].map(steps), [1, 1, -1, 1]);
});

test("small turns add up to slices and none is lost", () => {
  const steps = wheelSteps();
  assert.deepEqual([10, 10, 10, 10, 30, 50].map(steps), [0, 0, 0, 1, 1, 1]);
  assert.ok(!steps(-22));
});

test("a wheel turns slices, with Ctrl it zooms", () => {
  const node = new FakeNode(), heard = [];
  onWheel(node, (slices) => heard.push(slices), (turn) => heard.push(["zoom", turn]));
  assert.ok(node.send("wheel", { deltaY: 120 }).defaultPrevented);
  node.send("wheel", { deltaY: -3, deltaMode: 1 });
  node.send("wheel", { deltaY: 2, deltaMode: 1, ctrlKey: true });
  assert.deepEqual(heard, [1, -1, ["zoom", 68]]);
});

test("what is outside is told of before its press acts, what is inside is not", () => {
  const page = new FakeNode(), root = { ownerDocument: page, isConnected: true };
  let heard = 0;
  beforePressOutside(root, () => { heard += 1; });
  page.send("pointerdown", { composedPath: () => [page] });
  page.send("pointerdown", { composedPath: () => [root, page] });
  assert.equal(heard, 1);
  root.isConnected = false;
  page.send("pointerdown", { composedPath: () => [page] });
  root.isConnected = true; // it has stopped to listen
  page.send("pointerdown", { composedPath: () => [page] });
  assert.equal(heard, 1);
});
