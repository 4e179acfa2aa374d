// The histogram: bars, named peaks, the input's line, the threshold's line or band, Dice's curve.

const CHART = { left: 40, right: 16, top: 24, bottom: 50, curveRight: 44 };
const SCALES = { linear: (n) => n, sqrt: Math.sqrt, log: (n) => Math.log10(1 + n) };
const GRAB = 6, SNAP = 8; // pixels around the line, and around a peak

function chartArea(state) {
  const { width, height } = state.chartBox;
  const right = state.look.curve && state.data.dice ? CHART.curveRight : CHART.right;
  return {
    x: CHART.left, y: CHART.top, width: width - CHART.left - right,
    height: height - CHART.top - CHART.bottom,
  };
}

/** The middle of a level's bar, in CSS pixels. */
function xOfLevel(area, level) {
  return area.x + ((level + 0.5) / 256) * area.width;
}

function levelOfX(area, x) {
  return clamp(Math.floor(((x - area.x) / area.width) * 256), 0, 255);
}

/** The count at the top of the axis: piles at 0 and 255 do not flatten all else. */
function topCount(counts) {
  const inner = Math.max(...counts.slice(1, 255));
  const pile = Math.max(counts[0], counts[255]);
  return Math.max(1, pile > 3 * inner ? inner : Math.max(inner, pile)) * 1.06;
}

/** The index of the peak a pointer means: on its name, or close to its level. -1: none. */
function peakAt(state, area, x, y) {
  const under = y > area.y + area.height;
  let best = -1, nearest = under ? 40 : SNAP;
  state.data.peaks.forEach((peak, i) => {
    const away = Math.abs(xOfLevel(area, peak.position) - x);
    if (away < nearest) [best, nearest] = [i, away];
  });
  return best;
}

function drawBars(pen, state, area) {
  const { data } = state;
  const scale = SCALES[state.look.scale];
  const top = scale(topCount(data.counts));
  const [first, last] = keptInterval(state);
  const step = area.width / 256;
  const base = area.y + area.height;
  for (const kept of [false, true]) {
    pen.fillStyle = kept ? state.look.colour : state.ink.bar;
    for (let level = 0; level < 256; level++) {
      if ((level >= first && level <= last) !== kept || !data.counts[level]) continue;
      const tall = Math.min(1, scale(data.counts[level]) / top) * area.height;
      pen.fillRect(area.x + level * step, base - tall, Math.max(0.6, step - 0.7), tall);
    }
  }
  if (!data.inputCounts) return;
  pen.strokeStyle = "#7F7F7F";
  pen.lineWidth = 1;
  pen.beginPath();
  for (let level = 0; level < 256; level++) {
    const tall = Math.min(1, scale(data.inputCounts[level]) / top) * area.height;
    pen.lineTo(xOfLevel(area, level), base - tall);
  }
  pen.stroke();
}

function drawCurve(pen, state, area) {
  const dice = state.data.dice && state.data.dice[state.side];
  if (!state.look.curve || !dice) return;
  const base = area.y + area.height;
  const yOf = (value) => base - value * area.height;
  const path = new Path2D();
  dice.forEach((value, level) => path.lineTo(xOfLevel(area, level), yOf(value)));
  const under = new Path2D(path);
  under.lineTo(xOfLevel(area, 255), base);
  under.lineTo(xOfLevel(area, 0), base);
  pen.save();
  pen.clip(under);
  pen.strokeStyle = "rgba(86, 180, 233, 0.28)"; // hatched: this is oracle knowledge
  pen.lineWidth = 1;
  pen.beginPath();
  for (let x = area.x - area.height; x < area.x + area.width; x += 7) {
    pen.moveTo(x, base);
    pen.lineTo(x + area.height, area.y);
  }
  pen.stroke();
  pen.restore();
  pen.strokeStyle = "#56B4E9";
  pen.lineWidth = 1.5;
  pen.setLineDash([6, 3]);
  pen.stroke(path);
  pen.setLineDash([]);
  pen.fillStyle = state.ink.soft;
  pen.font = `italic ${state.font}`;
  pen.textAlign = "left";
  for (const value of [0, 0.5, 1]) {
    pen.fillText(value.toFixed(1), area.x + area.width + 6, yOf(value) + 4);
  }
  pen.save();
  pen.translate(area.x + area.width + 31, area.y + area.height / 2);
  pen.rotate(Math.PI / 2);
  pen.textAlign = "center";
  pen.fillText("Dice (oracle knowledge)", 0, 0);
  pen.restore();
  if (state.upper === null) {
    pen.fillStyle = "#56B4E9";
    pen.beginPath();
    pen.arc(xOfLevel(area, state.t), yOf(dice[state.t]), 4, 0, 2 * Math.PI);
    pen.fill();
  }
}

function drawPeaks(pen, state, area) {
  const base = area.y + area.height;
  pen.textAlign = "center";
  pen.font = state.font;
  let free = -Infinity;
  state.data.peaks.forEach((peak, i) => {
    const x = xOfLevel(area, peak.position);
    const taken = state.rule === `peak:${i + 1}` && state.t === peak.position;
    const chosen = taken || state.hoverPeak === i;
    pen.fillStyle = chosen ? state.look.colour : state.ink.text;
    pen.beginPath();
    pen.moveTo(x, base + 2);
    pen.lineTo(x - 6, base + 10);
    pen.lineTo(x + 6, base + 10);
    pen.fill();
    let name = `peak ${i + 1} · ${peak.position}`;
    let half = pen.measureText(name).width / 2;
    if (x - half < free) {
      name = `${i + 1}`;
      half = pen.measureText(name).width / 2;
    }
    const at = Math.max(clamp(x, area.x + half - 30, area.x + area.width - half + 12),
      free + half);
    pen.fillText(name, at, base + 24);
    free = at + half + 7;
  });
}

function drawAxes(pen, state, area) {
  const base = area.y + area.height;
  pen.fillStyle = state.ink.soft;
  pen.font = state.font;
  pen.textAlign = "left";
  pen.fillText("0", area.x, base + 44);
  pen.textAlign = "right";
  pen.fillText("255", area.x + area.width, base + 44);
  pen.textAlign = "center";
  pen.fillText(state.data.axis, area.x + area.width / 2, base + 44);
  pen.save();
  pen.translate(14, area.y + area.height / 2);
  pen.rotate(-Math.PI / 2);
  const scaled = { linear: "", sqrt: ", √ scale", log: ", log scale" }[state.look.scale];
  pen.fillText(`voxels a level${scaled}`, 0, 0);
  pen.restore();
}

function drawTag(pen, state, area, level, text) {
  const x = xOfLevel(area, level);
  pen.fillStyle = state.ink.text;
  pen.fillRect(Math.round(x) - 1, area.y - 4, 2, area.height + 4);
  const half = 19;
  const at = clamp(x, area.x + half, area.x + area.width - half);
  pen.beginPath();
  pen.roundRect(at - half, area.y - 22, 2 * half, 18, 3);
  pen.fill();
  pen.fillStyle = state.ink.paper;
  pen.textAlign = "center";
  pen.font = `600 ${state.font}`;
  pen.fillText(text, at, area.y - 9);
  return at + half;
}

function drawLines(pen, state, area) {
  const tags = state.upper === null ? [state.t] : [state.t, state.upper];
  const ends = tags.map((level) => drawTag(pen, state, area, level, state.none ? "–" : `${level}`));
  const now = numbersAt(state.table, state);
  const parts = [`${now.volume.toFixed(1)} ml`];
  if (now.dice !== null) parts.unshift(`Dice ${now.dice.toFixed(3)}`);
  if (now.sensitivity !== null) parts.push(`sens. ${now.sensitivity.toFixed(3)}`);
  const text = parts.join("   ");
  pen.font = state.font;
  pen.fillStyle = state.ink.text;
  const wide = pen.measureText(text).width;
  const right = Math.max(...ends);
  const roomy = right + 8 + wide < area.x + area.width;
  pen.textAlign = roomy ? "left" : "right";
  const left = Math.min(...tags.map((level) => xOfLevel(area, level))) - 27;
  pen.fillText(text, roomy ? right + 8 : Math.min(left, area.x + area.width - 46), area.y - 9);
}

function drawHover(pen, state, area) {
  if (state.hover === null || state.dragging) return;
  const x = Math.round(xOfLevel(area, state.hover)) + 0.5;
  pen.strokeStyle = state.ink.soft;
  pen.lineWidth = 1;
  pen.setLineDash([2, 3]);
  pen.beginPath();
  pen.moveTo(x, area.y);
  pen.lineTo(x, area.y + area.height);
  pen.stroke();
  pen.setLineDash([]);
  const text = `${state.hover}: ${state.data.counts[state.hover].toLocaleString("en")} voxels`;
  pen.font = state.font;
  pen.fillStyle = state.ink.soft;
  pen.textAlign = x > area.x + area.width / 2 ? "right" : "left";
  pen.fillText(text, x + (pen.textAlign === "left" ? 5 : -5), area.y + 12);
}

function drawHistogram(state) {
  const { width, height } = state.chartBox;
  if (!width) return;
  const ratio = globalThis.devicePixelRatio || 1;
  const canvas = state.chart;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  const area = chartArea(state);
  pen.fillStyle = state.ink.ground;
  pen.fillRect(area.x, area.y, area.width, area.height);
  drawBars(pen, state, area);
  drawCurve(pen, state, area);
  drawAxes(pen, state, area);
  drawPeaks(pen, state, area);
  drawHover(pen, state, area);
  drawLines(pen, state, area);
}
