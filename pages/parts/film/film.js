// @ts-check
// The film of a run. Every frame is here (see film.py), so that the slider redraws without asking
// Python, which hears only of the frame that was settled on.

import { bytesOf } from "../shared/browser/blocks.js";
import { fit, onTheme, picture, theme } from "../shared/browser/canvas.js";
import { channels, clamp, fixed, shades } from "../shared/browser/levels.js";
import { beforePressOutside, change, nodesOf, onKeys, onceAFrame, press }
  from "../shared/browser/panel.js";
import { drawCurves, drawHistogram, drawJoint, frameClicked } from "./film_charts.js";
import { countOf, paintSlice, unpackFilm } from "./frames.js";

/** @typedef {ReturnType<typeof makeState>} State */
/** @import { Film } from "./frames.js" */
/** @import { Curves } from "./film_charts.js" */
/** @import { Theme } from "../shared/browser/canvas.js" */

const PER_SECOND = 8;
const SETTLED = 350; // ms without a change after which Python is told
const GAP = 3;
const HIGH = 420; // pixels of all slices above one another, at most

/** @param {HTMLElement} root @param {Film} film */
function makeState(root, film) {
  const kept = () => ({ canvas: document.createElement("canvas"), wanted: "" });
  return {
    root, film, nodes: nodesOf(root), at: 0, loop: true, playing: false, drawn: 0,
    told: /** @type {number | undefined} */ (undefined), timer: 0, clock: 0,
    sheet: picture(1, 1), pairs: picture(64, 64), kept: { course: kept(), losses: kept() },
    ...summary(film, theme(root)),
    redraw: () => {}, report: (/** @type {string} */ _name, /** @type {unknown} */ _value) => {},
  };
}

/** What all frames share: the highest count, and the curves.
 * @param {Pick<Film, "header" | "counts">} film @param {Pick<Theme, "colour">} look
 * @returns {{ tallest: number, course: Curves, losses: Curves }} */
export function summary({ header, counts }, { colour }) {
  const steps = [...header.frames.map((f) => f.step), ...header.losses.flatMap((l) => l.x)];
  const last = Math.max(1, ...steps), x = header.course.map((one) => one.step);
  const lines = /** @type {const} */ ([
    ["index", "index", "fence"], ["stability", "stability", "mask"],
    ["rank", "abs. rank corr.", "input"],
  ]).map(([key, name, meaning]) =>
    ({ name, colour: colour(meaning), x, y: header.course.map((one) => one[key]) }));
  const values = header.losses.flatMap(({ y }) => y.flatMap((v) => (v && v > 0 ? [v] : [])));
  const [low, high] = values.length ? [Math.min(...values), Math.max(...values)] : [0.1, 1];
  return {
    tallest: Math.max(1, ...counts.map((one) => Math.max(...one))),
    course: { lines, low: 0, high: 1, log: false, last },
    losses: { low, high, log: true, last, lines: header.losses.map((line, i) =>
      ({ ...line, colour: header.colours[i % header.colours.length] })) },
  };
}

/** Slices by rows; input, maps and mask by columns. Gives the number of the mask's pixels.
 * @type {(state: State, look: Theme) => number} */
function drawSlices(state, look) {
  const { film, at, nodes } = state, { size: S, slices, heads } = film.header;
  const columns = heads.length, rows = slices.length;
  const sheet = state.sheet = picture(S, columns * rows * S, state.sheet);
  const covered = shades(0, 255, channels(look.colour("mask")), 0.65);
  const held = slices.map((_, k) =>
    countOf(paintSlice(sheet.pixels, k * columns * S * S, film, at, k, covered)));
  sheet.show();
  const width = nodes.tiles.parentElement.clientWidth;
  const side = Math.min((width - (columns - 1) * GAP) / columns, HIGH / rows), step = side + GAP;
  const pen = fit(nodes.tiles, columns * step - GAP, rows * step - GAP);
  pen.imageSmoothingEnabled = side < 2 * S;
  for (let n = 0; n < rows * columns; n++) {
    pen.drawImage(sheet.canvas, 0, n * S, S, S, (n % columns) * step,
      Math.floor(n / columns) * step, side, side);
  }
  return held.reduce((sum, one) => sum + one, 0);
}

/** @type {(frame: import("./frames.js").FrameFacts, rule: string) => string} */
export function sentence(frame, rule) {
  const holes = frame.holes === null ? "–" : `${(100 * frame.holes).toFixed(0)} %`;
  return `${frame.label} · ${frame.images} slices seen · ` +
    `${frame.separated} separated peak${frame.separated === 1 ? "" : "s"} · ` +
    `index ${fixed(frame.index, 2)} · threshold ${frame.rule} (${rule}) · ` +
    `stability ${fixed(frame.stability, 2)} · holes ${holes} · ` +
    `rank correlation ${fixed(frame.rank, 2)}`;
}

/** @param {State} state */
function draw(state) {
  const began = performance.now(), { film, at, nodes, root, kept } = state, { header } = film;
  const frame = header.frames[at];
  if (!frame || !root.clientWidth) return;
  const look = theme(root), held = drawSlices(state, look);
  drawHistogram(nodes.histogram, look, film, at, state.tallest);
  if (header.joint) drawJoint(nodes.joint, look, film.joints[at], state.pairs);
  drawCurves(nodes.course, look, state.course, frame.step, kept.course, header.id);
  drawCurves(nodes.losses, look, state.losses, frame.step, kept.losses, header.id);
  nodes.slider.value = at;
  nodes.count.textContent = `${at + 1} of ${header.frames.length}`;
  nodes.said.textContent = nodes.said.title = sentence(frame, header.rule);
  state.drawn += 1;
  Object.assign(root.dataset, { frame: at, place: frame.place, held, drawn: state.drawn,
    took: (performance.now() - began).toFixed(1) });
}

/** Tell Python of the frame on the screen. @param {State} state */
function tellPython(state) {
  clearTimeout(state.timer);
  const { place } = state.film.header.frames[state.at];
  if (!state.root.isConnected || state.playing || place === state.told) return;
  state.told = place;
  state.root.dataset.told = `${place}`;
  state.report("frame", place);
}

/** Tell Python of the frame once it rests. @param {State} state */
function settle(state) {
  clearTimeout(state.timer);
  state.timer = setTimeout(() => tellPython(state), SETTLED);
}

/** @param {State} state */
const lastOf = ({ film }) => film.header.frames.length - 1;

/** @type {(state: State, at: number) => void} */
function go(state, at) {
  change(state, { at: clamp(at, 0, lastOf(state)) });
  settle(state);
}

/** @type {(state: State, on: boolean) => void} */
function play(state, on) {
  state.playing = on;
  state.nodes.play.textContent = on ? "❚❚ pause" : "▶ play";
  state.nodes.play.setAttribute("aria-label", on ? "pause" : "play");
  clearInterval(state.clock);
  if (!on) {
    settle(state);
    return;
  }
  if (state.at >= lastOf(state)) go(state, 0);
  state.clock = setInterval(() => {
    if (!state.root.isConnected) clearInterval(state.clock);
    else if (state.at < lastOf(state)) go(state, state.at + 1);
    else if (state.loop) go(state, 0);
    else play(state, false);
  }, 1000 / PER_SECOND);
}

/** @param {State} state */
function listen(state) {
  const { nodes, root } = state;
  const stopAt = (/** @type {number} */ at) => {
    if (state.playing) play(state, false);
    go(state, at);
  };
  const loop = () => {
    state.loop = !state.loop;
    press(nodes.loop, state.loop);
  };
  nodes.slider.addEventListener("input", () => stopAt(+nodes.slider.value));
  nodes.back.addEventListener("click", () => stopAt(state.at - 1));
  nodes.next.addEventListener("click", () => stopAt(state.at + 1));
  nodes.play.addEventListener("click", () => play(state, !state.playing));
  nodes.loop.addEventListener("click", loop);
  for (const name of /** @type {const} */ (["course", "losses"])) {
    nodes[name].addEventListener("click", (/** @type {MouseEvent} */ event) =>
      stopAt(frameClicked(event, state[name], state.film)));
  }
  /** @type {Record<string, () => void>} */
  const keys = {
    ArrowLeft: () => stopAt(state.at - 1), ArrowRight: () => stopAt(state.at + 1),
    PageUp: () => stopAt(state.at - 10), PageDown: () => stopAt(state.at + 10),
    Home: () => stopAt(0), End: () => stopAt(lastOf(state)),
    " ": () => play(state, !state.playing), l: loop,
  };
  onKeys(root, (event) => { // a button answers the space bar itself
    const onButton = event.target instanceof HTMLButtonElement && event.key === " ";
    return onButton ? null : keys[event.key];
  });
  beforePressOutside(root, () => tellPython(state));
  state.redraw = onceAFrame(() => draw(state));
  new ResizeObserver(() => state.redraw()).observe(root);
  onTheme(root, state.redraw);
}

/** @param {{ parentElement: any, data: any, setStateValue: State["report"] }} component */
export default function mount({ parentElement, data, setStateValue }) {
  const root = parentElement.querySelector(".film");
  if (!data || !root) return;
  const film = unpackFilm(bytesOf(data)), { header } = film, first = !root.film;
  /** @type {State} */
  const state = root.film ??= makeState(root, film);
  state.report = setStateValue;
  const before = state.film.header, stood = before.frames[state.at];
  if (first) listen(state);
  else if (before.id === header.id) return;
  Object.assign(state, { film }, summary(film, theme(root)));
  state.at = header.frames.length - 1;
  if (!first && stood !== before.frames.at(-1) && before.run === header.run) {
    const same = header.frames.findIndex((frame) => frame.place === stood.place);
    if (same >= 0) state.at = same; // whoever looks at an earlier frame stays there
  }
  state.told ??= header.frames.at(-1)?.place;
  showTitles(state);
  state.redraw();
  if (!first) settle(state); // the newest moved on, and with it what is on the screen
}

/** @param {State} state */
function showTitles({ nodes, film: { header }, course, losses }) {
  const slices = header.slices.map((one) => one + 1).join(", ");
  nodes.slider.max = header.frames.length - 1;
  nodes.heads.textContent = `${header.heads.join(" · ")}, watched slice ${slices}`;
  nodes.histogram.ariaLabel = `Histogram of ${header.countedName}`;
  nodes.histogramTitle.textContent =
    `${nodes.histogram.ariaLabel}, log of the counts; peaks ◆, threshold`;
  nodes.joint.hidden = !header.joint;
  nodes.jointTitle.textContent = header.noJoint || "Fence × wild, log";
  nodes.jointTitle.style.whiteSpace = header.noJoint ? "normal" : "";
  nodes.courseTitle.innerHTML = legend(course.lines);
  nodes.lossTitle.innerHTML = `Losses, log ${legend(losses.lines)}`;
}

/** @type {(lines: { name: string, colour: string }[]) => string} */
export const legend = (lines) => lines.map(({ name, colour }) =>
  `<span style="color:${colour}">■</span> ${name.replace(/[<&]/g, "")}`).join(" ");
