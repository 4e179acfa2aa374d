import assert from "node:assert/strict";
import test, { beforeEach } from "node:test";

import { accept, ask, askAgain, deskFor, draftOf, look, openSubject, setDraft, step, takeSent,
  undoLast } from "../../../pages/parts/deciding/decide_desk.js";
import { actOf, setFlag, setRating, setsOf } from "../../../pages/parts/deciding/decide_keys.js";
import { sharedStore } from "../../../pages/parts/viewer/viewer_store.js";

const SUBJECTS = ["A", "B", "C"];
const row = (subject, number = null) => ({ subject, number, flag: "", level: "", others: "" });
const packed = (subject, more = {}) => ({
  subject, scan: `${subject}1`, scans: [`${subject}1`], map: "reconstruction", range: "raw",
  files: "f1",
  side: "bright", post: ["open:3"], own: ["open:3"], proposals: [], remarks: [], error: "",
  blind: false, decided: null, ...more,
  data: { key: `key ${subject}`, case: `${subject} ${subject}1`, volumes: `v ${subject}`,
    cursor: [1, 2, 3], hasTruth: false, live: { t: 100, upper: null, side: "bright", rule: "otsu" },
    ...more.data },
});
const sent = (more = {}) => ({ study: "/s", rater: "anna", blind: false,
  rows: SUBJECTS.map((subject) => row(subject)), subject: "A", heard: 0, answers: {},
  packages: SUBJECTS.map((subject) => packed(subject)), ...more });

let told, store;

beforeEach(() => {
  delete globalThis.ascnetExplorer;
  delete globalThis.localStorage;
  store = sharedStore();
  told = [];
});

/** A desk with subject A on it; what the viewer does is done by hand. */
function opened(more = {}) {
  const desk = deskFor(sent(more), (message) => told.push(message));
  takeSent(desk, sent(more));
  store.listeners.add((what) => {
    if (what === "show" && desk.shown) store.live = { ...desk.shown.live };
  });
  openSubject(desk, "A");
  return desk;
}

test("accept names its subject with all that was decided, and goes on at once", () => {
  const desk = opened();
  store.live = { t: 142, upper: null, side: "dark", rule: "" };
  setFlag(desk, "doubtful");
  setRating(desk, 4);
  setDraft(desk, { note: "thick slices" });
  accept(desk);
  assert.equal(desk.current, "B");
  const { token, seconds, ...act } = told.at(-1).acts[0];
  assert.match(token, /^[0-9a-f]{32}$/);
  assert.ok(seconds >= 0);
  assert.deepEqual(act, { act: "accept", study: "/s", rater: "anna", subject: "A", scan: "A1",
    files: "f1",
    map: "reconstruction", range: "raw", level: 142, upper: null, side: "dark", rule: "",
    post: ["open:3"], flag: "doubtful", rating: 4, note: "thick slices", truth_shown: false,
    dice_shown: false, blind: false, pieces: [] });
  assert.deepEqual(told.at(-1).wants, ["B", "C"]);
});

test("acts are sent until they are answered, each once", () => {
  const desk = opened();
  accept(desk);
  accept(desk);
  const [first, second] = told.at(-1).acts;
  assert.deepEqual([first.subject, second.subject], ["A", "B"]);
  takeSent(desk, sent({ answers: { [first.token]: "" } }));
  ask(desk);
  assert.deepEqual(told.at(-1).acts, [second]);
  takeSent(desk, sent({ answers: { [second.token]: "" } }));
  ask(desk);
  assert.deepEqual(told.at(-1).acts, []);
});

test("what is not answered is told again after a while, as after a kill of the server", () => {
  const desk = opened();
  accept(desk);
  const before = told.length;
  askAgain(desk);
  assert.equal(told.length, before);
  desk.sentAt -= 10_000;
  askAgain(desk);
  assert.equal(told.length, before + 1);
  assert.equal(told.at(-1).acts.length, 1);
});

test("what could not be kept is said, and its subject is open again", () => {
  const desk = opened();
  accept(desk);
  const { token } = told.at(-1).acts[0];
  takeSent(desk, sent({ answers: { [token]: "The disk is full." } }));
  assert.deepEqual(desk.failures, { A: "The disk is full." });
  assert.deepEqual(desk.outbox, []);
  step(desk, -1);
  assert.equal(desk.current, "A");
});

test("a subject that is not on the screen yet cannot be accepted", () => {
  const desk = opened({ packages: [packed("A")] });
  accept(desk);
  assert.equal(desk.current, "B");
  assert.equal(desk.shown, null);
  accept(desk);
  assert.equal(desk.current, "B");
  assert.equal(desk.notice, "Wait for the picture.");
  assert.equal(desk.outbox.length, 1);
});

test("without a level a subject can only be left out", () => {
  const desk = opened();
  store.live = { t: 255, upper: null, side: "bright", rule: "otsu", none: true };
  accept(desk);
  assert.match(desk.notice, /no level/);
  setFlag(desk, "exclude");
  accept(desk);
  assert.deepEqual([desk.outbox[0].level, desk.outbox[0].flag], [null, "exclude"]);
});

test("nobody decides without a name", () => {
  const desk = opened({ rater: "" });
  accept(desk);
  assert.match(desk.notice, /name/);
  assert.deepEqual(desk.outbox, []);
});

test("undo takes the last one back and goes to it, where it looks as it was left", () => {
  const desk = opened();
  store.live = { t: 77, upper: 90, side: "bright", rule: "" };
  setFlag(desk, "flipped");
  accept(desk);
  undoLast(desk);
  assert.deepEqual(desk.outbox.map(({ act, subject }) => [act, subject]),
    [["accept", "A"], ["undo", "A"]]);
  assert.equal(desk.current, "A");
  assert.equal(desk.shown.live.t, 77);
  assert.equal(draftOf(desk).flag, "flipped");
});

test("what is on the screen is told where its line is, so that it stays there", () => {
  opened();
  const { key, cursor, t, rule, seq } = told.at(-1).on;
  assert.deepEqual({ key, cursor, t, rule, seq },
    { key: "key A", cursor: [1, 2, 3], t: 100, rule: "otsu", seq: 0 });
});

test("A asks for the subject's next scan; truth seen on one of them was seen", () => {
  const desk = opened({ packages: [packed("A", { scans: ["A1", "A2"] }), packed("B")] });
  actOf(desk, "a", false)();
  assert.equal(told.at(-1).on.scan, "A2");
  store.seen.truth.add("A A2");
  accept(desk);
  assert.equal(told.at(-1).acts[0].truth_shown, true);
  actOf(desk, "a", false)();
  assert.match(desk.notice, /no other scan/);
});

test("a level set by hand stays with its subject", () => {
  const desk = opened();
  store.live = { t: 55, upper: null, side: "bright", rule: "" };
  setRating(desk, 2);
  step(desk, 1);
  assert.equal(desk.shown.live.t, 100);
  assert.equal(draftOf(desk).rating, null);
  step(desk, -1);
  assert.equal(desk.shown.live.t, 55);
  assert.equal(draftOf(desk).rating, 2);
});

test("a decided subject comes with what was decided", () => {
  const decided = { number: 4, flag: "doubtful", rating: 3, note: "see", level: 90 };
  const desk = opened({ packages: [packed("A", { decided })] });
  assert.deepEqual([draftOf(desk).flag, draftOf(desk).rating, draftOf(desk).note],
    ["doubtful", 3, "see"]);
});

test("blind, a package with the truth is not taken before one has decided and asked", () => {
  const desk = opened({ blind: true, packages: [packed("A", { blind: true }), packed("B")] });
  assert.deepEqual([...desk.packages.keys()], ["A"]);
  look(desk);
  assert.match(desk.notice, /hidden until/);
  accept(desk);
  assert.equal(desk.outbox[0].blind, true);
  openSubject(desk, "A");
  look(desk);
  assert.deepEqual(told.at(-1).looks, ["A"]);
  takeSent(desk, sent({ blind: true, packages: [packed("A")] }));
  assert.equal(desk.shown.case, "A A1");
});

test("a decision after the truth was seen is not blind", () => {
  const desk = opened({ blind: true, packages: [packed("A", { blind: true })] });
  store.seen.truth.add("A A1");
  accept(desk);
  assert.deepEqual([desk.outbox[0].blind, desk.outbox[0].truth_shown], [false, true]);
});

test("the sets of steps are the run's own, none, and those accepted last, each once", () => {
  const desk = opened();
  assert.deepEqual(setsOf(desk).map(({ post }) => post), [["open:3"], []]);
  setDraft(desk, { post: ["components:20"] });
  accept(desk);
  assert.deepEqual(setsOf(desk).map(({ post }) => post), [["open:3"], [], ["components:20"]]);
});

test("few packages are kept, however many are looked at", () => {
  const many = Array.from({ length: 40 }, (_, i) => `S${i}`);
  const desk = opened({ rows: many.map((subject) => row(subject)), packages: [] });
  for (const subject of many) takeSent(desk, sent({ packages: [packed(subject)] }));
  assert.ok(desk.packages.size <= 6);
});
