"""The film of a run as an animated GIF, for slides: cuts, mask and histogram of every frame."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from ascnet_core.training.history import Point
from ascnet_core.training.run_folder import SnapshotData
from pages.parts.pictures import display

Picture = NDArray[np.uint8]

MASK = (213, 94, 0)
PEAK = (230, 159, 0)
MOST_FRAMES = 60
SIDE = 144  # pixels of a tile
CHART = 96  # pixels of the histogram's height
TEXT = 18


def frames_for(number: int, most: int = MOST_FRAMES) -> list[int]:
    """Which snapshots are in the GIF: all up to `most`, else every n-th, first and last always."""
    if number == 0:
        return []
    step = -(-number // most)
    while True:
        kept = sorted({0, *range(number - 1, -1, -step)})
        if len(kept) <= most or step >= number:
            return kept
        step += 1


def tiles(point: Point, data: SnapshotData, slices: Sequence[int]) -> Picture:
    """I_in, fence, wild, I_ro and mask of the chosen slices, (rows, columns, 3) uint8."""
    rows = []
    for one in slices:
        inside = data.watched_input[one] > 0
        maps = [data.watched_input[one]]
        maps += [getattr(data, name)[one] * inside for name in ("fence", "wild", "reconstruction")]
        grey = [np.repeat(np.asarray(m)[..., None], 3, axis=2) for m in (*maps, maps[0])]
        if point.mask is not None:
            mask = point.mask[one]
            grey[-1][mask] = (0.35 * grey[-1][mask] + 0.65 * np.array(MASK)).astype(np.uint8)
        rows.append(np.concatenate([np.moveaxis(display(np.moveaxis(g, 2, 0)), 0, 2) for g in grey],
                                   axis=1))  # fmt: skip
    return np.concatenate(rows, axis=0)


def frame(point: Point, data: SnapshotData, slices: Sequence[int], tallest: int) -> Image.Image:
    """One frame: a line of text, the tiles, the histogram on a logarithmic scale."""
    picture = Image.fromarray(tiles(point, data, slices))
    wide, high = 5 * SIDE, len(slices) * SIDE
    canvas = Image.new("RGB", (wide, TEXT + high + CHART), "white")
    canvas.paste(picture.resize((wide, high), Image.Resampling.BILINEAR), (0, TEXT))
    pen = ImageDraw.Draw(canvas)
    text = f"{point.label}   {point.separated} separated peaks, index {point.separation_index:.2f}"
    if point.stability is not None:
        text += f", stability {point.stability:.2f}"
    pen.text((4, 3), text + "   (I_in, fence, wild, I_ro, mask)", fill="black")
    base, room = TEXT + high + CHART - 4, CHART - 20
    across = (np.arange(257) * wide / 256).astype(int)
    heights = np.log1p(point.counts) / np.log1p(max(1, tallest)) * room
    for level in range(256):
        if point.counts[level]:
            box = (across[level], base - heights[level], max(across[level], across[level + 1] - 1))
            pen.rectangle((*box, base), fill=(51, 51, 51))
    for peak in point.peaks:
        x, y = across[peak.position], base - heights[peak.position] - 7
        pen.polygon([(x, y - 5), (x + 5, y), (x, y + 5), (x - 5, y)], fill=PEAK)
    if point.threshold is not None:
        x = across[point.threshold.level]
        pen.line((x, base - room - 10, x, base), fill=MASK, width=2)
    return canvas


def palette() -> Image.Image:
    """Greys, and greys under the mask's colour: one for all frames, so that nothing flickers."""
    greys = np.linspace(0, 255, 126)
    plain = np.repeat(greys[:, None], 3, axis=1)
    covered = 0.35 * plain + 0.65 * np.array(MASK)
    colours = np.concatenate([plain, covered, [MASK, PEAK, (255, 255, 255), (0, 0, 0)]])
    image = Image.new("P", (1, 1))
    image.putpalette(np.rint(colours).astype(np.uint8).tobytes())
    return image


def gif(
    points: Sequence[Point],
    datas: Sequence[SnapshotData],
    slices: Sequence[int],
    per_second: float = 4.0,
) -> bytes:
    """An endless animated GIF of the frames given; the last one stays for two seconds."""
    tallest = max((int(point.counts.max()) for point in points), default=1)
    shared = palette()
    pictures = [
        frame(point, data, slices, tallest).quantize(palette=shared, dither=Image.Dither.NONE)
        for point, data in zip(points, datas, strict=True)
    ]
    duration = [round(1000 / per_second)] * (len(pictures) - 1) + [2000]
    out = io.BytesIO()
    pictures[0].save(out, "GIF", save_all=True, append_images=pictures[1:], duration=duration,
                     loop=0, disposal=1)  # fmt: skip
    return out.getvalue()
