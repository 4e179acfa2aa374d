// @ts-check
// Blocks of bytes that Python packs: unpacked piece by piece, without copies where there is a way.

/** @type {(data: any) => Uint8Array} */
export const bytesOf = (data) => (data instanceof Uint8Array ? data : new Uint8Array(data));

/** Little-endian uint32. @type {(bytes: Uint8Array) => Uint32Array} */
export const uint32 = (bytes) => new Uint32Array(bytes.slice().buffer);

/** Gives a block's parts one after the other. @param {Uint8Array} bytes */
export function reader(bytes) {
  let at = 0;
  const take = (/** @type {number} */ size) => bytes.subarray(at, (at += size));
  const sized = () => take(uint32(take(4))[0]); // its length stands before it
  return { take, sized, json: () => JSON.parse(new TextDecoder().decode(sized())) };
}

/** @param {Uint8Array} bytes */
export async function gunzip(bytes) {
  const blob = new Blob([/** @type {Uint8Array<ArrayBuffer>} */ (bytes)]);
  const stream = blob.stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Fast in browsers from 2025 on. @type {(text: string) => Uint8Array} */
export const fromBase64 = (text) => /** @type {any} */ (Uint8Array).fromBase64?.(text) ??
  Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
