import assert from "node:assert/strict";
import test from "node:test";

import { FILTERS, before, following, keptText, lastDecided, overlaid, shortened }
  from "../../../pages/parts/deciding/queue_rows.js";

const row = (subject, number = null, flag = "") =>
  ({ subject, number, flag, level: "", others: "" });
const accept = (subject, more = {}) => ({ act: "accept", subject, flag: "fine", level: 120,
  upper: null, side: "bright", rating: null, ...more });
const undo = (subject) => ({ act: "undo", subject });
const rows = [row("A", 3, "fine"), row("B"), row("C", 7, "doubtful"), row("D"),
  row("E", 5, "fine")];

test("what is under way lies over the rows, the last act of a subject", () => {
  const now = overlaid(rows, [accept("B"), accept("D"), undo("D"), undo("C")], { E: "full" });
  assert.deepEqual(now.map(({ number, saving, failed }) => [number, saving, failed]), [
    [3, undefined, undefined], [Infinity, true, undefined], [null, true, undefined],
    [null, true, undefined], [5, undefined, "full"]]);
  assert.equal(now[1].level, "≥ 120");
});

test("what a decision keeps, in short", () => {
  assert.equal(keptText(accept("A", { side: "dark" })), "≤ 120");
  assert.equal(keptText(accept("A", { upper: 140 })), "120 to 140");
  assert.equal(keptText(accept("A", { flag: "exclude" })), "no mask");
  assert.equal(keptText(accept("A", { flag: "exclude", level: null })), "no mask");
  assert.equal(keptText(accept("A", { level: null })), "no lesion");
});

test("the next open subjects follow, going round; the one on the screen is not among them", () => {
  assert.deepEqual(following(rows, "all", "A"), ["B", "D"]);
  assert.deepEqual(following(rows, "open", "C"), ["D", "B"]);
  assert.deepEqual(following(rows, "open", "D"), ["B"]);
});

test("where decided ones are looked through, the next is one of them", () => {
  assert.deepEqual(following(rows, "mine", "C"), ["E", "A"]);
  assert.deepEqual(following(rows, "doubtful", "A"), ["C"]);
});

test("long names are shown without the end that all share", () => {
  const names = ["clinic_sub-01_ses-baseline_FLAIR", "clinic_sub-02_ses-baseline_FLAIR"];
  assert.deepEqual(names.map(shortened(names)), ["clinic_sub-01…", "clinic_sub-02…"]);
  assert.equal(shortened(["a_FLAIR", "b_FLAIR"])("a_FLAIR"), "a_FLAIR");
  assert.equal(shortened(names.slice(1))(names[1]), names[1]);
  assert.equal(shortened([names[0], "x"])(names[0]), names[0]);
});

test("the one before is the one above, going round", () => {
  assert.equal(before(rows, "C"), "B");
  assert.equal(before(rows, "A"), "E");
});

test("filters keep open ones, decided ones, doubtful and flipped ones", () => {
  const of = (name) => rows.filter(FILTERS[name].keeps).map(({ subject }) => subject).join("");
  assert.deepEqual(["all", "open", "mine", "doubtful"].map(of), ["ABCDE", "BD", "ACE", "C"]);
});

test("the last decision is one under way, else that with the highest number", () => {
  assert.equal(lastDecided(rows, []), "C");
  assert.equal(lastDecided(rows, [accept("B"), accept("D")]), "D");
  assert.equal(lastDecided(rows, [accept("B"), accept("D"), undo("D")]), "B");
  assert.equal(lastDecided(rows, [undo("C")]), "E");
  assert.equal(lastDecided([row("A")], []), "");
});
