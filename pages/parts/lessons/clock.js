// @ts-check
// The speaker's window: it follows the window that presents, and shows for how long it has.

import { nodesOf, onKeys, put } from "../shared/browser/panel.js";
import { openChannel } from "./channel.js";

/** @import { Shows } from "./channel.js" */

/** @type {Record<string, number>} */
const TURNS = { PageDown: 1, ArrowRight: 1, PageUp: -1, ArrowLeft: -1 };

/** @param {number} began @param {number} now both in ms */
export const minutes = (began, now) =>
  (began ? `${Math.floor((now - began) / 60_000)} min` : "– min");

/** @param {{ data: { stop: number, stops: number } | null, parentElement: any,
 *   setStateValue: (name: string, value: unknown) => void }} component */
export default function clock({ data, parentElement, setStateValue }) {
  parentElement.ascnetLeave?.(); // a run may begin before the last one was ended
  const nodes = nodesOf(parentElement);
  const kept = (parentElement.ascnetScreen ??= { shows: null });
  const shows = () => /** @type {Shows | null} */ (kept.shows);
  const draw = () => {
    put(nodes.clock, minutes(shows()?.began ?? 0, Date.now()));
    put(nodes.follows, shows() ? "Follows the lessons' window." :
      "No window of the lessons is open in this browser; the keys turn these notes alone.");
    nodes.restart.disabled = !shows()?.began;
  };
  const channel = openChannel((said) => {
    const known = shows();
    if (said.kind === "gone" && said.from === known?.from) kept.shows = null;
    // of several windows the one that presents is followed
    if (said.kind === "shows" && (!known || known.from === said.from || said.on)) {
      kept.shows = said;
      if (data && said.stop !== data.stop) setStateValue("stop", said.stop);
    }
    draw();
  });
  channel.say({ kind: "ask" });
  nodes.restart.onclick = () => {
    const known = shows();
    if (known) channel.say({ kind: "restart", to: known.from });
  };
  const forget = onKeys(window, (event) => {
    const by = TURNS[event.key], known = shows();
    if (!by || !data) return null;
    if (known) {
      return () => channel.say({ kind: "move", to: known.from, move: by > 0 ? "next" : "back" });
    }
    return () => setStateValue("stop", Math.min(Math.max(data.stop + by, 1), data.stops));
  }, true);
  const timer = setInterval(draw, 5000);
  draw();
  return parentElement.ascnetLeave = () => {
    clearInterval(timer);
    forget();
    channel.close();
  };
}
