// @ts-check
// Pictures of moments beside one another, or swiped over one another; histograms over one another.

import { below, fit, line, onPicture, picture, polygon, steps, write }
  from "../shared/browser/canvas.js";
import { channels, levelFrame, shades } from "../shared/browser/levels.js";
import { diamond, drawAxis, levelTicks } from "./film_charts.js";
import { countOf, paintSlice, thresholdLines } from "./frames.js";

/** @import { Side, State } from "./moments.js" */
/** @import { Film } from "./frames.js" */
/** @import { Box, Pen, Picture, Theme } from "../shared/browser/canvas.js" */

const DASHES = [[], [6, 3], [2, 2], [8, 3, 2, 3]];
const FLOOR = -5; // log10 of the smallest share of pixels that is drawn
const GAP = 3;
const HIGH = 520; // pixels of all tiles above one another, at most
/** @type {(side: Side) => import("./frames.js").FrameFacts} */
export const frameOf = (side) => side.film.header.frames[side.at];

/** A side's pictures of a slice on its sheet, painted anew where it shows others.
 * @type {(side: Side, slice: number, look: Theme) => void} */
function paintSide(side, slice, look) {
  const { film, at } = side, { size, id } = film.header, wanted = `${id}|${at}|${slice}`;
  if (side.painted === wanted) return;
  side.painted = wanted;
  side.sheet = picture(size, film.header.heads.length * size, side.sheet);
  const covered = shades(0, 255, channels(look.colour("mask")), 0.65);
  side.mask = paintSlice(side.sheet.pixels, 0, film, at, slice, covered);
  side.held = countOf(side.mask);
  side.sheet.show();
}

/** Both masks on a dim input: each side's own colour where it is alone, white where both are.
 * @type {(state: State, left: Side, right: Side) => void} */
function paintBoth(state, left, right) {
  const wanted = `${left.painted}|${right.painted}`;
  if (state.bothPainted === wanted) return;
  state.bothPainted = wanted;
  const { size } = left.film.header;
  const both = state.both = picture(size, size, state.both);
  const paints = [shades(0, 255, [0, 0, 0], 0.45), shades(0, 255, channels(left.colour), 0.85),
    shades(0, 255, channels(right.colour), 0.85), shades(0, 255, [255, 255, 255], 0.85)];
  both.pixels.forEach((_, i) => {
    const grey = left.sheet.pixels[i] & 0xff; // the first picture of a sheet is the input
    both.pixels[i] = paints[left.mask[i] + 2 * right.mask[i]][grey];
  });
  both.show();
}

/** Where the tissue of a slice is on the screen, two pixels around it.
 * @type {(film: Pick<Film, "input"> & { header: { size: number } }, slice: number) => Box} */
export function tissueBox({ header: { size: S }, input }, slice) {
  let left = S, right = -1, top = S, bottom = -1;
  for (let at = 0; at < S * S; at++) {
    if (!input[(slice + 1) * S * S - 1 - at]) continue;
    const x = at % S, y = Math.floor(at / S);
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y);
  }
  if (right < 0) return { x: 0, y: 0, w: S, h: S };
  const x = Math.max(0, left - 2), y = Math.max(0, top - 2);
  return { x, y, w: Math.min(S, right + 3) - x, h: Math.min(S, bottom + 3) - y };
}

/** Draw picture `n` of a sheet, from the share `from` of its box's width to the share `to`.
 * @type {(pen: Pen, sheet: Picture, n: number, box: Box, tile: Box, from?: number, to?: number)
 *   => void} */
function drawPart(pen, { canvas }, n, box, tile, from = 0, to = 1) {
  if (to <= from) return;
  pen.drawImage(canvas, box.x + from * box.w, n * canvas.width + box.y, (to - from) * box.w, box.h,
    tile.x + from * tile.w, tile.y, (to - from) * tile.w, tile.h);
}

/** @type {(state: State, pen: Pen, box: Box, w: number, h: number) => void} */
function drawBeside(state, pen, box, w, h) {
  state.tiles = [];
  state.sides.forEach((side, row) => {
    const y = row * (h + GAP), { heads } = side.film.header;
    heads.slice(1).forEach((head, column) => { // the input is left out: the mask lies on it
      const x = column * (w + GAP), above = state.sides[row - 1]?.film.header.heads;
      drawPart(pen, side.sheet, column + 1, box, { x, y, w, h });
      if (head !== above?.[column + 1]) onPicture(pen, head, x + 9, y + 16, "left");
    });
    pen.fillStyle = side.colour;
    pen.fillRect(0, y, 4, h);
    onPicture(pen, `${side.letter} · ${side.name} · ${frameOf(side).label}`, 9, y + h - 8, "left");
  });
}

/** @type {(state: State, pen: Pen, box: Box, w: number, h: number) => void} */
function drawSwiped(state, pen, box, w, h) {
  const [left, right] = state.pair.map((n) => state.sides[n]), { split } = state;
  const [one, other] = [light(left.colour), light(right.colour)];
  paintBoth(state, left, right);
  const titles = [...commonHeads(left.film, right.film), "both masks"];
  const tiles = titles.map((title, i) =>
    ({ title, x: (i % 3) * (w + GAP), y: Math.floor(i / 3) * (h + GAP), w, h }));
  state.tiles = tiles.slice(0, -1);
  for (const tile of tiles) {
    const { title, x, y } = tile, foot = y + h - 8;
    const [a, b] = [left, right].map(({ film }) => film.header.heads.indexOf(title));
    if (a < 0) {
      const word = w > 190 ? " alone" : "";
      drawPart(pen, /** @type {Picture} */ (state.both), 0, box, tile);
      onPicture(pen, `■ ${left.letter}${word}`, x + 6, foot, "left", one);
      onPicture(pen, "■ both", x + w / 2, foot, "center");
      onPicture(pen, `■ ${right.letter}${word}`, x + w - 6, foot, "right", other);
    } else {
      drawPart(pen, left.sheet, a, box, tile, 0, split);
      drawPart(pen, right.sheet, b, box, tile, split, 1);
      drawHandle(pen, x + w * split, y, h, left.colour, right.colour);
      onPicture(pen, left.letter, x + 7, foot, "left", one);
      onPicture(pen, right.letter, x + w - 7, foot, "right", other);
    }
    onPicture(pen, title, x + 7, y + 16, "left");
  }
}

/** Pictures that both films have. @type {(one: Film, other: Film) => string[]} */
const commonHeads = (one, other) =>
  one.header.heads.filter((head) => other.header.heads.includes(head));

/** A colour that can be read on black. @type {(colour: string) => string} */
export const light = (colour) =>
  `rgb(${channels(colour).map((v) => Math.round(0.6 * v + 0.4 * 255)).join(",")})`;

/** @type {(pen: Pen, x: number, y: number, high: number, one: string, other: string) => void} */
function drawHandle(pen, x, y, high, one, other) {
  pen.fillStyle = "rgba(0,0,0,0.6)";
  pen.fillRect(x - 2, y, 4, high);
  pen.fillStyle = pen.strokeStyle = "#fff";
  pen.fillRect(x - 1, y, 2, high);
  pen.lineWidth = 1.5;
  const middle = y + high / 2;
  for (const [turn, colour] of /** @type {[number, string][]} */ ([[-1, one], [1, other]])) {
    pen.fillStyle = colour;
    polygon(pen, [[x + turn * 13, middle], [x + turn * 4, middle - 7], [x + turn * 4, middle + 7]]);
    pen.stroke();
  }
}

/** @type {(state: State, look: Theme) => void} */
export function drawTiles(state, look) {
  const { sides, nodes: { tiles }, slice } = state, swiped = state.mode === "swipe";
  for (const side of sides) paintSide(side, slice, look);
  const box = tissueBox(sides[0].film, slice), [left, right] = state.pair.map((n) => sides[n].film);
  const columns = swiped ? 3 : Math.max(...sides.map(({ film }) => film.header.heads.length)) - 1;
  const rows = swiped ? Math.ceil((commonHeads(left, right).length + 1) / 3) : sides.length;
  const width = tiles.parentElement.clientWidth;
  const scale = Math.min((width - (columns - 1) * GAP) / columns / box.w, HIGH / rows / box.h);
  const w = box.w * scale, h = box.h * scale;
  const wide = columns * (w + GAP) - GAP, high = rows * (h + GAP) - GAP;
  const pen = fit(tiles, wide, high);
  pen.fillStyle = "#000";
  pen.fillRect(0, 0, wide, high);
  pen.imageSmoothingEnabled = scale < 2;
  (swiped ? drawSwiped : drawBeside)(state, pen, box, w, h);
  tiles.style.cursor = swiped ? "ew-resize" : "default";
  tiles.tabIndex = swiped ? 0 : -1;
  tiles.setAttribute("role", swiped ? "slider" : "img");
  tiles.setAttribute("aria-valuenow", Math.round(100 * state.split));
}

/** What the histograms are of: "I_ro", or two names where the sides' methods differ.
 * @param {State} state */
export const countedNames = ({ sides }) =>
  [...new Set(sides.map(({ film }) => film.header.countedName))].join(", ");

/** Shares of the sample's pixels at each level, all sides over one another.
 * @type {(state: State, look: Theme) => void} */
export function drawHistograms(state, look) {
  const { sides, nodes: { histogram } } = state;
  const width = histogram.parentElement.clientWidth, high = 10 * sides.length;
  const pen = fit(histogram, width, 200 + high), frame = levelFrame(46, 6 + high, width - 60, 166);
  const yOf = (/** @type {number} */ share) =>
    frame.y + frame.h * (Math.max(FLOOR, Math.log10(share || 1e-9)) / FLOOR);
  pen.font = `10.5px ${look.font}`;
  for (const [log, text] of /** @type {[number, string][]} */ (
    [[-5, "0.001 %"], [-3, "0.1 %"], [-1, "10 %"]])) {
    pen.fillStyle = look.text;
    write(pen, text, frame.x - 5, yOf(10 ** log) + 3, "right");
    pen.fillStyle = look.line;
    pen.fillRect(frame.x, yOf(10 ** log), frame.w, 1);
  }
  sides.forEach((side, n) => {
    const counts = side.film.counts[side.at];
    const total = counts.reduce((sum, one) => sum + one, 0) || 1;
    const outline = steps(frame, (level) => yOf(counts[level] / total));
    pen.fillStyle = pen.strokeStyle = side.colour;
    pen.globalAlpha = 0.16;
    pen.fill(below(frame, outline));
    pen.globalAlpha = 1;
    pen.lineWidth = 1.5;
    pen.setLineDash(DASHES[n]);
    pen.stroke(outline);
    pen.lineWidth = 2;
    pen.fillStyle = look.text;
    for (const level of thresholdLines(side.film, side.at)) {
      line(pen, frame.px(level), 12 + 10 * n, frame.px(level), frame.bottom);
      write(pen, `${side.letter} ${level}`, frame.px(level), 10 + 10 * n, "center");
    }
    pen.setLineDash([]);
    pen.lineWidth = 1;
    pen.fillStyle = side.colour;
    pen.strokeStyle = look.text;
    for (const peak of frameOf(side).peaks) {
      diamond(pen, frame.px(peak), yOf(counts[peak] / total) - 7, 6);
      pen.stroke();
    }
  });
  const title = `grey level of ${countedNames(state)}, 0–255 (raw)`;
  drawAxis(pen, look, frame, title, levelTicks(frame));
}
