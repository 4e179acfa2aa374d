// Charts of the Cuts page: histograms with peaks to choose, and the joint histogram of both cuts.
// Each chart is a canvas that reports a choice of grey levels (0..255) through `choose`.

const COLOURS = {
  input: "#7F7F7F", fence: "#0072B2", wild: "#E69F00", residual: "#009E73",
  mask: "#D55E00", truth: "#56B4E9", lit: "#CC79A7",
};
const NAMES = {
  input: "I_in", fence: "fence", wild: "wild", reconstruction: "I_ro", residual: "I_in − fence",
};

/** Colours that follow Streamlit's theme, read once a draw. */
function theme(element) {
  const style = getComputedStyle(element);
  const get = (name, other) => style.getPropertyValue(name).trim() || other;
  return {
    text: get("--st-text-color", "#1b1f24"),
    back: get("--st-background-color", "#ffffff"),
    plot: get("--st-secondary-background-color", "#f5f6f8"),
    font: get("--st-font", "system-ui, sans-serif"),
  };
}

/** A canvas of its CSS size at the screen's resolution; returns its 2-D context in CSS pixels. */
function fit(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
  if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
const short = (n) =>
  n >= 1e6 ? `${+(n / 1e6).toPrecision(2)}M` : n >= 1e3 ? `${+(n / 1e3).toPrecision(2)}k` : `${n}`;

/** Pointer gesture on a chart: `locate(event)` -> value, `move(from, to)` live, `end(from, to)`. */
function gesture(canvas, locate, move, end) {
  let from = null;
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    from = locate(event);
    canvas.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (from !== null) move(from, locate(event));
  });
  canvas.addEventListener("pointerup", (event) => {
    if (from === null) return;
    const start = from;
    from = null;
    end(start, locate(event));
  });
  canvas.addEventListener("pointercancel", () => { from = null; });
}

const MARGIN = { left: 42, right: 8, top: 8, bottom: 34 };

/** Pixels of a chart's frame and the two ways between level and pixel. */
function frameOf(width, height) {
  const w = width - MARGIN.left - MARGIN.right, h = height - MARGIN.top - MARGIN.bottom;
  return {
    x: MARGIN.left, y: MARGIN.top, w, h,
    px: (level) => MARGIN.left + ((level + 0.5) / 256) * w,
    py: (level) => MARGIN.top + h - ((level + 0.5) / 256) * h,
    level: (x) => clamp(Math.floor(((x - MARGIN.left) / w) * 256), 0, 255),
    levelUp: (y) => clamp(Math.floor(((MARGIN.top + h - y) / h) * 256), 0, 255),
  };
}

function axes(g, f, look, xTitle, yTitle) {
  g.fillStyle = look.plot;
  g.fillRect(f.x, f.y, f.w, f.h);
  g.fillStyle = look.text;
  g.globalAlpha = 0.75;
  g.font = `11px ${look.font}`;
  g.textAlign = "center";
  for (const level of [0, 64, 128, 192, 255]) g.fillText(level, f.px(level), f.y + f.h + 13);
  g.fillText(xTitle, f.x + f.w / 2, f.y + f.h + 28);
  g.save();
  g.translate(10, f.y + f.h / 2);
  g.rotate(-Math.PI / 2);
  g.fillText(yTitle, 0, 0);
  g.restore();
  g.globalAlpha = 1;
}

/** Histogram of one or two maps: `series` = [{map, counts, fill}], peaks of `main`. */
function drawHistogram(canvas, width, height, root, spec, state) {
  const g = fit(canvas, width, height), look = theme(root), f = frameOf(width, height);
  axes(g, f, look, spec.xTitle, "voxels");
  const scale = state.log ? (n) => Math.log10(1 + n) : (n) => n;
  const highest = Math.max(1, ...spec.series.map((s) => Math.max(...s.counts)));
  const top = scale(highest) * 1.04;
  g.font = `11px ${look.font}`;
  g.textAlign = "right";
  const ticks = [];
  if (state.log) for (let n = 1; n <= highest; n *= 10) ticks.push(n);
  else for (let i = 1; i <= 3; i++) ticks.push(+((highest * i) / 3).toPrecision(1));
  for (const n of ticks) {
    const y = f.y + f.h - (scale(n) / top) * f.h;
    if (y < f.y + 4) continue;
    g.globalAlpha = 0.15;
    g.fillStyle = look.text;
    g.fillRect(f.x, y, f.w, 1);
    g.globalAlpha = 0.75;
    g.fillText(short(n), f.x - 4, y + 4);
    g.globalAlpha = 1;
  }
  const pick = state.draft || state.pick;
  if (pick && pick.kind === "levels" && pick.map === spec.main) {
    g.fillStyle = COLOURS.lit;
    g.globalAlpha = 0.22;
    const a = f.px(pick.from - 0.5), b = f.px(pick.to + 0.5);
    g.fillRect(a, f.y, Math.max(2, b - a), f.h);
    g.globalAlpha = 1;
  }
  for (const s of spec.series) {
    const colour = s.map === "reconstruction" ? look.text : COLOURS[s.map];
    g.beginPath();
    g.moveTo(f.x, f.y + f.h);
    for (let level = 0; level < 256; level++) {
      const y = f.y + f.h - (scale(s.counts[level]) / top) * f.h;
      g.lineTo(f.px(level - 0.5), y);
      g.lineTo(f.px(level + 0.5), y);
    }
    g.lineTo(f.x + f.w, f.y + f.h);
    g.closePath();
    g.fillStyle = g.strokeStyle = colour;
    g.globalAlpha = s.fill ? 0.8 : 0.35;
    if (s.fill) g.fill();
    else { g.fill(); g.globalAlpha = 0.9; g.lineWidth = 1; g.stroke(); }
    g.globalAlpha = 1;
  }
  g.fillStyle = look.text;
  g.textAlign = "center";
  for (const peak of spec.peaks) {
    const x = f.px(peak.position), y = f.y + f.h;
    g.beginPath();
    g.moveTo(x, y - 1);
    g.lineTo(x - 4, y + 5);
    g.lineTo(x + 4, y + 5);
    g.fill();
  }
}

/** Joint histogram: fence to the right, wild upwards, log counts, lines of equal I_ro. */
function drawJoint(canvas, width, height, root, header, state) {
  const g = fit(canvas, width, height), look = theme(root), f = frameOf(width, height);
  axes(g, f, look, "fence, grey level 0–255", "wild, grey level 0–255");
  g.textAlign = "right";
  g.font = `11px ${look.font}`;
  g.fillStyle = look.text;
  for (const level of [0, 64, 128, 192, 255]) g.fillText(level, f.x - 4, f.py(level) + 4);
  const n = header.bins, most = Math.log1p(Math.max(1, ...header.joint));
  const cell = 256 / n;
  for (let w = 0; w < n; w++) {
    for (let c = 0; c < n; c++) {
      const count = header.joint[w * n + c];
      if (!count) continue;
      g.globalAlpha = 0.12 + 0.88 * (Math.log1p(count) / most);
      const x0 = f.px(c * cell - 0.5), x1 = f.px((c + 1) * cell - 0.5);
      const y0 = f.py((w + 1) * cell - 0.5), y1 = f.py(w * cell - 0.5);
      g.fillRect(x0, y0, x1 - x0 + 0.4, y1 - y0 + 0.4);
    }
  }
  g.globalAlpha = 1;
  g.save();
  g.beginPath();
  g.rect(f.x, f.y, f.w, f.h);
  g.clip();
  const [wf, ww, b] = header.weights, labels = [];
  for (const line of header.weights.some((w) => w) ? header.lines : []) {
    // Points where I_ro = sigmoid(wf f + ww w + b) equals the line's level, f and w in [0, 1].
    const p = clamp(line.level / 255, 1e-4, 1 - 1e-4);
    const logit = Math.log(p / (1 - p));
    const points = [];
    for (let i = 0; i <= 64; i++) {
      const t = i / 64;
      if (Math.abs(ww) >= Math.abs(wf)) points.push([t, (logit - b - wf * t) / ww]);
      else points.push([(logit - b - ww * t) / wf, t]);
    }
    g.strokeStyle = line.kind === "threshold" ? COLOURS.mask : look.text;
    g.globalAlpha = line.kind === "grid" ? 0.25 : 0.9;
    g.lineWidth = line.kind === "grid" ? 1 : 1.6;
    g.setLineDash(line.kind === "grid" ? [2, 3] : []);
    g.beginPath();
    points.forEach(([u, v], i) => {
      const x = f.px(u * 255), y = f.py(v * 255);
      if (i) g.lineTo(x, y); else g.moveTo(x, y);
    });
    g.stroke();
    // A label lies where its line enters from the left or from above, if there is room for it.
    const entry = points.find(([u, v]) => u >= 0.015 && u < 0.95 && v > 0.04 && v < 0.95);
    if (!entry) continue;
    const x = f.px(entry[0] * 255) + 4, y = f.py(entry[1] * 255) + (line.kind === "grid" ? -2 : -4);
    const box = [x - 2, y - 10, g.measureText(line.name).width + 4, 13];
    if (labels.some((b) => Math.abs(b[1] - y + 10) < 12 && x < b[0] + b[2] && x + box[2] > b[0])) {
      continue;
    }
    labels.push(box);
    g.setLineDash([]);
    g.textAlign = "left";
    g.fillStyle = look.plot;
    g.globalAlpha = 0.85;
    g.fillRect(...box);
    g.fillStyle = line.kind === "threshold" ? COLOURS.mask : look.text;
    g.globalAlpha = line.kind === "grid" ? 0.6 : 1;
    g.fillText(line.name, x, y);
  }
  g.globalAlpha = 1;
  g.setLineDash([]);
  const pick = state.draft || state.pick;
  if (pick && pick.kind === "pairs") {
    const x0 = f.px(pick.fence[0] - 0.5), x1 = f.px(pick.fence[1] + 0.5);
    const y0 = f.py(pick.wild[1] + 0.5), y1 = f.py(pick.wild[0] - 0.5);
    g.fillStyle = g.strokeStyle = COLOURS.lit;
    g.globalAlpha = 0.25;
    g.fillRect(x0, y0, x1 - x0, y1 - y0);
    g.globalAlpha = 1;
    g.lineWidth = 2;
    g.strokeRect(x0, y0, x1 - x0, y1 - y0);
  }
  g.restore();
}
