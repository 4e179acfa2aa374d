// The six pictures of the Cuts page: layout, windows, lit pixels, truth outline, cursor.

const TITLES = {
  input: "I_in · input", fence: "I_fc · fence cut", wild: "I_wc · wild cut",
  reconstruction: "I_ro · reconstruction", residual: "I_in − I_fc · residual", mask: "mask on I_in",
};
const REGION = 1, TRUTH = 2, MASK = 4;

/** Screen layout of the six tiles: three beside each other, two where it is narrow. */
function tilesOf(width, header) {
  const [X, Y] = header.shape, [sx, sy] = header.spacing;
  const names = [...header.maps, "mask"];
  const columns = width >= 460 ? 3 : 2, gap = 2, rows = Math.ceil(names.length / columns);
  const w = (width - gap * (columns - 1)) / columns;
  const h = clamp(w * ((Y * sy) / (X * sx)), 120, 262);
  const tiles = names.map((name, i) => ({
    name, x: (i % columns) * (w + gap), y: Math.floor(i / columns) * (h + gap), w, h,
  }));
  return { tiles, height: rows * (h + gap) - gap };
}

/** Edges of a flag's pixels in display coordinates (column, row), as one path. */
function outline(flags, X, Y, bit) {
  const path = new Path2D();
  const on = (c, r) =>
    c >= 0 && r >= 0 && c < X && r < Y && (flags[(Y - 1 - r) * X + (X - 1 - c)] & bit) !== 0;
  let any = false;
  for (let r = 0; r <= Y; r++) {
    for (let c = 0; c <= X; c++) {
      if (on(c, r) !== on(c, r - 1)) { path.moveTo(c, r); path.lineTo(c + 1, r); any = true; }
      if (on(c, r) !== on(c - 1, r)) { path.moveTo(c, r); path.lineTo(c, r + 1); any = true; }
    }
  }
  return any ? path : null;
}

function lights(pick, volumes, at) {
  if (!pick) return false;
  if (pick.kind === "levels") {
    const value = volumes[pick.map][at];
    return value >= pick.from && value <= pick.to;
  }
  const fence = volumes.fence[at], wild = volumes.wild[at];
  return fence >= pick.fence[0] && fence <= pick.fence[1] &&
    wild >= pick.wild[0] && wild <= pick.wild[1];
}

function drawTiles(state) {
  const { header, volumes } = state, [X, Y] = header.shape, [sx, sy] = header.spacing;
  const canvas = state.nodes.tiles, width = state.nodes.left.clientWidth;
  if (!width) return;
  const { tiles, height } = tilesOf(width, header);
  state.tiles = tiles;
  const g = fit(canvas, width, height);
  g.fillStyle = "#000";
  g.fillRect(0, 0, width, height);
  const plane = clamp(state.slice - header.first, 0, header.held - 1) * X * Y;
  const cut = {};
  for (const name of Object.keys(volumes)) cut[name] = volumes[name].subarray(plane, plane + X * Y);
  const truth = header.truth ? outline(cut.flags, X, Y, TRUTH) : null;
  const pick = state.draft || state.pick;
  const lit = [213, 94, 0], rose = [230, 120, 185];
  let count = 0;
  for (const tile of tiles) {
    const source = cut[tile.name === "mask" ? "input" : tile.name];
    const [low, high] = state.windows[tile.name === "mask" ? "input" : tile.name];
    const picture = g.createImageData(X, Y), over = g.createImageData(X, Y);
    const gain = 255 / Math.max(1, high - low);
    for (let r = 0; r < Y; r++) {
      for (let c = 0; c < X; c++) {
        const at = (Y - 1 - r) * X + (X - 1 - c), to = 4 * (r * X + c);
        const grey = (source[at] - low) * gain;
        picture.data[to] = picture.data[to + 1] = picture.data[to + 2] = grey;
        picture.data[to + 3] = 255;
        if (!(cut.flags[at] & REGION)) continue;
        const chosen = lights(pick, cut, at);
        if (chosen && tile === tiles[0]) count++;
        const paint = chosen ? rose : tile.name === "mask" && cut.flags[at] & MASK ? lit : null;
        if (!paint) continue;
        over.data[to] = paint[0];
        over.data[to + 1] = paint[1];
        over.data[to + 2] = paint[2];
        over.data[to + 3] = chosen ? 190 : 140;
      }
    }
    const k = state.zoom * Math.min(tile.w / (X * sx), tile.h / (Y * sy));
    const ox = tile.x + tile.w / 2 - state.centre[0] * sx * k;
    const oy = tile.y + tile.h / 2 - state.centre[1] * sy * k;
    tile.to = (px, py) => [(px - ox) / (sx * k), (py - oy) / (sy * k)];
    g.save();
    g.beginPath();
    g.rect(tile.x, tile.y, tile.w, tile.h);
    g.clip();
    state.scratch.width = X;
    state.scratch.height = Y;
    const scratch = state.scratch.getContext("2d");
    scratch.putImageData(picture, 0, 0);
    g.imageSmoothingEnabled = state.zoom < 4;
    g.drawImage(state.scratch, ox, oy, X * sx * k, Y * sy * k);
    scratch.putImageData(over, 0, 0);
    g.imageSmoothingEnabled = false;
    g.drawImage(state.scratch, ox, oy, X * sx * k, Y * sy * k);
    if (truth) {
      const moved = new Path2D();
      moved.addPath(truth, new DOMMatrix([sx * k, 0, 0, sy * k, ox, oy]));
      g.strokeStyle = COLOURS.truth;
      g.lineWidth = 1.3;
      g.stroke(moved);
    }
    if (state.cursor) {
      const x = ox + (state.cursor[0] + 0.5) * sx * k, y = oy + (state.cursor[1] + 0.5) * sy * k;
      g.fillStyle = "rgba(255,255,255,0.55)";
      g.fillRect(x - 0.5, tile.y, 1, y - tile.y - 5);
      g.fillRect(x - 0.5, y + 5, 1, tile.h);
      g.fillRect(tile.x, y - 0.5, x - tile.x - 5, 1);
      g.fillRect(x + 5, y - 0.5, tile.w, 1);
    }
    label(g, tile, state, cut);
    g.restore();
  }
  state.root.dataset.lit = count;
}

function label(g, tile, state, cut) {
  const [X, Y] = state.header.shape;
  g.font = "12px system-ui, sans-serif";
  g.textBaseline = "alphabetic";
  const write = (text, x, y, align, colour = "#fff") => {
    g.textAlign = align;
    g.strokeStyle = "rgba(0,0,0,0.8)";
    g.lineWidth = 3;
    g.strokeText(text, x, y);
    g.fillStyle = colour;
    g.fillText(text, x, y);
  };
  write(TITLES[tile.name], tile.x + 7, tile.y + 16, "left");
  if (tile.name !== "mask") {
    const [low, high] = state.windows[tile.name];
    if (state.cursor) {
      const [c, r] = state.cursor, at = (Y - 1 - r) * X + (X - 1 - c);
      write(cut[tile.name][at], tile.x + tile.w - 7, tile.y + 16, "right");
    }
    if (low > 0 || high < 255) {
      write(`window ${low}–${high}`, tile.x + 7, tile.y + tile.h - 7, "left", "#ccc");
    }
  }
  write("R", tile.x + 6, tile.y + tile.h / 2 + 4, "left", "#bbb");
  write("L", tile.x + tile.w - 6, tile.y + tile.h / 2 + 4, "right", "#bbb");
}
