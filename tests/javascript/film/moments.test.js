import assert from "node:assert/strict";
import test from "node:test";

import { unpack } from "../../../pages/parts/film/moments.js";
import { ROWS, taken } from "../../../pages/parts/film/moments_controls.js";
import { countedNames, frameOf, light, tissueBox }
  from "../../../pages/parts/film/moments_tiles.js";
import { block, joined } from "../helpers.js";

test("films come behind the header, each behind its length", () => {
  const film = block({ size: 1, slices: [], map: "wild", maps: [], frames: [] });
  const { header, films } = unpack(joined(Buffer.from(JSON.stringify({ films: 2 })), film, film));
  assert.equal(header.films, 2);
  assert.deepEqual(films.map((one) => one.header.map), ["wild", "wild"]);
});

const frames = [{ label: "one", images: 80 }, { label: "two", images: 160 }];

test("what a run shows at a number of slices says where that is not its own", () => {
  assert.equal(taken(frames, 1, 160), "two, 160 seen");
  assert.equal(taken(frames, 1, 200), "two, its last, 160 seen");
  assert.equal(taken(frames, 0, 100), "one, 80 seen");
  assert.equal(taken(frames, 0, 40), "one, its first, 80 seen");
});

test("the table tells all of a frame, and a dash of what there is not", () => {
  const frame = { label: "cycle 1", images: 1234, level: null, rule: "≥ 9", peaks: [], area: null,
    separated: 2, index: 0.5, rank: null, stability: null, holes: 0.25, wild_in: 0.5,
    wild_out: null };
  const told = Object.fromEntries(ROWS.map(([name, , text]) => [name, text(frame, "otsu")]));
  assert.deepEqual(told, {
    "moment": "cycle 1", "slices seen by M": "1,234", "threshold": "none",
    "peaks of I_ro at": "none", "separated peaks, index": "2, 0.50", "rank correlation": "–",
    "mask stability": "–", "holes in the mask": "25.0 %", "mask, of the tissue": "–",
    "wild in / out of the mask": "0.50 / –", "wild on inputs / references": "–",
  });
  assert.equal(ROWS[2][2]({ ...frame, level: 9 }, "otsu"), "≥ 9 (otsu)");
});

test("a side shows the frame it stands at", () => {
  assert.equal(frameOf({ film: { header: { frames } }, at: 1 }), frames[1]);
});

test("the tissue's box is turned like the picture, two pixels wider, within it", () => {
  const S = 8, input = new Uint8Array(2 * S * S);
  input[S * S + 1 * S + 2] = 9; // second slice, row 1 from below, column 2 from the right
  input[S * S + 1 * S + 3] = 9;
  assert.deepEqual(tissueBox({ header: { size: S }, input }, 1), { x: 2, y: 4, w: 6, h: 4 });
  assert.deepEqual(tissueBox({ header: { size: S }, input }, 0), { x: 0, y: 0, w: S, h: S });
});

test("histograms name each map once", () => {
  const sides = ["I_ro", "residual", "I_ro"].map((countedName) =>
    ({ film: { header: { countedName } } }));
  assert.equal(countedNames({ sides }), "I_ro, residual");
});

test("a colour on black is lighter", () => {
  assert.equal(light("#0072B2"), "rgb(102,170,209)");
});
