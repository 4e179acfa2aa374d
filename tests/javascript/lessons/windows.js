// Windows of one browser that hear each other, without a browser.

import { FakeNode } from "../helpers.js";

/** Make `window`, `document`, `sessionStorage` and BroadcastChannel: channels hear each other at
 * once. `page` holds what the document finds, by a part of the selector asked for. */
export function fakeBrowser() {
  const page = {}, stored = new Map(), channels = new Set();
  globalThis.window = new FakeNode();
  globalThis.document = Object.assign(new FakeNode(), {
    querySelector: (selector) =>
      page[Object.keys(page).find((key) => selector.includes(key)) ?? ""] ?? null,
  });
  globalThis.sessionStorage = {
    getItem: (key) => stored.get(key) ?? null, setItem: (key, value) => stored.set(key, value),
  };
  globalThis.BroadcastChannel = class {
    constructor() { channels.add(this); }
    postMessage(data) {
      for (const other of channels) if (other !== this) other.onmessage?.({ data });
    }
    close() { channels.delete(this); }
  };
  return { page, stored };
}
