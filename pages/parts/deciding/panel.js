// @ts-check
// The panel at the right: what is proposed for the subject on the desk, and what is decided of it.

import { fixed, peakNumber } from "../shared/browser/levels.js";
import { element, nodesOf, press, put } from "../shared/browser/panel.js";
import { isLesionFree, scoresAt } from "../viewer/scores.js";
import { sharedStore, thresholdKey } from "../viewer/viewer_store.js";
import { NOTHING, draftOf, postOf, rowsOf, setDraft } from "./decide_desk.js";
import { actOf, freeKeys, setFlag, setPost, setRating, takeProposal } from "./decide_keys.js";

/** @import { Live, Store } from "../viewer/viewer_store.js" */
/** @import { Desk, Package } from "./decide_desk.js" */

const FLAGS = { fine: "fine", doubtful: "doubtful D", flipped: "flipped F", exclude: "out X" };

/** @param {Pick<Live, "t" | "upper" | "side" | "none"> & { rule?: string }} live */
const levelText = ({ t, upper, side, none, rule }) =>
  none ? (rule === NOTHING ? "no lesion" : "none")
    : upper !== null ? `${t} – ${upper}` : `${side === "dark" ? "≤" : "≥"} ${t}`;

/** Where the level on the screen is from: a word, and a sentence.
 * @type {(found: Package, live: Live) => [string, string]} */
export function sourceOf({ proposals, data }, live) {
  const same = proposals.find(({ rule, level, upper, side }) =>
    rule === live.rule && level === live.t && upper === live.upper && side === live.side);
  if (same) return [same.name, same.sentence];
  if (live.none && live.rule === NOTHING) return ["empty mask", "Nothing is marked."];
  if (live.none) return ["none found", proposals[0]?.sentence ?? ""];
  const peak = peakNumber(live.rule);
  if (peak) return ["peak", `The level of peak ${peak} of ${data?.peaks.length}.`];
  if (live.rule) return ["proposed before", "More is known now: R goes through the proposals."];
  if (data?.hint) return ["by hand", data.hint];
  const [first] = proposals;
  const proposed = first?.level === null || !first ? "nothing"
    : levelText({ t: first.level, upper: first.upper, side: first.side });
  return ["by hand", `The rule “${first?.rule ?? ""}” proposes ${proposed}.`];
}

/** @type {(root: HTMLElement, nodes: Record<string, any>, store: Store) => void} */
function render(root, nodes, store) {
  const desk = /** @type {Desk | null} */ (store.desk);
  if (!desk?.current) return;
  const rows = rowsOf(desk), row = rows.find(({ subject }) => subject === desk.current);
  const found = desk.packages.get(desk.current), draft = draftOf(desk), { shown } = desk;
  const place = rows.findIndex(({ subject }) => subject === desk.current) + 1;
  const blind = desk.blind && !desk.looks.has(desk.current);
  const [failed] = Object.entries(desk.failures);
  const notice = desk.notice || found?.error ||
    (failed ? `${failed[0]} was not kept: ${failed[1]}` : "");
  const texts = {
    place: `Subject ${place} of ${rows.length}`, subject: desk.current, blind: blind ? "blind" : "",
    notice, stands: standsText(row, desk),
    ...(shown && found && store.live ? numbers(store, found) : EMPTY),
  };
  for (const [name, text] of Object.entries(texts)) put(nodes[name], text);
  nodes.notice.hidden = !notice;
  nodes.elsewhere.hidden = !found?.threshold;
  nodes.elsewhere.href = found?.threshold ?? "";
  const { scan = "", scans = [] } = found ?? {};
  nodes.scan.hidden = scans.length < 2;
  put(nodes.scan, `Scan ${scans.indexOf(scan) + 1} of ${scans.length}: ${scan}`);
  root.classList.toggle("truth", Boolean(shown?.hasTruth));
  const warnings = [...(found?.remarks ?? []), shown?.warning ?? ""].filter(Boolean);
  nodes.warnings.hidden = !warnings.length;
  put(nodes.warnings, warnings.join(" "));
  nodes.warnings.title = warnings.join("\n");
  for (const button of nodes.flags.children) press(button, button.name === draft.flag);
  for (const button of nodes.ratings.children) press(button, +button.name === draft.rating);
  drawProposals(nodes, desk, found, store.live);
  const post = postOf(desk).join(" ");
  if (root.getRootNode() && !nodes.steps.matches(":focus")) nodes.steps.value = post;
  if (!nodes.note.matches(":focus")) nodes.note.value = draft.note;
}

const EMPTY = { level: "–", kind: "", sentence: "", edited: "", volume: "", "volume after": "",
  dice: "", "dice after": "" };

/** @type {(store: Store, found: Package) => typeof EMPTY} */
function numbers({ table, live, data }, found) {
  if (!table || !live || !data || !found.data) return EMPTY;
  const now = scoresAt(table, live), [kind, sentence] = sourceOf(found, live);
  const clean = data.cleaned?.for === thresholdKey(live) ? data.cleaned.numbers : null;
  const free = isLesionFree(table); // a Dice of 0 would say nothing there
  const after = (/** @type {string} */ name, /** @type {number} */ digits) =>
    data.steps ? `→ ${clean ? fixed(clean[name], digits) : "…"}` : "";
  return { level: levelText(live), kind, sentence, edited: data.edited,
    volume: `${fixed(now.volume, 1)} ml`,
    "volume after": after("volume", 1), dice: free ? "no lesion" : fixed(now.dice, 3),
    "dice after": free ? "" : after("dice", 3) };
}

/** @type {(row: import("./queue_rows.js").Row | undefined, desk: Desk) => string} */
function standsText(row, desk) {
  if (!row) return "";
  const others = row.others ? ` Others: ${row.others}.` : "";
  if (row.failed) return `Not kept: ${row.failed}`;
  if (row.number === null) return `${desk.rater ? "Open." : "Nobody is named as rater."}${others}`;
  const rating = row.rating ? `, rated ${row.rating}` : "";
  const saved = row.saving ? "Saving" : "Decided";
  return `${saved}: ${row.level}, ${row.flag}${rating}.${others}`;
}

/** @type {(nodes: Record<string, any>, desk: Desk, found: Package | undefined,
 *   live: Live | null) => void} */
function drawProposals(nodes, desk, found, live) {
  const all = found?.proposals ?? [], text = JSON.stringify([desk.current, all]);
  if (nodes.proposals.dataset.text !== text) {
    nodes.proposals.dataset.text = text;
    nodes.proposals.replaceChildren(...all.map(({ name, off, level, sentence }, index) =>
      element("button", { title: sentence, disabled: level === null,
        onclick: () => takeProposal(desk, index) },
      element("span", { textContent: off ? `${name}, ${off}` : name }), `${level ?? "–"}`)));
  }
  [...nodes.proposals.children].forEach((button, i) =>
    press(button, live?.rule === all[i].rule && live?.t === all[i].level));
}

/** @param {{ parentElement: any }} component */
export default function decidePanel({ parentElement }) {
  const root = parentElement.querySelector(".decide"), store = sharedStore();
  if (root.ascnetLeave) return root.ascnetLeave;
  const nodes = nodesOf(root, "data-is", "name");
  const listener = (/** @type {string} */ what) => {
    if (what === "note") nodes.note.focus();
    else if (what === "help") nodes.help.hidden = !nodes.help.hidden;
    else render(root, nodes, store);
  };
  store.listeners.add(listener);
  listen(root, nodes, store);
  render(root, nodes, store);
  return root.ascnetLeave = () => store.listeners.delete(listener);
}

/** @type {(root: HTMLElement, nodes: Record<string, any>, store: Store) => void} */
function listen(root, nodes, store) {
  const desk = () => /** @type {Desk} */ (store.desk);
  const buttons = (/** @type {Record<string, string>} */ names,
    /** @type {(name: string) => void} */ act) => Object.entries(names).map(([name, textContent]) =>
    element("button", { name, textContent, onclick: () => act(name) }));
  nodes.flags.replaceChildren(...buttons(FLAGS, (flag) => setFlag(desk(), flag)));
  nodes.ratings.replaceChildren(...buttons({ 1: "1", 2: "2", 3: "3", 4: "4", 5: "5" },
    (rating) => setRating(desk(), +rating)));
  freeKeys(root);
  const press_ = (/** @type {string} */ name, /** @type {string} */ key, shift = false) =>
    nodes[name].addEventListener("click", () => actOf(desk(), key, shift)?.());
  press_("accept", "Enter");
  press_("next", "n");
  press_("back", "n", true);
  press_("undo", "u");
  press_("scan", "a");
  const leave = (/** @type {KeyboardEvent} */ event) => {
    event.stopPropagation();
    if (event.key === "Escape" || (event.key === "Enter" && event.target === nodes.steps)) {
      /** @type {HTMLElement} */ (event.target).blur();
    }
  };
  for (const field of [nodes.note, nodes.steps]) field.addEventListener("keydown", leave);
  nodes.note.addEventListener("input", () => setDraft(desk(), { note: nodes.note.value }));
  nodes.steps.addEventListener("change", () =>
    setPost(desk(), nodes.steps.value.split(/[\s,]+/).filter(Boolean)));
}
