// @ts-check
// The six pictures of the Cuts page: layout, windows, lit pixels, truth outline, cursor.

import { crosshair, edges, fit, onPicture, picture, strokeEdges, theme }
  from "../shared/browser/canvas.js";
import { channels, clamp, paintTurned, pixel, shades } from "../shared/browser/levels.js";

/** @import { Header, State } from "./slice_panel.js" */
/** @typedef {Record<string, Uint8Array>} Slices one slice of each volume, by name */
/** @typedef {ReturnType<typeof tilesOf>["tiles"][0]} Tile */

/** @type {Record<string, string>} */
const TITLES = {
  input: "I_in · input", fence: "I_fc · fence cut", wild: "I_wc · wild cut",
  reconstruction: "I_ro · reconstruction", residual: "I_in − I_fc · residual", mask: "mask on I_in",
};
const REGION = 1, TRUTH = 2, MASK = 4; // bits of the flags
const GAP = 2;
const LIT = 190; // opacity of lit pixels, of 255

/** The map a tile shows. @type {(name: string) => string} */
export const mapOf = (name) => (name === "mask" ? "input" : name);

/** Screen layout of the tiles: three beside each other, two where it is narrow.
 * @param {number} width @param {Pick<Header, "shape" | "spacing" | "maps">} header */
export function tilesOf(width, { shape: [X, Y], spacing: [sx, sy], maps }) {
  const names = [...maps, "mask"], columns = width >= 460 ? 3 : 2;
  const w = (width - GAP * (columns - 1)) / columns;
  const h = clamp(w * ((Y * sy) / (X * sx)), 120, 262);
  const tiles = names.map((name, i) => ({
    name, x: (i % columns) * (w + GAP), y: Math.floor(i / columns) * (h + GAP), w, h,
  }));
  return { tiles, height: Math.ceil(names.length / columns) * (h + GAP) - GAP };
}

/** Where the picture lies in a tile.
 * @param {Pick<Tile, "x" | "y" | "w" | "h">} tile
 * @param {{ header: Pick<Header, "shape" | "spacing">, zoom: number, centre: number[] }} state */
export function placeOf(tile, { header: { shape: [X, Y], spacing }, zoom, centre }) {
  const scale = zoom * Math.min(tile.w / (X * spacing[0]), tile.h / (Y * spacing[1]));
  const sx = spacing[0] * scale, sy = spacing[1] * scale;
  const x = tile.x + tile.w / 2 - centre[0] * sx, y = tile.y + tile.h / 2 - centre[1] * sy;
  return { sx, sy, x, y };
}

/** Which pixels of the region a choice of grey levels lights up, in screen order.
 * @param {import("./slice_panel.js").Choice | null} choice @param {Slices} slices */
export function litPixels(choice, slices) {
  const { flags } = slices, lit = new Uint8Array(flags.length);
  const ranges = !choice ? [] : choice.kind === "levels" ? [[choice.map, choice.from, choice.to]]
    : [["fence", ...choice.fence], ["wild", ...choice.wild]];
  const tests = /** @type {[string, number, number][]} */ (ranges);
  for (let at = flags.length - 1, to = 0; choice && at >= 0; at--, to++) {
    lit[to] = flags[at] & REGION &&
      tests.every(([map, low, high]) => slices[map][at] >= low && slices[map][at] <= high) ? 1 : 0;
  }
  return lit;
}

/** What must be laid over a middle grey to be seen as a colour.
 * @type {(rgb: number[], alpha: number) => number[]} */
export const overGrey = (rgb, alpha) =>
  rgb.map((part) => clamp(Math.round(128 + (part - 128) * (255 / alpha)), 0, 255));

/** @param {State} state */
export function drawTiles(state) {
  const { header, volumes, nodes } = state, [X, Y] = header.shape, size = X * Y;
  const width = nodes.left.clientWidth;
  if (!width) return;
  const { tiles, height } = tilesOf(width, header), pen = fit(nodes.tiles, width, height);
  state.tiles = tiles;
  pen.fillStyle = "#000";
  pen.fillRect(0, 0, width, height);
  const start = clamp(state.slice - header.first, 0, header.held - 1) * size;
  /** @type {Slices} */
  const slices = {};
  for (const name in volumes) slices[name] = volumes[name].subarray(start, start + size);
  const turned = slices.flags.slice().reverse(), look = theme(state.root);
  const truth = header.truth ? edges(turned.map((bits) => bits & TRUTH), X, Y) : [];
  const lit = litPixels(state.draft ?? state.pick, slices);
  const rose = pixel(overGrey(channels(look.colour("chosen")), LIT), LIT);
  const covered = pixel(channels(look.colour("mask")), 140);
  const grey = state.grey = picture(X, Y, state.grey);
  const over = state.over = picture(X, Y, state.over);
  for (const tile of tiles) {
    const [low, high] = state.windows[mapOf(tile.name)], bits = tile.name === "mask" ? MASK : 0;
    const to = placeOf(tile, state);
    paintTurned(grey.pixels, 0, slices[mapOf(tile.name)], shades(low, high));
    for (let i = 0; i < size; i++) {
      const masked = (turned[i] & (bits | REGION)) === (bits | REGION) && bits;
      over.pixels[i] = lit[i] ? rose : masked ? covered : 0;
    }
    pen.save();
    pen.beginPath();
    pen.rect(tile.x, tile.y, tile.w, tile.h);
    pen.clip();
    for (const { canvas, show } of [grey, over]) {
      show();
      pen.imageSmoothingEnabled = canvas === grey.canvas && state.zoom < 4;
      pen.drawImage(canvas, to.x, to.y, X * to.sx, Y * to.sy);
    }
    strokeEdges(pen, truth, to, look.colour("truth"), 1.3);
    if (state.cursor) {
      const [column, row] = state.cursor;
      crosshair(pen, tile, to.x + (column + 0.5) * to.sx - 0.5, to.y + (row + 0.5) * to.sy - 0.5, 5,
        "rgba(255,255,255,0.55)");
    }
    label(pen, tile, state, slices);
    pen.restore();
  }
  state.root.dataset.lit = `${lit.reduce((sum, one) => sum + one, 0)}`;
}

/** @type {(pen: import("../shared/browser/canvas.js").Pen, tile: Tile, state: State,
 *   slices: Slices) =>
 *   void} */
function label(pen, { name, x, y, w, h }, { windows, cursor, header: { shape: [X, Y] } }, slices) {
  onPicture(pen, TITLES[name], x + 7, y + 16, "left");
  if (name !== "mask") {
    const [low, high] = windows[name];
    if (cursor) {
      const at = X * Y - 1 - (cursor[1] * X + cursor[0]);
      onPicture(pen, `${slices[name][at]}`, x + w - 7, y + 16, "right");
    }
    if (low > 0 || high < 255) {
      onPicture(pen, `window ${low}–${high}`, x + 7, y + h - 7, "left", "#ccc");
    }
  }
  onPicture(pen, "R", x + 6, y + h / 2 + 4, "left", "#bbb");
  onPicture(pen, "L", x + w - 6, y + h / 2 + 4, "right", "#bbb");
}
