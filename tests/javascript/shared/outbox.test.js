import assert from "node:assert/strict";
import test from "node:test";

import { adopt, answered, keep, newToken } from "../../../pages/parts/shared/browser/outbox.js";

/** Storage as a browser has it. */
function storage() {
  const kept = {};
  Object.defineProperties(kept, {
    getItem: { value: (name) => kept[name] ?? null },
    setItem: { value: (name, text) => { kept[name] = text; } },
    removeItem: { value: (name) => { delete kept[name]; } },
  });
  return kept;
}

const shelfOf = (study, rater) => JSON.stringify([study, rater]);
const act = (token, subject = "A") => ({ token, subject, act: "accept" });

test("tokens differ", () => {
  const tokens = new Set(Array.from({ length: 100 }, newToken));
  assert.equal(tokens.size, 100);
  for (const token of tokens) assert.match(token, /^[0-9a-f]{32}$/);
});

test("a page that is loaded anew sends what the one before it left", () => {
  globalThis.localStorage = storage();
  keep(shelfOf("/s", "anna"), "tab 1", [act("a"), act("b")]);
  keep(shelfOf("/s", "ben"), "tab 2", [act("c")]);
  keep(shelfOf("/other", "anna"), "tab 3", [act("d")]);
  assert.deepEqual(adopt(shelfOf("/s", "anna"), "tab 4").map(({ token }) => token), ["a", "b"]);
  assert.deepEqual(adopt(shelfOf("/s", "anna"), "tab 5").map(({ token }) => token), ["a", "b"]);
  keep(shelfOf("/s", "anna"), "tab 5", []);
  assert.deepEqual(adopt(shelfOf("/s", "anna"), "tab 6"), []);
  assert.deepEqual(adopt(shelfOf("/s", "ben"), "tab 6").map(({ token }) => token), ["c"]);
});

test("a rater whose name begins another's has acts of its own", () => {
  globalThis.localStorage = storage();
  keep(shelfOf("/s", "anna-2"), "tab", [act("a")]);
  assert.deepEqual(adopt(shelfOf("/s", "anna"), "tab"), []);
});

test("without storage the page works as long as it is open", () => {
  delete globalThis.localStorage;
  keep(shelfOf("/s", "anna"), "tab", [act("a")]);
  assert.deepEqual(adopt(shelfOf("/s", "anna"), "tab"), []);
});

test("only an answer takes an act out; a sentence says that it was not kept", () => {
  const acts = [act("a"), act("b", "B"), act("c", "C")];
  const { left, failures, done } = answered(acts, { a: "", b: "The disk is full.", x: "" });
  assert.deepEqual(left, [acts[2]]);
  assert.deepEqual(done, [acts[0]]);
  assert.deepEqual(failures, { B: "The disk is full." });
});
