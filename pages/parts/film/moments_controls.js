// @ts-check
// The controls of the comparison of moments: sliders, table, and buttons to choose by.

import { fixed } from "../shared/browser/levels.js";
import { element, press, put } from "../shared/browser/panel.js";
import { countedNames, frameOf } from "./moments_tiles.js";

/** @import { Side, State } from "./moments.js" */
/** @import { FrameFacts } from "./frames.js" */

/** @type {(value: number | null | undefined) => string} */
const percent = (value) => (Number.isFinite(value) ? `${fixed(100 * Number(value), 1)} %` : "–");
/** @type {(one: any, other: any) => string} */
const both = (one, other) => `${fixed(one, 2)} / ${fixed(other, 2)}`.replace("– / –", "–");

/** What is told of a frame: name, explanation, text.
 * @type {[string, string, (frame: FrameFacts, rule: string) => string][]} */
export const ROWS = [
  ["moment", "", (f) => f.label],
  ["slices seen by M", "", (f) => f.images.toLocaleString("en")],
  ["threshold", "By the run's rule at this snapshot's own counts.",
    (f, rule) => (f.level === null ? "none" : `${f.rule} (${rule})`)],
  ["peaks of I_ro at", "Grey levels, 0 to 255.", (f) => f.peaks.join(", ") || "none"],
  ["separated peaks, index", "The paper wants three or four; index: mean of the two largest " +
    "separations, 0 to 1.", (f) => `${f.separated}, ${fixed(f.index, 2)}`],
  ["rank correlation", "Spearman's, of I_ro with I_in; near 1 or -1 the network only sorts " +
    "brightness.", (f) => fixed(f.rank, 2)],
  ["mask stability", "Dice with the mask of the snapshot before.", (f) => fixed(f.stability, 2)],
  ["holes in the mask", "Share of the filled mask (paper, Fig. 10).", (f) => percent(f.holes)],
  ["mask, of the tissue", "Share of the slices' tissue that the mask holds.",
    (f) => percent(f.area)],
  ["wild in / out of the mask", "Mean of the wild cut, 0 to 1, in the mask and in the rest of " +
    "the tissue.", (f) => both(f.wild_in, f.wild_out)],
  ["wild on inputs / references", "Mean of the wild cut, 0 to 1, as measured at the epoch's end.",
    (f) => both(f.wild_input, f.wild_reference)],
];

/** A side's letter in its colour. @param {Pick<Side, "letter" | "colour">} side */
const chip = ({ letter, colour }) =>
  element("b", { className: "chip", style: `background: ${colour}` }, letter);

/** One slider with a name before and a text behind it.
 * @type {(name: any[], last: number, label: string, moved: (at: number) => void) => any} */
function sliderRow(name, last, label, moved) {
  const said = element("span", { className: "taken" }), input = element("input", {
    type: "range", min: 0, max: last, step: 1, ariaLabel: label, oninput: () => moved(+input.value),
  });
  const title = element("span", { className: "name" }, ...name);
  return { row: element("div", { className: "row" }, title, input, said), input, said };
}

/** Show every side at a number of slices seen. @type {(state: State, moment: number) => void} */
export function linkTo(state, moment) {
  state.moment = moment;
  state.sides.forEach((side, n) => { side.at = state.header.places[moment][n]; });
  state.redraw();
}

/** What a run shows at a number of slices seen: its snapshot nearest at or before it.
 * @type {(frames: FrameFacts[], at: number, wanted: number) => string} */
export function taken(frames, at, wanted) {
  const { label, images } = frames[at], over = at === frames.length - 1 && images < wanted;
  return `${label}${images > wanted ? ", its first" : over ? ", its last" : ""}, ${images} seen`;
}

/** One slider of slices seen for all sides, and what each side shows there. @param {State} state */
function makeLinkedSlider(state) {
  const { header: { images }, sides } = state, texts = sides.map(() => element("span"));
  const { row, input, said } = sliderRow(["slices seen"], images.length - 1,
    "Slices seen, for all runs", (at) => linkTo(state, at));
  const says = sides.map((side, n) => element("span", {}, chip(side), texts[n]));
  state.nodes.sliders.replaceChildren(row, element("div", { className: "says" }, ...says));
  state.showSliders = () => {
    const seen = images[state.moment];
    Object.assign(input, { value: state.moment, ariaValueText: `${seen} slices seen` });
    said.textContent = `${seen.toLocaleString("en")} slices`;
    state.sides.forEach((side, n) => put(texts[n],
      ` ${side.name}: ${taken(side.film.header.frames, side.at, seen)}`));
  };
}

/** A slider for each side over its own snapshots. @param {State} state */
function makeOwnSliders(state) {
  const rows = state.sides.map((side) => {
    const last = side.film.header.frames.length - 1, label = `Moment ${side.letter}, ${side.name}`;
    const made = sliderRow([chip(side), ` ${side.name}`], last, label, (at) => {
      side.at = at;
      state.redraw();
    });
    made.row.hidden = last < 1;
    return made;
  });
  state.nodes.sliders.replaceChildren(...rows.map(({ row }) => row));
  state.showSliders = () => rows.forEach(({ input, said }, n) => {
    const { label, images } = frameOf(state.sides[n]);
    said.textContent = `${label} · ${images.toLocaleString("en")} slices`;
    Object.assign(input, { value: state.sides[n].at, ariaValueText: said.textContent });
  });
}

/** @param {State} state */
export const makeSliders = (state) => (state.linked ? makeLinkedSlider : makeOwnSliders)(state);

/** @param {State} state */
export function makeTable(state) {
  const counted = countedNames(state);
  const heads = state.sides.map((side) =>
    element("th", { title: side.about }, chip(side), ` ${side.name}`));
  const rows = ROWS.map((texts) => {
    const [name, title] = texts.slice(0, 2).map((text) => `${text}`.replace("I_ro", counted));
    const first = element("td", title ? { title, className: "told" } : {}, name);
    return element("tr", {}, first, ...heads.map(() => element("td")));
  });
  state.nodes.table.replaceChildren(element("tr", {}, element("th"), ...heads), ...rows);
  state.showTable = () => ROWS.forEach(([, , text], r) => state.sides.forEach((side, n) =>
    put(rows[r].children[n + 1], text(frameOf(side), side.film.header.rule))));
}

/** Buttons of which one is pressed.
 * @type {(place: Element, names: string[], chosen: () => number, choose: (n: number) => void) =>
 *   void} */
export function makeChoice(place, names, chosen, choose) {
  const show = () => buttons.forEach((button, n) => press(button, n === chosen()));
  const buttons = names.map((name, n) => element("button", {
    onclick() {
      choose(n);
      show();
    },
  }, name));
  show();
  place.replaceChildren(...(names.length > 1 ? buttons : []));
}

/** Menus of which two sides are swiped over one another, where there are more than two.
 * @param {State} state */
export function makePair(state) {
  const { sides, pair, nodes } = state, several = sides.length > 2 && state.mode === "swipe";
  const menus = (several ? [0, 1] : []).map((end) => {
    const ariaLabel = end ? "Right of the handle" : "Left of the handle";
    const options = sides.map((side, value) =>
      element("option", { value, selected: value === pair[end] }, `${side.letter} ${side.name}`));
    const menu = element("select", { ariaLabel, onchange() {
      pair[end] = +menu.value;
      state.redraw();
    } }, ...options);
    return menu;
  });
  nodes.pair.replaceChildren(...menus);
}
