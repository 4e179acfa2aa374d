// The film of a run. Data come as one block of bytes (see film.py): every frame is here, so that
// the slider redraws without asking Python, which hears only of the frame that was settled on.

const LINES = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#7F7F7F"];
const PER_SECOND = 8;
const SETTLED = 350; // ms without a change after which Python is told

/** Watched slices by rows; input, maps and mask by columns. */
function drawTiles(film) {
  const { header, input, cuts } = film.data, S = header.size, K = header.slices.length;
  const frame = header.frames[film.at], now = cuts[film.at], map = now[header.map];
  const shown = header.shown, last = shown.length + 1, wide = (last + 1) * S;
  if (film.scratch.width !== wide || film.scratch.height !== K * S) {
    film.scratch.width = wide;
    film.scratch.height = K * S;
    film.picture = film.scratch.getContext("2d").createImageData(wide, K * S);
    film.pixels = new Uint32Array(film.picture.data.buffer);
  }
  const pixels = film.pixels, [from, to] = levelsKept(frame);
  let held = 0;
  for (let k = 0; k < K; k++) {
    for (let r = 0; r < S; r++) {
      // rows go upwards and columns to the left: patient's right is on the left of the screen
      let source = k * S * S + (S - 1 - r) * S + S - 1, target = (k * S + r) * wide;
      for (let c = 0; c < S; c++, source--, target++) {
        const grey = input[source], inside = grey > 0;
        pixels[target] = 0xff000000 | (grey * 0x010101);
        for (let m = 0; m < shown.length; m++) {
          const value = inside ? now[shown[m]][source] : 0;
          pixels[target + (m + 1) * S] = 0xff000000 | (value * 0x010101);
        }
        const level = map[source];
        if (inside && level >= from && level <= to) {
          held++;
          const red = 0.35 * grey + 0.65 * COLOURS.mask[0];
          const green = 0.35 * grey + 0.65 * COLOURS.mask[1], blue = 0.35 * grey;
          pixels[target + last * S] = 0xff000000 | (blue << 16) | (green << 8) | red;
        } else pixels[target + last * S] = 0xff000000 | (grey * 0x010101);
      }
    }
  }
  film.held = held;
  film.scratch.getContext("2d").putImageData(film.picture, 0, 0);
  const width = film.nodes.tiles.parentElement.clientWidth, gap = 3;
  const side = Math.min((width - last * gap) / (last + 1), 420 / K);
  const g = fit(film.nodes.tiles, (last + 1) * side + last * gap, K * (side + gap) - gap);
  g.imageSmoothingEnabled = side < 2 * S;
  for (let k = 0; k < K; k++) {
    for (let m = 0; m <= last; m++) {
      g.drawImage(film.scratch, m * S, k * S, S, S, m * (side + gap), k * (side + gap), side, side);
    }
  }
  film.nodes.heads.textContent = header.heads.join(" · ") + `, watched slice ${
    header.slices.map((one) => one + 1).join(", ")}`;
}

function drawHistogram(film, look) {
  const counts = film.data.counts[film.at], frame = film.data.header.frames[film.at];
  const width = film.nodes.histogram.parentElement.clientWidth, height = 150;
  const g = fit(film.nodes.histogram, width, height);
  const box = { x: 8, y: 12, w: width - 16, h: height - 40 };
  const px = (level) => box.x + ((level + 0.5) / 256) * box.w;
  const top = Math.log1p(film.tallest);
  const py = (count) => box.y + box.h * (1 - Math.log1p(count) / top);
  const wide = box.w / 256;
  g.fillStyle = look.text;
  for (let level = 0; level < 256; level++) {
    const y = py(counts[level]);
    g.fillRect(box.x + level * wide, y, Math.max(1, wide - 0.3), box.y + box.h - y);
  }
  g.fillStyle = COLOURS.wild;
  for (const peak of frame.peaks) {
    const x = px(peak), y = Math.max(6, py(counts[peak]) - 6);
    g.beginPath();
    g.moveTo(x, y - 5); g.lineTo(x + 5, y); g.lineTo(x, y + 5); g.lineTo(x - 5, y);
    g.fill();
  }
  if (frame.level !== null && film.data.header.map === film.data.header.counted) {
    g.strokeStyle = COLOURS.vermillion;
    g.lineWidth = 2;
    for (const level of frame.upper === null ? [frame.level] : [frame.level, frame.upper]) {
      g.beginPath();
      g.moveTo(px(level), box.y - 8);
      g.lineTo(px(level), box.y + box.h);
      g.stroke();
    }
    g.lineWidth = 1;
  }
  axis(g, look, box, "grey level, 0–255 (raw)", [0, 64, 128, 192, 255].map((n) => [px(n), n]));
}

function drawJoint(film, look) {
  const joint = film.data.joints[film.at], side = 150;
  film.nodes.joint.hidden = !joint;
  if (!joint) return;
  const g = fit(film.nodes.joint, 190, side + 32);
  const image = film.joint || (film.joint = new ImageData(64, 64));
  for (let fence = 0; fence < 64; fence++) {
    for (let wild = 0; wild < 64; wild++) {
      // the rarest pairs must show on white, too
      const found = joint[fence * 64 + wild], value = found ? 200 - 0.78 * found : 255;
      const at = 4 * ((63 - wild) * 64 + fence);
      image.data[at] = image.data[at + 1] = image.data[at + 2] = value;
      image.data[at + 3] = 255;
    }
  }
  film.small.getContext("2d").putImageData(image, 0, 0);
  g.imageSmoothingEnabled = false;
  g.drawImage(film.small, 24, 4, side, side);
  axis(g, look, { x: 24, y: 4, w: side, h: side }, "fence, 0 to 1", [[24, "0"], [24 + side, "1"]]);
  g.save();
  g.translate(14, 4 + side / 2);
  g.rotate(-Math.PI / 2);
  g.fillText("wild, 0 to 1", 0, 0);
  g.restore();
}

/** Lines over training steps with a cursor at the frame. The lines are drawn once and kept. */
function drawLines(film, look, name, lines, low, high, text, log) {
  const canvas = film.nodes[name], width = canvas.parentElement.clientWidth, height = 88;
  const box = { x: 32, y: 6, w: width - 52, h: height - 34 };
  const last = Math.max(1, film.lastStep);
  const px = (step) => box.x + (step / last) * box.w;
  const wanted = [film.data.header.id, width, window.devicePixelRatio, look.text].join("|");
  let kept = film.kept[name];
  if (!kept || kept.wanted !== wanted) {
    kept = film.kept[name] = { wanted, canvas: document.createElement("canvas") };
    drawCurves(fit(kept.canvas, width, height), look, lines, low, high, text, log, box, last);
  }
  const g = fit(canvas, width, height);
  g.drawImage(kept.canvas, 0, 0, width, height);
  g.lineWidth = 2;
  g.strokeStyle = COLOURS.truth;
  const x = px(film.data.header.frames[film.at].step);
  g.beginPath();
  g.moveTo(x, box.y);
  g.lineTo(x, box.y + box.h);
  g.stroke();
  canvas.locate = (clientX) => {
    const step = ((clientX - canvas.getBoundingClientRect().left - box.x) / box.w) * last;
    let best = 0;
    film.data.header.frames.forEach((frame, i, all) => {
      if (Math.abs(frame.step - step) < Math.abs(all[best].step - step)) best = i;
    });
    return best;
  };
}

function drawCurves(g, look, lines, low, high, text, log, box, last) {
  const px = (step) => box.x + (step / last) * box.w;
  const scale = log ? Math.log10 : (v) => v;
  const py = (v) => box.y + box.h * (1 - (scale(v) - scale(low)) / (scale(high) - scale(low) || 1));
  g.font = `10.5px ${look.font}`;
  g.fillStyle = look.text;
  g.textAlign = "right";
  const short = (v) => (v && v < 0.01 ? v.toExponential(0) : +v.toPrecision(2));
  g.fillText(short(high), box.x - 4, box.y + 8);
  g.fillText(short(low), box.x - 4, box.y + box.h);
  lines.forEach((line) => {
    g.strokeStyle = line.colour;
    g.lineWidth = 1.6;
    g.beginPath();
    let drawing = false;
    line.x.forEach((step, i) => {
      const value = line.y[i];
      if (value === null || (log && value <= 0)) { drawing = false; return; }
      if (drawing) g.lineTo(px(step), py(value)); else g.moveTo(px(step), py(value));
      drawing = true;
    });
    g.stroke();
  });
  g.lineWidth = 1;
  axis(g, look, box, text, [[px(0), "0"], [px(last), last]]);
}

const key = (colour, name) => `<span style="color:${colour}">■</span> ${name}`;

function prepare(film) {
  const { header, counts } = film.data;
  film.tallest = Math.max(1, ...counts.map((one) => Math.max(...one)));
  const all = [...header.frames.map((f) => f.step), ...header.losses.flatMap((l) => l.x)];
  film.lastStep = Math.max(1, ...all);
  const x = header.course.map((one) => one.step);
  film.course = [
    { name: "index", colour: COLOURS.fence, x, y: header.course.map((one) => one.index) },
    { name: "stability", colour: COLOURS.vermillion, x,
      y: header.course.map((one) => one.stability) },
    { name: "abs. rank corr.", colour: COLOURS.input, x, y: header.course.map((one) => one.rank) },
  ];
  film.losses = header.losses.map((line, i) => ({ ...line, colour: LINES[i % LINES.length] }));
  const values = film.losses.flatMap((line) => line.y).filter((v) => v > 0);
  film.low = values.length ? Math.min(...values) : 0.1;
  film.high = values.length ? Math.max(...values) : 1;
  const text = (line) => key(line.colour, line.name.replace(/[<&]/g, ""));
  film.nodes.courseTitle.innerHTML = film.course.map(text).join(" ");
  film.nodes.lossTitle.innerHTML = "Losses, log " + film.losses.map(text).join(" ");
  film.nodes.slider.max = header.frames.length - 1;
  film.nodes.histogramTitle.textContent =
    `Histogram of ${header.countedName}, log of the counts; peaks ◆, threshold`;
  film.nodes.jointTitle.textContent = header.noJoint || "Fence × wild, log";
  film.nodes.jointTitle.style.whiteSpace = header.noJoint ? "normal" : "";
}

function draw(film) {
  film.asked = 0;
  const began = performance.now();
  const { header } = film.data, frame = header.frames[film.at];
  if (!frame || !film.root.clientWidth) return;
  const look = theme(film.root);
  drawTiles(film);
  drawHistogram(film, look);
  drawJoint(film, look);
  drawLines(film, look, "course", film.course, 0, 1, "training step", false);
  drawLines(film, look, "losses", film.losses, film.low, film.high, "training step", true);
  film.nodes.slider.value = film.at;
  film.nodes.count.textContent = `${film.at + 1} of ${header.frames.length}`;
  const holes = frame.holes === null ? "–" : `${(100 * frame.holes).toFixed(0)} %`;
  film.nodes.said.textContent = `${frame.label} · ${frame.images} slices seen · ` +
    `${frame.separated} separated peak${frame.separated === 1 ? "" : "s"} · ` +
    `index ${number(frame.index, 2)} · ` +
    `threshold ${frame.rule} (${header.rule}) · stability ${number(frame.stability, 2)} · ` +
    `holes ${holes} · rank correlation ${number(frame.rank, 2)}`;
  film.nodes.said.title = film.nodes.said.textContent;
  film.drawn += 1;
  film.root.dataset.frame = film.at;
  film.root.dataset.place = frame.place;
  film.root.dataset.held = film.held;
  film.root.dataset.drawn = film.drawn;
  film.root.dataset.took = (performance.now() - began).toFixed(1);
}

function redraw(film) {
  if (!film.asked) film.asked = requestAnimationFrame(() => draw(film));
}

function settle(film) {
  clearTimeout(film.timer);
  film.timer = setTimeout(() => {
    const place = film.data.header.frames[film.at].place;
    if (!film.playing && place !== film.told) {
      film.told = place;
      film.root.dataset.told = place;
      film.report("frame", place);
    }
  }, SETTLED);
}

function go(film, at) {
  const last = film.data.header.frames.length - 1;
  film.at = Math.min(last, Math.max(0, at));
  redraw(film);
  settle(film);
}

function play(film, on) {
  film.playing = on;
  film.nodes.play.textContent = on ? "❚❚ pause" : "▶ play";
  film.nodes.play.setAttribute("aria-label", on ? "pause" : "play");
  clearInterval(film.clock);
  if (!on) { settle(film); return; }
  const last = film.data.header.frames.length - 1;
  if (film.at >= last) go(film, 0);
  film.clock = setInterval(() => {
    if (!film.root.isConnected) { clearInterval(film.clock); return; }
    const end = film.data.header.frames.length - 1;
    if (film.at < end) go(film, film.at + 1);
    else if (film.loop) go(film, 0);
    else play(film, false);
  }, 1000 / PER_SECOND);
}

function listen(film) {
  const { nodes, root } = film;
  nodes.slider.addEventListener("input", () => {
    if (film.playing) play(film, false);
    go(film, +nodes.slider.value);
  });
  nodes.back.addEventListener("click", () => { play(film, false); go(film, film.at - 1); });
  nodes.next.addEventListener("click", () => { play(film, false); go(film, film.at + 1); });
  nodes.play.addEventListener("click", () => play(film, !film.playing));
  const loop = () => {
    film.loop = !film.loop;
    nodes.loop.setAttribute("aria-pressed", film.loop);
  };
  nodes.loop.addEventListener("click", loop);
  for (const name of ["course", "losses"]) {
    nodes[name].addEventListener("click", (event) => {
      play(film, false);
      go(film, nodes[name].locate(event.clientX));
    });
  }
  root.addEventListener("keydown", (event) => {
    const onButton = event.target.tagName === "BUTTON";
    if (event.key === " " && onButton) return; // the button itself answers
    const last = film.data.header.frames.length - 1;
    const steps = {
      ArrowLeft: () => go(film, film.at - 1), ArrowRight: () => go(film, film.at + 1),
      PageUp: () => go(film, film.at - 10), PageDown: () => go(film, film.at + 10),
      Home: () => go(film, 0), End: () => go(film, last),
      " ": () => play(film, !film.playing), l: loop,
    };
    const act = steps[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    if (event.key !== " " && event.key !== "l") play(film, false);
    act();
  });
  new ResizeObserver(() => redraw(film)).observe(root);
}

export default function mount(component) {
  const { parentElement, data, setStateValue } = component;
  const root = parentElement.querySelector(".film");
  if (!data || !root) return;
  let film = root.film;
  const fresh = !film;
  if (fresh) {
    const nodes = {};
    for (const node of root.querySelectorAll("[data-node]")) nodes[node.dataset.node] = node;
    film = root.film = {
      root, nodes, scratch: document.createElement("canvas"),
      small: document.createElement("canvas"), at: 0, drawn: 0, asked: 0,
      kept: {}, loop: true, playing: false,
    };
    film.small.width = film.small.height = 64;
  }
  film.report = setStateValue;
  const before = film.data && film.data.header;
  const next = unpack(data instanceof Uint8Array ? data : new Uint8Array(data));
  if (before && before.id === next.header.id) return;
  const stood = before && before.frames[film.at];
  const newest = !before || film.at === before.frames.length - 1;
  film.data = next;
  const same = stood ? next.header.frames.findIndex((f) => f.place === stood.place) : -1;
  const stay = !newest && before.run === next.header.run && same >= 0;
  film.at = stay ? same : next.header.frames.length - 1;
  film.told = film.told ?? next.header.frames[film.at]?.place;
  prepare(film);
  if (fresh) listen(film);
  redraw(film);
}
