// Three planes of one volume in true proportion: grey values, mask, truth, linked cursor.
// Voxel arrays run x fastest, then y, then z; the cursor is in voxels of the whole grid.

const PLANES = {
  axial: { axes: [0, 1], fixed: 2 },
  coronal: { axes: [0, 2], fixed: 1 },
  sagittal: { axes: [1, 2], fixed: 0 },
};
const REGION = 1, TRUTH = 2;

/** Whether screen columns run against the voxel axis. +x is the patient's right, +y anterior. */
function columnsReversed(name, radiological) {
  return name === "sagittal" ? true : radiological;
}

/** One plane's voxels as (row, column) arrays in screen order. */
function takePlane(volume, name, at, radiological, out) {
  const { axes: [a, b], fixed } = PLANES[name];
  const [A, B] = [out.shape[a], out.shape[b]];
  const strides = [1, out.shape[0], out.shape[0] * out.shape[1]];
  const base = at * strides[fixed];
  const reversed = columnsReversed(name, radiological);
  const plane = new Uint8Array(A * B);
  for (let row = 0; row < B; row++) {
    const start = base + (B - 1 - row) * strides[b];
    for (let column = 0; column < A; column++) {
      const i = reversed ? A - 1 - column : column;
      plane[row * A + column] = volume[start + i * strides[a]];
    }
  }
  return plane;
}

/** The same for a mask that came as the bits of its own box. */
function takeBits(mask, name, at, radiological, volume) {
  const { axes: [a, b], fixed } = PLANES[name];
  const [A, B] = [volume.shape[a], volume.shape[b]];
  const plane = new Uint8Array(A * B);
  const shift = volume.offset.map((start, axis) => start - mask.offset[axis]);
  const inner = at + shift[fixed];
  if (inner < 0 || inner >= mask.shape[fixed]) return plane;
  const strides = [1, mask.shape[0], mask.shape[0] * mask.shape[1]];
  const reversed = columnsReversed(name, radiological);
  for (let j = 0; j < mask.shape[b]; j++) {
    const row = B - 1 - (j - shift[b]);
    if (row < 0 || row >= B) continue;
    for (let i = 0; i < mask.shape[a]; i++) {
      const place = i - shift[a];
      const column = reversed ? A - 1 - place : place;
      if (column < 0 || column >= A) continue;
      const bit = inner * strides[fixed] + j * strides[b] + i * strides[a];
      plane[row * A + column] = (mask.bits[bit >> 3] >> (7 - (bit & 7))) & 1;
    }
  }
  return plane;
}

/** The border of marked pixels as a path along pixel edges. */
function borderPath(marked, width, height) {
  const path = new Path2D();
  const on = (x, y) => x >= 0 && y >= 0 && x < width && y < height && marked[y * width + x];
  for (let y = 0; y <= height; y++) { // runs of horizontal edges in one stroke each
    for (let x = 0, from = -1; x <= width; x++) {
      const edge = x < width && !on(x, y) !== !on(x, y - 1);
      if (edge && from < 0) from = x;
      if (!edge && from >= 0) { path.moveTo(from, y); path.lineTo(x, y); from = -1; }
    }
  }
  for (let x = 0; x <= width; x++) {
    for (let y = 0, from = -1; y <= height; y++) {
      const edge = y < height && !on(x, y) !== !on(x - 1, y);
      if (edge && from < 0) from = y;
      if (!edge && from >= 0) { path.moveTo(x, from); path.lineTo(x, y); from = -1; }
    }
  }
  return path;
}

function makePlane(node) {
  return {
    name: node.dataset.plane, node, canvas: node.querySelector("canvas"),
    title: node.querySelector(".title"), left: node.querySelector(".mark.left"),
    right: node.querySelector(".mark.right"), grey: document.createElement("canvas"),
    mask: document.createElement("canvas"), slice: null, key: "", greyKey: "", box: [0, 0],
  };
}

/** Give each plane its share of the row, all at one scale of pixels per mm. */
function layOut(state) {
  const { volume, planes, root } = state;
  const row = root.querySelector(".planes");
  const mm = volume.shape.map((n, axis) => n * volume.spacing[axis]);
  const flat = volume.shape[2] < 3; // slice pictures: there is only the axial plane to see
  const shown = planes.filter((plane) => {
    plane.node.hidden = flat && plane.name !== "axial";
    return !plane.node.hidden;
  });
  const width = row.clientWidth, height = row.clientHeight, margin = 12;
  const widths = shown.map((plane) => mm[PLANES[plane.name].axes[0]]);
  const heights = shown.map((plane) => mm[PLANES[plane.name].axes[1]]);
  const free = width - 2 * margin * shown.length;
  const total = widths.reduce((sum, one) => sum + one, 0);
  state.fit = Math.max(0.1, Math.min(free / total, (height - 44) / Math.max(...heights)));
  const spare = (width - state.fit * total) / shown.length;
  shown.forEach((plane, i) => {
    plane.box = [Math.round(widths[i] * state.fit + spare), height];
    plane.node.style.width = `${plane.box[0]}px`;
    const ratio = globalThis.devicePixelRatio || 1;
    const [w, h] = plane.box.map((length) => Math.round(length * ratio));
    if (plane.canvas.width !== w || plane.canvas.height !== h) {
      plane.canvas.width = w;
      plane.canvas.height = h;
    }
  });
}

/** The transform from pixels of a plane (column, row) to CSS pixels of its box. */
function planeTransform(state, plane) {
  const { volume } = state;
  const { axes: [a, b] } = PLANES[plane.name];
  const scale = state.fit * state.zoom;
  const reversed = columnsReversed(plane.name, state.look.radiological);
  const centre = state.centre ?? volume.shape.map((n) => n / 2);
  const column = reversed ? volume.shape[a] - centre[a] : centre[a];
  const row = volume.shape[b] - centre[b];
  const sx = scale * volume.spacing[a], sy = scale * volume.spacing[b];
  const drop = plane.name === "axial" || state.zoom > 1 ? 6 : 0; // room for the title
  return {
    sx, sy, reversed, x: plane.box[0] / 2 - column * sx, y: plane.box[1] / 2 + drop - row * sy,
  };
}

/** The voxel (whole grid) under a point of a plane's box, on the slice shown there. */
function voxelAt(state, plane, px, py, keepInside = false) {
  const { volume } = state;
  const { axes: [a, b] } = PLANES[plane.name];
  const to = planeTransform(state, plane);
  let column = Math.floor((px - to.x) / to.sx), row = Math.floor((py - to.y) / to.sy);
  const inside = column >= 0 && row >= 0 && column < volume.shape[a] && row < volume.shape[b];
  if (!inside && !keepInside) return null;
  column = clamp(column, 0, volume.shape[a] - 1);
  row = clamp(row, 0, volume.shape[b] - 1);
  const voxel = [...state.cursor];
  voxel[a] = volume.offset[a] + (to.reversed ? volume.shape[a] - 1 - column : column);
  voxel[b] = volume.offset[b] + volume.shape[b] - 1 - row;
  return voxel;
}

function localCursor(state) {
  const { volume } = state;
  return state.cursor.map((v, axis) => clamp(v - volume.offset[axis], 0, volume.shape[axis] - 1));
}

/** Take a plane's slices out of the volumes if it now stands elsewhere. */
function refreshPlane(state, plane, local) {
  const { volume, look } = state;
  const { axes: [a, b], fixed } = PLANES[plane.name];
  const key = `${volume.key} ${state.map} ${local[fixed]} ${look.radiological}`;
  if (plane.key !== key) {
    plane.key = key;
    const take = (array) =>
      takePlane(array, plane.name, local[fixed], look.radiological, volume);
    const labels = take(volume.labels);
    plane.slice = {
      width: volume.shape[a], height: volume.shape[b], labels,
      input: take(volume.maps.input), map: take(volume.maps[state.map]),
      truth: state.hasTruth
        ? borderPath(labels.map((l) => l & TRUTH), volume.shape[a], volume.shape[b]) : null,
    };
    plane.cleanedKey = "";
  }
  const cleanedKey = state.cleaned ? state.cleaned.key : "none";
  if (plane.cleanedKey !== cleanedKey) {
    plane.cleanedKey = cleanedKey;
    plane.slice.cleaned = state.cleaned
      ? takeBits(state.cleaned, plane.name, local[fixed], look.radiological, volume) : null;
  }
}

function paintGrey(state, plane) {
  const { slice, grey } = plane;
  const [low, high] = state.window;
  const key = `${plane.key} ${low} ${high}`;
  if (plane.greyKey === key) return;
  plane.greyKey = key;
  grey.width = slice.width;
  grey.height = slice.height;
  const pen = grey.getContext("2d");
  const picture = pen.createImageData(slice.width, slice.height);
  const words = new Uint32Array(picture.data.buffer);
  const shades = new Uint32Array(256);
  for (let level = 0; level < 256; level++) {
    const shade = Math.round(clamp((255 * (level - low)) / Math.max(1, high - low), 0, 255));
    shades[level] = 0xff000000 | (shade << 16) | (shade << 8) | shade;
  }
  for (let i = 0; i < words.length; i++) words[i] = shades[slice.input[i]];
  pen.putImageData(picture, 0, 0);
}

/** Which pixels the mask holds: the cleaned mask when it belongs to this threshold. */
function maskOf(state, slice) {
  if (state.cleaned && state.cleaned.for === state.thresholdKey && slice.cleaned) {
    return slice.cleaned;
  }
  const [first, last] = keptInterval(state);
  const { map, labels } = slice;
  const marked = (slice.marked ??= new Uint8Array(map.length));
  for (let i = 0; i < map.length; i++) {
    marked[i] = map[i] >= first && map[i] <= last && labels[i] & REGION ? 1 : 0;
  }
  return marked;
}

function paintMask(state, plane, marked) {
  const { slice, mask } = plane;
  if (mask.width !== slice.width || mask.height !== slice.height) {
    mask.width = slice.width;
    mask.height = slice.height;
  }
  const pen = mask.getContext("2d");
  const picture = pen.createImageData(slice.width, slice.height);
  const words = new Uint32Array(picture.data.buffer);
  const rgb = parseInt(state.look.colour.slice(1), 16);
  const word = (0xff000000 | ((rgb & 255) << 16) | (rgb & 0xff00) | (rgb >> 16)) >>> 0;
  for (let i = 0; i < words.length; i++) if (marked[i]) words[i] = word;
  pen.putImageData(picture, 0, 0);
}

function strokeOutline(pen, path, to, colour, width) {
  const moved = new Path2D();
  moved.addPath(path, new DOMMatrix([to.sx, 0, 0, to.sy, to.x, to.y]));
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.stroke(moved);
}

function drawCrosshair(state, plane, pen, to, local) {
  const { volume } = state;
  const { axes: [a, b] } = PLANES[plane.name];
  const column = to.reversed ? volume.shape[a] - 1 - local[a] : local[a];
  const x = to.x + (column + 0.5) * to.sx;
  const y = to.y + (volume.shape[b] - 1 - local[b] + 0.5) * to.sy;
  pen.strokeStyle = "rgba(255, 255, 255, 0.3)";
  pen.lineWidth = 1;
  pen.beginPath();
  for (const [from, until] of [[0, x - 9], [x + 9, plane.box[0]]]) {
    pen.moveTo(from, Math.round(y) + 0.5);
    pen.lineTo(until, Math.round(y) + 0.5);
  }
  for (const [from, until] of [[0, y - 9], [y + 9, plane.box[1]]]) {
    pen.moveTo(Math.round(x) + 0.5, from);
    pen.lineTo(Math.round(x) + 0.5, until);
  }
  pen.stroke();
}

function drawShape(pen, shape) {
  pen.strokeStyle = "#fff";
  pen.lineWidth = 1.5;
  pen.setLineDash([5, 4]);
  const [x0, y0, x1, y1] = shape.box;
  pen.beginPath();
  if (shape.kind === "ellipse") {
    pen.ellipse((x0 + x1) / 2, (y0 + y1) / 2, Math.abs(x1 - x0) / 2, Math.abs(y1 - y0) / 2,
      0, 0, 2 * Math.PI);
  } else pen.rect(x0, y0, x1 - x0, y1 - y0);
  pen.stroke();
  pen.setLineDash([]);
}

function drawPlane(state, plane) {
  if (plane.node.hidden) return;
  const { look, volume } = state;
  const local = localCursor(state);
  refreshPlane(state, plane, local);
  paintGrey(state, plane);
  const { slice, canvas } = plane;
  const ratio = globalThis.devicePixelRatio || 1;
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.fillStyle = "#000";
  pen.fillRect(0, 0, plane.box[0], plane.box[1]);
  const to = planeTransform(state, plane);
  const place = [to.x, to.y, slice.width * to.sx, slice.height * to.sy];
  pen.imageSmoothingEnabled = true;
  pen.drawImage(plane.grey, ...place);
  if (look.mask) {
    const marked = maskOf(state, slice);
    if (look.opacity > 0) {
      paintMask(state, plane, marked);
      pen.imageSmoothingEnabled = false;
      pen.globalAlpha = look.opacity / 100;
      pen.drawImage(plane.mask, ...place);
      pen.globalAlpha = 1;
    }
    if (look.outline) {
      strokeOutline(pen, borderPath(marked, slice.width, slice.height), to, look.colour, 1.5);
    }
  }
  if (look.truth && slice.truth) strokeOutline(pen, slice.truth, to, "#56B4E9", 1.5);
  drawCrosshair(state, plane, pen, to, local);
  if (state.shape && state.shape.plane === plane.name) drawShape(pen, state.shape);
  const fixed = PLANES[plane.name].fixed;
  plane.title.textContent =
    `${plane.name} ${state.cursor[fixed]} / ${volume.full[fixed] - 1}`;
  const sides = look.radiological ? ["R", "L"] : ["L", "R"];
  const marks = plane.name === "sagittal" ? ["A", "P"] : sides;
  [plane.left.textContent, plane.right.textContent] = marks;
}
