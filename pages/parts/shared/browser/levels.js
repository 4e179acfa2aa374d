// @ts-check
// Grey levels 0 to 255: where they lie in a chart, which a threshold keeps, what they look like.

/** @type {(value: number, low: number, high: number) => number} */
export const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

/** @type {(a: number, b: number) => [number, number]} */
export const sorted = (a, b) => (a <= b ? [a, b] : [b, a]);

/** A number with so many digits, a dash for none. @type {(value: any, digits: number) => string} */
export const fixed = (value, digits) => (Number.isFinite(value) ? value.toFixed(digits) : "–");

/** The number of the peak that a rule names; 0 for another rule. @param {string} rule */
export const peakNumber = (rule) => (rule.startsWith("peak:") ? Number(rule.slice(5)) : 0);

/** First and last level that a threshold keeps, both included; first > last where it keeps none.
 * @type {(level: number | null, upper: number | null, side: string) => [number, number]} */
export function keptLevels(level, upper, side) {
  if (level === null) return [256, 255];
  if (upper !== null) return sorted(level, upper);
  return side === "dark" ? [0, level] : [level, 255];
}

/** As `keptLevels`, of a threshold that may not be there.
 * @type {(live: { t: number, upper: number | null, side: string, none?: boolean }) =>
 *   [number, number]} */
export const keptBy = ({ t, upper, side, none }) => keptLevels(none ? null : t, upper, side);

/** Levels along an axis that begins at pixel `from`: the middle of a level's bar, the level under a
 * pixel. A negative length runs upwards. @param {number} from @param {number} length */
export function levelAxis(from, length) {
  return {
    px: (/** @type {number} */ level) => from + ((level + 0.5) / 256) * length,
    levelAt: (/** @type {number} */ pixel) =>
      clamp(Math.floor(((pixel - from) / length) * 256), 0, 255),
  };
}

/** @typedef {ReturnType<typeof levelFrame>} Frame */

/** The box of a chart in CSS pixels, with levels from left to right.
 * @param {number} x @param {number} y @param {number} w @param {number} h */
export function levelFrame(x, y, w, h) {
  return { x, y, w, h, right: x + w, bottom: y + h, step: w / 256, ...levelAxis(x, w) };
}

/** @typedef {number[]} Rgb red, green, blue, 0 to 255 */

/** @type {(colour: string) => Rgb} "#RRGGBB" */
export const channels = (colour) => [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));

/** A pixel as ImageData holds it in a Uint32Array. @type {(rgb: Rgb, alpha?: number) => number} */
export const pixel = (rgb, alpha = 255) => new Uint32Array(Uint8Array.of(...rgb, alpha).buffer)[0];

/** The 256 levels as pixels: grey from `low` (black) to `high` (white), under a share of a colour.
 * @type {(low?: number, high?: number, colour?: Rgb, share?: number) => Uint32Array} */
export function shades(low = 0, high = 255, colour = [0, 0, 0], share = 0) {
  const bytes = new Uint8ClampedArray(4 * 256).fill(255);
  for (let level = 0; level < 256; level++) {
    const grey = clamp((255 * (level - low)) / Math.max(1, high - low), 0, 255);
    colour.forEach((part, i) => { bytes[4 * level + i] = (1 - share) * grey + share * part; });
  }
  return new Uint32Array(bytes.buffer);
}

/** Paint a plane from pixel `at` on, turned by half a turn: its rows go upwards, its columns to the
 * left, so that the patient's right is on the left of the screen.
 * @param {Uint32Array} pixels @param {number} at @param {Uint8Array} plane
 * @param {Uint32Array} looks @param {Uint8Array} [tissue] levels are 0 where this is 0 */
export function paintTurned(pixels, at, plane, looks, tissue = plane) {
  for (let to = at, from = plane.length - 1; from >= 0; to++, from--) {
    pixels[to] = looks[tissue[from] ? plane[from] : 0];
  }
}
