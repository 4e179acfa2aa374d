import assert from "node:assert/strict";
import test from "node:test";
import { gzipSync } from "node:zlib";

import volumes, { unpackVolumes } from "../../../pages/parts/viewer/volumes.js";
import { sharedStore } from "../../../pages/parts/viewer/viewer_store.js";
import { block } from "../helpers.js";

/** A block as `viewer.pack_volumes` makes it. */
function packed(key, maps) {
  const parts = Object.entries(maps).map(([name, bytes]) => [name, gzipSync(Buffer.from(bytes))]);
  const sizes = parts.map(([name, zipped]) => [name, zipped.length]);
  return block({ key, shape: [2, 1, 1], parts: sizes }, ...parts.map(([, zipped]) => zipped));
}

test("volumes are unpacked by name, the labels apart", async () => {
  const { key, shape, maps, labels, parts } =
    await unpackVolumes(packed("k", { input: [1, 2], wild: [3, 4], labels: [1, 3] }));
  assert.deepEqual([key, shape, parts], ["k", [2, 1, 1], undefined]);
  assert.deepEqual(maps, { input: Uint8Array.of(1, 2), wild: Uint8Array.of(3, 4) });
  assert.deepEqual(labels, Uint8Array.of(1, 3));
});

test("the three newest are kept", async () => {
  const store = sharedStore();
  for (const key of ["a", "b", "c", "a", "d"]) {
    const arrived = new Promise((done) => { store.listeners = new Set([done]); });
    volumes({ data: packed(key, { labels: [0, 0] }) });
    assert.equal(await arrived, "volumes");
  }
  assert.deepEqual([...store.volumes.keys()], ["c", "a", "d"]);
});
