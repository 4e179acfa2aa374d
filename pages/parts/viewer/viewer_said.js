// @ts-check
// What a screen reader says of the viewer: of each picture what it shows, and after a move the
// threshold with its scores.

import { fixed } from "../shared/browser/levels.js";
import { put } from "../shared/browser/panel.js";
import { isLesionFree, scoresAt } from "./scores.js";

/** @import { State } from "./viewer_state.js" */

export const REST = 600; // ms without a change after which it is said

/** The threshold in words.
 * @type {(live: Pick<import("./viewer_store.js").Live, "t" | "upper" | "side" | "none">) => string}
 */
export function thresholdWords({ t, upper, side, none }) {
  if (none) return "No threshold";
  if (upper !== null) return `Threshold ${Math.min(t, upper)} to ${Math.max(t, upper)}`;
  return `Threshold at ${side === "dark" ? "most" : "least"} ${t}`;
}

/** Threshold, Dice (where the mask is known and shown) and volume.
 * @type {(state: Pick<State, "live" | "table" | "data">) => string} */
export function scoreWords({ live, table, data }) {
  if (live.none && data.pending) return "The cohort is being counted";
  const { dice, volume } = scoresAt(table, live);
  const score = isLesionFree(table) ? ", no lesion" : dice === null ? ""
    : `, Dice ${fixed(dice, 3)}`;
  return `${thresholdWords(live)}${score}, ${fixed(volume, 1)} millilitres`;
}

/** Say what is on the screen once it rests. @param {State} state */
export function sayLater(state) {
  clearTimeout(state.speech);
  state.speech = setTimeout(() => say(state), REST);
}

/** @param {State} state */
function say(state) {
  const { root, nodes, planes, data, live } = state;
  if (!root.isConnected) return;
  for (const { canvas, title } of planes) {
    canvas.setAttribute("aria-label", `${title.textContent}: input, mask and crosshair`);
  }
  const peaks = data.peaks.map(({ position }) => position).join(", ");
  nodes.histogram.setAttribute("aria-label", `${data.caption.split(" · ")[0]}; ${data.axis}; ` +
    `${peaks ? `peaks at ${peaks}` : "no peak"}; ${thresholdWords(live)}`);
  put(nodes.said, scoreWords(state));
}
