import assert from "node:assert/strict";
import test from "node:test";
import { gzipSync } from "node:zlib";

import {
  bytesOf, fromBase64, gunzip, reader, uint32,
} from "../../../pages/parts/shared/browser/blocks.js";
import { block, joined, uint32s } from "../helpers.js";

test("a block gives its header and then its parts", () => {
  const { json, take } = reader(block({ name: "müll" }, [1, 2, 3], [4]));
  assert.deepEqual(json(), { name: "müll" });
  assert.deepEqual([...take(3)], [1, 2, 3]);
  assert.deepEqual([...take(1)], [4]);
});

test("parts behind their lengths come one after the other, empty ones too", () => {
  const { sized } = reader(joined([1, 2], [], [3]));
  assert.deepEqual([[...sized()], [...sized()], [...sized()]], [[1, 2], [], [3]]);
});

test("a block within other bytes is read where it lies", () => {
  const whole = new Uint8Array([9, ...block("7", [5])]);
  const { json, take } = reader(whole.subarray(1));
  assert.equal(json(), 7);
  assert.deepEqual([...take(1)], [5]);
});

test("numbers are read at any place", () => {
  const bytes = new Uint8Array([0, ...uint32s([1, 70000])]);
  assert.deepEqual([...uint32(bytes.subarray(1))], [1, 70000]);
});

test("zipped bytes come back", async () => {
  assert.deepEqual([...await gunzip(gzipSync(Buffer.from([7, 0, 255])))], [7, 0, 255]);
});

test("base64 comes back, with or without the browser's own way", () => {
  const text = Buffer.from([0, 127, 128, 255]).toString("base64");
  assert.deepEqual([...fromBase64(text)], [0, 127, 128, 255]);
  const own = Uint8Array.fromBase64;
  Uint8Array.fromBase64 = undefined;
  assert.deepEqual([...fromBase64(text)], [0, 127, 128, 255]);
  if (own) Uint8Array.fromBase64 = own;
  else delete Uint8Array.fromBase64;
});

test("bytes are taken as they are, buffers are wrapped", () => {
  const bytes = Uint8Array.of(1);
  assert.equal(bytesOf(bytes), bytes);
  assert.deepEqual(bytesOf(bytes.buffer), bytes);
});
