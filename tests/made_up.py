"""Made-up courses of training: histograms and watched slices as a run would have kept them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from ascnet_core.monitoring.advisor import Advice
from ascnet_core.monitoring.history import Point, link, measure
from ascnet_core.runs.folder import Snapshot, SnapshotData

SIZE = 32
THREE = (50, 130, 220)


def bumps(positions: Sequence[int], shares: Sequence[float] | None = None, width: float = 5.0):
    """Counts (256,) of normal bumps; by default the last one is small, as a lesion's is."""
    if shares is None:
        shares = (*([1.0] * (len(positions) - 1)), 0.1)
    levels = np.arange(256)
    curves = [
        share * np.exp(-0.5 * ((levels - position) / width) ** 2)
        for position, share in zip(positions, shares, strict=True)
    ]
    return np.rint(4000 * np.sum(curves, axis=0)).astype(np.int64)


def tissue(seed: int = 0):
    """Watched inputs (2, 32, 32) uint8: a disc of noise on black, and a square that is a lesion."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:SIZE, :SIZE]
    disc = (rows - 15.5) ** 2 + (columns - 15.5) ** 2 < 14**2
    image = np.where(disc, rng.integers(20, 200, (2, SIZE, SIZE)), 0).astype(np.uint8)
    lesion = np.zeros((2, SIZE, SIZE), bool)
    lesion[:, 10:18, 12:20] = True
    return image, lesion


def snapshot(index: int, cycle: int | None = None, step: int | None = None) -> Snapshot:
    """A snapshot's place; by default the end of cycle `index`."""
    cycle = index if cycle is None else cycle
    step = 10 * index if step is None else step
    return Snapshot(index, 1, cycle, cycle, step, 8 * step, Path(f"{index:03d}"), {"epoch": 1})


def data_of(
    counts,
    *,
    positions: Sequence[int] = THREE,
    lesion=None,
    dark: bool = False,
    quantised: bool = False,
    seed: int = 0,
) -> SnapshotData:
    """Cuts whose I_ro has two tissues at the first positions and the lesion at the last one.

    `dark` turns I_ro round; `quantised` gives the last level to the brightest tissue instead.
    """
    image, square = tissue()
    lesion = square if lesion is None else lesion
    inside = image > 0
    if quantised:
        classes = np.digitize(image, (80, 170))
    else:
        # which tissue is which does not go by brightness alone
        classes = np.where(np.random.default_rng(seed).random(image.shape) < 0.5, 0, 1)
        classes[lesion & inside] = 2
    ends = list(positions)[::-1] if dark else list(positions)
    levels = np.asarray([ends[0], ends[len(ends) // 2], ends[-1]], np.uint8)
    reconstruction = np.where(inside, levels[classes], 0).astype(np.uint8)
    zero = np.zeros_like(image)
    # the fence is the slice without its lesion; a quantiser leaves everything in it
    fence = image if quantised else np.where(lesion, image // 2, image).astype(np.uint8)
    maps = {"fence": fence, "wild": zero, "reconstruction": reconstruction}
    return SnapshotData(image, maps, counts, np.zeros((64, 64), np.int64))


def separated(index: int, **more: object) -> Point:
    """A cycle with three clean peaks and the lesion in the brightest."""
    return measure(snapshot(index), data_of(bumps(THREE), **more), rule="rightmost-valley")


def merged(index: int) -> Point:
    """A cycle whose histogram has one peak."""
    counts = bumps((120,), (1.0,), 20.0)
    return measure(snapshot(index), data_of(counts), rule="rightmost-valley")


def start() -> Point:
    """Before training."""
    return merged(0)


def story(text: str) -> list[Point]:
    """A course by letters, one a cycle: s separated, m merged, f flipped, q quantiser, o other.

    `o` is separated, with a mask elsewhere; `h` a mask full of holes.
    """
    return link([start(), *(_told(letter, index) for index, letter in enumerate(text, 1))])


@lru_cache(maxsize=256)
def _told(letter: str, index: int) -> Point:
    if letter == "m":
        return merged(index)
    more: dict[str, object] = {}
    if letter == "f":
        more["dark"] = True
    elif letter == "q":
        more["quantised"] = True
    elif letter == "o":
        more["lesion"] = np.roll(tissue()[1], (6, -8), (1, 2))
    elif letter == "h":
        lesion = tissue()[1].copy()
        lesion[:, 12:16:2, 14:19:2] = False
        more["lesion"] = lesion
    return separated(index, **more)


def write_run(
    folder: Path, letters: str = "mmssss", gauges: dict | None = None, size: int = SIZE
) -> Path:
    """A run folder with settings, snapshots and events of a story, without any weights.

    `size` other than 32 repeats the watched slices until they fill it.
    """
    import dataclasses

    from safetensors.numpy import save_file

    from ascnet_core.settings.presets import load_preset
    from ascnet_core.settings.text import to_toml

    preset = load_preset("teaching")
    chosen = dataclasses.replace(
        preset.segmentation, map="reconstruction", rule="rightmost-valley", side="bright"
    )
    folder.mkdir(parents=True)
    settings = dataclasses.replace(preset, segmentation=chosen)
    (folder / "settings.toml").write_text(to_toml(settings), encoding="utf-8")
    events: list[dict[str, object]] = [{"kind": "start", "step": 0}]
    total = 10 * len(letters)
    for index, letter in enumerate("m" + letters):
        more = {"f": {"dark": True}, "q": {"quantised": True}}.get(letter, {})
        counts = bumps((120,), (1.0,), 20.0) if letter == "m" else bumps(THREE)
        data = data_of(counts, **more)
        name = f"{index:03d}-s1-c{index}"
        place = folder / "snapshots" / name
        place.mkdir(parents=True)
        tiles = (1, -(-size // SIZE), -(-size // SIZE))
        kept = {"watched_input": data.watched_input, **data.maps, "counts": data.counts}
        kept |= {} if data.joint is None else {"joint": data.joint}
        arrays = {
            key: np.ascontiguousarray(np.tile(value, tiles)[:, :size, :size])
            if value.ndim == 3
            else value
            for key, value in kept.items()
        }
        save_file(arrays, place / "cuts.safetensors")
        info = {"stage": 1, "cycle": index, "total_cycle": index, "step": 10 * index}
        info |= {"images_seen": 80 * index, "epoch": 1, "counts": counts.tolist()}
        info["verdict"] = "made up"
        (place / "info.json").write_text(json.dumps(info), encoding="utf-8")
        where = {"stage": 1, "cycle": index, "epoch": 1, "phase": "joint", "step": 10 * index}
        where |= {"steps_total": total, "time": 1000.0 + index}
        if index:
            losses = {"total": 1.0 / index, "tie": 0.5 / index}
            events.append({"kind": "step", **where, "losses": losses, "gauges": {}})
            events.append({"kind": "epoch", **where, "losses": {}, "gauges": gauges or {}})
        events.append({"kind": "snapshot", **where, "snapshot": name})
        if index:
            events.append({"kind": "cycle", **where})
    events.append({"kind": "end", "step": total, "steps_total": total, "time": 2000.0})
    text = "".join(json.dumps(event) + "\n" for event in events)
    (folder / "events.jsonl").write_text(text, encoding="utf-8")
    return folder


def held(advice: Advice) -> dict[str, bool]:
    """Whether each rule of an advice holds, by its name."""
    return {rule.name: rule.held for rule in advice.rules}
