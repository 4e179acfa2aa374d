// @ts-check
// The keys of the desk.

import { sharedStore, tell } from "../viewer/viewer_store.js";
import { NOTHING, accept, ask, draftOf, look, postOf, say, setDraft, step, undoLast }
  from "./decide_desk.js";

/** @import { Desk } from "./decide_desk.js" */

/** A flag, or none where it was that one. @type {(desk: Desk, flag: string) => void} */
export const setFlag = (desk, flag) =>
  setDraft(desk, { flag: draftOf(desk).flag === flag ? "fine" : flag });

/** @type {(desk: Desk, rating: number) => void} */
export const setRating = (desk, rating) =>
  setDraft(desk, { rating: draftOf(desk).rating === rating ? null : rating });

/** @type {(desk: Desk, post: string[]) => void} */
export function setPost(desk, post) {
  setDraft(desk, { post, pieces: [] });
  sharedStore().pieces = []; // they were of another mask
  ask(desk);
}

/** The sets of steps to choose from: the run's own, none, those accepted last. @param {Desk} desk
 * @returns {{ name: string, post: string[] }[]} */
export function setsOf(desk) {
  const own = desk.packages.get(desk.current)?.own ?? [];
  const sets = [{ name: "the run's own", post: own }, { name: "none", post: [] }];
  if (desk.lastPost) sets.push({ name: "as last", post: desk.lastPost });
  return sets.filter(({ post }, i) =>
    sets.findIndex((other) => `${other.post}` === `${post}`) === i);
}

/** Show another scan of the subject; the line stays. @param {Desk} desk */
function nextScan(desk) {
  const { scan = "", scans = [] } = desk.packages.get(desk.current) ?? {};
  if (scans.length < 2) return say(desk, "The subject has no other scan.");
  setDraft(desk, { scan: scans[(scans.indexOf(scan) + 1) % scans.length] });
  return ask(desk);
}

/** @param {Desk} desk */
function nextSet(desk) {
  const sets = setsOf(desk), now = sets.findIndex(({ post }) => `${post}` === `${postOf(desk)}`);
  setPost(desk, sets[(now + 1) % sets.length].post);
}

/** Put the line where a proposal says. @type {(desk: Desk, index: number) => void} */
export function takeProposal(desk, index) {
  const one = desk.packages.get(desk.current)?.proposals[index];
  if (!one || one.level === null) return;
  const store = sharedStore();
  store.wanted = { t: one.level, upper: one.upper, side: one.side, rule: one.rule };
  tell(store, "wanted");
}

/** Empty the mask: there is no lesion. Once more, and the line is where a proposal says.
 * @param {Desk} desk */
function emptyMask(desk) {
  const store = sharedStore(), isEmpty = store.live?.none && store.live.rule === NOTHING;
  if (isEmpty) return takeProposal(desk, 0);
  store.wanted = { none: true, rule: NOTHING };
  return tell(store, "wanted");
}

/** @param {Desk} desk */
function nextProposal(desk) {
  const all = desk.packages.get(desk.current)?.proposals ?? [], { live } = sharedStore();
  const now = all.findIndex(({ rule, level }) => rule === live?.rule && level === live?.t);
  for (let by = 1; by <= all.length; by++) {
    const index = (now + by) % all.length;
    if (all[index].level !== null) return takeProposal(desk, index);
  }
  return undefined;
}

/** @param {Desk} desk @param {string} key @param {boolean} shift @returns {(() => void) | null} */
export function actOf(desk, key, shift) {
  /** @type {Record<string, () => void>} */
  const keys = {
    Enter: () => accept(desk), n: () => step(desk, shift ? -1 : 1), u: () => undoLast(desk),
    d: () => setFlag(desk, "doubtful"), x: () => setFlag(desk, "exclude"),
    f: () => setFlag(desk, "flipped"), r: () => nextProposal(desk), s: () => nextSet(desk),
    a: () => nextScan(desk), e: () => emptyMask(desk), c: () => tell(sharedStore(), "note"),
    "?": () => tell(sharedStore(), "help"),
  };
  for (const rating of [1, 2, 3, 4, 5]) keys[rating] = () => setRating(desk, rating);
  if (desk.blind && !desk.looks.has(desk.current)) keys.t = () => look(desk);
  return keys[key] ?? keys[key.toLowerCase()] ?? null;
}

/** What a key does on the page. @type {(event: KeyboardEvent) => (() => void) | null} */
export function pageKeys({ key, shiftKey }) {
  const desk = /** @type {Desk | null} */ (sharedStore().desk);
  return desk && actOf(desk, key, shiftKey);
}

/** Let what is pressed not take the focus, and a text field not keep it: keys are the desk's then.
 * @param {HTMLElement} root */
export function freeKeys(root) {
  root.addEventListener("mousedown", (event) => {
    if (!(/** @type {Element} */ (event.target).closest("button, .row"))) return;
    event.preventDefault();
    let field = /** @type {any} */ (document.activeElement);
    while (field?.shadowRoot?.activeElement) field = field.shadowRoot.activeElement;
    field?.blur();
  });
}
