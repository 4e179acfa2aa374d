// @ts-check
// Canvases at the screen's resolution, and what is drawn on more than one of them.

import { zoomOf } from "./panel.js";

/** @typedef {CanvasRenderingContext2D} Pen */
/** @typedef {ReturnType<typeof theme>} Theme */
/** @typedef {{ x: number, y: number, w: number, h: number }} Box */

/** The page's colours and font, and the colours of the field. @param {Element} element */
export function theme(element) {
  const style = getComputedStyle(element);
  const get = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
  return {
    text: get("--st-text-color"), paper: get("--st-background-color"),
    plot: get("--st-secondary-background-color"), line: get("--st-border-color"),
    font: get("--st-font"), colour: (/** @type {string} */ name) => get(`--colour-${name}`),
  };
}

/** Act when the page turns from light to dark or back: its text's colour passes over into another.
 * @param {HTMLElement} element @param {() => void} act */
export function onTheme(element, act) {
  element.style.transition = "color 1ms";
  element.addEventListener("transitionend", (event) => event.target === element && act());
}

/** @type {(canvas: HTMLCanvasElement) => Pen} */
export const penOf = (canvas) => /** @type {Pen} */ (canvas.getContext("2d"));

/** Clear a canvas of this size in CSS pixels, which are its context's from then on.
 * @param {HTMLCanvasElement} canvas @param {number} width @param {number} height */
export function sharp(canvas, width, height) {
  const ratio = (window.devicePixelRatio || 1) * zoomOf(canvas);
  const [w, h] = [width, height].map((length) => Math.max(1, Math.round(length * ratio)));
  if (canvas.width !== w) canvas.width = w;
  if (canvas.height !== h) canvas.height = h;
  const pen = penOf(canvas);
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  return pen;
}

/** The same, and give it that size. @type {typeof sharp} */
export function fit(canvas, width, height) {
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  return sharp(canvas, width, height);
}

/** @typedef {{ canvas: HTMLCanvasElement, pixels: Uint32Array, show: () => void }} Picture */

/** A canvas and its pixels to paint on; `show` brings them to the canvas. An `old` picture of this
 * size is given back as it is. @type {(width: number, height: number, old?: Picture) => Picture} */
export function picture(width, height, old) {
  if (old && old.canvas.width === width && old.canvas.height === height) return old;
  const canvas = old?.canvas ?? document.createElement("canvas");
  Object.assign(canvas, { width, height });
  const pen = penOf(canvas), image = pen.createImageData(width, height);
  return {
    canvas, pixels: new Uint32Array(image.data.buffer), show: () => pen.putImageData(image, 0, 0),
  };
}

/** @type {(pen: Pen, text: unknown, x: number, y: number, align?: CanvasTextAlign) => void} */
export function write(pen, text, x, y, align = "left") {
  pen.textAlign = align;
  pen.fillText(`${text}`, x, y);
}

/** @type {(pen: Pen, x0: number, y0: number, x1: number, y1: number) => void} */
export function line(pen, x0, y0, x1, y1) {
  pen.beginPath();
  pen.moveTo(x0, y0);
  pen.lineTo(x1, y1);
  pen.stroke();
}

/** Fill a polygon; it stays the path. @type {(pen: Pen, corners: number[][]) => void} */
export function polygon(pen, corners) {
  pen.beginPath();
  for (const [x, y] of corners) pen.lineTo(x, y);
  pen.closePath();
  pen.fill();
}

/** Text around a point, turned by quarters of a turn.
 * @type {(pen: Pen, text: string, x: number, y: number, quarters?: number) => void} */
export function turnedText(pen, text, x, y, quarters = -1) {
  pen.save();
  pen.translate(x, y);
  pen.rotate((quarters * Math.PI) / 2);
  write(pen, text, 0, 0, "center");
  pen.restore();
}

/** Text with a dark rim, to be read on a picture.
 * @param {Pen} pen @param {string} text @param {number} x @param {number} y
 * @param {CanvasTextAlign} align */
export function onPicture(pen, text, x, y, align, colour = "#fff") {
  pen.font = "12px system-ui, sans-serif";
  pen.textAlign = align;
  pen.lineWidth = 3;
  pen.lineJoin = "round";
  pen.strokeStyle = "rgba(0,0,0,0.85)";
  pen.strokeText(text, x, y);
  pen.fillStyle = colour;
  write(pen, text, x, y, align);
}

/** Lines through a point of a box that leave the point itself free.
 * @type {(pen: Pen, box: Box, x: number, y: number, gap: number, colour: string) => void} */
export function crosshair(pen, box, x, y, gap, colour) {
  const column = Math.round(x), row = Math.round(y);
  pen.fillStyle = colour;
  pen.fillRect(box.x, row, x - gap - box.x, 1);
  pen.fillRect(x + gap, row, box.x + box.w - x - gap, 1);
  pen.fillRect(column, box.y, 1, y - gap - box.y);
  pen.fillRect(column, y + gap, 1, box.y + box.h - y - gap);
}

/** A histogram's outline, one step for each level.
 * @param {import("./levels.js").Frame} frame @param {(level: number) => number} yOf */
export function steps(frame, yOf) {
  const path = new Path2D();
  for (let level = 0; level < 256; level++) {
    path.lineTo(frame.px(level - 0.5), yOf(level));
    path.lineTo(frame.px(level + 0.5), yOf(level));
  }
  return path;
}

/** The area below a histogram's outline. @type {(frame: Box, outline: Path2D) => Path2D} */
export function below(frame, outline) {
  const area = new Path2D(outline);
  area.lineTo(frame.x + frame.w, frame.y + frame.h);
  area.lineTo(frame.x, frame.y + frame.h);
  area.closePath();
  return area;
}

/** Edges between marked pixels and others as lines [x0, y0, x1, y1] along them.
 * @param {ArrayLike<number>} marked row by row @param {number} width @param {number} height */
export function edges(marked, width, height) {
  const found = [];
  for (const across of [true, false]) {
    const [lines, length] = across ? [height, width] : [width, height];
    const on = (/** @type {number} */ n, /** @type {number} */ at) =>
      n >= 0 && n < lines && marked[across ? n * width + at : at * width + n] > 0;
    for (let n = 0; n <= lines; n++) {
      for (let at = 0, from = -1; at <= length; at++) {
        const edge = at < length && on(n, at) !== on(n - 1, at);
        if (edge && from < 0) from = at;
        if (edge || from < 0) continue;
        found.push(across ? [from, n, at, n] : [n, from, n, at]);
        from = -1;
      }
    }
  }
  return found;
}

/** @typedef {{ x: number, y: number, sx: number, sy: number }} Placed a picture on the screen */

/** Stroke edges of a picture's pixels where the picture lies.
 * @type {(pen: Pen, lines: number[][], to: Placed, colour: string, width: number) => void} */
export function strokeEdges(pen, lines, to, colour, width) {
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.beginPath();
  for (const [x0, y0, x1, y1] of lines) {
    pen.moveTo(to.x + x0 * to.sx, to.y + y0 * to.sy);
    pen.lineTo(to.x + x1 * to.sx, to.y + y1 * to.sy);
  }
  pen.stroke();
}
