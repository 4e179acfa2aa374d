// The Cuts page's panel: six pictures of one slice under one cursor, and the charts that light
// up their pixels. Data come as one block of bytes: uint32 length, JSON header, then uint8 volumes
// of the held slices, x fastest. Python hears of the slice and of the choice, never of a mouse move.

const TITLES = {
  input: "I_in · input", fence: "I_fc · fence cut", wild: "I_wc · wild cut",
  reconstruction: "I_ro · reconstruction", residual: "I_in − I_fc · residual", mask: "mask on I_in",
};
const REGION = 1, TRUTH = 2, MASK = 4;

function unpack(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getUint32(0, true);
  const text = new TextDecoder().decode(bytes.subarray(4, 4 + length));
  const header = JSON.parse(text);
  const [X, Y] = header.shape, size = X * Y * header.held;
  let at = 4 + length;
  const volumes = {};
  for (const name of [...header.maps, "flags"]) {
    volumes[name] = bytes.subarray(at, at + size);
    at += size;
  }
  return { header, volumes };
}

/** Screen layout of the six tiles: three beside each other, two where it is narrow. */
function tilesOf(width, header) {
  const [X, Y] = header.shape, [sx, sy] = header.spacing;
  const names = [...header.maps, "mask"];
  const columns = width >= 520 ? 3 : 2, gap = 2, rows = Math.ceil(names.length / columns);
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

function drawCharts(state) {
  const { header, nodes, root } = state;
  drawJoint(nodes.joint, nodes.right.clientWidth, clamp(nodes.right.clientWidth * 0.86, 200, 330),
    root, header, state);
  for (const chart of CHARTS) {
    const width = nodes[chart.key].parentElement.clientWidth;
    drawHistogram(nodes[chart.key], width, 168, root, {
      main: chart.main, xTitle: chart.xTitle, peaks: header.peaks[chart.main],
      series: chart.series.map((s) => ({ ...s, counts: header.counts[s.map] })),
    }, state);
  }
}

const CHARTS = [
  { key: "fenceChart", main: "fence", xTitle: "fence cut, grey level 0–255 (raw)",
    series: [{ map: "fence", fill: true }] },
  { key: "wildChart", main: "wild", xTitle: "wild cut, grey level 0–255 (raw)",
    series: [{ map: "wild", fill: true }] },
  { key: "reconstructionChart", main: "reconstruction",
    xTitle: "grey line: I_in · dark: I_ro, grey level 0–255 (raw)",
    series: [{ map: "input", fill: false }, { map: "reconstruction", fill: true }] },
];

function redraw(state) {
  if (state.frame) return;
  state.frame = requestAnimationFrame(() => {
    state.frame = 0;
    drawTiles(state);
    drawCharts(state);
    readout(state);
  });
}

function readout(state) {
  const { header, nodes, root } = state, [X, Y, Z] = header.shape;
  const parts = [`slice ${state.slice + 1} of ${Z}`];
  if (state.cursor) {
    const x = X - 1 - state.cursor[0], y = Y - 1 - state.cursor[1];
    const at = ((state.slice - header.first) * Y + y) * X + x;
    parts.push(`voxel ${x}, ${y}, ${state.slice}`);
    for (const name of header.maps) parts.push(`${NAMES[name]} ${state.volumes[name][at]}`);
  }
  nodes.readout.textContent = parts.join("  ·  ");
  nodes.answer.textContent = header.answer;
  nodes.note.textContent = header.note;
  nodes.clear.hidden = !state.pick;
  nodes.log.setAttribute("aria-pressed", state.log);
  root.dataset.slice = state.slice;
  root.dataset.pick = state.pick ? JSON.stringify(state.pick) : "";
  for (const button of root.querySelectorAll("button.peak")) {
    const pick = state.pick;
    button.setAttribute("aria-pressed", Boolean(pick && pick.kind === "levels" &&
      pick.map === button.dataset.map && pick.name === button.dataset.name));
  }
}

function goTo(state, slice) {
  const { header } = state;
  const wanted = clamp(slice, 0, header.shape[2] - 1);
  if (wanted === state.slice) return;
  const held = wanted >= header.first && wanted < header.first + header.held;
  if (held) state.slice = wanted;
  else state.waiting = wanted;
  redraw(state);
  clearTimeout(state.timer);
  state.timer = setTimeout(() => {
    state.told = wanted;
    state.report("slice", wanted);
  }, held ? 250 : 0);
}

function choose(state, pick) {
  state.draft = null;
  state.pick = pick;
  state.report("pick", pick);
  redraw(state);
}

const sorted = (a, b) => (a <= b ? [a, b] : [b, a]);

function listenCharts(state) {
  const { nodes } = state;
  const joint = nodes.joint;
  const spot = (event) => {
    const box = joint.getBoundingClientRect(), f = frameOf(box.width, box.height);
    return [f.level(event.clientX - box.left), f.levelUp(event.clientY - box.top)];
  };
  const pairs = (a, b) => ({ kind: "pairs", fence: sorted(a[0], b[0]), wild: sorted(a[1], b[1]) });
  gesture(joint, spot, (a, b) => { state.draft = pairs(a, b); redraw(state); }, (a, b) => {
    const far = Math.abs(a[0] - b[0]) + Math.abs(a[1] - b[1]) >= 4;
    choose(state, far ? pairs(a, b) : null);
  });
  for (const chart of CHARTS) {
    const canvas = nodes[chart.key];
    const level = (event) => {
      const box = canvas.getBoundingClientRect();
      return frameOf(box.width, box.height).level(event.clientX - box.left);
    };
    const range = (a, b) => {
      const [from, to] = sorted(a, b);
      return { kind: "levels", map: chart.main, from, to, name: "" };
    };
    gesture(canvas, level, (a, b) => { state.draft = range(a, b); redraw(state); }, (a, b) => {
      if (Math.abs(a - b) >= 3) return choose(state, range(a, b));
      const peak = state.header.peaks[chart.main].find((p) => a >= p.left && a <= p.right);
      return choose(state, peak ? peakPick(chart.main, peak) : null);
    });
  }
}

const peakPick = (map, peak) =>
  ({ kind: "levels", map, from: peak.left, to: peak.right, name: peak.name });

function listenTiles(state) {
  const canvas = state.nodes.tiles;
  const tileAt = (event) => {
    const box = canvas.getBoundingClientRect();
    const x = event.clientX - box.left, y = event.clientY - box.top;
    const tile = state.tiles.find((t) => x >= t.x && x < t.x + t.w && y >= t.y && y < t.y + t.h);
    return { tile, x, y };
  };
  const moveCursor = (event) => {
    const { tile, x, y } = tileAt(event), [X, Y] = state.header.shape;
    if (!tile || !tile.to) return;
    const [c, r] = tile.to(x, y).map(Math.floor);
    state.cursor = c >= 0 && r >= 0 && c < X && r < Y ? [c, r] : null;
    redraw(state);
  };
  let drag = null;
  canvas.addEventListener("pointerdown", (event) => {
    const { tile, x, y } = tileAt(event);
    if (!tile) return;
    canvas.focus();
    canvas.setPointerCapture(event.pointerId);
    const name = tile.name === "mask" ? "input" : tile.name;
    drag = { x, y, name, tile, pan: event.shiftKey || event.button !== 0,
      window: [...state.windows[name]], centre: [...state.centre] };
    event.preventDefault();
    canvas.focus();
  });
  canvas.addEventListener("pointermove", (event) => {
    moveCursor(event);
    if (!drag) return;
    const { x, y } = tileAt(event), [sx, sy] = state.header.spacing, [X, Y] = state.header.shape;
    if (drag.pan) {
      const k = state.zoom * Math.min(drag.tile.w / (X * sx), drag.tile.h / (Y * sy));
      state.centre = [drag.centre[0] - (x - drag.x) / (sx * k),
        drag.centre[1] - (y - drag.y) / (sy * k)];
    } else if (Math.abs(x - drag.x) + Math.abs(y - drag.y) > 3) {
      // To the right the window widens (less contrast), downwards the picture brightens.
      const [low, high] = drag.window;
      const middle = clamp((low + high) / 2 - (y - drag.y), 0, 255);
      const half = clamp((high - low) / 2 + (x - drag.x) / 2, 2, 255);
      const a = Math.round(clamp(middle - half, 0, 253));
      state.windows[drag.name] = [a, Math.round(clamp(middle + half, a + 2, 255))];
    }
    redraw(state);
  });
  canvas.addEventListener("pointerup", () => { drag = null; });
  canvas.addEventListener("pointercancel", () => { drag = null; });
  canvas.addEventListener("pointerleave", () => { state.cursor = null; redraw(state); });
  canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  canvas.addEventListener("dblclick", () => reset(state));
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    if (!event.ctrlKey) {
      state.turned = (state.turned || 0) + event.deltaY;
      // A notch is 100 or more; a touch pad sends many small turns that add up to one slice.
      if (Math.abs(state.turned) < 30) return;
      goTo(state, (state.waiting ?? state.slice) - Math.sign(state.turned));
      state.turned = 0;
      return;
    }
    const { tile, x, y } = tileAt(event);
    if (tile) zoom(state, event.deltaY < 0 ? 1.2 : 1 / 1.2, tile.to(x, y));
  }, { passive: false });
  canvas.addEventListener("keydown", (event) => {
    const last = state.header.shape[2] - 1;
    const keys = {
      ArrowUp: () => goTo(state, state.slice + 1), ArrowDown: () => goTo(state, state.slice - 1),
      PageUp: () => goTo(state, state.slice + 5), PageDown: () => goTo(state, state.slice - 5),
      Home: () => goTo(state, 0), End: () => goTo(state, last),
      "+": () => zoom(state, 1.2, state.centre), "=": () => zoom(state, 1.2, state.centre),
      "-": () => zoom(state, 1 / 1.2, state.centre), 0: () => reset(state),
      Escape: () => choose(state, null),
    };
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
}

function zoom(state, factor, about) {
  const next = clamp(state.zoom * factor, 1, 12), ratio = state.zoom / next;
  const old = state.centre;
  state.centre = old.map((c, i) => about[i] + (c - about[i]) * ratio);
  state.zoom = next;
  if (next === 1) state.centre = middle(state.header);
  redraw(state);
}

const middle = (header) => [header.shape[0] / 2, header.shape[1] / 2];

function reset(state) {
  state.zoom = 1;
  state.centre = middle(state.header);
  for (const name of state.header.maps) state.windows[name] = [0, 255];
  redraw(state);
}

/** Buttons of the peaks, so that they are reached by keyboard and can be read aloud. */
function peakButtons(state) {
  for (const chart of CHARTS) {
    const holder = state.nodes[`${chart.main}Peaks`], peaks = state.header.peaks[chart.main];
    holder.replaceChildren();
    if (!peaks.length) holder.textContent = "no peak stands out; drag over levels instead";
    for (const peak of peaks) {
      const button = document.createElement("button");
      button.className = "peak";
      button.textContent = `${peak.name} · ${peak.position}`;
      button.title = `levels ${peak.left} to ${peak.right}; click to light up their pixels`;
      button.dataset.map = chart.main;
      button.dataset.name = peak.name;
      button.addEventListener("click", () => {
        const on = button.getAttribute("aria-pressed") === "true";
        choose(state, on ? null : peakPick(chart.main, peak));
      });
      holder.append(button);
    }
  }
}

export default function (component) {
  const { parentElement, data, setStateValue } = component;
  const root = parentElement.querySelector(".cuts");
  if (!data) return;
  const { header, volumes } = unpack(data);
  let state = root.state;
  if (!state) {
    const nodes = {};
    for (const node of root.querySelectorAll("[data-node]")) nodes[node.dataset.node] = node;
    state = root.state = {
      root, nodes, scratch: document.createElement("canvas"), log: true, cursor: null, frame: 0,
      tiles: [], windows: {}, zoom: 1, pick: null, draft: null,
    };
  }
  const first = !state.header, fresh = first || state.header.id !== header.id;
  const moved = first || state.header.slice !== header.slice;
  Object.assign(state, { header, volumes, report: setStateValue });
  if (fresh) {
    reset(state);
    state.pick = header.pick;
    state.slice = header.slice;
    peakButtons(state);
  } else if (state.waiting !== undefined || (moved && header.slice !== state.told)) {
    // An echo of our own report must not undo a wheel turn made meanwhile.
    state.slice = header.slice;
  }
  state.waiting = undefined;
  state.slice = clamp(state.slice, header.first, header.first + header.held - 1);
  if (first) {
    listenTiles(state);
    listenCharts(state);
    state.nodes.clear.addEventListener("click", () => choose(state, null));
    state.nodes.log.addEventListener("click", () => { state.log = !state.log; redraw(state); });
    new ResizeObserver(() => redraw(state)).observe(root);
  }
  redraw(state);
}
