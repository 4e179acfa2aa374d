// @ts-check
// Two masks of one subject side by side, without their names; keys say which is better.

import { edges, fit, onPicture, picture, strokeEdges, theme } from "../shared/browser/canvas.js";
import { hasAllKeys, onPageKeys } from "../shared/browser/focus.js";
import { channels, clamp, pixel, shades } from "../shared/browser/levels.js";
import { adopt, keep, newToken } from "../shared/browser/outbox.js";
import { nodesOf, onWheel, onceAFrame, put } from "../shared/browser/panel.js";
import { inMask, inVolume, takePlane } from "../viewer/slices.js";
import { answer, back, makeQueue, takeAnswered } from "./versus_answers.js";
import { sharedStore } from "./versus_store.js";

/** @import { Data, Queue } from "./versus_answers.js" */
/** @import { Pair } from "./versus_store.js" */
/** @typedef {{ root: HTMLElement, tab: string, nodes: Record<string, any>, queue: Queue,
 *   seq: number, shown: string, slice: number, begun: number, masks: boolean, redraw: () => void,
 *   leave: () => void, send: (told: object) => void }} State */

const AGAIN = 2000; // ms until what has no answer is sent again
const GREYS = shades();

/** Where answers wait that are not on the disk yet. @type {(study: string) => string} */
const shelfOf = (study) => `ascnet versus ${JSON.stringify([study])}`;

/** @param {State} state */
const pairOf = ({ queue: { at } }) => sharedStore().pairs.get(at);

// --- what is said to Python ----------------------------------------------------------------------

/** @param {State} state */
function tellPython(state) {
  const { queue: { acts, at, study, done } } = state;
  keep(shelfOf(study), state.tab, acts);
  state.seq += 1;
  // One who went back looks at a subject that has an answer.
  state.send({ seq: state.seq, acts, at, looks: Boolean(at) && done.has(at) });
}

/** @type {(state: State, better: string) => void} */
function say(state, better) {
  if (!pairOf(state)) return; // nothing is on the screen to judge
  const seconds = Math.round(performance.now() - state.begun) / 1000;
  answer(state.queue, better, seconds, newToken());
  tellPython(state);
  state.redraw();
}

/** @type {Record<string, (state: State) => void>} */
const KEYS = {
  ArrowLeft: (state) => say(state, "left"),
  ArrowRight: (state) => say(state, "right"),
  ArrowDown: (state) => say(state, "neither"),
  u(state) {
    back(state.queue);
    tellPython(state);
    state.redraw();
  },
  w: (state) => step(state, 1),
  s: (state) => step(state, -1),
  m(state) {
    state.masks = !state.masks;
    state.redraw();
  },
};

/** @type {(state: State, by: number) => void} */
function step(state, by) {
  const pair = pairOf(state);
  if (pair) state.slice = clamp(state.slice + by, 0, pair.shape[2] - 1);
  state.redraw();
}

// --- drawing -------------------------------------------------------------------------------------

/** @param {State} state */
function draw(state) {
  const { root, nodes, queue, masks } = state, pair = pairOf(state);
  if (!root.isConnected) return;
  const { subjects, done, at, acts, said } = queue;
  put(nodes.subject, at);
  put(nodes.count, `${done.size} of ${subjects.length} compared`);
  put(nodes.saving, said || (acts.length ? `saving ${acts.length}` : ""));
  nodes.waiting.hidden = Boolean(pair);
  put(nodes.waiting, at ? "Preparing the subject" : "All are answered");
  root.dataset.at = at;
  root.dataset.waiting = `${acts.length}`;
  if (!pair) return;
  if (state.shown !== pair.key) {
    Object.assign(state, { shown: pair.key, slice: pair.start, begun: performance.now() });
  }
  nodes.masks.checked = masks;
  Object.assign(nodes.slider, { min: 0, max: pair.shape[2] - 1, value: state.slice });
  put(nodes.where, `axial ${pair.first + state.slice} / ${pair.full - 1}`);
  for (const side of /** @type {const} */ (["left", "right"])) drawSide(state, pair, side);
}

/** @type {(state: State, pair: Pair, side: "left" | "right") => void} */
function drawSide({ nodes, slice, masks, root }, pair, side) {
  const canvas = nodes[side], { shape, spacing } = pair, [X, Y] = shape;
  const { clientWidth: width, clientHeight: height } = canvas.parentElement;
  if (!width) return;
  const pen = fit(canvas, width, height), colour = theme(root).colour("mask");
  const scale = Math.min(width / (X * spacing[0]), (height - 24) / (Y * spacing[1]));
  const [sx, sy] = [scale * spacing[0], scale * spacing[1]];
  const to = { x: (width - X * sx) / 2, y: (height - Y * sy) / 2 + 6, sx, sy };
  const grey = picture(X, Y), over = picture(X, Y);
  takePlane(inVolume(pair.input, shape), shape, "axial", slice, true)
    .forEach((level, i) => { grey.pixels[i] = GREYS[level]; });
  grey.show();
  pen.drawImage(grey.canvas, to.x, to.y, X * sx, Y * sy);
  const origin = [0, 0, 0], bits = { shape, offset: origin, bits: pair[side] };
  const marked = takePlane(inMask(bits, origin), shape, "axial", slice, true);
  canvas.dataset.marked = `${marked.reduce((sum, one) => sum + one, 0)}`;
  if (masks) {
    const look = pixel(channels(colour), 90);
    marked.forEach((on, i) => { over.pixels[i] = on ? look : 0; });
    over.show();
    pen.imageSmoothingEnabled = false;
    pen.drawImage(over.canvas, to.x, to.y, X * sx, Y * sy);
    strokeEdges(pen, edges(marked, X, Y), to, colour, 1.5);
  }
  onPicture(pen, side, 10, 20, "left");
  onPicture(pen, "R", 8, height / 2, "left", "#bbb");
  onPicture(pen, "L", width - 8, height / 2, "right", "#bbb");
}

// --- the component -------------------------------------------------------------------------------

/** @param {State} state */
function listen(state) {
  const { root, nodes } = state, store = sharedStore();
  state.redraw = onceAFrame(() => draw(state));
  const forgetKeys = onPageKeys((event) => {
    const act = KEYS[event.key] ?? KEYS[event.key.toLowerCase()];
    return event.repeat ? null : act && (() => act(state));
  }, hasAllKeys); // a slider that was dragged leaves the arrows to the answers
  for (const better of ["left", "neither", "right"]) {
    nodes[`answer-${better}`].addEventListener("click", () => say(state, better));
  }
  nodes.back.addEventListener("click", () => KEYS.u(state));
  nodes.slider.addEventListener("input", () => {
    state.slice = +nodes.slider.value;
    state.redraw();
  });
  nodes.masks.addEventListener("change", () => KEYS.m(state));
  onWheel(nodes.pair, (slices) => step(state, -slices), () => {});
  const sizes = new ResizeObserver(() => state.redraw());
  sizes.observe(nodes.pair);
  store.listeners.add(state.redraw);
  const timer = setInterval(() => state.queue.acts.length && tellPython(state), AGAIN);
  state.leave = () => {
    forgetKeys();
    sizes.disconnect();
    store.listeners.delete(state.redraw);
    clearInterval(timer);
  };
  root.focus?.({ preventScroll: true });
}

/** @type {(state: State, data: Data) => void} */
function takeData(state, data) {
  const { queue } = state;
  if (queue.pair !== data.pair || queue.rater !== data.rater || queue.study !== data.study) {
    state.queue = makeQueue(data, adopt(shelfOf(data.study), state.tab));
  }
  takeAnswered(state.queue, data);
  keep(shelfOf(data.study), state.tab, state.queue.acts);
  state.seq = Math.max(state.seq, data.seq);
  state.redraw();
}

/** @param {{ data: Data | null, parentElement: any, setTriggerValue: Function }} component */
export default function versus({ data, parentElement, setTriggerValue }) {
  /** @type {State} */
  let state = parentElement.ascnetVersus;
  if (!data) return state?.leave;
  if (!state) {
    const root = parentElement.querySelector(".versus"), tab = newToken();
    state = parentElement.ascnetVersus = {
      root, tab, nodes: nodesOf(root), queue: makeQueue(data, adopt(shelfOf(data.study), tab)),
      seq: 0, shown: "", slice: 0, begun: performance.now(), masks: true,
      redraw() {}, leave() {}, send() {},
    };
    listen(state);
  }
  state.send = (told) => setTriggerValue("told", told);
  takeData(state, data);
  if (!data.seq) tellPython(state); // a new session: what waits is sent, the next one prepared
  return state.leave;
}
