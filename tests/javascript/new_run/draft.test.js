import assert from "node:assert/strict";
import test from "node:test";

import draft from "../../../pages/parts/new_run/draft.js";

/** A tab that holds `held`, loaded as `type`; gives what Python was told and what the tab holds. */
function tab(data, { held = {}, type = "reload", path = "/training", now = path } = {}) {
  const told = [];
  globalThis.sessionStorage = {
    getItem: (key) => held[key] ?? null, setItem: (key, value) => { held[key] = value; },
  };
  globalThis.location = { pathname: now };
  globalThis.performance.getEntriesByType = () => [{ type, name: `http://localhost${path}?run=a` }];
  draft({ data, setStateValue: (name, value) => told.push([name, value]) });
  return { told, held };
}

test("the form that Python sends is kept, and nothing is told", () => {
  const { told, held } = tab({ kept: "{1}" });
  assert.deepEqual(Object.values(held), ["{1}"]);
  assert.deepEqual(told, []);
});

test("a session that knows of no form is told what the tab holds", () => {
  const { held } = tab({ kept: "{1}" });
  assert.deepEqual(tab({ kept: "" }, { held }).told, [["told", { kept: "{1}", reloaded: true }]]);
  assert.deepEqual(tab({ kept: "" }).told, [["told", { kept: "", reloaded: true }]]);
});

test("only a reload of this very page counts as one", () => {
  for (const how of [{ type: "navigate" }, { path: "/cuts", now: "/training" }]) {
    assert.equal(tab({ kept: "" }, how).told[0][1].reloaded, false);
  }
});

test("nothing happens before Python has spoken", () => {
  assert.deepEqual(tab(null).told, []);
});
