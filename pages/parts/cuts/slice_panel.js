// @ts-check
// The Cuts page's panel: six pictures of one slice under one cursor, and the charts that light up
// their pixels. Python hears of the slice and of the choice, never of a mouse move.

import { bytesOf, reader } from "../shared/browser/blocks.js";
import { onTheme } from "../shared/browser/canvas.js";
import { clamp } from "../shared/browser/levels.js";
import { beforePressOutside, change, nodesOf, onDrag, onKeys, onWheel, onceAFrame, pointOn, press }
  from "../shared/browser/panel.js";
import { drawJoint, listenToJoint } from "./joint.js";
import { drawCharts, listenToCharts, makePeakButtons, pressPeaks } from "./slice_charts.js";
import { drawTiles, mapOf, placeOf } from "./slice_tiles.js";

/** @typedef {ReturnType<typeof makeState>} State */
/** @typedef {{ name: string, position: number, left: number, right: number }} Peak */
/** Pixels chosen by their grey levels, all ends included.
 * @typedef {{ kind: "levels", map: string, from: number, to: number, name: string } |
 *   { kind: "pairs", fence: [number, number], wild: [number, number] }} Choice */
/** What `slice_panel.header_of` sends; slices `first` to `first + held - 1` come with it.
 * @typedef {{ id: string, shape: number[], spacing: number[], first: number, held: number,
 *   slice: number, box: number[], maps: string[], truth: boolean,
 *   counts: Record<string, number[]>, peaks: Record<string, Peak[]>, bins: number, joint: number[],
 *   weights: number[], lines: { level: number, kind: string, name: string }[],
 *   pick: Choice | null, answer: string, note: string }} Header */

/** @type {Record<string, string>} */
const NAMES = {
  input: "I_in", fence: "fence", wild: "wild", reconstruction: "I_ro", residual: "I_in − fence",
};

/** Header and volumes of the block that `slice_panel.pack` makes. @param {Uint8Array} bytes */
export function unpack(bytes) {
  const { take, json } = reader(bytes), header = /** @type {Header} */ (json());
  const size = header.shape[0] * header.shape[1] * header.held;
  /** @type {Record<string, Uint8Array>} */
  const volumes = {};
  for (const name of [...header.maps, "flags"]) volumes[name] = take(size);
  return { header, volumes };
}

/** @param {HTMLElement} root @param {ReturnType<typeof unpack>} packed */
function makeState(root, { header, volumes }) {
  return {
    root, nodes: nodesOf(root), header, volumes, slice: header.slice, log: true,
    cursor: /** @type {number[] | null} */ (null), // column and row
    pick: header.pick, draft: /** @type {Choice | null} */ (null), // a choice while it is dragged
    windows: /** @type {Record<string, number[]>} */ ({}), ...home(header),
    tiles: /** @type {import("./slice_tiles.js").Tile[]} */ ([]),
    grey: /** @type {import("../shared/browser/canvas.js").Picture | undefined} */ (undefined),
    over: /** @type {import("../shared/browser/canvas.js").Picture | undefined} */ (undefined),
    waiting: /** @type {number | undefined} */ (undefined), // a slice that is not held yet
    told: -1, unsent: /** @type {number | null} */ (null), timer: 0, redraw: () => {},
    report: (/** @type {string} */ _name, /** @type {unknown} */ _value) => {},
  };
}

/** The middle of the slices. @param {Pick<Header, "shape">} header */
const middle = ({ shape }) => [shape[0] / 2, shape[1] / 2];

/** The view that shows the whole region with a margin; a small region fills its tile.
 * @param {Pick<Header, "shape" | "box">} header */
export function home(header) {
  const { shape: [X, Y], box: [x0, x1, y0, y1] } = header;
  const closer = clamp(0.92 * Math.min(X / (x1 - x0 + 1), Y / (y1 - y0 + 1)), 1, 6);
  if (closer < 1.15) return { zoom: 1, centre: middle(header) };
  return { zoom: closer, centre: [X - (x0 + x1 + 1) / 2, Y - (y0 + y1 + 1) / 2] };
}

/** @param {State} state */
function draw(state) {
  drawTiles(state);
  drawJoint(state);
  drawCharts(state);
  const { header, nodes, root, slice, cursor, pick, volumes } = state, [X, Y, Z] = header.shape;
  const parts = [`slice ${slice + 1} of ${Z}`];
  if (cursor) {
    const x = X - 1 - cursor[0], y = Y - 1 - cursor[1];
    const at = ((slice - header.first) * Y + y) * X + x;
    parts.push(`voxel ${x}, ${y}, ${slice}`);
    for (const name of header.maps) parts.push(`${NAMES[name]} ${volumes[name][at]}`);
  }
  nodes.readout.textContent = parts.join("  ·  ");
  nodes.answer.textContent = header.answer;
  nodes.note.textContent = header.note;
  nodes.clear.hidden = !pick;
  press(nodes.log, state.log);
  pressPeaks(state);
  root.dataset.slice = `${slice}`;
  root.dataset.pick = pick ? JSON.stringify(pick) : "";
}

/** Show a slice, and tell Python once the slices rest.
 * @type {(state: State, slice: number) => void} */
function goTo(state, slice) {
  const { header } = state, wanted = clamp(slice, 0, header.shape[2] - 1);
  if (wanted === state.slice) return;
  const held = wanted >= header.first && wanted < header.first + header.held;
  if (held) state.slice = wanted;
  else state.waiting = wanted;
  state.redraw();
  clearTimeout(state.timer);
  state.unsent = wanted;
  state.timer = setTimeout(() => tellPython(state), held ? 250 : 0);
}

/** Tell Python of the slice, if it has not heard of it. @param {State} state */
function tellPython(state) {
  clearTimeout(state.timer);
  if (state.unsent === null || !state.root.isConnected) return;
  state.told = state.unsent;
  state.unsent = null;
  state.report("slice", state.told);
}

/** @type {(state: State, pick: Choice | null) => void} */
function choose(state, pick) {
  change(state, { draft: null, pick });
  state.report("pick", pick);
}

/** @type {(state: State, factor: number, about: number[]) => void} */
function zoom(state, factor, about) {
  const next = clamp(state.zoom * factor, 1, 12), ratio = state.zoom / next;
  const centre = state.centre.map((c, i) => about[i] + (c - about[i]) * ratio);
  change(state, { zoom: next, centre: next === 1 ? middle(state.header) : centre });
}

/** @param {State} state */
function reset(state) {
  for (const name of state.header.maps) state.windows[name] = [0, 255];
  change(state, home(state.header));
}

/** The grey window after a drag: to the right it widens (less contrast), downwards it brightens.
 * @type {(window: number[], dx: number, dy: number) => number[]} */
export function windowMoved([low, high], dx, dy) {
  const centre = clamp((low + high) / 2 - dy, 0, 255);
  const half = clamp((high - low) / 2 + dx / 2, 2, 255);
  const from = Math.round(clamp(centre - half, 0, 253));
  return [from, Math.round(clamp(centre + half, from + 2, 255))];
}

/** @param {State} state */
function listenToTiles(state) {
  const canvas = state.nodes.tiles;
  const tileAt = (/** @type {MouseEvent} */ event) => {
    const [x, y] = pointOn(event, canvas);
    const tile = state.tiles.find((t) => x >= t.x && x < t.x + t.w && y >= t.y && y < t.y + t.h);
    const to = tile && placeOf(tile, state);
    return { tile, x, y, pixel: to && [(x - to.x) / to.sx, (y - to.y) / to.sy] };
  };
  const moveCursor = (/** @type {PointerEvent} */ event) => {
    const { pixel } = tileAt(event), [X, Y] = state.header.shape;
    if (!pixel) return;
    const [column, row] = pixel.map(Math.floor);
    const inside = column >= 0 && row >= 0 && column < X && row < Y;
    change(state, { cursor: inside ? [column, row] : null });
  };
  onDrag(canvas, {
    start(event) {
      const { tile, x, y } = tileAt(event);
      if (!tile) return null;
      event.preventDefault();
      canvas.focus();
      const name = mapOf(tile.name), pan = event.shiftKey || event.button !== 0;
      return { x, y, tile, name, pan, window: state.windows[name], centre: state.centre };
    },
    move(event, { x, y, tile, name, pan, window, centre }) {
      moveCursor(event);
      const [px, py] = pointOn(event, canvas), dx = px - x, dy = py - y;
      if (pan) {
        const { sx, sy } = placeOf(tile, state);
        state.centre = [centre[0] - dx / sx, centre[1] - dy / sy];
      } else if (Math.abs(dx) + Math.abs(dy) > 3) state.windows[name] = windowMoved(window, dx, dy);
      state.redraw();
    },
    hover: moveCursor,
    leave: () => change(state, { cursor: null }),
  });
  canvas.addEventListener("contextmenu", (/** @type {Event} */ event) => event.preventDefault());
  canvas.addEventListener("dblclick", () => reset(state));
  onWheel(canvas, (slices) => slices && goTo(state, (state.waiting ?? state.slice) - slices),
    (turn, event) => {
      const { pixel } = tileAt(event);
      if (pixel) zoom(state, turn < 0 ? 1.2 : 1 / 1.2, pixel);
    });
  /** @type {Record<string, () => void>} */
  const keys = {
    ArrowUp: () => goTo(state, state.slice + 1), ArrowDown: () => goTo(state, state.slice - 1),
    PageUp: () => goTo(state, state.slice + 5), PageDown: () => goTo(state, state.slice - 5),
    Home: () => goTo(state, 0), End: () => goTo(state, state.header.shape[2] - 1),
    "+": () => zoom(state, 1.2, state.centre), "=": () => zoom(state, 1.2, state.centre),
    "-": () => zoom(state, 1 / 1.2, state.centre), 0: () => reset(state),
    Escape: () => choose(state, null),
  };
  onKeys(canvas, (event) => keys[event.key]);
}

/** @param {State} state */
function listen(state) {
  const { nodes, root } = state;
  const chosen = (/** @type {Choice | null} */ pick) => choose(state, pick);
  state.redraw = onceAFrame(() => draw(state));
  listenToTiles(state);
  listenToJoint(state, chosen);
  listenToCharts(state, chosen);
  nodes.clear.addEventListener("click", () => chosen(null));
  nodes.log.addEventListener("click", () => change(state, { log: !state.log }));
  beforePressOutside(root, () => tellPython(state));
  new ResizeObserver(() => state.redraw()).observe(root);
  onTheme(root, state.redraw);
}

/** @param {{ parentElement: any, data: any, setStateValue: State["report"] }} component */
export default function slicePanel({ parentElement, data, setStateValue }) {
  if (!data) return;
  const root = parentElement.querySelector(".cuts"), packed = unpack(bytesOf(data));
  const { header } = packed, first = !root.cuts;
  /** @type {State} */
  const state = root.cuts ??= makeState(root, packed);
  const fresh = first || state.header.id !== header.id, moved = state.header.slice !== header.slice;
  Object.assign(state, packed, { report: setStateValue });
  if (first) listen(state);
  if (fresh) {
    reset(state);
    makePeakButtons(state, (pick) => choose(state, pick));
    Object.assign(state, { pick: header.pick, slice: header.slice });
  } else if (state.waiting !== undefined || (moved && header.slice !== state.told)) {
    // An echo of our own report must not undo a wheel turn made meanwhile.
    state.slice = header.slice;
  }
  state.waiting = undefined;
  state.slice = clamp(state.slice, header.first, header.first + header.held - 1);
  state.redraw();
}
