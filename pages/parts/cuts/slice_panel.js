// The Cuts page's panel: six pictures of one slice under one cursor, and the charts that light
// up their pixels. Data come as one block of bytes: uint32 length, JSON header, then uint8 volumes
// of the held slices, x fastest. Python hears of the slice and of the choice, never of a mouse move.

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

/** The view that shows the whole region with a margin; a small region fills its tile. */
function home(header) {
  const [X, Y] = header.shape, [x0, x1, y0, y1] = header.box;
  const zoom = clamp(0.92 * Math.min(X / (x1 - x0 + 1), Y / (y1 - y0 + 1)), 1, 6);
  if (zoom < 1.15) return { zoom: 1, centre: middle(header) };
  return { zoom, centre: [X - (x0 + x1 + 1) / 2, Y - (y0 + y1 + 1) / 2] };
}

function reset(state) {
  Object.assign(state, home(state.header));
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
