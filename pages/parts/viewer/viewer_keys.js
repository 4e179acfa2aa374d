// @ts-check
// The viewer's keys, and its buttons and fields.

import { clamp } from "../shared/browser/levels.js";
import { change, onKeys, press } from "../shared/browser/panel.js";
import { moveSlice, zoomBy } from "./viewer_pointer.js";
import { SETTLE, accept, bandFrom, inOrder, nextPeak, setDisplay, setThreshold, showDisplay,
  stepSubject, takePeak, undoPiece } from "./viewer_state.js";

/** @import { State } from "./viewer_state.js" */
/** @import { Live } from "./viewer_store.js" */

const OPEN = "select, [role=listbox], [role=menu], [role=dialog]";
const TEXT = "textarea, [contenteditable=true], input:not([type=checkbox], [type=radio], " +
  "[type=range], [type=color], [type=button], [type=submit], [type=file])";
const SLIDER = "[role=slider], input[type=range], input[type=radio]";
const PRESSED = "button, a, label, summary, [role=button]";
const MOVES = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"];

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
const ON_SUBJECT = new Set([...MOVES, "p", "b", "Enter"]);

/** Whether a key is free for the viewer where the focus is on `field`. Text fields and open menus
 * have all keys, sliders the arrows. A button has Enter, and a closed menu all keys, only for
 * somebody who came there by Tab (`byTab`): after a click or a choice the focus stays behind.
 * @param {Pick<Element, "closest">} field @param {string} key @param {boolean} byTab */
export function isFree(field, key, byTab) {
  const menu = field.closest("[role=combobox]");
  if (menu) return !byTab && menu.getAttribute("aria-expanded") !== "true";
  if (field.closest(TEXT) || field.closest(OPEN)) return false;
  if (field.closest(SLIDER)) return !MOVES.includes(key);
  return !(key === "Enter" && byTab && field.closest(PRESSED));
}

/** Keys belong to the viewer wherever the focus is, but for what `isFree` says; Escape leaves a
 * text field.
 * @param {State} state */
export function listenToKeys(state) {
  let byTab = false;
  const pressed = () => { byTab = false; };
  const noteTab = (/** @type {KeyboardEvent} */ event) => {
    const field = /** @type {HTMLElement} */ (event.composedPath()[0]);
    const open = field.getAttribute?.("aria-expanded") === "true";
    if (event.key === "Tab") byTab = true;
    else if (event.key === "Enter" && open) byTab = false; // a choice: what one came for is done
    else if (event.key === "Escape" && !open && field.closest?.(TEXT)) field.blur();
  };
  document.addEventListener("pointerdown", pressed, { capture: true });
  document.addEventListener("keydown", noteTab, { capture: true });
  const forget = onKeys(document, (event) => {
    const field = /** @type {any} */ (event.composedPath()[0]); // the document has no `closest`
    if (state.store.pageKeys?.(event)) return null; // the page's own
    const key = event.key in KEYS ? event.key : event.key.toLowerCase(), act = KEYS[key];
    if (!act || (field.closest && !isFree(field, event.key, byTab))) return null;
    return () => inOrder(state, () => act(state, event.shiftKey), ON_SUBJECT.has(key));
  }, true);
  return () => {
    forget();
    document.removeEventListener("pointerdown", pressed, { capture: true });
    document.removeEventListener("keydown", noteTab, { capture: true });
  };
}

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
