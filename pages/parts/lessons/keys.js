// @ts-check
// Presenter mode's keys: arrows and Page keys (which a clicker sends) move between stops, Escape
// leaves.

import { onKeys } from "../shared/browser/panel.js";

/** @type {Record<string, string>} */
const MOVES = {
  ArrowRight: "next", PageDown: "next", ArrowLeft: "back", PageUp: "back", Escape: "leave",
};
const BUSY = "input:not([type=checkbox], [type=radio]), textarea, select, [role=slider]";

/** A key pressed while the page is still being made must not be lost: the last moves go along
 * together, numbered, and Python acts on those it has not heard yet.
 * @param {{ data: { on: boolean, heard: number } | null, parentElement: any,
 *   setStateValue: (name: string, value: unknown) => void }} component */
export default function keys({ data, parentElement, setStateValue }) {
  /** @type {{ number: number, move: string }[]} */
  const moves = (parentElement.ascnetMoves ??= []);
  // before the viewer, whose arrows move the line
  return onKeys(window, (event) => {
    const move = MOVES[event.key], field = /** @type {Element} */ (event.composedPath()[0]);
    // Escape leaves from anywhere; arrows belong to whoever types or moves a slider
    if (!data?.on || !move || (move !== "leave" && field.closest?.(BUSY))) return null;
    return () => {
      moves.push({ number: (moves.at(-1)?.number ?? data.heard) + 1, move });
      setStateValue("moves", moves.slice(-20));
    };
  }, true);
}
