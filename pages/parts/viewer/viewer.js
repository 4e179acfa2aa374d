// @ts-check
// The viewer: everything drawn follows its state; Python hears of a threshold when the pointer is
// let go, and answers with what post-processing makes of it.

import { fromBase64, gunzip } from "../shared/browser/blocks.js";
import { onTheme, theme } from "../shared/browser/canvas.js";
import { beforePressOutside, onceAFrame, put } from "../shared/browser/panel.js";
import { inVolume } from "./slices.js";
import { scoreTable } from "./scores.js";
import { drawHistogram } from "./viewer_histogram.js";
import { listenToKeys, listenToTools } from "./viewer_keys.js";
import { drawPlane, layOut } from "./viewer_planes.js";
import { listenToChart, listenToPlane } from "./viewer_pointer.js";
import { sayLater } from "./viewer_said.js";
import { SETTLE, accept, doWaiting, makeState, repeatActs, repeatLate, report, setThreshold,
  showDisplay } from "./viewer_state.js";
import { NO_VOLUME, sharedStore, tell } from "./viewer_store.js";

/** @import { State } from "./viewer_state.js" */
/** @import { Data } from "./viewer_store.js" */

/** @param {State} state */
function draw(state) {
  if (!state.root.isConnected) return;
  if (state.volume.key) for (const plane of state.planes) drawPlane(state, plane);
  drawHistogram(state);
  showValues(state);
  const { store: { seen }, data, display } = state;
  if (data.hasTruth) seen.dice.add(data.case);
  if (data.hasTruth && display.truth && state.volume.key) seen.truth.add(data.case);
  sayLater(state);
  state.store.frames += 1;
  state.store.drawn = performance.now();
}

/** The maps' values at the voxel under the pointer, else under the cursor. @param {State} state */
function showValues({ volume: { offset, shape, maps }, data, pointed, cursor, nodes }) {
  const voxel = pointed ?? cursor, local = voxel.map((v, axis) => v - offset[axis]);
  const inside = local.every((v, axis) => v >= 0 && v < shape[axis]);
  const cells = data.values.map(([name, label]) => {
    const value = inside && maps[name] ? inVolume(maps[name], shape)(local) : "–";
    return `<span${name === data.map ? "" : ' class="dim"'}>${label} <b>${value}</b></span>`;
  });
  nodes.values.innerHTML = '<span class="where dim" title="Voxels are counted from 0">voxel ' +
    `<b>${voxel.join(", ")}</b></span>${cells.join("")}`;
}

// --- what Python sends ---------------------------------------------------------------------------

/** @type {(state: State, data: Data, first?: boolean) => void} */
function takeData(state, data, first = false) {
  const { store, nodes } = state, another = first || state.data.key !== data.key;
  if (state.data.case !== data.case) {
    Object.assign(state, { zoom: 1, centre: null, shape: null, cleaned: null });
  }
  state.data = store.data = data;
  state.table = store.table = scoreTable(data);
  state.acts = state.acts.filter((act) => act.seq > data.seq);
  if (another || data.seq >= state.seq) { // an answer to an older message must not move the line
    state.seq = Math.max(state.seq, data.seq);
    if (another || !(state.dragging || state.unsent)) {
      setThreshold(state, { ...data.live, none: data.none });
      state.cursor = [...data.cursor];
      store.pieces = data.pieces;
    }
  }
  nodes.caption.textContent = data.caption;
  nodes.curve.disabled = !data.dice;
  nodes.truth.parentElement.classList.toggle("off", !data.hasTruth);
  takeCleaned(state);
  takeVolume(state);
  tell(store, "data");
  repeatActs(state);
  doWaiting(state);
}

/** The mask after post-processing, for the one threshold it was made for. @param {State} state */
async function takeCleaned(state) {
  const { cleaned } = state.data;
  if (!cleaned) state.cleaned = null;
  else if (state.cleaned?.key !== cleaned.key) {
    const bytes = fromBase64(cleaned.bits), bits = cleaned.gzip ? await gunzip(bytes) : bytes;
    if (state.data.cleaned?.key !== cleaned.key) return; // another came meanwhile
    state.cleaned = { ...cleaned, bits };
    state.store.cleanedAt = performance.now();
  }
  state.redraw();
}

/** @param {State} state */
function takeVolume(state) {
  const volume = state.store.volumes.get(state.data.volumes) ?? NO_VOLUME;
  const empty = state.root.classList.contains("empty"); // a desk says why nothing is shown
  state.nodes.waiting.hidden = volume !== NO_VOLUME && !empty;
  state.volume = volume;
  measure(state);
}

/** @param {State} state */
function measure(state) {
  state.theme = theme(state.root);
  const { clientWidth: width, clientHeight: height } = state.nodes.histogram;
  state.chart = { width, height };
  if (state.volume.key) layOut(state);
  state.redraw();
}

/** @param {{ data: Data | { desk: true } | null, parentElement: any, setTriggerValue: Function }}
 *   component */
export default function viewer({ data, parentElement, setTriggerValue }) {
  if (!data) return parentElement.ascnetState?.leave;
  if ("desk" in data) return parentElement.ascnetLeave ??= followDesk(parentElement);
  return mount(parentElement, data, (told) => setTriggerValue("told", told));
}

/** @type {(parentElement: any, data: Data, send: (told: object) => void) => () => void} */
function mount(parentElement, data, send) {
  /** @type {State} */
  let state = parentElement.ascnetState;
  const first = !state;
  if (first) {
    const root = parentElement.querySelector(".viewer");
    state = parentElement.ascnetState = makeState(root, data, theme(root).colour("mask"));
    listen(state);
  }
  state.send = send;
  takeData(state, data, first);
  return state.leave;
}

/** Draw what lies on the desk, whenever that is another. @param {any} parentElement */
function followDesk(parentElement) {
  const store = sharedStore(), root = parentElement.querySelector(".viewer");
  const waiting = root.querySelector("[data-node=waiting]");
  const take = (/** @type {string} */ what) => {
    if (what !== "show") return;
    const { desk } = store, shown = desk?.shown;
    root.classList.toggle("empty", !shown);
    if (shown) mount(parentElement, shown, (told) => desk?.tell(told));
    else waiting.hidden = false;
    put(waiting, desk?.waiting || "Loading the volume…");
  };
  store.listeners.add(take);
  take("show");
  return () => {
    store.listeners.delete(take);
    parentElement.ascnetState?.leave();
    parentElement.ascnetLeave = parentElement.ascnetState = null;
  };
}

/** @param {State} state */
function listen(state) {
  const { nodes, store } = state;
  state.redraw = onceAFrame(() => draw(state));
  showDisplay(state);
  listenToTools(state);
  listenToChart(state);
  for (const plane of state.planes) listenToPlane(state, plane);
  const forgetKeys = listenToKeys(state);
  const onStore = (/** @type {string} */ what) => {
    if (what === "volumes") takeVolume(state);
    if (what === "wanted" && store.wanted) setThreshold(state, store.wanted, SETTLE.pointer);
    if (what === "accept") accept(state);
  };
  store.listeners.add(onStore);
  beforePressOutside(state.root, () => state.unsent && report(state, 0));
  const sizes = new ResizeObserver(() => measure(state));
  sizes.observe(nodes.planes);
  sizes.observe(nodes.histogram);
  onTheme(state.root, () => measure(state));
  const late = setInterval(() => repeatLate(state, performance.now()), 1000);
  state.leave = () => {
    forgetKeys();
    clearInterval(late);
    sizes.disconnect();
    clearTimeout(state.timer);
    clearTimeout(state.speech);
    store.listeners.delete(onStore);
  };
}
