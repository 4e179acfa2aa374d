// @ts-check
// What the viewer shows and how that changes: threshold, cursor, display; and when Python is told.

import { clamp, sorted } from "../shared/browser/levels.js";
import { newToken } from "../shared/browser/outbox.js";
import { change, nodesOf, press } from "../shared/browser/panel.js";
import { scoreTable } from "./scores.js";
import { makePlane } from "./viewer_planes.js";
import { NO_VOLUME, sharedStore, tell, thresholdKey } from "./viewer_store.js";

/** @typedef {ReturnType<typeof makeState>} State */
/** @import { Data, Edit, Live } from "./viewer_store.js" */

export const SETTLE = { pointer: 0, keys: 180, cursor: 350 }; // ms before Python is told
export const PATIENCE = 4000; // ms before what was not answered is told again
const STORED = "ascnet look"; // the browser's name for how a person wants the display

/** @param {HTMLElement} root @param {Data} data @param {string} colour the mask's */
export function makeState(root, data, colour) {
  const planes = /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll(".plane"));
  return {
    root, data, nodes: nodesOf(root, "data-node", "name"), store: sharedStore(),
    planes: [...planes].map(makePlane), table: scoreTable(data),
    live: /** @type {Live} */ ({ t: 128, upper: null, side: "bright", rule: "" }),
    volume: NO_VOLUME, cursor: [0, 0, 0], window: [0, 255], zoom: 1,
    scale: 1, // CSS pixels per mm where the zoom is 1
    centre: /** @type {number[] | null} */ (null), // voxel in the middle of the planes
    cleaned: /** @type {null | { key: string, for: string, shape: number[], offset: number[],
      bits: Uint8Array }} */ (null),
    shape: /** @type {null | { kind: string, plane: string, box: number[] }} */ (null),
    tool: /** @type {string | null} */ (null),
    picking: "", // the plane in which the piece under the pointer is outlined
    pointed: /** @type {number[] | null} */ (null), // voxel under the pointer
    hover: /** @type {number | null} */ (null), hoverPeak: -1, dragging: false,
    seq: 0, acts: /** @type {{ seq: number, step?: number }[]} */ ([]), unsent: false, timer: 0,
    speech: 0,
    sentAt: 0, patience: PATIENCE,
    waiting: /** @type {(() => void)[]} */ ([]), // keys for a subject that is still to come
    display: {
      mask: true, opacity: 45, colour, outline: false, truth: true, radiological: true,
      scale: "sqrt", curve: false, ...storedDisplay(),
    },
    theme: /** @type {import("../shared/browser/canvas.js").Theme} */ ({}),
    chart: { width: 0, height: 0 },
    send: (/** @type {object} */ _told) => {}, redraw: () => {}, leave: () => {},
  };
}

/** How the overlay looks is the person's taste, not the view's: it stays in the browser. */
function storedDisplay() {
  try {
    return JSON.parse(localStorage.getItem(STORED) ?? "{}");
  } catch {
    return {};
  }
}

/** @type {(state: State, changes: Partial<State["display"]>) => void} */
export function setDisplay(state, changes) {
  Object.assign(state.display, changes);
  try {
    localStorage.setItem(STORED, JSON.stringify(state.display));
  } catch { /* private windows: it lasts as long as the page */ }
  showDisplay(state);
  state.redraw();
}

/** Show on the buttons what is on. @param {State} state */
export function showDisplay({ root, nodes, display, tool, live }) {
  for (const name of /** @type {const} */ (["mask", "outline", "truth"])) {
    nodes[name].checked = display[name];
  }
  nodes.opacity.value = display.opacity;
  nodes.colour.value = display.colour;
  nodes.sides.textContent = display.radiological ? "R|L" : "L|R";
  root.style.setProperty("--mask", display.colour);
  for (const name of ["linear", "sqrt", "log"]) press(nodes[name], display.scale === name);
  for (const name of ["rectangle", "ellipse", "pieces"]) press(nodes[name], tool === name);
  press(nodes.curve, display.curve);
  press(nodes.band, live.upper !== null);
}

/** Move the threshold; `rule` names where the number came from ("" = by hand). A parked line is in
 * force from now on, unless the changes say `none`.
 * @param {State} state @param {Partial<Live>} changes
 * @param {number} [settle] ms before Python is told, which is not at all without */
export function setThreshold(state, changes, settle) {
  const before = state.live, { none, ...rest } = { ...before, rule: "", none: false, ...changes };
  const live = none ? { ...rest, none } : rest;
  state.live = state.store.live = live;
  if (thresholdKey(before) !== thresholdKey(live) || before.rule !== live.rule ||
      Boolean(before.none) !== none) {
    if (!state.dragging) state.shape = null;
    state.store.pieces = []; // they were of another mask
    tell(state.store, "live");
    state.redraw();
    showDisplay(state);
  }
  if (settle !== undefined) report(state, settle);
}

/** Tell Python after a pause, so that a held key is one message. An act (accept, next subject, a
 * drawn region) goes along until Python answers it: of two messages in quick succession it may see
 * only the last. @param {State} state @param {number} wait @param {object} [act] */
export function report(state, wait, act) {
  if (act) state.acts.push({ ...act, seq: state.seq + 1 });
  clearTimeout(state.timer);
  state.unsent = true;
  const tellPython = () => {
    state.unsent = false;
    state.sentAt = performance.now();
    state.seq += 1;
    const { seq, acts, cursor, data: { key }, live: { t, upper, side, rule } } = state;
    const { pieces } = state.store;
    state.send({ seq, key, t, upper, side, rule, cursor, pieces, acts });
  };
  if (wait) state.timer = setTimeout(tellPython, wait);
  else tellPython();
}

/** Drop the piece of the mask at a voxel, or keep it alone.
 * @type {(state: State, voxel: number[], act: Edit["act"]) => void} */
export function editPiece(state, voxel, act) {
  const { store, data: { scan } } = state;
  store.pieces = [...store.pieces, { scan, voxel, act }];
  report(state, 0);
}

/** Take back the last edit of the pieces on the screen. @param {State} state */
export function undoPiece(state) {
  const { store, data } = state;
  const last = store.pieces.findLastIndex(({ scan }) => scan === data.scan);
  if (last < 0) return;
  store.pieces = store.pieces.filter((_, i) => i !== last);
  report(state, 0);
}

/** Tell again of acts that Python has not answered: it was interrupted, or started anew. It does
 * none of them twice. A page that hears of no acts would be told for ever. @param {State} state */
export function repeatActs(state) {
  if (state.data.on && state.acts.length && !state.unsent) report(state, 0);
}

/** Tell again where no answer came for long, each time after twice as long: the message may have
 * been lost, and nothing else would be sent. @param {State} state @param {number} now in ms */
export function repeatLate(state, now) {
  if (!state.acts.length) state.patience = PATIENCE;
  else if (now - state.sentAt > state.patience) {
    state.patience *= 2;
    repeatActs(state);
  }
}

/** Whether another subject was asked for and is not on the screen yet.
 * @type {(state: Pick<State, "acts">) => boolean} */
export const moving = ({ acts }) => acts.some(({ step }) => step);

/** Do what a key asks for; as long as another subject is on its way, what is meant for that waits
 * in order. @param {State} state @param {() => void} act @param {boolean} waits */
export function inOrder(state, act, waits) {
  if (state.waiting.length || (waits && moving(state))) state.waiting.push(act);
  else act();
}

/** Do what waited for the subject that is on the screen now. @param {State} state */
export function doWaiting(state) {
  while (state.waiting.length && !moving(state)) state.waiting.shift()?.();
}

/** Go to another subject. @param {State} state @param {number} step */
export function stepSubject(state, step) {
  if (state.data.on) report(state, 0, { step });
}

/** Accept what is on the screen, under a name of its own: sent twice, it is kept once.
 * @param {State} state */
export function accept(state) {
  const { data: { on, key, case: subject, blind }, live: { t, upper, side, rule } } = state;
  if (!on) return;
  const { pieces, seen: { truth, dice } } = state.store, token = newToken();
  report(state, 0, { accept: true, token, on, key, t, upper, side, rule, pieces,
    truth_shown: truth.has(subject), dice_shown: dice.has(subject),
    blind: blind && !dice.has(subject) });
}

/** @param {State} state @param {number[]} cursor */
export function setCursor(state, cursor, wait = SETTLE.cursor) {
  const next = cursor.map((v, axis) => clamp(v, 0, state.data.full[axis] - 1));
  if (next.every((v, axis) => v === state.cursor[axis])) return;
  change(state, { cursor: next });
  report(state, wait);
}

/** @type {(state: State, index: number, settle?: number) => void} */
export function takePeak(state, index, settle) {
  const t = state.data.peaks[index]?.position, rule = `peak:${index + 1}`;
  if (t !== undefined) setThreshold(state, { t, upper: null, rule }, settle);
}

/** The index of the next peak above a level (step 1) or below it (-1), going round; -1 for none.
 * @param {{ position: number }[]} peaks @param {number} t @param {number} step */
export function nextPeak(peaks, t, step) {
  if (step < 0) {
    const below = peaks.findLastIndex((peak) => peak.position < t);
    return below < 0 ? peaks.length - 1 : below;
  }
  const above = peaks.findIndex((peak) => peak.position > t);
  return above < 0 && peaks.length ? 0 : above;
}

/** A band from a threshold on, 30 levels wide to the kept side.
 * @type {(live: Live) => Partial<Live>} */
export function bandFrom({ t, side }) {
  const [low, high] = sorted(t, clamp(side === "dark" ? t - 30 : t + 30, 0, 255));
  return { t: low, upper: high };
}
