import assert from "node:assert/strict";
import test from "node:test";
import { gzipSync } from "node:zlib";

import { keep, unpackPair } from "../../../pages/parts/versus/versus_store.js";
import { block } from "../helpers.js";

test("a pair is unpacked as it was packed", async () => {
  const parts = { input: [1, 2, 3, 4], left: [0b10000000], right: [0b01000000] };
  const packed = Object.entries(parts).map(([name, part]) => [name, gzipSync(Buffer.from(part))]);
  const header = { key: "k", subject: "A", shape: [2, 2, 1],
    parts: packed.map(([name, part]) => [name, part.length]) };
  const pair = await unpackPair(block(header, ...packed.map(([, part]) => part)));
  assert.deepEqual([pair.key, pair.subject, pair.shape], ["k", "A", [2, 2, 1]]);
  for (const name in parts) assert.deepEqual([...pair[name]], parts[name]);
});

test("the oldest pairs are let go, and listeners hear of a new one", () => {
  let heard = 0;
  const store = { pairs: new Map(), listeners: new Set([() => { heard += 1; }]) };
  for (const subject of "ABCDEA") keep(store, { subject });
  assert.deepEqual([...store.pairs.keys()], ["C", "D", "E", "A"]);
  assert.equal(heard, 6);
});
