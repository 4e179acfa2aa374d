// @ts-check
// The viewer's keys, and its buttons and fields.

import { ARROWS, onPageKeys } from "../shared/browser/focus.js";
import { clamp } from "../shared/browser/levels.js";
import { change, press } from "../shared/browser/panel.js";
import { moveSlice, zoomBy } from "./viewer_pointer.js";
import { SETTLE, accept, bandFrom, inOrder, nextPeak, setDisplay, setThreshold, showDisplay,
  stepSubject, takePeak, undoPiece } from "./viewer_state.js";

/** @import { State } from "./viewer_state.js" */
/** @import { Live } from "./viewer_store.js" */

/** @type {Record<string, (state: State, shift: boolean) => void>} */
const KEYS = {
  ArrowLeft: (state, shift) => nudge(state, shift ? -10 : -1),
  ArrowRight: (state, shift) => nudge(state, shift ? 10 : 1),
  ArrowUp: (state) => moveSlice(state, "axial", 1),
  ArrowDown: (state) => moveSlice(state, "axial", -1),
  p: (state, shift) =>
    takePeak(state, nextPeak(state.data.peaks, state.live.t, shift ? -1 : 1), SETTLE.keys),
  b: (state) => setThreshold(state, otherSide(state.live), SETTLE.keys),
  n: (state, shift) => stepSubject(state, shift ? -1 : 1),
  Enter: (state) => accept(state),
  z: undoPiece,
  m: (state) => setDisplay(state, { mask: !state.display.mask }),
  o: (state) => setDisplay(state, { outline: !state.display.outline }),
  t: (state) => setDisplay(state, { truth: !state.display.truth }),
  "+": (state) => zoomBy(state, 1.25),
  "=": (state) => zoomBy(state, 1.25),
  "-": (state) => zoomBy(state, 0.8),
  0: (state) => change(state, { zoom: 1, centre: null, window: [0, 255], shape: null }),
  h({ nodes: { keys, help } }) {
    keys.hidden = !keys.hidden;
    press(help, !keys.hidden);
  },
};

/** The other side; a parked line stays parked. @type {(live: Live) => Partial<Live>} */
const otherSide = ({ side, rule, none }) =>
  ({ side: side === "dark" ? "bright" : "dark", ...(none && { none, rule }) });

/** @type {(state: State, by: number) => void} */
function nudge(state, by) {
  const { t, upper } = state.live;
  setThreshold(state, { t: clamp(t + by, 0, upper ?? 255) }, SETTLE.keys);
}

/** Keys that act on the subject on the screen. */
const ON_SUBJECT = new Set([...ARROWS, "p", "b", "Enter"]);

/** Keys belong to the viewer, but for those of fields and of the page. @param {State} state */
export const listenToKeys = (state) => onPageKeys((event) => {
  if (state.store.pageKeys?.(event)) return null;
  const key = event.key in KEYS ? event.key : event.key.toLowerCase(), act = KEYS[key];
  return act && (() => inOrder(state, () => act(state, event.shiftKey), ON_SUBJECT.has(key)));
});

/** @param {State} state */
export function listenToTools(state) {
  const { root, nodes } = state;
  // a pressed button would keep the focus, and with it Enter, which accepts
  for (const button of root.querySelectorAll("button")) {
    button.addEventListener("mousedown", (event) => event.preventDefault());
  }
  /** @type {(kind: string, names: string[], act: (name: string, field: any) => void) => void} */
  const on = (kind, names, act) => names.forEach((name) =>
    nodes[name].addEventListener(kind, () => act(name, nodes[name])));
  on("change", ["mask", "outline", "truth"],
    (name, { checked }) => setDisplay(state, { [name]: checked }));
  on("input", ["opacity"], (_, { value }) => setDisplay(state, { opacity: +value }));
  on("input", ["colour"], (_, { value }) => setDisplay(state, { colour: value }));
  on("click", ["sides"], () => setDisplay(state, { radiological: !state.display.radiological }));
  on("click", ["curve"], () => setDisplay(state, { curve: !state.display.curve }));
  on("click", ["linear", "sqrt", "log"], (scale) => setDisplay(state, { scale }));
  on("click", ["fit"], () => KEYS[0](state, false));
  on("click", ["help"], () => KEYS.h(state, false));
  on("click", ["band"], () => setThreshold(state,
    state.live.upper === null ? bandFrom(state.live) : { upper: null }, SETTLE.pointer));
  on("click", ["rectangle", "ellipse", "pieces"], (name) => {
    state.tool = state.tool === name ? null : name;
    showDisplay(state);
  });
}
