// @ts-check
// Planes of a volume in screen order. Arrays run x fastest, then y, then z; +x is the patient's
// right, +y anterior, +z up.

/** @typedef {(voxel: number[]) => number} ValueAt */

/** Which voxel axes a plane's columns and rows run along.
 * @type {Record<string, { axes: number[], fixed: number }>} */
export const PLANES = {
  axial: { axes: [0, 1], fixed: 2 },
  coronal: { axes: [0, 2], fixed: 1 },
  sagittal: { axes: [1, 2], fixed: 0 },
};

/** Whether screen columns run against the voxel axis.
 * @type {(name: string, radiological: boolean) => boolean} */
export const columnsReversed = (name, radiological) => name === "sagittal" || radiological;

/** Reads a volume. @type {(values: Uint8Array, shape: number[]) => ValueAt} */
export const inVolume = (values, [X, Y]) => ([x, y, z]) => values[x + X * (y + Y * z)];

/** Reads a mask that came as the bits of its own box, by voxels of a volume that begins at `from`.
 * @param {{ shape: number[], offset: number[], bits: Uint8Array }} mask
 * @param {number[]} from @returns {ValueAt} */
export function inMask({ shape: [X, Y, Z], offset, bits }, from) {
  const [dx, dy, dz] = from.map((start, axis) => start - offset[axis]);
  return ([x, y, z]) => {
    const i = x + dx, j = y + dy, k = z + dz;
    if (i < 0 || j < 0 || k < 0 || i >= X || j >= Y || k >= Z) return 0;
    const bit = i + X * (j + Y * k);
    return (bits[bit >> 3] >> (7 - (bit & 7))) & 1;
  };
}

/** The marked pixels that hang together with one of them, corners included; null off the mask.
 * @type {(marked: Uint8Array, width: number, at: number) => Uint8Array | null} */
export function pieceOf(marked, width, at) {
  if (!marked[at]) return null;
  const piece = new Uint8Array(marked.length), open = [at];
  piece[at] = 1;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const column = next % width;
    for (let step = column ? -1 : 0; step <= (column < width - 1 ? 1 : 0); step++) {
      for (const to of [next + step - width, next + step, next + step + width]) {
        if (marked[to] && !piece[to]) {
          piece[to] = 1;
          open.push(to);
        }
      }
    }
  }
  return piece;
}

/** One plane, row by row.
 * @type {(valueAt: ValueAt, shape: number[], name: string, at: number, radiological: boolean) =>
 *   Uint8Array} */
export function takePlane(valueAt, shape, name, at, radiological) {
  const { axes: [a, b], fixed } = PLANES[name], reversed = columnsReversed(name, radiological);
  const plane = new Uint8Array(shape[a] * shape[b]), voxel = [0, 0, 0];
  voxel[fixed] = at;
  for (let row = shape[b] - 1, i = 0; row >= 0; row--) {
    voxel[b] = row;
    for (let column = 0; column < shape[a]; column++, i++) {
      voxel[a] = reversed ? shape[a] - 1 - column : column;
      plane[i] = valueAt(voxel);
    }
  }
  return plane;
}
