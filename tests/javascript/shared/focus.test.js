import assert from "node:assert/strict";
import test from "node:test";

import { hasKey } from "../../../pages/parts/shared/browser/focus.js";

/** A field for which `closest` finds what `is` names. */
const field = (is, attributes = {}) => ({
  closest: (selector) => (selector.split(/, (?![^(]*\))/).some((one) => one.startsWith(is))
    ? { getAttribute: (name) => attributes[name] ?? null } : null),
});

test("who types has all keys, and so has who chooses in an open menu", () => {
  for (const is of ["textarea", "input:not", "[role=listbox]", "[role=dialog]"]) {
    for (const key of ["n", "Enter", "ArrowUp"]) assert.ok(hasKey(field(is), false, key), is);
  }
  assert.ok(hasKey(field("[role=combobox]", { "aria-expanded": "true" }), false, "n"));
});

test("a closed menu and a button have keys only for who came there by Tab", () => {
  const menu = field("[role=combobox]", { "aria-expanded": "false" });
  assert.deepEqual([false, true].map((byTab) => hasKey(menu, byTab, "n")), [false, true]);
  assert.deepEqual([false, true].map((byTab) => hasKey(field("button"), byTab, "Enter")),
    [false, true]);
  assert.ok(!hasKey(field("button"), true, "n"));
});

test("a slider has the arrows", () => {
  assert.ok(hasKey(field("input[type=range]"), false, "ArrowLeft"));
  assert.ok(!hasKey(field("input[type=range]"), false, "n"));
});
