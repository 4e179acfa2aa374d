// @ts-check
// The joint histogram of both cuts: log counts, lines of equal I_ro, a rectangle that is chosen.

import { fit, theme, write } from "../shared/browser/canvas.js";
import { clamp, sorted } from "../shared/browser/levels.js";
import { change, onDrag, pointOn } from "../shared/browser/panel.js";
import { TICKS, drawAxes, frameOf } from "./slice_charts.js";

/** @import { Choice, State } from "./slice_panel.js" */
/** @import { CutsFrame } from "./slice_charts.js" */
/** @import { Pen, Theme } from "../shared/browser/canvas.js" */

/** Points (fence, wild), 0 to 1, where I_ro = sigmoid(a fence + b wild + bias) equals a level.
 * @type {(level: number, weights: number[]) => [number, number][]} */
export function equalLine(level, [a, b, bias]) {
  const p = clamp(level / 255, 1e-4, 1 - 1e-4), logit = Math.log(p / (1 - p)) - bias;
  return Array.from({ length: 65 }, (_, i) => {
    const t = i / 64;
    return Math.abs(b) >= Math.abs(a) ? [t, (logit - a * t) / b] : [(logit - b * t) / a, t];
  });
}

/** Whether two boxes [x, y, width, height] of text are in each other's way.
 * @type {(one: number[], other: number[]) => boolean} */
export const overlap = ([x0, y0, w0], [x1, y1, w1]) =>
  Math.abs(y0 - y1) < 12 && x1 < x0 + w0 && x1 + w1 > x0;

/** @type {(pen: Pen, frame: CutsFrame, header: State["header"]) => void} */
function drawCells(pen, frame, { bins, joint }) {
  const most = Math.log1p(Math.max(1, ...joint)), wide = 256 / bins;
  joint.forEach((count, at) => {
    if (!count) return;
    const fence = (at % bins) * wide, wild = Math.floor(at / bins) * wide;
    const x = frame.px(fence - 0.5), y = frame.up.px(wild + wide - 0.5);
    pen.globalAlpha = 0.12 + 0.88 * (Math.log1p(count) / most);
    pen.fillRect(x, y, frame.px(fence + wide - 0.5) - x + 0.4, frame.up.px(wild - 0.5) - y + 0.4);
  });
  pen.globalAlpha = 1;
}

/** @type {(pen: Pen, frame: CutsFrame, header: State["header"], look: Theme) => void} */
function drawEqualLines(pen, frame, { weights, lines }, look) {
  /** @type {number[][]} */
  const labels = [];
  for (const { level, kind, name } of weights.some(Boolean) ? lines : []) {
    const points = equalLine(level, weights), grid = kind === "grid";
    const colour = kind === "threshold" ? look.colour("mask") : look.text;
    pen.strokeStyle = colour;
    pen.globalAlpha = grid ? 0.25 : 0.9;
    pen.lineWidth = grid ? 1 : 1.6;
    pen.setLineDash(grid ? [2, 3] : []);
    pen.beginPath();
    for (const [u, v] of points) pen.lineTo(frame.px(u * 255), frame.up.px(v * 255));
    pen.stroke();
    // A label lies where its line enters from the left or from above, if there is room for it.
    const entry = points.find(([u, v]) => u >= 0.015 && u < 0.95 && v > 0.04 && v < 0.95);
    if (!entry) continue;
    const x = frame.px(entry[0] * 255) + 4, y = frame.up.px(entry[1] * 255) - (grid ? 2 : 4);
    const box = [x - 2, y - 10, pen.measureText(name).width + 4, 13];
    if (labels.some((other) => overlap(other, box))) continue;
    labels.push(box);
    pen.fillStyle = look.plot;
    pen.globalAlpha = 0.85;
    pen.fillRect(box[0], box[1], box[2], box[3]);
    pen.fillStyle = look.text; // vermillion is too faint for small letters
    pen.globalAlpha = grid ? 0.75 : 1;
    write(pen, name, x, y);
  }
  pen.globalAlpha = 1;
  pen.setLineDash([]);
}

/** @param {State} state */
export function drawJoint({ header, nodes, root, draft, pick }) {
  const width = nodes.right.clientWidth, height = clamp(width * 0.86, 200, 330);
  const pen = fit(nodes.joint, width, height), look = theme(root), frame = frameOf(width, height);
  drawAxes(pen, frame, look, "fence, grey level 0–255", "wild, grey level 0–255");
  for (const level of TICKS) write(pen, level, frame.x - 4, frame.up.px(level) + 4, "right");
  drawCells(pen, frame, header);
  pen.save();
  pen.beginPath();
  pen.rect(frame.x, frame.y, frame.w, frame.h);
  pen.clip();
  drawEqualLines(pen, frame, header, look);
  const chosen = draft ?? pick;
  if (chosen?.kind === "pairs") {
    const { fence, wild } = chosen, x = frame.px(fence[0] - 0.5), y = frame.up.px(wild[1] + 0.5);
    const w = frame.px(fence[1] + 0.5) - x, h = frame.up.px(wild[0] - 0.5) - y;
    pen.fillStyle = pen.strokeStyle = look.colour("chosen");
    pen.globalAlpha = 0.25;
    pen.fillRect(x, y, w, h);
    pen.globalAlpha = 1;
    pen.lineWidth = 2;
    pen.strokeRect(x, y, w, h);
  }
  pen.restore();
}

/** @type {(a: number[], b: number[]) => Choice} */
const pairs = (a, b) => ({ kind: "pairs", fence: sorted(a[0], b[0]), wild: sorted(a[1], b[1]) });

/** @type {(state: State, choose: (choice: Choice | null) => void) => void} */
export function listenToJoint(state, choose) {
  const { joint } = state.nodes;
  const pairAt = (/** @type {PointerEvent} */ event) => {
    const [x, y] = pointOn(event, joint), frame = frameOf(joint.clientWidth, joint.clientHeight);
    return [frame.levelAt(x), frame.up.levelAt(y)];
  };
  onDrag(joint, {
    start: (event) => (event.button ? null : pairAt(event)),
    move: (event, from) => change(state, { draft: pairs(from, pairAt(event)) }),
    end(event, from) {
      const to = pairAt(event), far = Math.abs(from[0] - to[0]) + Math.abs(from[1] - to[1]) >= 4;
      choose(far ? pairs(from, to) : null);
    },
  });
}
