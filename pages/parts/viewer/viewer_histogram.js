// @ts-check
// The histogram: bars, named peaks, the input's line, the threshold's line or band, Dice's curve.

import { below, line, polygon, sharp, turnedText, write } from "../shared/browser/canvas.js";
import { clamp, keptBy, levelFrame } from "../shared/browser/levels.js";
import { isLesionFree, scoresAt } from "./scores.js";

/** @import { State } from "./viewer_state.js" */
/** @import { Pen } from "../shared/browser/canvas.js" */
/** @import { Frame } from "../shared/browser/levels.js" */
/** @typedef {(pen: Pen, state: State, frame: Frame) => void} Draw */

const MARGIN = { left: 40, right: 16, top: 24, bottom: 50, curve: 44 };
/** @type {Record<string, { of: (count: number) => number, name: string }>} */
const SCALES = {
  linear: { of: (n) => n, name: "" }, sqrt: { of: Math.sqrt, name: ", √ scale" },
  log: { of: (n) => Math.log10(1 + n), name: ", log scale" },
};
const SNAP = 8; // pixels around a peak
export const GRAB = 6; // pixels around the line

/** @param {Pick<State, "chart" | "display" | "data">} state */
export function frameOf({ chart, display, data }) {
  const { left, top, bottom } = MARGIN;
  const right = display.curve && data.dice ? MARGIN.curve : MARGIN.right;
  return levelFrame(left, top, chart.width - left - right, chart.height - top - bottom);
}

/** The count at the top: piles at 0 and 255 do not flatten all else. @param {number[]} counts */
export function topCount(counts) {
  const inner = Math.max(...counts.slice(1, 255)), pile = Math.max(counts[0], counts[255]);
  return Math.max(1, pile > 3 * inner ? inner : Math.max(inner, pile)) * 1.06;
}

/** The index of the peak a pointer means: on its name, or close to its level. -1: none.
 * @type {(peaks: { position: number }[], frame: Frame, x: number, y: number) => number} */
export function peakAt(peaks, frame, x, y) {
  let best = -1, nearest = y > frame.bottom ? 40 : SNAP;
  peaks.forEach((peak, i) => {
    const away = Math.abs(frame.px(peak.position) - x);
    if (away < nearest) [best, nearest] = [i, away];
  });
  return best;
}

/** The text's colour, weaker. @type {(state: State, percent: number) => string} */
const weak = ({ theme: { text, paper } }, percent) =>
  `color-mix(in srgb, ${text} ${percent}%, ${paper})`;

/** @type {(state: State, style?: string) => string} */
const fontOf = ({ theme }, style = "") => `${style} 12px ${theme.font}`;

/** @type {Draw} */
function drawBars(pen, state, frame) {
  const { data, live, display } = state, scale = SCALES[display.scale].of;
  const top = scale(topCount(data.counts)), wide = Math.max(0.6, frame.step - 0.7);
  const tall = (/** @type {number} */ count) => Math.min(1, scale(count) / top) * frame.h;
  const [first, last] = keptBy(live);
  for (const kept of [false, true]) {
    pen.fillStyle = kept ? display.colour : weak(state, 78);
    data.counts.forEach((count, level) => {
      if ((level >= first && level <= last) !== kept || !count) return;
      pen.fillRect(frame.x + level * frame.step, frame.bottom - tall(count), wide, tall(count));
    });
  }
  pen.strokeStyle = state.theme.colour("input");
  pen.lineWidth = 1;
  pen.beginPath();
  data.inputCounts?.forEach((count, level) =>
    pen.lineTo(frame.px(level), frame.bottom - tall(count)));
  pen.stroke();
}

/** Dice of every threshold, hatched: this is oracle knowledge. @type {Draw} */
function drawCurve(pen, state, frame) {
  const { live, theme } = state, dice = state.data.dice?.[live.side];
  if (!state.display.curve || !dice) return;
  const yOf = (/** @type {number | null} */ value) => frame.bottom - (value ?? 0) * frame.h;
  const path = new Path2D();
  dice.forEach((value, level) => path.lineTo(frame.px(level), yOf(value)));
  pen.strokeStyle = pen.fillStyle = theme.colour("truth");
  pen.save();
  pen.clip(below(frame, path));
  pen.globalAlpha = 0.28;
  pen.lineWidth = 1;
  for (let x = frame.x - frame.h; x < frame.right; x += 7) {
    line(pen, x, frame.bottom, x + frame.h, frame.y);
  }
  pen.restore();
  pen.lineWidth = 1.5;
  pen.setLineDash([6, 3]);
  pen.stroke(path);
  pen.setLineDash([]);
  pen.beginPath();
  if (live.upper === null) pen.arc(frame.px(live.t), yOf(dice[live.t]), 4, 0, 7);
  pen.fill();
  pen.fillStyle = weak(state, 60);
  pen.font = fontOf(state, "italic");
  for (const value of [0, 0.5, 1]) write(pen, value.toFixed(1), frame.right + 6, yOf(value) + 4);
  turnedText(pen, "Dice (oracle knowledge)", frame.right + 31, frame.y + frame.h / 2, 1);
}

/** @type {Draw} */
function drawPeaks(pen, state, frame) {
  const { data, live } = state, base = frame.bottom;
  let free = -Infinity; // from here on there is room for a name
  data.peaks.forEach(({ position }, i) => {
    const x = frame.px(position);
    const chosen = state.hoverPeak === i || (live.rule === `peak:${i + 1}` && live.t === position);
    pen.fillStyle = chosen ? state.display.colour : state.theme.text;
    polygon(pen, [[x, base + 2], [x - 6, base + 10], [x + 6, base + 10]]);
    let name = `peak ${i + 1} · ${position}`;
    if (x - pen.measureText(name).width / 2 < free) name = `${i + 1}`;
    const half = pen.measureText(name).width / 2;
    const at = Math.max(clamp(x, frame.x + half - 30, frame.right - half + 12), free + half);
    write(pen, name, at, base + 24, "center");
    free = at + half + 7;
  });
}

/** @type {Draw} */
function drawAxes(pen, state, frame) {
  const y = frame.bottom + 44;
  pen.fillStyle = weak(state, 60);
  pen.font = fontOf(state);
  write(pen, 0, frame.x, y);
  write(pen, 255, frame.right, y, "right");
  write(pen, state.data.axis, frame.x + frame.w / 2, y, "center");
  turnedText(pen, `voxels a level${SCALES[state.display.scale].name}`, 14, frame.y + frame.h / 2);
}

/** The line or the band's two, their levels in tags, and the scores beside them. @type {Draw} */
function drawThreshold(pen, state, frame) {
  const { live: { t, upper, none }, theme } = state, levels = upper === null ? [t] : [t, upper];
  const half = 19, middles = levels.map((level) => {
    const x = frame.px(level), at = clamp(x, frame.x + half, frame.right - half);
    pen.fillStyle = theme.text;
    pen.fillRect(Math.round(x) - 1, frame.y - 4, 2, frame.h + 4);
    pen.beginPath();
    pen.roundRect(at - half, frame.y - 22, 2 * half, 18, 3);
    pen.fill();
    pen.fillStyle = theme.paper;
    pen.font = fontOf(state, "600");
    write(pen, none ? "–" : level, at, frame.y - 9, "center");
    return at;
  });
  if (none && state.data.pending) return; // there is nothing to score yet
  const { volume, dice, sensitivity } = scoresAt(state.table, state.live);
  const score = isLesionFree(state.table) ? "no lesion" : dice === null ? ""
    : `Dice ${dice.toFixed(3)}`;
  const text = [score, `${volume.toFixed(1)} ml`,
    sensitivity === null ? "" : `sens. ${sensitivity.toFixed(3)}`].filter(Boolean).join("   ");
  pen.font = fontOf(state);
  pen.fillStyle = theme.text;
  const right = Math.max(...middles) + half + 8;
  if (right + pen.measureText(text).width < frame.right) write(pen, text, right, frame.y - 9);
  else {
    const left = Math.min(...levels.map(frame.px)) - 27;
    write(pen, text, Math.min(left, frame.right - 46), frame.y - 9, "right");
  }
}

/** The level that one rule gives for the whole cohort, as a thin line. @type {Draw} */
function drawCohort(pen, state, frame) {
  const level = state.data.cohortLine ?? null;
  if (level === null) return;
  const x = Math.round(frame.px(level)) + 0.5;
  pen.strokeStyle = pen.fillStyle = weak(state, 70);
  pen.lineWidth = 1;
  line(pen, x, frame.y, x, frame.bottom);
  pen.font = fontOf(state, "italic");
  const left = x <= frame.x + frame.w / 2;
  write(pen, `cohort ${level}`, x + (left ? -5 : 5), frame.y + 26, left ? "right" : "left");
}

/** @type {Draw} */
function drawHover(pen, state, frame) {
  const { hover } = state;
  if (hover === null || state.dragging) return;
  const x = Math.round(frame.px(hover)) + 0.5, left = x <= frame.x + frame.w / 2;
  pen.strokeStyle = pen.fillStyle = weak(state, 60);
  pen.lineWidth = 1;
  pen.setLineDash([2, 3]);
  line(pen, x, frame.y, x, frame.bottom);
  pen.setLineDash([]);
  const text = `${hover}: ${state.data.counts[hover].toLocaleString("en")} voxels`;
  write(pen, text, x + (left ? 5 : -5), frame.y + 12, left ? "left" : "right");
}

/** @param {State} state */
export function drawHistogram(state) {
  const { width, height } = state.chart;
  if (!width) return;
  const pen = sharp(state.nodes.histogram, width, height), frame = frameOf(state);
  pen.fillStyle = weak(state, 2.5);
  pen.fillRect(frame.x, frame.y, frame.w, frame.h);
  for (const draw of [drawBars, drawCurve, drawAxes, drawPeaks, drawCohort, drawHover,
    drawThreshold]) {
    draw(pen, state, frame);
  }
}
