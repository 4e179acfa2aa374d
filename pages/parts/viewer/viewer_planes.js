// @ts-check
// Three planes of one volume in true proportion: grey values, mask, truth, linked cursor.
// The cursor is in voxels of the whole grid, slices in voxels of the volume's box.

import { crosshair, edges, picture, sharp, strokeEdges } from "../shared/browser/canvas.js";
import { channels, clamp, keptBy, pixel, shades } from "../shared/browser/levels.js";
import { PLANES, columnsReversed, inMask, inVolume, pieceOf, takePlane } from "./slices.js";
import { thresholdKey } from "./viewer_store.js";

/** @import { State } from "./viewer_state.js" */
/** @import { Pen } from "../shared/browser/canvas.js" */
/** @typedef {ReturnType<typeof makePlane>} Plane */

const REGION = 1, TRUTH = 2; // bits of the labels

/** @param {HTMLElement} node */
export function makePlane(node) {
  const at = (/** @type {string} */ selector) => /** @type {any} */ (node.querySelector(selector));
  const none = /** @type {Uint8Array} */ (new Uint8Array(0));
  return {
    name: node.dataset.plane ?? "", node, canvas: /** @type {HTMLCanvasElement} */ (at("canvas")),
    title: at(".title"), marks: [at(".mark.left"), at(".mark.right")],
    box: { x: 0, y: 0, w: 0, h: 0 }, grey: picture(1, 1), mask: picture(1, 1),
    slice: { key: "", input: none, map: none, labels: none, truth: /** @type {number[][]} */ ([]) },
    cleaned: { key: "", bits: /** @type {Uint8Array | null} */ (null) }, greyKey: "",
  };
}

/** Give each plane its share of the row, all at one scale of pixels per mm. @param {State} state */
export function layOut(state) {
  const { planes, nodes, volume: { shape, spacing } } = state;
  const flat = shape[2] < 3; // slice pictures: there is only the axial plane to see
  for (const plane of planes) plane.node.hidden = flat && plane.name !== "axial";
  const shown = planes.filter((plane) => !plane.node.hidden);
  const sizes = shown.map((plane) => PLANES[plane.name].axes.map((a) => shape[a] * spacing[a]));
  const { clientWidth: width, clientHeight: height } = nodes.planes;
  const total = sizes.reduce((sum, [wide]) => sum + wide, 0), free = width - 24 * shown.length;
  const tallest = Math.max(...sizes.map(([, high]) => high));
  state.scale = Math.max(0.1, Math.min(free / total, (height - 44) / tallest));
  const spare = (width - state.scale * total) / shown.length;
  shown.forEach((plane, i) => {
    plane.box = { x: 0, y: 0, w: Math.round(sizes[i][0] * state.scale + spare), h: height };
    plane.node.style.width = `${plane.box.w}px`;
  });
}

/** @param {Pick<State, "volume">} state */
export const middle = ({ volume }) => volume.shape.map((n) => n / 2);

/** Where a plane's picture lies in its box, in CSS pixels.
 * @param {Pick<State, "volume" | "display" | "scale" | "zoom" | "centre">} state
 * @param {Pick<Plane, "name" | "box">} plane */
export function placeOf(state, { name, box }) {
  const { volume: { shape, spacing }, zoom } = state, { axes: [a, b] } = PLANES[name];
  const reversed = columnsReversed(name, state.display.radiological);
  const centre = state.centre ?? middle(state), scale = state.scale * zoom;
  const column = reversed ? shape[a] - centre[a] : centre[a], row = shape[b] - centre[b];
  const sx = scale * spacing[a], sy = scale * spacing[b];
  const drop = name === "axial" || zoom > 1 ? 6 : 0; // room for the title
  return { sx, sy, reversed, x: box.w / 2 - column * sx, y: box.h / 2 + drop - row * sy };
}

/** The voxel (whole grid) under a point of a plane's box, on the slice shown there.
 * @param {Parameters<typeof placeOf>[0] & Pick<State, "cursor">} state
 * @param {Pick<Plane, "name" | "box">} plane @param {number} px @param {number} py */
export function voxelAt(state, plane, px, py) {
  const { shape, offset } = state.volume, { axes: [a, b] } = PLANES[plane.name];
  const to = placeOf(state, plane);
  const column = Math.floor((px - to.x) / to.sx), row = Math.floor((py - to.y) / to.sy);
  const i = clamp(column, 0, shape[a] - 1), j = clamp(row, 0, shape[b] - 1);
  const voxel = [...state.cursor];
  voxel[a] = offset[a] + (to.reversed ? shape[a] - 1 - i : i);
  voxel[b] = offset[b] + shape[b] - 1 - j;
  return { voxel, inside: i === column && j === row };
}

/** The cursor in voxels of the volume's box. @param {Pick<State, "volume" | "cursor">} state */
export const localCursor = ({ cursor, volume: { offset, shape } }) =>
  cursor.map((v, axis) => clamp(v - offset[axis], 0, shape[axis] - 1));

/** The letters at a plane's left and right: of the patient's sides that its columns run between.
 * @type {(name: string, radiological: boolean) => string[]} */
export function sidesOf(name, radiological) {
  const [low, high] = PLANES[name].axes[0] === 0 ? ["L", "R"] : ["P", "A"];
  return columnsReversed(name, radiological) ? [high, low] : [low, high];
}

/** Take a plane's slices out of the volumes where it shows others.
 * @type {(state: State, plane: Plane, at: number) => void} */
function takeSlices({ volume, data, display, cleaned }, plane, at) {
  const { shape } = volume, { axes: [a, b] } = PLANES[plane.name];
  const take = (/** @type {import("./slices.js").ValueAt} */ valueAt) =>
    takePlane(valueAt, shape, plane.name, at, display.radiological);
  const key = `${volume.key} ${data.map} ${at} ${display.radiological}`;
  if (plane.slice.key !== key) {
    const [input, map, labels] = [volume.maps.input, volume.maps[data.map], volume.labels]
      .map((values) => take(inVolume(values, shape)));
    const truth = edges(labels.map((bits) => bits & TRUTH), shape[a], shape[b]);
    plane.slice = { key, input, map, labels, truth };
    plane.grey = picture(shape[a], shape[b], plane.grey);
    plane.mask = picture(shape[a], shape[b], plane.mask);
  }
  const cleanedKey = `${key} ${cleaned?.key}`;
  if (plane.cleaned.key !== cleanedKey) {
    const bits = cleaned && take(inMask(cleaned, volume.offset));
    plane.cleaned = { key: cleanedKey, bits };
  }
}

/** @type {(state: State, plane: Plane) => void} */
function paintGrey({ window: [low, high] }, plane) {
  const key = `${plane.slice.key} ${low} ${high}`;
  if (plane.greyKey === key) return;
  plane.greyKey = key;
  const greys = shades(low, high);
  plane.slice.input.forEach((level, i) => { plane.grey.pixels[i] = greys[level]; });
  plane.grey.show();
}

/** Which pixels the mask holds: the cleaned mask where it belongs to this threshold.
 * @type {(state: State, plane: Plane) => Uint8Array} */
function maskOf({ cleaned, live }, plane) {
  if (plane.cleaned.bits && cleaned?.for === thresholdKey(live)) return plane.cleaned.bits;
  const [first, last] = keptBy(live);
  const { map, labels } = plane.slice;
  return map.map((level, i) => (level >= first && level <= last ? labels[i] & REGION : 0));
}

/** A plane's title: its slices are counted from 1, as on the other pages.
 * @type {(name: string, index: number, slices: number) => string} */
export const titleOf = (name, index, slices) => `${name} ${index + 1} of ${slices}`;

/** The pixels of the mask's piece at a voxel (whole grid) of the slice shown; null off the mask.
 * @type {(state: State, plane: Plane, voxel: number[]) => Uint8Array | null} */
export function pieceAt(state, plane, voxel) {
  const { axes: [a, b] } = PLANES[plane.name], { shape, offset } = state.volume;
  const [column, row] = [voxel[a] - offset[a], shape[b] - 1 - (voxel[b] - offset[b])];
  const reversed = columnsReversed(plane.name, state.display.radiological);
  const at = row * shape[a] + (reversed ? shape[a] - 1 - column : column);
  return pieceOf(maskOf(state, plane), shape[a], at);
}

/** @type {(pen: Pen, shape: NonNullable<State["shape"]>) => void} */
function drawShape(pen, { kind, box: [x0, y0, x1, y1] }) {
  const w = Math.abs(x1 - x0), h = Math.abs(y1 - y0);
  pen.strokeStyle = "#fff";
  pen.lineWidth = 1.5;
  pen.setLineDash([5, 4]);
  pen.beginPath();
  if (kind === "ellipse") pen.ellipse((x0 + x1) / 2, (y0 + y1) / 2, w / 2, h / 2, 0, 0, 7);
  else pen.rect(Math.min(x0, x1), Math.min(y0, y1), w, h);
  pen.stroke();
  pen.setLineDash([]);
}

/** @type {(state: State, plane: Plane) => void} */
export function drawPlane(state, plane) {
  if (plane.node.hidden) return;
  const { display, volume, shape } = state, { axes: [a, b], fixed } = PLANES[plane.name];
  const local = localCursor(state);
  takeSlices(state, plane, local[fixed]);
  paintGrey(state, plane);
  const { slice, box } = plane, { width, height } = plane.grey.canvas;
  const pen = sharp(plane.canvas, box.w, box.h), to = placeOf(state, plane);
  pen.fillStyle = "#000";
  pen.fillRect(0, 0, box.w, box.h);
  pen.imageSmoothingEnabled = true;
  pen.drawImage(plane.grey.canvas, to.x, to.y, width * to.sx, height * to.sy);
  if (display.mask) {
    const marked = maskOf(state, plane), colour = pixel(channels(display.colour));
    marked.forEach((on, i) => { plane.mask.pixels[i] = on ? colour : 0; });
    plane.mask.show();
    pen.imageSmoothingEnabled = false;
    pen.globalAlpha = display.opacity / 100;
    pen.drawImage(plane.mask.canvas, to.x, to.y, width * to.sx, height * to.sy);
    pen.globalAlpha = 1;
    if (display.outline) strokeEdges(pen, edges(marked, width, height), to, display.colour, 1.5);
  }
  const { picking, pointed } = state;
  const piece = pointed && picking === plane.name && pieceAt(state, plane, pointed);
  if (piece) strokeEdges(pen, edges(piece, width, height), to, "#fff", 2);
  if (display.truth) strokeEdges(pen, slice.truth, to, state.theme.colour("truth"), 1.5);
  const column = to.reversed ? width - 1 - local[a] : local[a], row = height - 1 - local[b];
  crosshair(pen, box, to.x + (column + 0.5) * to.sx, to.y + (row + 0.5) * to.sy, 9,
    "rgba(255, 255, 255, 0.3)");
  if (shape?.plane === plane.name) drawShape(pen, shape);
  plane.title.textContent = titleOf(plane.name, state.cursor[fixed], volume.full[fixed]);
  sidesOf(plane.name, display.radiological).forEach((side, i) => {
    plane.marks[i].textContent = side;
  });
}
