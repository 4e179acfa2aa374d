// One entry of the browser's history for what the user did, none for what the app fills in.

import assert from "node:assert/strict";
import test from "node:test";

import { isStep, oneEntryAnAct } from "../../../pages/parts/links/history.js";

/** A window of entries; `go` writes an address as Streamlit does. */
function madeUp() {
  const entries = ["http://x/"];
  const listeners = /** @type {Record<string, () => void>} */ ({});
  const place = { href: entries[0] };
  /** @typedef {(data: any, unused: string, url: string) => void} Write */
  const move = (/** @type {string} */ url) => void (place.href = new URL(url, place.href).href);
  const window = {
    location: place,
    history: {
      pushState: /** @type {Write} */ ((_data, _unused, url) => {
        move(url);
        entries.push(place.href);
      }),
      replaceState: /** @type {Write} */ ((_data, _unused, url) => {
        move(url);
        entries[entries.length - 1] = place.href;
      }),
    },
    addEventListener: (/** @type {string} */ kind, /** @type {() => void} */ heard) => {
      listeners[kind] = heard;
    },
  };
  oneEntryAnAct(/** @type {any} */ (window));
  return {
    entries,
    act: (kind = "click") => listeners[kind](),
    go: (/** @type {string} */ url) => window.history.pushState({}, "", url),
  };
}

test("what the app fills in by itself takes the place of the entry", () => {
  const { entries, go } = madeUp();
  go("/threshold?subject=a");
  assert.deepEqual(entries, ["http://x/threshold?subject=a"]);
});

test("an act makes one entry, whatever is written after it", () => {
  const { entries, act, go } = madeUp();
  act();
  go("/?cycle=2"); // the old page's address with the new view, for a moment
  go("/cuts?cycle=2");
  go("/cuts?cycle=2&subject=a");
  act("keydown");
  go("/cuts?cycle=2&subject=b");
  assert.deepEqual(entries, [
    "http://x/",
    "http://x/cuts?cycle=2&subject=a",
    "http://x/cuts?cycle=2&subject=b",
  ]);
});

test("a moved line or another slice makes none", () => {
  const { entries, act, go } = madeUp();
  act("pointerdown");
  go("/?t=90&slice=4");
  assert.deepEqual(entries, ["http://x/?t=90&slice=4"]);
});

test("going back is no act", () => {
  const { entries, act, go } = madeUp();
  act("keydown"); // Alt and the arrow
  act("popstate");
  go("/?subject=a");
  assert.equal(entries.length, 1);
});

test("a step is another page, run, cycle, cohort, subject or part of a page", () => {
  const at = (/** @type {string} */ url) => new URL(url, "http://x");
  assert.ok(isStep(at("/cuts"), at("/threshold")));
  assert.ok(isStep(at("/cuts?run=a"), at("/cuts")));
  assert.ok(isStep(at("/lessons?stop=1"), at("/lessons?stop=2")));
  assert.ok(isStep(at("/lessons?stop=1"), at("/lessons?stop=1&present=1")));
  assert.ok(!isStep(at("/cuts?run=a"), at("/cuts?run=a&rule=otsu")));
});
