// @ts-check
// Charts beside the film and the compared moments: histogram, joint histogram, curves over steps.

import { fit, line, polygon, turnedText, write } from "../shared/browser/canvas.js";
import { levelFrame, pixel } from "../shared/browser/levels.js";
import { thresholdLines } from "./frames.js";

/** @import { Box, Pen, Theme } from "../shared/browser/canvas.js" */
/** @import { Film } from "./frames.js" */
/** @typedef {import("./frames.js").Curve & { colour: string }} Curve */
/** @typedef {{ lines: Curve[], low: number, high: number, log: boolean, last: number }} Curves */

/** @type {(pen: Pen, look: Theme, box: Box, title: string, ticks: [number, number][]) => void} */
export function drawAxis(pen, look, box, title, ticks) {
  const y = box.y + box.h;
  pen.strokeStyle = look.line;
  pen.fillStyle = look.text;
  pen.lineWidth = 1;
  pen.font = `10.5px ${look.font}`;
  line(pen, box.x, y + 0.5, box.x + box.w, y + 0.5);
  for (const [x, tick] of ticks) write(pen, tick, x, y + 12, "center");
  write(pen, title, box.x + box.w / 2, y + 24, "center");
}

/** @type {(frame: import("../shared/browser/levels.js").Frame) => [number, number][]} */
export const levelTicks = (frame) =>
  [0, 64, 128, 192, 255].map((level) => [frame.px(level), level]);

/** @type {(pen: Pen, x: number, y: number, half: number) => void} */
export const diamond = (pen, x, y, half) =>
  polygon(pen, [[x, y - half], [x + half, y], [x, y + half], [x - half, y]]);

/** A frame's counts, `tallest` at the top.
 * @type {(canvas: HTMLCanvasElement, look: Theme, film: Film, at: number, tallest: number) =>
 *   void} */
export function drawHistogram(canvas, look, film, at, tallest) {
  const width = canvas.parentElement?.clientWidth ?? 0, pen = fit(canvas, width, 150);
  const frame = levelFrame(8, 12, width - 16, 110), counts = film.counts[at];
  const yOf = (/** @type {number} */ level) =>
    frame.y + frame.h * (1 - Math.log1p(counts[level]) / Math.log1p(tallest));
  pen.fillStyle = look.text;
  const wide = Math.max(1, frame.step - 0.3);
  for (let level = 0; level < 256; level++) {
    const y = yOf(level);
    pen.fillRect(frame.x + level * frame.step, y, wide, frame.bottom - y);
  }
  pen.fillStyle = look.colour("wild");
  for (const peak of film.header.frames[at].peaks) {
    diamond(pen, frame.px(peak), Math.max(6, yOf(peak) - 6), 5);
  }
  pen.strokeStyle = look.colour("mask");
  pen.lineWidth = 2;
  for (const level of thresholdLines(film, at)) {
    line(pen, frame.px(level), frame.y - 8, frame.px(level), frame.bottom);
  }
  drawAxis(pen, look, frame, "grey level, 0–255 (raw)", levelTicks(frame));
}

/** Log counts of pairs as black, the denser the more there are; a rare pair is still seen. */
const PAIRS = Uint32Array.from({ length: 256 }, (_, n) =>
  pixel([0, 0, 0], n ? Math.round(55 + 0.78 * n) : 0));

/** @param {HTMLCanvasElement} canvas @param {Theme} look @param {Uint8Array} joint log counts
 * @param {import("../shared/browser/canvas.js").Picture} pairs 64 x 64, to paint them on */
export function drawJoint(canvas, look, joint, pairs) {
  const side = 150, box = { x: 24, y: 4, w: side, h: side }, pen = fit(canvas, 190, side + 32);
  joint.forEach((found, i) => { // by rows of fence, on the screen by columns
    pairs.pixels[(63 - (i % 64)) * 64 + Math.floor(i / 64)] = PAIRS[found];
  });
  pairs.show();
  pen.imageSmoothingEnabled = false;
  pen.drawImage(pairs.canvas, box.x, box.y, side, side);
  pen.globalCompositeOperation = "source-atop"; // black turns into the text's colour
  pen.fillStyle = look.text;
  pen.fillRect(box.x, box.y, side, side);
  pen.globalCompositeOperation = "source-over";
  drawAxis(pen, look, box, "fence, 0 to 1", [[box.x, 0], [box.x + side, 1]]);
  turnedText(pen, "wild, 0 to 1", 14, box.y + side / 2);
}

/** A number in two digits. @type {(value: number) => string} */
export const short = (value) =>
  value && value < 0.01 ? value.toExponential(0) : `${+value.toPrecision(2)}`;

/** The box of curves in a canvas of this width. @type {(width: number) => Box} */
const curveBox = (width) => ({ x: 32, y: 6, w: width - 52, h: 54 });

/** The frame nearest to a step, the first of equals.
 * @type {(frames: { step: number }[], step: number) => number} */
export function nearestFrame(frames, step) {
  const away = frames.map((frame) => Math.abs(frame.step - step));
  return away.indexOf(Math.min(...away));
}

/** The frame that a click on curves means.
 * @type {(event: MouseEvent, curves: Curves, film: Film) => number} */
export function frameClicked({ offsetX, target }, { last }, { header }) {
  const box = curveBox(/** @type {HTMLElement} */ (target).clientWidth);
  return nearestFrame(header.frames, ((offsetX - box.x) / box.w) * last);
}

/** Curves over training steps with a cursor at a step. They are drawn once and kept in `kept` as
 * long as `identity` and size stay.
 * @param {HTMLCanvasElement} canvas @param {Theme} look @param {Curves} curves @param {number} step
 * @param {{ canvas: HTMLCanvasElement, wanted: string }} kept @param {string} identity */
export function drawCurves(canvas, look, curves, step, kept, identity) {
  const width = canvas.parentElement?.clientWidth ?? 0, height = 88, box = curveBox(width);
  const wanted = [identity, width, window.devicePixelRatio, look.text].join("|");
  if (kept.wanted !== wanted) {
    kept.wanted = wanted;
    drawLines(fit(kept.canvas, width, height), look, curves, box);
  }
  const pen = fit(canvas, width, height), x = box.x + (step / curves.last) * box.w;
  pen.drawImage(kept.canvas, 0, 0, width, height);
  pen.lineWidth = 2;
  pen.strokeStyle = look.colour("truth");
  line(pen, x, box.y, x, box.y + box.h);
}

/** @type {(pen: Pen, look: Theme, curves: Curves, box: Box) => void} */
function drawLines(pen, look, { lines, low, high, log, last }, box) {
  const scale = log ? Math.log10 : (/** @type {number} */ value) => value;
  const bottom = scale(low), span = scale(high) - bottom || 1;
  pen.font = `10.5px ${look.font}`;
  pen.fillStyle = look.text;
  write(pen, short(high), box.x - 4, box.y + 8, "right");
  write(pen, short(low), box.x - 4, box.y + box.h, "right");
  pen.lineWidth = 1.6;
  for (const { colour, x, y } of lines) {
    let drawing = false;
    pen.strokeStyle = colour;
    pen.beginPath();
    x.forEach((step, i) => {
      const value = y[i], shown = value !== null && (!log || value > 0);
      const share = shown ? (scale(value) - bottom) / span : 0;
      const px = box.x + (step / last) * box.w, py = box.y + box.h * (1 - share);
      if (shown) pen[drawing ? "lineTo" : "moveTo"](px, py);
      drawing = shown;
    });
    pen.stroke();
  }
  drawAxis(pen, look, box, "training step", [[box.x, 0], [box.x + box.w, last]]);
}
