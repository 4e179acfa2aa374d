"""What tests of the Tuning page share: its address, what lies on the desk, its mask."""

import base64
import gzip
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
from playwright.sync_api import Page

SHOWN = """() => {
  const store = globalThis.ascnetExplorer, desk = store?.desk, data = desk?.shown;
  if (!data || !store.volumes.has(data.volumes) || store.data !== data || !store.live) return false;
  const { t, upper, side } = store.live;
  return !data.steps || data.cleaned?.for === `${t} ${upper} ${side}`;
}"""
"""Whether a subject is on the screen, with the mask that its steps make."""
SAVED = "ascnetExplorer.desk.outbox.length === 0 && ascnetExplorer.desk.heard > 0"
MASK = """() => {
  const store = globalThis.ascnetExplorer, { shown, current } = store.desk, live = store.live;
  const volume = store.volumes.get(shown.volumes), levels = volume.maps[shown.map], found = [];
  const [low, high] = live.upper !== null ? [live.t, live.upper]
    : live.side === "dark" ? [0, live.t] : [live.t, 255];
  const [X, Y] = volume.shape, [dx, dy, dz] = volume.offset;
  for (let i = 0; i < levels.length; i++) {
    if (!(volume.labels[i] & 1) || levels[i] < low || levels[i] > high) continue;
    found.push([dx + i % X, dy + Math.floor(i / X) % Y, dz + Math.floor(i / X / Y)]);
  }
  return JSON.stringify({ current, full: volume.full, found, cleaned: shown.cleaned });
}"""


def address_of(server: str, study: Path, rater: str, **more: object) -> str:
    return f"{server}/tuning?{urlencode({'study': study, 'rater': rater} | more)}"


def desk(page: Page, name: str) -> Any:
    return json.loads(page.evaluate(f"JSON.stringify(ascnetExplorer.desk.{name})"))


def on_screen(page: Page) -> tuple[str, np.ndarray]:
    """The subject on the screen and its mask, after its steps, on the whole grid."""
    page.wait_for_function(SHOWN)
    told = json.loads(page.evaluate(MASK))
    mask = np.zeros(told["full"], bool)
    if cleaned := told["cleaned"]:
        x, y, z = cleaned["shape"]
        packed = base64.b64decode(cleaned["bits"])
        bits = np.frombuffer(gzip.decompress(packed) if cleaned["gzip"] else packed, np.uint8)
        inner = np.unpackbits(bits, count=x * y * z).reshape(z, y, x).transpose(2, 1, 0)
        a, b, c = cleaned["offset"]
        mask[a : a + x, b : b + y, c : c + z] = inner
    elif told["found"]:
        mask[tuple(np.array(told["found"]).T)] = True
    return told["current"], mask
