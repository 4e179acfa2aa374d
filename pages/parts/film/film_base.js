// What the film and the comparison of moments share: the block of bytes that `film.pack` makes,
// the page's theme, sharp canvases, axes, and which levels a frame's threshold keeps.

const COLOURS = { mask: [213, 94, 0], fence: "#0072B2", wild: "#E69F00", input: "#7F7F7F",
  truth: "#56B4E9", vermillion: "#D55E00" };

function unpack(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  let at = 4 + length;
  const take = (size) => { at += size; return bytes.subarray(at - size, at); };
  const N = header.frames.length, plane = header.slices.length * header.size * header.size;
  const counts = header.frames.map(() => {
    const from = at;
    take(1024);
    return Float64Array.from({ length: 256 }, (_, i) => view.getUint32(from + 4 * i, true));
  });
  const joints = header.frames.map(() => (header.joint ? take(4096) : null));
  const input = N ? take(plane) : new Uint8Array(0);
  const cuts = header.frames.map(() =>
    Object.fromEntries(header.maps.map((name) => [name, take(plane)])));
  return { header, counts, joints, input, cuts };
}

function theme(element) {
  const style = getComputedStyle(element);
  const get = (name, other) => style.getPropertyValue(name).trim() || other;
  return {
    text: get("--st-text-color", "#1b1f24"),
    line: get("--st-border-color", "#d0d4da"),
    font: get("--st-font", "system-ui, sans-serif"),
  };
}

function fit(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  const w = Math.max(1, Math.round(width * ratio)), h = Math.max(1, Math.round(height * ratio));
  if (canvas.width !== w) canvas.width = w;
  if (canvas.height !== h) canvas.height = h;
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const g = canvas.getContext("2d");
  g.setTransform(ratio, 0, 0, ratio, 0, 0);
  g.clearRect(0, 0, width, height);
  return g;
}

const number = (value, digits) => (value === null ? "–" : value.toFixed(digits));

/** The levels [from, to] that a frame's threshold keeps; from is 256 where there is none. */
function levelsKept(frame) {
  const low = frame.level, high = frame.upper === null ? 255 : frame.upper;
  const dark = frame.side === "dark" && frame.upper === null;
  return [low === null ? 256 : dark ? 0 : low, dark && low !== null ? low : high];
}

function axis(g, look, box, text, ticks) {
  g.strokeStyle = look.line;
  g.fillStyle = look.text;
  g.font = `10.5px ${look.font}`;
  g.beginPath();
  g.moveTo(box.x, box.y + box.h + 0.5);
  g.lineTo(box.x + box.w, box.y + box.h + 0.5);
  g.stroke();
  g.textAlign = "center";
  for (const [x, label] of ticks) g.fillText(label, x, box.y + box.h + 12);
  g.fillText(text, box.x + box.w / 2, box.y + box.h + 24);
}
