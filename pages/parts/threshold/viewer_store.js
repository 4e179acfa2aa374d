// What the viewer and the panel of numbers share in one browser tab, and the pure sums both need.

/** One store for the tab: the volumes that arrived, what Python said last, what the user moves. */
function sharedStore() {
  globalThis.ascnetExplorer ??= {
    volumes: new Map(), // key of a case -> { shape, full, offset, spacing, maps, labels }
    data: null, // the newest data from Python
    live: null, // { t, upper, side, rule } as on the screen now
    none: false, // whether no threshold is in force: the line is parked
    frames: 0, // redraws, for measurements
    drawn: 0, // when the last one was done, in ms of performance.now()
    listeners: new Set(),
  };
  return globalThis.ascnetExplorer;
}

function tell(store, what) {
  for (const listener of store.listeners) listener(what);
}

function clamp(value, low, high) {
  return Math.min(high, Math.max(low, value));
}

/** Unpack the block of bytes of a case: uint32 length, JSON header, gzipped uint8 volumes. */
async function unpackVolumes(bytes) {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  let at = 4 + length;
  const maps = {};
  await Promise.all(header.parts.map(async ([name, size]) => {
    const part = bytes.subarray(at, (at += size));
    maps[name] = await gunzip(part);
  }));
  const labels = maps.labels;
  delete maps.labels;
  return { ...header, maps, labels };
}

async function gunzip(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function fromBase64(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text); // browsers from 2025 on
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

/** First and last level that are kept, both included; an empty interval has first > last. */
function keptInterval({ t, upper, side, none }) {
  if (none) return [1, 0]; // the rule finds no threshold: the line is parked
  if (upper !== null) return [Math.min(t, upper), Math.max(t, upper)];
  return side === "dark" ? [0, t] : [t, 255];
}

/** Voxels at levels first..last. `sums[k]` is the count below level k, so it has 257 entries. */
function countBetween(sums, first, last) {
  return last < first ? 0 : sums[last + 1] - sums[first];
}

function runningSums(counts) {
  const sums = new Float64Array(257);
  for (let k = 0; k < 256; k++) sums[k + 1] = sums[k] + counts[k];
  return sums;
}

/** The numbers at a threshold from the table of counts; null where there is no truth. */
function numbersAt(table, live) {
  const [first, last] = keptInterval(live);
  const kept = countBetween(table.levelSums, first, last);
  const volume = kept * table.voxelMl;
  if (!table.lesionSums) return { kept, volume, dice: null, sensitivity: null, precision: null };
  const hits = countBetween(table.lesionSums, first, last);
  const all = kept + table.true;
  return {
    kept, volume,
    dice: all ? (2 * hits) / all : 1,
    sensitivity: table.true ? hits / table.true : null,
    precision: kept ? hits / kept : null,
  };
}
