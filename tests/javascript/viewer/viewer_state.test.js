import assert from "node:assert/strict";
import test from "node:test";

import {
  PATIENCE, accept, bandFrom, doWaiting, editPiece, inOrder, nextPeak, repeatActs, repeatLate,
  report, setCursor, setThreshold, stepSubject, takePeak, undoPiece,
} from "../../../pages/parts/viewer/viewer_state.js";
import { FakeNode } from "../helpers.js";

const PEAKS = [{ position: 40 }, { position: 90 }, { position: 200 }];

test("the next peak goes round in both directions", () => {
  assert.deepEqual([0, 40, 100, 200].map((t) => nextPeak(PEAKS, t, 1)), [0, 1, 2, 0]);
  assert.deepEqual([255, 200, 90, 40].map((t) => nextPeak(PEAKS, t, -1)), [2, 1, 0, 2]);
});

test("without peaks there is none", () => {
  assert.deepEqual([nextPeak([], 5, 1), nextPeak([], 5, -1)], [-1, -1]);
});

test("a band reaches 30 levels to the kept side, no farther than the ends", () => {
  assert.deepEqual(bandFrom({ t: 100, side: "bright" }), { t: 100, upper: 130 });
  assert.deepEqual(bandFrom({ t: 100, side: "dark" }), { t: 70, upper: 100 });
  assert.deepEqual(bandFrom({ t: 240, side: "bright" }), { t: 240, upper: 255 });
  assert.deepEqual(bandFrom({ t: 10, side: "dark" }), { t: 0, upper: 10 });
});

/** A viewer that remembers what it told and how often it was drawn. */
function viewer() {
  const nodes = new Proxy({}, { get: (made, name) => (made[name] ??= new FakeNode()) });
  const state = {
    live: { t: 100, upper: null, side: "bright", rule: "otsu" }, cursor: [1, 2, 3],
    data: { key: "k", scan: "s", peaks: PEAKS, full: [10, 20, 30] }, seq: 4, acts: [], timer: 0,
    pieces: [], dragging: false, told: [], drawn: 0, heard: [], display: {}, nodes,
    root: { style: { setProperty() {} } }, shape: { kind: "ellipse" },
  };
  state.redraw = () => { state.drawn += 1; };
  state.send = (message) => state.told.push(message);
  state.store = { live: null, pieces: [], listeners: new Set([(what) => state.heard.push(what)]) };
  return state;
}

test("a threshold by hand loses its rule, and all who draw it hear", () => {
  const state = viewer();
  setThreshold(state, { t: 120 });
  assert.deepEqual(state.live, { t: 120, upper: null, side: "bright", rule: "" });
  assert.equal(state.store.live, state.live);
  assert.deepEqual([state.heard, state.drawn, state.told, state.shape], [["live"], 1, [], null]);
});

test("the same threshold again is no news", () => {
  const state = viewer();
  setThreshold(state, { t: 100, rule: "otsu" });
  assert.deepEqual([state.heard, state.drawn], [[], 0]);
});

test("a line is parked where there is no threshold, until it is moved", () => {
  const state = viewer();
  setThreshold(state, { t: 100, rule: "otsu", none: true });
  assert.deepEqual([state.live.none, state.heard, state.drawn], [true, ["live"], 1]);
  setThreshold(state, { t: 101 });
  assert.deepEqual([state.live.none, state.live.t], [undefined, 101]);
});

test("a drawn region stays while the line is dragged", () => {
  const state = viewer();
  state.dragging = true;
  setThreshold(state, { t: 120 });
  assert.ok(state.shape);
});

test("a peak that is taken names itself; one that is not there changes nothing", () => {
  const state = viewer();
  takePeak(state, 1, 0);
  assert.deepEqual(state.told.at(-1).rule, "peak:2");
  assert.equal(state.live.t, 90);
  takePeak(state, -1, 0);
  assert.equal(state.live.t, 90);
});

test("Python is told once of a held key, with all acts it has not answered", async () => {
  const state = viewer();
  report(state, 0, { accept: true });
  report(state, 5);
  report(state, 5, { step: 1 });
  assert.equal(state.told.length, 1);
  assert.ok(state.unsent);
  await new Promise((done) => setTimeout(done, 30));
  assert.equal(state.told.length, 2);
  assert.deepEqual(state.told[1], { seq: 6, key: "k", t: 100, upper: null, side: "bright",
    rule: "otsu", cursor: [1, 2, 3], pieces: [],
    acts: [{ accept: true, seq: 5 }, { step: 1, seq: 6 }] });
  assert.ok(!state.unsent);
});

test("the cursor stays on the grid, and is told where it moved", () => {
  const state = viewer();
  setCursor(state, [-4, 99, 3], 0);
  assert.deepEqual(state.cursor, [0, 19, 3]);
  setCursor(state, [-1, 19, 3], 0);
  assert.equal(state.told.length, 1);
});

test("pieces are edited in order, told with every message, and taken back from the last", () => {
  const state = viewer();
  state.store.pieces = [{ scan: "other", voxel: [0, 0, 0], act: "drop" }];
  editPiece(state, [1, 2, 3], "drop");
  editPiece(state, [4, 5, 6], "keep");
  assert.deepEqual(state.told.at(-1).pieces.slice(1), [
    { scan: "s", voxel: [1, 2, 3], act: "drop" }, { scan: "s", voxel: [4, 5, 6], act: "keep" },
  ]);
  undoPiece(state);
  assert.deepEqual(state.told.at(-1).pieces.map(({ voxel }) => voxel), [[0, 0, 0], [1, 2, 3]]);
  undoPiece(state);
  undoPiece(state); // those of another scan, which is not on the screen, stay
  assert.deepEqual(state.store.pieces.map(({ scan }) => scan), ["other"]);
  assert.equal(state.told.length, 4);
});

test("another threshold ends the edits of pieces, the same one does not", () => {
  const state = viewer();
  editPiece(state, [1, 2, 3], "drop");
  setThreshold(state, { t: 100, rule: "otsu" });
  assert.equal(state.store.pieces.length, 1);
  setThreshold(state, { t: 101 });
  assert.deepEqual(state.store.pieces, []);
});

const on = { subject: "a" };

test("an acceptance names what it is of, where its line was, and what had been seen", () => {
  const state = viewer();
  state.data = { ...state.data, on, key: "k", case: "c a", blind: true };
  state.store.seen = { truth: new Set(), dice: new Set() };
  accept(state);
  const [{ token, ...act }] = state.told[0].acts;
  assert.deepEqual(act, { accept: true, on, key: "k", t: 100, upper: null, side: "bright",
    rule: "otsu", pieces: [],
    truth_shown: false, dice_shown: false, blind: true, seq: 5 });
  assert.match(token, /^[0-9a-f]{32}$/);
  state.store.seen.dice.add("c a"); // looked at before the switch was turned
  accept(state);
  const second = state.told[1].acts[1];
  assert.deepEqual([second.dice_shown, second.blind, second.token === token], [true, false, false]);
});

test("where nothing can be kept, nothing is accepted and no subject is next", () => {
  const state = viewer();
  state.data = { ...state.data, on: null };
  accept(state);
  stepSubject(state, 1);
  assert.deepEqual(state.told, []);
});

test("what is meant for the next subject waits for it, in order", () => {
  const state = viewer(), done = [];
  state.data = { ...state.data, on };
  state.acts = [];
  state.waiting = [];
  const key = (name, waits) => inOrder(state, () => done.push(name), waits);
  key("left", true);
  inOrder(state, () => stepSubject(state, 1), false);
  key("mask", false);
  key("accept", true);
  inOrder(state, () => stepSubject(state, 1), false);
  key("accept again", true);
  assert.deepEqual(done, ["left", "mask"]);
  assert.equal(state.acts.length, 1);
  state.acts = []; // Python has answered, and the subject is there
  doWaiting(state);
  assert.deepEqual(done, ["left", "mask", "accept"]);
  assert.equal(state.acts.length, 1);
  state.acts = [];
  doWaiting(state);
  assert.deepEqual(done.at(-1), "accept again");
});

test("a message that was lost is told again, each time after twice as long", () => {
  const state = viewer();
  state.data = { ...state.data, on };
  Object.assign(state, { acts: [{ seq: 3, step: 1 }], sentAt: 0, patience: PATIENCE });
  repeatLate(state, PATIENCE - 1);
  assert.deepEqual(state.told, []);
  repeatLate(state, PATIENCE + 1);
  assert.deepEqual(state.told[0].acts, [{ seq: 3, step: 1 }]);
  state.sentAt = 0;
  repeatLate(state, PATIENCE + 1);
  assert.equal(state.told.length, 1);
  repeatLate(state, 2 * PATIENCE + 1);
  assert.equal(state.told.length, 2);
  state.acts = [];
  repeatLate(state, 0);
  assert.equal(state.patience, PATIENCE);
});

test("acts that Python has not answered are told again", () => {
  const state = viewer();
  state.acts = [];
  repeatActs(state);
  assert.deepEqual(state.told, []);
  state.acts = [{ seq: 3, step: 1 }];
  repeatActs(state); // of a page that hears of none
  assert.deepEqual(state.told, []);
  state.data = { ...state.data, on };
  repeatActs(state);
  assert.deepEqual(state.told[0].acts, [{ seq: 3, step: 1 }]);
});
