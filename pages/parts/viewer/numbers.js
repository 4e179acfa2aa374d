// @ts-check
// The numbers at the right of the viewer: they follow the line in the histogram at every frame.

import { fixed, peakNumber } from "../shared/browser/levels.js";
import { nodesOf, put } from "../shared/browser/panel.js";
import { isLesionFree, scoresAt } from "./scores.js";
import { sharedStore, tell, thresholdKey } from "./viewer_store.js";

/** @import { Data, Store } from "./viewer_store.js" */

const SCORES = /** @type {const} */ (["volume", "dice", "sensitivity", "precision"]);

/** @type {(name: string, value: number | null) => string} */
const written = (name, value) =>
  fixed(value, name === "volume" ? 1 : 3) + (name === "volume" && value !== null ? " ml" : "");

/** The number of the peak that the line is at; 0 where it is at none.
 * @type {(data: Pick<Data, "peaks">, live: import("./viewer_store.js").Live) => number} */
function peakOf({ peaks }, { rule }) {
  const number = peakNumber(rule);
  return number > 0 && number <= peaks.length ? number : 0;
}

/** The valley before the peak that the line is at: from there on all of the peak is kept.
 * @type {(data: Pick<Data, "peaks" | "valleys">, live: import("./viewer_store.js").Live) =>
 *   null | { t: number, rule: string }} */
export function valleyBefore(data, live) {
  const peak = peakOf(data, live), number = live.side === "dark" ? peak : peak - 1;
  const t = data.valleys[number - 1];
  return peak && t !== undefined ? { t, rule: `valley:${number}` } : null;
}

/** Which kind of number is on the line, and a sentence that says where it is from.
 * @type {(data: Data, live: import("./viewer_store.js").Live) => [string, string]} */
export function sourceOf(data, live) {
  const { proposal, peaks, hint, hintKind = "by hand", live: told } = data;
  const peak = peakOf(data, live);
  if (!peak && live.rule && live.rule === proposal.rule && live.t === proposal.t &&
      live.side === proposal.side) {
    return [proposal.kind, proposal.sentence];
  }
  if (peak) return ["mask-free", `The level of peak ${peak} of ${peaks.length}.`];
  if (live.t === told.t && live.upper === told.upper && hint) return [hintKind, hint];
  return ["by hand", data.pending
    ? `What the rule “${proposal.rule}” proposes is not known yet: the cohort is being counted.`
    : `The rule “${proposal.rule}” proposes ${proposal.text}.`];
}

/** @type {(oracle: import("./viewer_store.js").Oracle) => string} */
const best = (oracle) => (oracle ? `${fixed(oracle.dice, 3)} at ${oracle.t}` : "–");

/** What the cells of a column say: scores, or how much is marked where there is no lesion.
 * @param {Record<string, any> | null} scores null while they are not known
 * @param {Data} data @param {boolean} free */
export function cellsOf(scores, { voxelMl, steps }, free) {
  if (!scores) return Object.fromEntries(SCORES.map((name) => [name, "…"]));
  const cells = Object.fromEntries(SCORES.map((name) => [name, written(name, scores[name])]));
  if (!free) return cells;
  const marked = `${Math.round(scores.volume / voxelMl)} voxels${steps ? "" : " marked"}`;
  return { ...cells, dice: marked, sensitivity: "–", precision: "–" };
}

/** Mean Dice over the subjects with a lesion; where there is no threshold their masks are empty.
 * @type {(data: Pick<Data, "meanDice" | "pending">, live: import("./viewer_store.js").Live) =>
 *   number | null} */
export function meanOf({ meanDice, pending }, { none, upper, side, t }) {
  if (!meanDice || (none && pending)) return null;
  if (none) return 0;
  return upper === null ? meanDice[side][t] : null;
}

/** @type {(root: HTMLElement, nodes: Record<string, any>, store: Store) => void} */
function render(root, nodes, { data, live, table }) {
  if (!data || !live || !table) return;
  const counting = Boolean(data.pending && live.none), valley = valleyBefore(data, live);
  const now = counting ? null : scoresAt(table, live);
  const [kind, sentence] = sourceOf(data, live), [trained, trainedWhy] = data.trained;
  const before = valley ? `${live.side === "dark" ? "right" : "left"} of it, at ${valley.t},` : "";
  const clean = data.cleaned?.for === thresholdKey(live) ? data.cleaned.numbers : null;
  // what is said of pieces holds for its own mask alone
  const edited = thresholdKey(live) === thresholdKey(data.live) ? data.edited : "";
  const free = isLesionFree(table), cells = cellsOf(now, data, free);
  const after = cellsOf(clean, data, free);
  const mean = meanOf(data, live);
  const texts = {
    kind, sentence, edited, steps: data.after, verdict: data.verdict, warning: data.warning,
    accepted: data.accepted, trained, before,
    level: counting ? "counting …" : live.none ? "none"
      : live.upper !== null ? `${live.t} – ${live.upper}`
      : `${live.side === "dark" ? "≤" : "≥"} ${live.t}`,
    truth: written("volume", data.hasTruth ? data.true * data.voxelMl : null),
    subject: data.subject, "dice title": free ? "No lesion" : "Dice",
    "oracle title": data.steps ? "Oracle, no steps" : "Dice, oracle",
    oracle: best(free ? null : data.oracle), input: best(free ? null : data.inputOracle),
    mean: fixed(mean, 3),
    "mean of": `Mean Dice, ${data.meanOf} with lesion`, rank: fixed(data.rank, 2),
    ...cells, ...Object.fromEntries(SCORES.map((name) => [`${name} after`, after[name]])),
  };
  for (const [name, text] of Object.entries(texts)) put(nodes[name], text);
  nodes.accept.disabled = Boolean(live.none) || !data.on;
  nodes.verdict.classList.toggle("weak", !data.separated);
  // the input's peaks are kinds of tissue: that they stand apart is no good sign for a mask
  nodes.verdict.classList.toggle("plain", data.map === "input");
  nodes.steps.title = data.steps;
  nodes.warning.hidden = !data.warning;
  nodes.trained.hidden = !trained;
  nodes.trained.title = trainedWhy;
  nodes.valley.hidden = !valley;
  nodes.edited.hidden = !edited;
  root.classList.toggle("steps", Boolean(data.steps));
  root.classList.toggle("cohort", Boolean(data.meanDice));
  root.classList.toggle("blind", data.blind);
  root.classList.toggle("free", free);
}

/** @type {(store: Store, button: HTMLElement) => Promise<void>} */
async function copyLink({ data }, button) {
  const query = data?.query ? `?${data.query}` : "";
  let said = "Copied";
  try {
    await navigator.clipboard.writeText(location.origin + location.pathname + query);
  } catch { // no clipboard over plain http from afar: the address bar holds the same link
    said = "Copy it from the address bar";
  }
  button.textContent = said;
  setTimeout(() => { button.textContent = "Copy link"; }, 1600);
}

/** Move the line from its peak to the valley before it. @param {Store} store */
function toValley(store) {
  const valley = store.data && store.live && valleyBefore(store.data, store.live);
  if (!valley) return;
  store.wanted = { ...valley, upper: null };
  tell(store, "wanted");
}

/** @param {{ parentElement: any }} component */
export default function numbers({ parentElement }) {
  const root = parentElement.querySelector(".numbers"), store = sharedStore();
  if (root.ascnetLeave) return root.ascnetLeave;
  const nodes = nodesOf(root, "data-is", "name"), listener = () => render(root, nodes, store);
  store.listeners.add(listener);
  nodes.accept.addEventListener("click", () => tell(store, "accept"));
  nodes.go.addEventListener("click", () => toValley(store));
  nodes.link.addEventListener("click", () => store.data && copyLink(store, nodes.link));
  listener();
  return root.ascnetLeave = () => store.listeners.delete(listener);
}
