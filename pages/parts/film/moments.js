// Moments of runs beside one another, or swiped over one another. All frames of all runs are here
// (see moments.py); sliders and the handle redraw without asking Python.

/** What is drawn of a side, in this order on its scratch canvas: input, its maps, mask. */
const drawn = (side) => ["input", ...side.film.header.shown, "mask"];
const title = (side, name) =>
  name === "both" ? "both masks" : side.film.header.heads[drawn(side).indexOf(name)];
const DASHES = [[], [6, 3], [2, 2], [8, 3, 2, 3]];
const FLOOR = -5; // log10 of the smallest share of pixels that is drawn
const GAP = 3;
const HIGH = 520; // pixels of all tiles above one another, at most

const share = (value) => (value === null ? "–" : `${(100 * value).toFixed(1)} %`);
const pair = (one, other, digits) =>
  one === null && other === null ? "–" : `${number(one, digits)} / ${number(other, digits)}`;
const ROWS = [
  ["moment", "", (f) => f.label],
  ["slices seen by M", "", (f) => f.images.toLocaleString("en")],
  ["threshold", "By the run's rule at this snapshot's own counts.",
    (f, h) => (f.level === null ? "none" : `${f.rule} (${h.rule})`)],
  ["peaks of I_ro at", "Grey levels, 0 to 255.", (f) => f.peaks.join(", ") || "none"],
  ["separated peaks, index", "The paper wants three or four; index: mean of the two largest " +
    "separations, 0 to 1.", (f) => `${f.separated}, ${number(f.index, 2)}`],
  ["rank correlation", "Spearman's, of I_ro with I_in; near 1 or -1 the network only sorts " +
    "brightness.", (f) => number(f.rank, 2)],
  ["mask stability", "Dice with the mask of the snapshot before.", (f) => number(f.stability, 2)],
  ["holes in the mask", "Share of the filled mask (paper, Fig. 10).", (f) => share(f.holes)],
  ["mask, of the tissue", "Share of the slices' tissue that the mask holds.",
    (f) => share(f.area)],
  ["wild in / out of the mask", "Mean of the wild cut, 0 to 1, in the mask and in the rest of " +
    "the tissue.", (f) => pair(f.wild_in, f.wild_out, 2)],
  ["wild on inputs / references", "Mean of the wild cut, 0 to 1, as measured at the epoch's end.",
    (f) => pair(f.wild_input, f.wild_reference, 2)],
];

function unpackAll(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const take = () => {
    const length = view.getUint32(at, true);
    at += 4 + length;
    return bytes.subarray(at - length, at);
  };
  const header = JSON.parse(new TextDecoder().decode(take()));
  const films = Array.from({ length: header.films }, () => unpack(take()));
  return { header, films };
}

const channels = (colour) => [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));
const frameOf = (side) => side.film.header.frames[side.at];

/** The five pictures of a side's slice beside each other, on its scratch canvas. */
function paintSide(side, slice) {
  const wanted = `${side.film.header.id}|${side.at}|${slice}`;
  if (side.painted === wanted) return;
  side.painted = wanted;
  const { header, input, cuts } = side.film, S = header.size, last = header.shown.length + 1;
  const wide = (last + 1) * S;
  if (side.scratch.width !== wide || side.scratch.height !== S || !side.picture) {
    side.scratch.width = wide;
    side.scratch.height = S;
    side.picture = side.scratch.getContext("2d").createImageData(wide, S);
  }
  const pixels = new Uint32Array(side.picture.data.buffer);
  const now = cuts[side.at], map = now[header.map], [from, to] = levelsKept(frameOf(side));
  side.mask = new Uint8Array(S * S);
  side.held = 0;
  for (let r = 0; r < S; r++) {
    // rows go upwards and columns to the left: patient's right is on the left of the screen
    let source = slice * S * S + (S - 1 - r) * S + S - 1, target = r * wide;
    for (let c = 0; c < S; c++, source--, target++) {
      const grey = input[source], inside = grey > 0, level = map[source];
      pixels[target] = 0xff000000 | (grey * 0x010101);
      header.shown.forEach((name, m) => {
        pixels[target + (m + 1) * S] = 0xff000000 | ((inside ? now[name][source] : 0) * 0x010101);
      });
      const kept = inside && level >= from && level <= to;
      side.mask[r * S + c] = kept;
      side.held += kept;
      const [red, green, blue] = COLOURS.mask.map((v) => (kept ? 0.35 * grey + 0.65 * v : grey));
      pixels[target + last * S] = 0xff000000 | (blue << 16) | (green << 8) | red;
    }
  }
  side.scratch.getContext("2d").putImageData(side.picture, 0, 0);
}

/** Both masks on a dim input: each side's own colour where it is alone, white where both are. */
function paintBoth(state, left, right) {
  const wanted = left.painted + "|" + right.painted;
  if (state.bothPainted === wanted) return;
  state.bothPainted = wanted;
  const S = left.film.header.size, canvas = state.both;
  canvas.width = canvas.height = S;
  const picture = canvas.getContext("2d").createImageData(S, S), grey = left.picture.data;
  const one = channels(left.colour), other = channels(right.colour), white = [255, 255, 255];
  for (let at = 0; at < S * S; at++) {
    const from = 4 * (Math.floor(at / S) * drawn(left).length * S + (at % S));
    const a = left.mask[at], b = right.mask[at];
    const paint = a && b ? white : a ? one : b ? other : null;
    for (let i = 0; i < 3; i++) {
      picture.data[4 * at + i] = paint ? 0.15 * grey[from] + 0.85 * paint[i] : 0.55 * grey[from];
    }
    picture.data[4 * at + 3] = 255;
  }
  canvas.getContext("2d").putImageData(picture, 0, 0);
}

function write(g, text, x, y, align, colour = "#fff") {
  g.font = "12px system-ui, sans-serif";
  g.textAlign = align;
  g.textBaseline = "alphabetic";
  g.lineWidth = 3;
  g.lineJoin = "round";
  g.strokeStyle = "rgba(0,0,0,0.85)";
  g.strokeText(text, x, y);
  g.fillStyle = colour;
  g.fillText(text, x, y);
}

/** Where the tissue of a slice is on the screen, two pixels around it: {x, y, w, h}. */
function tissueBox(film, slice) {
  const S = film.header.size, plane = film.input.subarray(slice * S * S, (slice + 1) * S * S);
  let left = S, right = -1, top = S, bottom = -1;
  for (let at = 0; at < S * S; at++) {
    if (!plane[at]) continue;
    const x = S - 1 - (at % S), y = S - 1 - Math.floor(at / S);
    left = Math.min(left, x); right = Math.max(right, x);
    top = Math.min(top, y); bottom = Math.max(bottom, y);
  }
  if (right < 0) return { x: 0, y: 0, w: S, h: S };
  const x = Math.max(0, left - 2), y = Math.max(0, top - 2);
  return { x, y, w: Math.min(S, right + 3) - x, h: Math.min(S, bottom + 3) - y };
}

function drawBeside(state, g, box, w, h) {
  state.tiles = [];
  state.sides.forEach((one, row) => {
    const size = one.film.header.size, y = row * (h + GAP), names = drawn(one).slice(1);
    const above = row ? drawn(state.sides[row - 1]).slice(1) : [];
    names.forEach((name, column) => {
      const x = column * (w + GAP), from = (column + 1) * size + box.x;
      g.drawImage(one.scratch, from, box.y, box.w, box.h, x, y, w, h);
      if (name !== above[column]) write(g, title(one, name), x + 9, y + 16, "left");
    });
    g.fillStyle = one.colour;
    g.fillRect(0, y, 4, h);
    write(g, `${one.letter} · ${one.name} · ${frameOf(one).label}`, 9, y + h - 8, "left");
  });
}

function drawSwiped(state, g, box, w, h) {
  const [left, right] = state.pair.map((n) => state.sides[n]), S = left.film.header.size;
  paintBoth(state, left, right);
  // Two methods may give one name to maps that mean different things.
  const common = drawn(left).filter((name) => title(left, name) === title(right, name));
  state.tiles = [...common, "both"].map((name, i) => ({
    name, x: (i % 3) * (w + GAP), y: Math.floor(i / 3) * (h + GAP), w, h,
  }));
  for (const { name, x, y } of state.tiles) {
    const foot = y + h - 8;
    if (name === "both") {
      g.drawImage(state.both, box.x, box.y, box.w, box.h, x, y, w, h);
      const word = w > 190 ? " alone" : "";
      write(g, `■ ${left.letter}${word}`, x + 6, foot, "left", light(left.colour));
      write(g, "■ both", x + w / 2, foot, "center");
      write(g, `■ ${right.letter}${word}`, x + w - 6, foot, "right", light(right.colour));
    } else {
      const from = (side) => drawn(side).indexOf(name) * S + box.x;
      const at = state.split, cut = box.w * at;
      if (at > 0) g.drawImage(left.scratch, from(left), box.y, cut, box.h, x, y, w * at, h);
      if (at < 1) {
        g.drawImage(right.scratch, from(right) + cut, box.y, box.w - cut, box.h,
          x + w * at, y, w * (1 - at), h);
      }
      handle(g, x + w * at, y, h, left.colour, right.colour);
      write(g, left.letter, x + 7, foot, "left", light(left.colour));
      write(g, right.letter, x + w - 7, foot, "right", light(right.colour));
    }
    write(g, title(left, name), x + 7, y + 16, "left");
  }
}

/** A colour that can be read on black. */
function light(colour) {
  return `rgb(${channels(colour).map((v) => Math.round(0.6 * v + 0.4 * 255)).join(",")})`;
}

function handle(g, x, y, high, one, other) {
  g.fillStyle = "rgba(0,0,0,0.6)";
  g.fillRect(x - 2, y, 4, high);
  g.fillStyle = "#fff";
  g.fillRect(x - 1, y, 2, high);
  const middle = y + high / 2;
  for (const [turn, colour] of [[-1, one], [1, other]]) {
    g.beginPath();
    g.moveTo(x + turn * 13, middle);
    g.lineTo(x + turn * 4, middle - 7);
    g.lineTo(x + turn * 4, middle + 7);
    g.closePath();
    g.fillStyle = colour;
    g.fill();
    g.strokeStyle = "#fff";
    g.lineWidth = 1.5;
    g.stroke();
  }
}

function drawTiles(state) {
  const { sides, nodes } = state, swiped = state.mode === "swipe";
  for (const side of sides) paintSide(side, state.slice);
  const width = nodes.tiles.parentElement.clientWidth;
  const columns = swiped ? 3 : Math.max(...sides.map((side) => drawn(side).length - 1));
  const rows = swiped ? 2 : sides.length;
  const box = state.box = tissueBox(sides[0].film, state.slice);
  const scale = Math.min((width - (columns - 1) * GAP) / columns / box.w, HIGH / rows / box.h);
  const w = box.w * scale, h = box.h * scale;
  const wide = columns * (w + GAP) - GAP, high = rows * (h + GAP) - GAP;
  const g = fit(nodes.tiles, wide, high);
  g.fillStyle = "#000";
  g.fillRect(0, 0, wide, high);
  g.imageSmoothingEnabled = scale < 2;
  if (swiped) drawSwiped(state, g, box, w, h); else drawBeside(state, g, box, w, h);
  nodes.tiles.style.cursor = swiped ? "ew-resize" : "default";
  nodes.tiles.setAttribute("role", swiped ? "slider" : "img");
  nodes.tiles.tabIndex = swiped ? 0 : -1;
  nodes.tiles.setAttribute("aria-valuenow", Math.round(100 * state.split));
}

/** What the histograms are of: "I_ro", or "I_ro, residual" where the sides' methods differ. */
const counted = (state) =>
  [...new Set(state.sides.map((side) => side.film.header.countedName))].join(", ");

function drawHistogram(state, look) {
  const width = state.nodes.histogram.parentElement.clientWidth, high = 10 * state.sides.length;
  const height = 200 + high, g = fit(state.nodes.histogram, width, height);
  const box = { x: 46, y: 6 + high, w: width - 60, h: 166 };
  const px = (level) => box.x + ((level + 0.5) / 256) * box.w, wide = box.w / 256;
  const py = (part) =>
    box.y + box.h * (1 - (Math.max(FLOOR, Math.log10(part || 1e-9)) - FLOOR) / -FLOOR);
  g.font = `10.5px ${look.font}`;
  g.textAlign = "right";
  for (const [log, text] of [[-5, "0.001 %"], [-3, "0.1 %"], [-1, "10 %"]]) {
    const y = py(10 ** log);
    g.fillStyle = look.text;
    g.fillText(text, box.x - 5, y + 3);
    g.fillStyle = look.line;
    g.fillRect(box.x, y, box.w, 1);
  }
  state.sides.forEach((side, n) => {
    const counts = side.film.counts[side.at], frame = frameOf(side);
    const total = counts.reduce((sum, one) => sum + one, 0) || 1;
    const outline = new Path2D();
    for (let level = 0; level < 256; level++) {
      const x = box.x + level * wide, y = py(counts[level] / total);
      if (level) outline.lineTo(x, y); else outline.moveTo(x, y);
      outline.lineTo(x + wide, y);
    }
    const area = new Path2D(outline);
    area.lineTo(box.x + box.w, box.y + box.h);
    area.lineTo(box.x, box.y + box.h);
    g.globalAlpha = 0.16;
    g.fillStyle = side.colour;
    g.fill(area);
    g.globalAlpha = 1;
    g.strokeStyle = side.colour;
    g.lineWidth = 1.5;
    g.setLineDash(DASHES[n]);
    g.stroke(outline);
    if (frame.level !== null && side.film.header.map === side.film.header.counted) {
      for (const level of frame.upper === null ? [frame.level] : [frame.level, frame.upper]) {
        g.beginPath();
        g.moveTo(px(level), 12 + 10 * n);
        g.lineTo(px(level), box.y + box.h);
        g.lineWidth = 2;
        g.stroke();
        g.fillStyle = look.text;
        g.textAlign = "center";
        g.fillText(`${side.letter} ${level}`, px(level), 10 + 10 * n);
      }
    }
    g.setLineDash([]);
    g.lineWidth = 1;
    for (const peak of frame.peaks) {
      const x = px(peak), y = py(counts[peak] / total) - 7;
      g.beginPath();
      g.moveTo(x, y - 6); g.lineTo(x + 6, y); g.lineTo(x, y + 6); g.lineTo(x - 6, y);
      g.closePath();
      g.fillStyle = side.colour;
      g.fill();
      g.strokeStyle = look.text;
      g.stroke();
    }
  });
  axis(g, look, box, `grey level of ${counted(state)}, 0–255 (raw)`,
    [0, 64, 128, 192, 255].map((n) => [px(n), n]));
}

function draw(state) {
  state.asked = 0;
  const began = performance.now();
  if (!state.root.clientWidth) return;
  drawTiles(state);
  drawHistogram(state, theme(state.root));
  state.cells.forEach((row, r) => row.forEach((cell, n) => {
    const text = ROWS[r][2](frameOf(state.sides[n]), state.sides[n].film.header);
    if (cell.textContent !== text) cell.textContent = text;
  }));
  state.rows.forEach((row) => row.show());
  const { root } = state;
  root.dataset.frames = state.sides.map((side) => side.at).join(",");
  root.dataset.held = state.sides.map((side) => side.held).join(",");
  root.dataset.mode = state.mode;
  root.dataset.pair = state.pair.join(",");
  root.dataset.split = state.split.toFixed(2);
  root.dataset.slice = state.slice;
  root.dataset.drawn = ++state.drawn;
  root.dataset.took = (performance.now() - began).toFixed(1);
}

function redraw(state) {
  if (!state.asked) state.asked = requestAnimationFrame(() => draw(state));
}
