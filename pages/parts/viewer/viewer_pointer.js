// @ts-check
// Pointer and wheel: drag the threshold in the histogram; move, pan, zoom and draw in the planes.

import { clamp } from "../shared/browser/levels.js";
import { change, onDrag, onWheel, pointOn } from "../shared/browser/panel.js";
import { PLANES } from "./slices.js";
import { GRAB, frameOf, peakAt } from "./viewer_histogram.js";
import { localCursor, middle, pieceAt, placeOf, voxelAt } from "./viewer_planes.js";
import { SETTLE, editPiece, report, setCursor, setThreshold, showDisplay, takePeak }
  from "./viewer_state.js";

/** @import { State } from "./viewer_state.js" */
/** @import { Plane } from "./viewer_planes.js" */
/** @typedef {"t" | "upper"} Which of the two lines */

/** @param {State} state */
export function listenToChart(state) {
  const chart = state.nodes.histogram;
  const spot = (/** @type {PointerEvent} */ event) => {
    const frame = frameOf(state), [x, y] = pointOn(event, chart);
    const near = (/** @type {number | null} */ level) =>
      level !== null && Math.abs(frame.px(level) - x) <= GRAB;
    const { t, upper } = state.live, line = near(t) ? "t" : near(upper) ? "upper" : null;
    const inside = x >= frame.x && x <= frame.right;
    return { x, level: frame.levelAt(x), line, inside, above: y < frame.bottom,
      peak: peakAt(state.data.peaks, frame, x, y) };
  };
  /** @type {(which: Which, level: number) => void} */
  const moveLine = (which, level) => {
    const { t, upper } = state.live;
    if (which === "upper") setThreshold(state, { upper: Math.max(level, t) });
    else setThreshold(state, { t: Math.min(level, upper ?? 255) });
  };
  onDrag(chart, {
    start(event) {
      if (event.button) return null;
      state.root.focus({ preventScroll: true });
      state.dragging = true;
      const { x, level, line, peak } = spot(event), { t, upper } = state.live;
      const held = { which: /** @type {Which} */ (line ?? "t"), x, moved: false };
      if (line) return held;
      if (event.shiftKey || upper !== null) { // the nearer line of the band follows
        const lower = upper === null ? level < t : Math.abs(level - t) < Math.abs(level - upper);
        if (upper === null) setThreshold(state, lower ? { t: level, upper: t } : { upper: level });
        Object.assign(held, { which: lower ? "t" : "upper", moved: true });
        moveLine(held.which, level);
      } else if (peak >= 0) takePeak(state, peak);
      else moveLine("t", level);
      return held;
    },
    move(event, held) {
      const { x, level } = spot(event);
      held.moved ||= Math.abs(x - held.x) > 2;
      if (held.moved) moveLine(held.which, level);
    },
    end() {
      change(state, { dragging: false });
      report(state, SETTLE.pointer);
    },
    hover(event) {
      const { level, line, peak, inside, above } = spot(event), hoverPeak = inside ? peak : -1;
      chart.style.cursor = line ? "ew-resize" : hoverPeak >= 0 ? "pointer" : "crosshair";
      change(state, { hover: inside && above ? level : null, hoverPeak });
    },
    leave: () => change(state, { hover: null, hoverPeak: -1 }),
  });
}

/** The grey window after a drag to the right (wider) and down (darker).
 * @type {(window: number[], dx: number, dy: number) => number[]} */
export function windowMoved([low, high], dx, dy) {
  const half = clamp(high - low + dx * 0.7, 8, 510) / 2, centre = (low + high) / 2 + dy * 0.7;
  return [centre - half, centre + half];
}

/** @type {(state: State, plane: Plane) => void} */
export function listenToPlane(state, plane) {
  const { canvas } = plane;
  const voxelUnder = (/** @type {MouseEvent} */ { offsetX, offsetY }) =>
    voxelAt(state, plane, offsetX, offsetY);
  const picks = (/** @type {MouseEvent} */ { altKey }) => altKey || state.tool === "pieces";
  onDrag(canvas, {
    start(event) {
      if (!state.volume.key) return null;
      event.preventDefault();
      state.root.focus({ preventScroll: true });
      const { offsetX: x, offsetY: y, button, shiftKey } = event, { tool } = state;
      const kind = button === 2 ? "window" : !button && picks(event) ? "piece"
        : button === 1 || shiftKey ? "pan" : tool ?? "cursor";
      if (kind === tool) state.shape = { kind, plane: plane.name, box: [x, y, x, y] };
      if (kind === "cursor") setCursor(state, voxelUnder(event).voxel);
      return { kind, x, y, window: state.window, centre: state.centre ?? middle(state) };
    },
    move(event, { kind, x, y, window, centre }) {
      const { offsetX, offsetY } = event, dx = offsetX - x, dy = offsetY - y;
      if (kind === "cursor") {
        state.pointed = null;
        setCursor(state, voxelUnder(event).voxel);
      } else if (kind === "window") state.window = windowMoved(window, dx, dy);
      else if (kind === "pan") panTo(state, plane, centre, dx, dy);
      else if (state.shape) state.shape.box = [x, y, offsetX, offsetY];
      state.redraw();
    },
    end(event, { kind, x, y }) {
      if (kind === state.tool) proposeFromShape(state, plane);
      const { voxel, inside } = voxelUnder(event), still = [event.offsetX - x, event.offsetY - y];
      if (kind === "piece" && inside && Math.hypot(...still) < 4 && pieceAt(state, plane, voxel)) {
        editPiece(state, voxel, event.shiftKey ? "keep" : "drop");
      }
      state.redraw();
    },
    hover(event) {
      const { voxel, inside } = voxelUnder(event), picking = picks(event) ? plane.name : "";
      change(state, { pointed: inside ? voxel : null, picking });
    },
    leave: () => change(state, { pointed: null, picking: "" }),
  });
  canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  onWheel(canvas, (slices) => moveSlice(state, plane.name, -slices),
    (turn, event) => zoomBy(state, Math.exp(-turn / 300), plane, event.offsetX, event.offsetY));
}

/** @type {(state: State, name: string, step: number) => void} */
export function moveSlice(state, name, step) {
  setCursor(state, state.cursor.map((v, axis) => axis === PLANES[name].fixed ? v + step : v));
}

/** @type {(state: State, plane: Plane, from: number[], dx: number, dy: number) => void} */
function panTo(state, plane, from, dx, dy) {
  const { axes: [a, b] } = PLANES[plane.name], to = placeOf(state, plane);
  state.centre = [...from];
  state.centre[a] += ((to.reversed ? 1 : -1) * dx) / to.sx;
  state.centre[b] += dy / to.sy;
}

/** Zoom all planes; the voxel under the pointer stays where it is, without one the cursor's.
 * @param {State} state @param {number} factor @param {Plane} [plane] under the pointer */
export function zoomBy(state, factor, plane, px = 0, py = 0) {
  const before = plane && placeOf(state, plane), centre = state.centre ?? middle(state);
  state.zoom = clamp(state.zoom * factor, 1, 24);
  state.centre = before ? centre : localCursor(state).map((v) => v + 0.5);
  if (before) {
    const after = placeOf(state, plane);
    const moved = [((px - before.x) / before.sx) * after.sx + after.x - px,
      ((py - before.y) / before.sy) * after.sy + after.y - py];
    panTo(state, plane, centre, -moved[0], -moved[1]);
  }
  if (state.zoom === 1) state.centre = null;
  state.redraw();
}

/** @type {(state: State, plane: Plane) => void} */
function proposeFromShape(state, plane) {
  if (!state.shape) return;
  const { kind, box: [x0, y0, x1, y1] } = state.shape;
  if (Math.abs(x1 - x0) < 3 || Math.abs(y1 - y0) < 3) {
    state.shape = null;
    return;
  }
  const [from, to] = [[x0, y0], [x1, y1]].map(([x, y]) => voxelAt(state, plane, x, y).voxel);
  report(state, 0, { region: { plane: plane.name, kind, from, to } });
  state.tool = null;
  showDisplay(state);
}
