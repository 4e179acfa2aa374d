// @ts-check
// What the viewer, the panel of numbers and the volumes share in one browser tab.

/** A case's volumes, cropped to a box that begins at `offset`; x runs fastest, then y, then z.
 * @typedef {{ key: string, shape: number[], full: number[], offset: number[], spacing: number[],
 *   maps: Record<string, Uint8Array>, labels: Uint8Array }} Volume */
/** The threshold; where there is `none`, the line is parked at `t` and nothing is kept.
 * @typedef {{ t: number, upper: number | null, side: string, rule: string,
 *   none?: boolean }} Live */
/** @typedef {Record<string, (number | null)[]>} Curves a score at each level, by side */
/** @typedef {{ t: number, dice: number } | null} Oracle */
/** The mask after post-processing: bits of its own box, made for the threshold `for`.
 * @typedef {{ key: string, for: string, numbers: Record<string, number | null>, shape: number[],
 *   offset: number[], bits: string, gzip: boolean }} Cleaned */
/** An edit of the mask's connected pieces: the one at `voxel` goes, or stays alone.
 * @typedef {{ scan: string, voxel: number[], act: "drop" | "keep" }} Edit */
/** What `findings.viewer_data` sends.
 * @typedef {{ seq: number, key: string, case: string, scan: string, volumes: string,
 *   map: string, full: number[], hasTruth: boolean, counts: number[],
 *   inputCounts: number[] | null, levels: number[], lesion: number[] | null, true: number,
 *   voxelMl: number, peaks: { position: number }[],
 *   valleys: number[], pending: boolean, trained: [string, string],
 *   verdict: string, separated: boolean, caption: string, axis: string,
 *   values: [string, string][], live: Omit<Live, "none">, none: boolean, cursor: number[],
 *   on: Record<string, string> | null, blind: boolean, subject: string, hintKind: string,
 *   hint: string, rank: number | null, warning: string,
 *   proposal: { t: number, side: string, rule: string, text: string, kind: string,
 *     sentence: string },
 *   oracle: Oracle, inputOracle: Oracle, dice: Curves | null, meanDice: Curves | null,
 *   meanOf: number, query: string, steps: string, after: string, pieces: Edit[], edited: string,
 *   accepted: string, cohortLine?: number | null, cleaned: Cleaned | null }} Data */
/** A page where the browser chooses the subject: `shown` is what the viewer draws, null until it is
 * there, and why in `waiting`; `tell` takes the viewer's messages. The page may add more.
 * @typedef {{ shown: Data | null, waiting: string, tell: (told: object) => void }} Desk */
/** `live` is the threshold on the screen now, `data` the newest from Python, `frames` and `drawn`
 * (ms of performance.now()) count redraws for measurements. `pageKeys` are keys that the page
 * answers before the viewer does, `takePackage` gets what comes along with volumes. `seen` are the
 * cases whose truth, or scores made with it, were on the screen. `wanted` is where the page wants
 * the line (told as "wanted"). `pieces` are the edits of the mask's pieces on the screen, of all
 * scans of the subject.
 * @typedef {{ volumes: Map<string, Volume>, data: Data | null, live: Live | null,
 *   table: ReturnType<typeof import("./scores.js").scoreTable> | null, frames: number,
 *   drawn: number, cleanedAt: number, listeners: Set<(what: string) => void>,
 *   desk: Desk | null, pageKeys: ((event: KeyboardEvent) => (() => void) | null) | null,
 *   takePackage: ((sent: any) => void) | null, wanted: Partial<Live> | null, pieces: Edit[],
 *   seen: { truth: Set<string>, dice: Set<string> } }} Store */

/** Stands where a volume has not arrived yet. @type {Volume} */
export const NO_VOLUME = { key: "", shape: [1, 1, 1], full: [1, 1, 1], offset: [0, 0, 0],
  spacing: [1, 1, 1], maps: {}, labels: new Uint8Array(1) };

/** The tab's one store. @returns {Store} */
export function sharedStore() {
  const tab = /** @type {any} */ (globalThis);
  return tab.ascnetExplorer ??= {
    volumes: new Map(), data: null, live: null, table: null, frames: 0, drawn: 0, cleanedAt: 0,
    listeners: new Set(), pieces: [], desk: null, pageKeys: null, takePackage: null,
    wanted: null, seen: { truth: new Set(), dice: new Set() },
  };
}

/** @type {(store: Store, what: string) => void} */
export function tell(store, what) {
  for (const listener of store.listeners) listener(what);
}

/** Names a threshold, as `cleaned.for` does.
 * @type {(live: Pick<Live, "t" | "upper" | "side">) => string} */
export const thresholdKey = ({ t, upper, side }) => `${t} ${upper} ${side}`;
