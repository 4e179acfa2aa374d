// @ts-check
// The Cuts page's histograms: their peaks and any range of grey levels can be chosen.

import { below, fit, polygon, steps, theme, turnedText, write } from "../shared/browser/canvas.js";
import { levelAxis, levelFrame, sorted } from "../shared/browser/levels.js";
import { change, element, onDrag, pointOn, press } from "../shared/browser/panel.js";

/** @import { Choice, Peak, State } from "./slice_panel.js" */
/** @import { Pen, Theme } from "../shared/browser/canvas.js" */
/** @typedef {ReturnType<typeof frameOf>} CutsFrame */

const CHARTS = [
  { main: "fence", title: "fence cut, grey level 0–255 (raw)" },
  { main: "wild", title: "wild cut, grey level 0–255 (raw)" },
  { main: "reconstruction", beside: "input",
    title: "grey line: I_in · dark: I_ro, grey level 0–255 (raw)" },
];
export const TICKS = [0, 64, 128, 192, 255];

/** A chart's box; `up` are levels from below. @param {number} width @param {number} height */
export function frameOf(width, height) {
  const frame = levelFrame(42, 8, width - 50, height - 42);
  return { ...frame, up: levelAxis(frame.bottom, -frame.h) };
}

/** @type {(n: number) => string} */
export const short = (n) => n >= 1e6 ? `${+(n / 1e6).toPrecision(2)}M`
  : n >= 1e3 ? `${+(n / 1e3).toPrecision(2)}k` : `${n}`;

/** Counts to write at the side of a histogram.
 * @type {(highest: number, log: boolean) => number[]} */
export function countTicks(highest, log) {
  if (!log) return [1, 2, 3].map((i) => +((highest * i) / 3).toPrecision(1));
  return Array.from({ length: Math.floor(Math.log10(highest)) + 1 }, (_, i) => 10 ** i);
}

/** @type {(pen: Pen, frame: CutsFrame, look: Theme, title: string, beside: string) => void} */
export function drawAxes(pen, frame, look, title, beside) {
  pen.fillStyle = look.plot;
  pen.fillRect(frame.x, frame.y, frame.w, frame.h);
  pen.fillStyle = look.text;
  pen.globalAlpha = 0.75;
  pen.font = `11px ${look.font}`;
  for (const level of TICKS) write(pen, level, frame.px(level), frame.bottom + 13, "center");
  write(pen, title, frame.x + frame.w / 2, frame.bottom + 28, "center");
  turnedText(pen, beside, 10, frame.y + frame.h / 2);
  pen.globalAlpha = 1;
}

/** @type {(state: State, chart: typeof CHARTS[0]) => void} */
function drawHistogram({ header, nodes, root, log, draft, pick }, { main, beside, title }) {
  const canvas = nodes[`${main}Chart`], width = canvas.parentElement.clientWidth;
  const pen = fit(canvas, width, 168), frame = frameOf(width, 168), look = theme(root);
  drawAxes(pen, frame, look, title, "voxels");
  const maps = beside ? [beside, main] : [main];
  const highest = Math.max(1, ...maps.flatMap((map) => header.counts[map]));
  const scale = (/** @type {number} */ n) => (log ? Math.log10(1 + n) : n);
  const yOf = (/** @type {number} */ count) =>
    frame.bottom - (scale(count) / (scale(highest) * 1.04)) * frame.h;
  for (const count of countTicks(highest, log)) {
    const y = yOf(count);
    if (y < frame.y + 4) continue;
    pen.globalAlpha = 0.15;
    pen.fillRect(frame.x, y, frame.w, 1);
    pen.globalAlpha = 0.75;
    write(pen, short(count), frame.x - 4, y + 4, "right");
  }
  const chosen = draft ?? pick;
  if (chosen?.kind === "levels" && chosen.map === main) {
    const from = frame.px(chosen.from - 0.5), to = frame.px(chosen.to + 0.5);
    pen.fillStyle = look.colour("chosen");
    pen.globalAlpha = 0.22;
    pen.fillRect(from, frame.y, Math.max(2, to - from), frame.h);
  }
  for (const map of maps) {
    const outline = below(frame, steps(frame, (level) => yOf(header.counts[map][level])));
    pen.fillStyle = pen.strokeStyle = map === "reconstruction" ? look.text : look.colour(map);
    pen.globalAlpha = map === main ? 0.8 : 0.35;
    pen.fill(outline);
    pen.globalAlpha = 0.9;
    if (map !== main) pen.stroke(outline);
  }
  pen.globalAlpha = 1;
  pen.fillStyle = look.text;
  for (const peak of header.peaks[main]) {
    const x = frame.px(peak.position), y = frame.bottom;
    polygon(pen, [[x, y - 1], [x - 4, y + 5], [x + 4, y + 5]]);
  }
}

/** @param {State} state */
export function drawCharts(state) {
  for (const chart of CHARTS) drawHistogram(state, chart);
}

/** @type {(map: string, peak: Peak) => Choice} */
const peakChoice = (map, { left, right, name }) =>
  ({ kind: "levels", map, from: left, to: right, name });

/** A dragged range, or the peak at the level where the pointer hardly moved.
 * @type {(map: string, peaks: Peak[], a: number, b: number) => Choice | null} */
export function choiceOf(map, peaks, a, b) {
  const [from, to] = sorted(a, b);
  if (to - from >= 3) return { kind: "levels", map, from, to, name: "" };
  const peak = peaks.find(({ left, right }) => a >= left && a <= right);
  return peak ? peakChoice(map, peak) : null;
}

/** @type {(state: State, choose: (choice: Choice | null) => void) => void} */
export function listenToCharts(state, choose) {
  for (const { main } of CHARTS) {
    const canvas = state.nodes[`${main}Chart`];
    const levelAt = (/** @type {PointerEvent} */ event) => {
      const [x] = pointOn(event, canvas);
      return frameOf(canvas.clientWidth, canvas.clientHeight).levelAt(x);
    };
    onDrag(canvas, {
      start: (event) => (event.button ? null : { from: levelAt(event) }),
      move(event, { from }) {
        const [low, high] = sorted(from, levelAt(event));
        const draft = /** @type {Choice} */ ({ kind: "levels", map: main, from: low, to: high });
        change(state, { draft });
      },
      end: (event, { from }) =>
        choose(choiceOf(main, state.header.peaks[main], from, levelAt(event))),
    });
  }
}

/** Buttons of the peaks, so that the keyboard reaches them and they can be read aloud.
 * @type {typeof listenToCharts} */
export function makePeakButtons(state, choose) {
  for (const { main } of CHARTS) {
    const peaks = state.header.peaks[main], holder = state.nodes[`${main}Peaks`];
    holder.replaceChildren(...peaks.map((peak) => element("button", {
      title: `levels ${peak.left} to ${peak.right}; click to light up their pixels`,
      onclick: () => choose(isChosen(state.pick, main, peak) ? null : peakChoice(main, peak)),
    }, `${peak.name} · ${peak.position}`)));
    if (!peaks.length) holder.textContent = "no peak stands out; drag over levels instead";
  }
}

/** @type {(pick: Choice | null, map: string, peak: Peak) => boolean} */
const isChosen = (pick, map, { name }) =>
  pick?.kind === "levels" && pick.map === map && pick.name === name;

/** Show which peak is chosen. @param {State} state */
export function pressPeaks({ header, nodes, pick }) {
  for (const { main } of CHARTS) {
    [...nodes[`${main}Peaks`].children].forEach((button, i) =>
      press(button, isChosen(pick, main, header.peaks[main][i])));
  }
}
