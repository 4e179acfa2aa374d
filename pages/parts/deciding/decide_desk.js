// @ts-check
// The desk: which subject lies on it, what was set for each so far, and what is told to Python.
// The queue, the viewer and the panel of one tab share it.

import { adopt, answered, keep, newToken } from "../shared/browser/outbox.js";
import { sharedStore, tell } from "../viewer/viewer_store.js";
import { before, following, lastDecided, overlaid } from "./queue_rows.js";

/** @import { Data, Edit, Live } from "../viewer/viewer_store.js" */
/** @import { Act, Row } from "./queue_rows.js" */
/** @typedef {{ rule: string, name: string, level: number | null, upper: number | null,
 *   side: string, sentence: string, off: string }} Proposal */
/** What `decide_package.package_of` sends.
 * @typedef {{ subject: string, scan: string, scans: string[], files: string, map: string,
 *   range: string, side: string, post: string[], own: string[], proposals: Proposal[],
 *   remarks: string[], threshold: string, error: string, blind: boolean, data: Data | null,
 *   decided: null | { number: number, level: number | null, upper: number | null, side: string,
 *   rule: string, post: string[], flag: string, rating: number | null, note: string } }} Package */
/** What is set for a subject and not accepted yet; `seconds` it was on the screen.
 * @typedef {{ flag: string, rating: number | null, note: string, post: string[] | null,
 *   scan: string, live: Live | null, pieces: Edit[], seconds: number }} Draft */
/** What `decide.py` sends.
 * @typedef {{ study: string, rater: string, blind: boolean, rows: Row[],
 *   subject: string, heard: number, answers: Record<string, string>, packages: Package[],
 *   learning: boolean }} Sent `learning`: more is being found out about the study's subjects */
/** @typedef {ReturnType<typeof newDesk>} Desk */

export const NOTHING = "nothing"; // the rule of an empty mask: there is no lesion
const AGAIN = 2500; // ms after which what was not answered is told again
const NEWS = 8000; // ms between questions for what was found out meanwhile
const HELD = 5; // packages kept, as many as volumes
const LOOKED = "ascnet looked"; // the browser's name for the subjects whose truth was seen

/** Where acts wait that are not on the disk yet. @param {Pick<Sent, "study" | "rater">} desk */
const shelfOf = ({ study, rater }) => `ascnet acts ${JSON.stringify([study, rater])}`;

/** @param {Sent} sent */
function newDesk({ study, rater, blind }) {
  const tab = newToken();
  return {
    study, rater, blind, tab, shown: /** @type {Data | null} */ (null), waiting: "",
    tell: (/** @type {object} */ _told) => {}, send: (/** @type {object} */ _told) => {},
    rows: /** @type {Row[]} */ ([]), filter: "all", current: "",
    packages: /** @type {Map<string, Package>} */ (new Map()),
    drafts: /** @type {Map<string, Draft>} */ (new Map()),
    outbox: /** @type {Act[]} */ (adopt(shelfOf({ study, rater }), tab)),
    failures: /** @type {Record<string, string>} */ ({}),
    looks: /** @type {Set<string>} */ (new Set()), lastPost: /** @type {string[] | null} */ (null),
    notice: "", learning: false, number: 0, heard: 0, sentAt: 0, since: performance.now(),
    line: /** @type {Record<string, any>} */ ({}),
  };
}

/** The desk of this tab; another one for another study or rater.
 * @type {(sent: Sent, send: (told: object) => void) => Desk} */
export function deskFor(sent, send) {
  const store = sharedStore();
  let desk = /** @type {Desk | null} */ (store.desk);
  const same = desk?.study === sent.study && desk.rater === sent.rater;
  if (!desk || !same || desk.blind !== sent.blind) {
    const drafts = same && desk ? desk.drafts : new Map();
    desk = { ...newDesk(sent), drafts };
    store.desk = desk;
    const mine = desk;
    mine.tell = (line) => {
      mine.line = { ...line };
      ask(mine);
    };
    restoreLooks(mine);
  }
  const now = desk;
  store.takePackage = (found) => takePackage(now, found);
  desk.send = send;
  return desk;
}

/** The rows with what is under way. @param {Desk} desk */
export const rowsOf = (desk) => overlaid(desk.rows, desk.outbox, desk.failures);

/** Take what Python sent. @param {Desk} desk @param {Sent} sent */
export function takeSent(desk, sent) {
  const { left, failures, done } = answered(desk.outbox, sent.answers);
  desk.rows = sent.rows;
  desk.heard = sent.heard;
  desk.learning = sent.learning;
  for (const { subject } of done) delete desk.failures[subject];
  Object.assign(desk.failures, failures);
  if (left.length !== desk.outbox.length) {
    desk.outbox = left;
    keep(shelfOf(desk), desk.tab, left);
  }
  for (const one of sent.packages) takePackage(desk, one);
  tell(sharedStore(), "desk");
}

/** @param {Desk} desk @param {Package} found */
function takePackage(desk, found) {
  const { packages } = desk, { subject } = found;
  if (found.blind ? !desk.blind : desk.blind && !desk.looks.has(subject)) return; // switched since
  packages.delete(subject);
  packages.set(subject, found);
  for (const one of [...packages.keys()].slice(0, -HELD)) {
    if (one !== desk.current) packages.delete(one);
  }
  if (subject === desk.current) showCurrent(desk);
  tell(sharedStore(), "desk");
}

// --- what lies on the desk -----------------------------------------------------------------------

/** What is set for a subject: as it was left, else as it was decided.
 * @type {(desk: Desk, subject?: string) => Draft} */
export function draftOf(desk, subject = desk.current) {
  const known = desk.drafts.get(subject);
  if (known) return known;
  const decided = desk.packages.get(subject)?.decided;
  const { flag = "fine", rating = null, note = "" } = decided ?? {};
  return { flag, rating, note, post: null, scan: "", live: null, pieces: [], seconds: 0 };
}

/** @type {(desk: Desk, changes: Partial<Draft>) => void} */
export function setDraft(desk, changes) {
  desk.drafts.set(desk.current, { ...draftOf(desk), ...changes });
  tell(sharedStore(), "desk");
}

/** The steps on the screen. @param {Desk} desk */
export const postOf = (desk) => draftOf(desk).post ?? desk.packages.get(desk.current)?.post ?? [];

/** @param {Desk} desk */
function showCurrent(desk) {
  const found = desk.packages.get(desk.current), { live, pieces } = draftOf(desk);
  desk.waiting = found ? found.error : `Preparing ${desk.current}…`;
  const data = found?.data ?? null;
  const another = desk.shown?.case !== data?.case;
  desk.shown = data && another && live ? { ...data, live, none: Boolean(live.none), pieces } : data;
  tell(sharedStore(), "show");
}

/** Count the time a subject is looked at, while the tab is. @param {Desk} desk */
export function countTime(desk) {
  const now = performance.now(), passed = (now - desk.since) / 1000;
  desk.since = now;
  if (!desk.current || !desk.shown || passed > 3600) return;
  const draft = draftOf(desk);
  desk.drafts.set(desk.current, { ...draft, seconds: draft.seconds + passed });
}

/** @type {(desk: Desk, subject: string, notice?: string) => void} */
export function openSubject(desk, subject, notice = "") {
  if (!subject) return;
  const store = sharedStore();
  if (desk.current && desk.current !== subject) {
    countTime(desk);
    const { live, pieces } = store;
    if (desk.shown && desk.drafts.has(desk.current)) setDraft(desk, { live, pieces });
  }
  desk.since = performance.now();
  Object.assign(desk, { current: subject, line: {}, notice });
  showCurrent(desk);
  tell(store, "desk");
  ask(desk);
}

/** The next subject of the queue, or the one before. @type {(desk: Desk, step: number) => void} */
export function step(desk, by) {
  const rows = rowsOf(desk);
  const next = by < 0 ? before(rows, desk.current)
    : following(rows, desk.filter, desk.current)[0];
  if (next) openSubject(desk, next);
  else say(desk, "No other subject is open.");
}

/** @type {(desk: Desk, notice: string) => void} */
export function say(desk, notice) {
  desk.notice = notice;
  tell(sharedStore(), "desk");
}

// --- what is decided -----------------------------------------------------------------------------

/** @type {(desk: Desk, act: Act) => void} */
function put(desk, act) {
  desk.outbox = [...desk.outbox, act];
  keep(shelfOf(desk), desk.tab, desk.outbox);
  delete desk.failures[act.subject];
  desk.notice = "";
}

/** Accept what is on the screen, and go on. @param {Desk} desk */
export function accept(desk) {
  const found = desk.packages.get(desk.current), { live, pieces } = sharedStore();
  countTime(desk);
  const draft = draftOf(desk), excluded = draft.flag === "exclude";
  if (!desk.rater) return say(desk, "Write your name into the field Rater first.");
  if (!found || (!desk.shown && !found.error)) return say(desk, "Wait for the picture.");
  const level = desk.shown && live && !live.none ? live.t : null;
  if (level === null && !excluded && live?.rule !== NOTHING) {
    return say(desk, "There is no level: set one, empty the mask (E), or exclude the subject (X).");
  }
  const { truth, dice } = seenOf(desk);
  put(desk, {
    token: newToken(), act: "accept", study: desk.study, rater: desk.rater,
    subject: desk.current, scan: found.scan, files: found.files, map: found.map,
    range: found.range, level,
    upper: level === null ? null : live?.upper ?? null, side: live?.side ?? found.side,
    rule: live?.rule ?? "", post: postOf(desk), flag: draft.flag, rating: draft.rating,
    note: draft.note, seconds: Math.round(draft.seconds * 100) / 100, truth_shown: truth,
    dice_shown: dice, blind: found.blind && !truth && !dice, pieces,
  });
  desk.lastPost = postOf(desk);
  setDraft(desk, { live, pieces, post: postOf(desk), seconds: 0 });
  const next = following(rowsOf(desk), desk.filter, desk.current)[0];
  if (next) return openSubject(desk, next);
  say(desk, "All subjects are decided.");
  return ask(desk);
}

/** Whether the truth, or scores made with it, were on the screen for this subject, ever.
 * @param {Desk} desk */
function seenOf({ current, packages }) {
  const { seen: { truth, dice } } = sharedStore();
  const its = (packages.get(current)?.scans ?? []).map((scan) => `${current} ${scan}`);
  return { truth: its.some((one) => truth.has(one)), dice: its.some((one) => dice.has(one)) };
}

/** Take the last decision back and go to its subject. @param {Desk} desk */
export function undoLast(desk) {
  const subject = lastDecided(desk.rows, desk.outbox);
  if (!subject) return say(desk, "There is no decision of yours to take back.");
  put(desk, { token: newToken(), act: "undo", study: desk.study, rater: desk.rater, subject,
    scan: "", files: "", map: "", range: "", level: null, upper: null, side: "", rule: "", post: [],
    flag: "", rating: null, note: "", seconds: null, truth_shown: false, dice_shown: false,
    blind: false, pieces: [] });
  return openSubject(desk, subject, `The decision on ${subject} is taken back.`);
}

/** Show the truth of a decided subject, which is hidden until then. @param {Desk} desk */
export function look(desk) {
  const row = rowsOf(desk).find(({ subject }) => subject === desk.current);
  if (row?.number === null) return say(desk, "The truth is hidden until you have decided.");
  desk.looks.add(desk.current);
  try {
    localStorage.setItem(`${LOOKED} ${desk.study} ${desk.rater}`, JSON.stringify([...desk.looks]));
  } catch { /* private windows */ }
  desk.packages.delete(desk.current);
  showCurrent(desk);
  return ask(desk);
}

/** @param {Desk} desk */
function restoreLooks(desk) {
  try {
    const seen = JSON.parse(localStorage.getItem(`${LOOKED} ${desk.study} ${desk.rater}`) ?? "[]");
    desk.looks = new Set(seen);
  } catch { /* private windows */ }
}

// --- what Python is told -------------------------------------------------------------------------

/** Tell Python all that it has not answered, where one is, and what one wants next.
 * @param {Desk} desk */
export function ask(desk) {
  const { current, outbox, packages } = desk, { volumes } = sharedStore();
  const held = Object.fromEntries([...packages].flatMap(([subject, { data }]) =>
    (data && volumes.has(data.volumes) ? [[subject, data.volumes]] : [])));
  const { post, scan } = draftOf(desk), line = lineOf(desk);
  const on = { subject: current, ...line, post: postOf(desk), scan };
  desk.number += 1;
  desk.sentAt = performance.now();
  desk.send({
    number: desk.number, acts: outbox, held, looks: [...desk.looks],
    wants: [current, ...following(rowsOf(desk), desk.filter, current)].slice(0, 3),
    on: line || post || scan ? on : { subject: current },
  });
}

/** Where the line of what is on the screen is: it stays there, though a better proposal may become
 * known. @param {Desk} desk */
function lineOf({ line, shown }) {
  const { live, pieces } = sharedStore();
  if (!shown) return null;
  if (line.key === shown.key) return { ...line, pieces, none: Boolean(live?.none) };
  const { key, cursor } = shown;
  return { key, cursor, ...shown.live, none: shown.none, pieces: shown.pieces, seq: 0, acts: [] };
}

/** What Python has not answered is told again: it may have been killed, and be another one now.
 * @param {Desk} desk */
export function askAgain(desk) {
  const next = following(rowsOf(desk), desk.filter, desk.current)[0], { volumes } = sharedStore();
  const passed = performance.now() - desk.sentAt;
  const lacks = desk.outbox.length || [desk.current, ...(next ? [next] : [])].some((subject) => {
    const found = desk.packages.get(subject);
    return !found || (found.data && !volumes.has(found.data.volumes));
  });
  if ((lacks && passed > AGAIN) || (desk.learning && passed > NEWS)) ask(desk);
}
