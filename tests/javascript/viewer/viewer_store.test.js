import assert from "node:assert/strict";
import test from "node:test";

import { sharedStore, tell, thresholdKey } from "../../../pages/parts/viewer/viewer_store.js";

test("a tab has one store, and its listeners hear what is told", () => {
  const heard = [], store = sharedStore();
  store.listeners.add((what) => heard.push(what));
  tell(sharedStore(), "live");
  assert.deepEqual(heard, ["live"]);
  assert.equal(globalThis.ascnetExplorer, store);
});

test("a threshold is named as Python names it", () => {
  assert.equal(thresholdKey({ t: 5, upper: null, side: "dark" }), "5 null dark");
  assert.equal(thresholdKey({ t: 5, upper: 9, side: "bright" }), "5 9 bright");
});
