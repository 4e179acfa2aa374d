// The viewer's behaviour: what pointer, wheel and keys do, what Python is told and when.
// Everything drawn follows `state`; Python hears of a threshold when the pointer is let go.

const SETTLE = { pointer: 0, keys: 180, cursor: 350 }; // ms before Python is told

function makeState(parent, send) {
  const root = parent.querySelector(".viewer");
  const state = {
    root, send, data: null, volume: null, planes: [], cursor: [0, 0, 0], centre: null, zoom: 1,
    fit: 1, window: [0, 255], t: 128, upper: null, side: "bright", rule: "", none: false, seq: 0,
    map: "",
    table: null, cleaned: null, thresholdKey: "", hasTruth: false, shape: null, tool: null,
    hover: null, hoverPeak: -1, dragging: null, pointed: null, acts: [], unsent: false,
    pending: false, timer: 0,
    chart: root.querySelector(".histogram"), chartBox: { width: 0, height: 0 },
    font: "12px sans-serif", ink: {}, store: sharedStore(),
    look: {
      mask: true, opacity: 45, colour: "#D55E00", outline: false, truth: true, radiological: true,
      scale: "sqrt", curve: false, ...readLook(),
    },
  };
  state.planes = [...root.querySelectorAll(".plane")].map(makePlane);
  return state;
}

/** How the overlay looks is the person's taste, not the view's: it stays in the browser. */
function readLook() {
  try {
    return JSON.parse(localStorage.getItem("ascnet look")) ?? {};
  } catch {
    return {};
  }
}

function setLook(state, changes) {
  Object.assign(state.look, changes);
  try {
    localStorage.setItem("ascnet look", JSON.stringify(state.look));
  } catch { /* private windows: it lasts as long as the page */ }
  showLook(state);
  if (state.volume) layOut(state);
  redraw(state);
}

function showLook(state) {
  const { root, look } = state;
  for (const name of ["mask", "outline", "truth"]) {
    root.querySelector(`[name=${name}]`).checked = look[name];
  }
  root.querySelector("[name=opacity]").value = look.opacity;
  root.querySelector("[name=colour]").value = look.colour;
  root.style.setProperty("--mask", look.colour);
  root.querySelector("[name=sides]").textContent = look.radiological ? "R|L" : "L|R";
  for (const name of ["linear", "sqrt", "log"]) {
    root.querySelector(`[name=${name}]`).ariaPressed = `${look.scale === name}`;
  }
  root.querySelector("[name=curve]").ariaPressed = `${look.curve}`;
  for (const name of ["rectangle", "ellipse"]) {
    root.querySelector(`[name=${name}]`).ariaPressed = `${state.tool === name}`;
  }
  root.querySelector("[name=band]").ariaPressed = `${state.upper !== null}`;
}

function readInk(state) {
  const style = getComputedStyle(state.root);
  const text = style.getPropertyValue("--st-text-color").trim() || "#1a1a1a";
  const paper = style.getPropertyValue("--st-background-color").trim() || "#fff";
  state.ink = { text, paper, bar: mix(text, paper, 0.78), soft: mix(text, paper, 0.6),
    ground: mix(text, paper, 0.025) };
  state.font = `12px ${style.fontFamily}`;
}

function mix(text, paper, share) {
  return `color-mix(in srgb, ${text} ${share * 100}%, ${paper})`;
}

/** Draw everything once before the next frame, however often it was asked for. */
function redraw(state) {
  if (state.pending) return;
  state.pending = true;
  requestAnimationFrame(() => {
    state.pending = false;
    if (!state.data || !state.root.isConnected) return;
    if (state.volume) for (const plane of state.planes) drawPlane(state, plane);
    drawHistogram(state);
    showValues(state);
    state.store.frames += 1;
    state.store.drawn = performance.now();
  });
}

function showValues(state) {
  const { volume, data } = state;
  const place = state.pointed ?? state.cursor;
  const cells = [`<span class="where dim">voxel <b>${place.join(", ")}</b></span>`];
  if (volume) {
    const local = place.map((v, axis) => v - volume.offset[axis]);
    const at = local[0] + volume.shape[0] * (local[1] + volume.shape[1] * local[2]);
    const inside = local.every((v, axis) => v >= 0 && v < volume.shape[axis]);
    for (const [name, label] of data.values) {
      const value = inside && volume.maps[name] ? volume.maps[name][at] : "–";
      const bold = name === state.map ? "" : ' class="dim"';
      cells.push(`<span${bold}>${label} <b>${value}</b></span>`);
    }
  }
  state.root.querySelector(".values").innerHTML = cells.join("");
}

/** Move the threshold; `rule` names where the number came from ("" = by hand). */
function setThreshold(state, changes, settle = null) {
  const before = `${state.t} ${state.upper} ${state.side} ${state.rule} ${state.none}`;
  Object.assign(state, { none: false }, changes);
  if (!("rule" in changes)) state.rule = "";
  state.thresholdKey = `${state.t} ${state.upper} ${state.side}`;
  const { t, upper, side, rule, none } = state;
  Object.assign(state.store, { live: { t, upper, side, rule }, none });
  if (before !== `${t} ${upper} ${side} ${rule} ${none}`) {
    if (state.shape && !state.dragging) state.shape = null;
    tell(state.store, "live");
    redraw(state);
    showLook(state);
  }
  if (settle !== null) report(state, settle);
}

/** Tell Python after a pause, so that a held key is one message.

An act (accept, next subject, a drawn region) goes along until Python answers it: of two messages in
quick succession it may see only the last. */
function report(state, wait, act = null) {
  if (act) state.acts.push({ ...act, seq: state.seq + 1 });
  clearTimeout(state.timer);
  state.unsent = true;
  const tellPython = () => {
    state.unsent = false;
    state.seq += 1;
    const { t, upper, side, rule, cursor, seq, acts } = state;
    state.send({ seq, key: state.data.key, t, upper, side, rule, cursor, acts });
  };
  if (wait) state.timer = setTimeout(tellPython, wait);
  else tellPython();
}

function setCursor(state, cursor, wait = SETTLE.cursor) {
  const full = state.volume?.full ?? state.data.full;
  const next = cursor.map((v, axis) => clamp(v, 0, full[axis] - 1));
  if (next.every((v, axis) => v === state.cursor[axis])) return;
  state.cursor = next;
  redraw(state);
  report(state, wait);
}

function takePeak(state, index) {
  const peak = state.data.peaks[index];
  if (!peak) return;
  setThreshold(state, { t: peak.position, upper: null, rule: `peak:${index + 1}` });
}

function nextPeak(state, step) {
  const peaks = state.data.peaks;
  if (!peaks.length) return;
  const positions = peaks.map((peak) => peak.position);
  let index = step > 0 ? positions.findIndex((p) => p > state.t)
    : positions.findLastIndex((p) => p < state.t);
  if (index < 0) index = step > 0 ? 0 : peaks.length - 1;
  takePeak(state, index);
  report(state, SETTLE.keys);
}

function toggleBand(state) {
  if (state.upper !== null) setThreshold(state, { upper: null }, SETTLE.pointer);
  else {
    const far = state.side === "dark" ? Math.max(0, state.t - 30) : Math.min(255, state.t + 30);
    const [low, high] = [Math.min(state.t, far), Math.max(state.t, far)];
    setThreshold(state, { t: low, upper: high }, SETTLE.pointer);
  }
}

// --- keys and buttons ----------------------------------------------------------------------------

const KEYS = {
  ArrowLeft: (state, event) => nudge(state, event.shiftKey ? -10 : -1),
  ArrowRight: (state, event) => nudge(state, event.shiftKey ? 10 : 1),
  ArrowUp: (state) => moveSlice(state, "axial", 1, SETTLE.cursor),
  ArrowDown: (state) => moveSlice(state, "axial", -1, SETTLE.cursor),
  p: (state, event) => nextPeak(state, event.shiftKey ? -1 : 1),
  b: (state) => setThreshold(state, { side: state.side === "bright" ? "dark" : "bright",
    ...(state.none ? { none: true, rule: state.rule } : {}) }, SETTLE.keys),
  n: (state, event) => report(state, 0, { step: event.shiftKey ? -1 : 1 }),
  Enter: (state) => report(state, 0, { accept: true }),
  m: (state) => setLook(state, { mask: !state.look.mask }),
  o: (state) => setLook(state, { outline: !state.look.outline }),
  t: (state) => setLook(state, { truth: !state.look.truth }),
  "+": (state) => zoomBy(state, 1.25),
  "=": (state) => zoomBy(state, 1.25),
  "-": (state) => zoomBy(state, 0.8),
  0: (state) => fitAgain(state),
  h: (state) => toggleHelp(state),
};

function nudge(state, by) {
  setThreshold(state, { t: clamp(state.t + by, 0, state.upper ?? 255) }, SETTLE.keys);
}

function toggleHelp(state) {
  const help = state.root.querySelector(".help");
  help.hidden = !help.hidden;
  state.root.querySelector("[name=help]").ariaPressed = `${!help.hidden}`;
}

function fitAgain(state) {
  Object.assign(state, { zoom: 1, centre: null, window: [0, 255], shape: null });
  redraw(state);
}

/** Keys belong to the viewer unless someone types, or a menu or slider has them. */
function listenToKeys(state) {
  const onKey = (event) => {
    if (!state.data || event.ctrlKey || event.metaKey || event.altKey) return;
    const path = event.composedPath();
    const here = path.includes(state.root);
    const field = path[0];
    const typing = field.closest?.(
      "input:not([type=checkbox]), textarea, select, [role=slider], [role=listbox], " +
      "[role=combobox], [role=dialog], [contenteditable=true]");
    const pressing = field.closest?.("button, a, label") && !here;
    if (typing || (!here && pressing)) return;
    const act = KEYS[event.key] ?? KEYS[event.key.toLowerCase()];
    if (!act || (event.key === "Enter" && field.closest?.("button"))) return;
    event.preventDefault();
    event.stopPropagation();
    act(state, event);
  };
  document.addEventListener("keydown", onKey, true);
  return () => document.removeEventListener("keydown", onKey, true);
}

function listenToTools(state) {
  const { root } = state;
  // a pressed button would keep the focus, and with it Enter, which accepts
  for (const button of root.querySelectorAll("button")) {
    button.addEventListener("mousedown", (event) => event.preventDefault());
  }
  const on = (name, kind, act) => root.querySelector(`[name=${name}]`).addEventListener(kind, act);
  for (const name of ["mask", "outline", "truth"]) {
    on(name, "change", (event) => setLook(state, { [name]: event.target.checked }));
  }
  on("opacity", "input", (event) => setLook(state, { opacity: Number(event.target.value) }));
  on("colour", "input", (event) => setLook(state, { colour: event.target.value }));
  on("sides", "click", () => setLook(state, { radiological: !state.look.radiological }));
  on("fit", "click", () => fitAgain(state));
  on("help", "click", () => toggleHelp(state));
  on("band", "click", () => toggleBand(state));
  on("curve", "click", () => setLook(state, { curve: !state.look.curve }));
  for (const name of ["linear", "sqrt", "log"]) {
    on(name, "click", () => setLook(state, { scale: name }));
  }
  for (const name of ["rectangle", "ellipse"]) {
    on(name, "click", () => {
      state.tool = state.tool === name ? null : name;
      showLook(state);
    });
  }
}

// --- what Python sends ---------------------------------------------------------------------------

function takeData(state, data) {
  const another = !state.data || state.data.key !== data.key;
  state.data = data;
  state.map = data.map;
  state.hasTruth = data.hasTruth;
  state.table = {
    levelSums: runningSums(data.levels), voxelMl: data.voxelMl, true: data.true,
    lesionSums: data.lesion ? runningSums(data.lesion) : null,
  };
  state.store.data = data;
  state.store.dataAt = performance.now();
  state.store.table = state.table;
  state.acts = state.acts.filter((act) => act.seq > data.seq);
  if (another || data.seq >= state.seq) { // an answer to an older message must not move the line
    state.seq = Math.max(state.seq, data.seq);
    if (another || !(state.dragging || state.unsent)) {
      const { t, upper, side, rule } = data.live;
      setThreshold(state, { t, upper, side, rule, none: data.none });
      state.cursor = [...data.cursor];
    }
  }
  if (state.case !== data.case) {
    Object.assign(state, { case: data.case, zoom: 1, centre: null, shape: null, cleaned: null });
  }
  state.root.querySelector(".caption").textContent = data.caption;
  state.root.querySelector("[name=curve]").disabled = !data.dice;
  state.root.querySelector(".key.truth").classList.toggle("off", !data.hasTruth);
  takeCleaned(state, data.cleaned);
  takeVolume(state);
  tell(state.store, "data");
}

/** The mask after post-processing, for the one threshold it was made for. */
async function takeCleaned(state, cleaned) {
  if (!cleaned) {
    state.cleaned = null;
    redraw(state);
    return;
  }
  if (state.cleaned?.key === cleaned.key) return;
  let bits = fromBase64(cleaned.bits);
  if (cleaned.gzip) bits = await gunzip(bits);
  if (state.data.cleaned?.key !== cleaned.key) return; // another came meanwhile
  state.cleaned = { ...cleaned, bits };
  state.store.cleanedAt = performance.now();
  redraw(state);
}

function takeVolume(state) {
  const volume = state.store.volumes.get(state.data.volumes) ?? null;
  const waiting = state.root.querySelector(".waiting");
  waiting.hidden = volume !== null;
  waiting.textContent = "Loading the volume…";
  if (volume === state.volume && volume !== null) return;
  state.volume = volume;
  if (volume) measure(state);
  redraw(state);
}

function measure(state) {
  readInk(state);
  state.chartBox = { width: state.chart.clientWidth, height: state.chart.clientHeight };
  if (state.volume) layOut(state);
  redraw(state);
}

export default function viewer({ data, parentElement, setTriggerValue }) {
  let state = parentElement.ascnetState;
  const send = (value) => setTriggerValue("told", value);
  if (state) {
    state.send = send;
    readInk(state);
    if (data) takeData(state, data);
    return state.leave;
  }
  state = parentElement.ascnetState = makeState(parentElement, send);
  readInk(state);
  showLook(state);
  listenToTools(state);
  listenToChart(state);
  for (const plane of state.planes) listenToPlane(state, plane);
  const forgetKeys = listenToKeys(state);
  const onStore = (what) => {
    if (what === "volumes" && state.data) takeVolume(state);
    if (what === "accept" && state.data) report(state, 0, { accept: true });
  };
  state.store.listeners.add(onStore);
  const sizes = new ResizeObserver(() => measure(state));
  sizes.observe(state.root.querySelector(".planes"));
  sizes.observe(state.chart);
  state.leave = () => {
    forgetKeys();
    sizes.disconnect();
    clearTimeout(state.timer);
    state.store.listeners.delete(onStore);
  };
  if (data) takeData(state, data);
  return state.leave;
}
