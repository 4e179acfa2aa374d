// @ts-check
// Moments of runs beside one another, or swiped over one another. All frames of all runs are here
// (see moments.py); sliders and the handle redraw without asking Python.

import { bytesOf, reader } from "../shared/browser/blocks.js";
import { onTheme, picture, theme } from "../shared/browser/canvas.js";
import { clamp } from "../shared/browser/levels.js";
import { change, nodesOf, onDrag, onKeys, onceAFrame, pointOn, press }
  from "../shared/browser/panel.js";
import { unpackFilm } from "./frames.js";
import { linkTo, makeChoice, makePair, makeSliders, makeTable } from "./moments_controls.js";
import { countedNames, drawHistograms, drawTiles } from "./moments_tiles.js";

/** @typedef {ReturnType<typeof makeState>} State */
/** @import { Box, Picture } from "../shared/browser/canvas.js" */
/** What `moments.header_of` sends; `places` gives each side's frame at each number of `images`.
 * @typedef {{ id: string, pair: string, films: number, labels: string[], mayLink: boolean,
 *   linked: boolean, images: number[], places: number[][], moment: number,
 *   sides: { name: string, film: number, at: number, about: string, colour: string }[] }} Header */
/** One of those compared: the frame `at` of its film, and how a slice of it is painted.
 * @typedef {{ name: string, about: string, colour: string, letter: string,
 *   film: import("./frames.js").Film, at: number, sheet: Picture, mask: Uint8Array, held: number,
 *   painted: string }} Side */

/** Header and films of the block that `moments.join` makes. @param {Uint8Array} bytes */
export function unpack(bytes) {
  const { sized, json } = reader(bytes), header = /** @type {Header} */ (json());
  return { header, films: Array.from({ length: header.films }, () => unpackFilm(sized())) };
}

/** @param {HTMLElement} root @param {Header} header */
function makeState(root, header) {
  return {
    root, nodes: nodesOf(root), header, sides: /** @type {Side[]} */ ([]), pair: [0, 1], slice: 0,
    linked: header.linked, moment: header.moment, mode: "swipe", split: 0.5, drawn: 0,
    tiles: /** @type {Box[]} */ ([]), both: /** @type {Picture | undefined} */ (undefined),
    bothPainted: "", redraw: () => {}, showSliders: () => {}, showTable: () => {},
  };
}

/** @param {State} state */
function draw(state) {
  const began = performance.now(), { root, sides } = state;
  if (!root.clientWidth) return;
  const look = theme(root);
  drawTiles(state, look);
  drawHistograms(state, look);
  state.showSliders();
  state.showTable();
  state.drawn += 1;
  Object.assign(root.dataset, {
    frames: sides.map((side) => side.at), held: sides.map((side) => side.held), mode: state.mode,
    pair: state.pair, split: state.split.toFixed(2), slice: state.slice, drawn: state.drawn,
    took: (performance.now() - began).toFixed(1),
  });
}

/** Take what Python sent; where the same moments are compared, sliders stay.
 * @type {(state: State, packed: ReturnType<typeof unpack>, stays: boolean) => void} */
function take(state, { header, films }, stays) {
  const before = state.sides;
  state.header = header;
  state.sides = header.sides.map((side, n) => {
    const film = films[side.film], at = stays && before[n] ? before[n].at : side.at;
    return { ...side, film, at: Math.min(film.header.frames.length - 1, at), letter: "ABCD"[n],
      sheet: picture(1, 1), mask: new Uint8Array(0), held: 0, painted: "" };
  });
  if (!stays) {
    const { linked, moment } = header;
    Object.assign(state, { linked, moment, slice: 0, pair: [0, 1] });
  }
  state.moment = clamp(state.moment, 0, Math.max(0, header.images.length - 1));
  state.slice = Math.min(state.slice, header.labels.length - 1);
  state.bothPainted = "";
  if (state.linked) linkTo(state, state.moment);
}

/** @param {State} state */
function makeControls(state) {
  const { header, nodes } = state;
  makeSliders(state);
  makeTable(state);
  makePair(state);
  makeChoice(nodes.mode, ["side by side", "swipe"], () => +(state.mode === "swipe"), (n) => {
    change(state, { mode: n ? "swipe" : "beside" });
    makePair(state);
  });
  makeChoice(nodes.slices, header.labels, () => state.slice, (slice) => change(state, { slice }));
  nodes.histogram.ariaLabel = `Histograms of ${countedNames(state)}`;
  nodes.histogramTitle.textContent =
    `${nodes.histogram.ariaLabel}, share of the sample's pixels, log; peaks ◆`;
  nodes.link.hidden = !header.mayLink;
  press(nodes.link, state.linked);
}

/** @param {State} state */
function listen(state) {
  const { nodes: { link, tiles }, root } = state;
  link.addEventListener("click", () => {
    change(state, { linked: !state.linked });
    press(link, state.linked);
    if (state.linked) linkTo(state, state.moment);
    makeSliders(state);
  });
  const swipe = (/** @type {number} */ split) => change(state, { split: clamp(split, 0, 1) });
  const follow = (/** @type {PointerEvent} */ event, /** @type {Box} */ held) =>
    swipe((pointOn(event, tiles)[0] - held.x) / held.w);
  onDrag(tiles, {
    start(event) {
      const [x, y] = pointOn(event, tiles), held = state.mode === "swipe" && state.tiles.find((t) =>
        x >= t.x && x <= t.x + t.w && y >= t.y && y <= t.y + t.h);
      if (held) follow(event, held);
      return held || null;
    },
    move: follow,
  });
  /** @type {Record<string, number>} */
  const steps =
    { ArrowLeft: -0.02, ArrowRight: 0.02, PageUp: -0.2, PageDown: 0.2, Home: -1, End: 1 };
  onKeys(tiles, ({ key }) => steps[key] && state.mode === "swipe"
    ? () => swipe(Math.round(100 * (state.split + steps[key])) / 100) : null);
  state.redraw = onceAFrame(() => draw(state));
  new ResizeObserver(() => state.redraw()).observe(root);
  onTheme(root, state.redraw);
}

/** @param {{ parentElement: any, data: any }} component */
export default function mount({ parentElement, data }) {
  const root = parentElement.querySelector(".moments");
  if (!data || !root) return;
  const packed = unpack(bytesOf(data)), { header } = packed, first = !root.moments;
  /** @type {State} */
  const state = root.moments ??= makeState(root, header);
  if (first) listen(state);
  else if (state.header.id === header.id) return;
  take(state, packed, !first && state.header.pair === header.pair);
  makeControls(state);
  state.redraw();
}
