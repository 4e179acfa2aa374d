"""The film of a run as an animated GIF and as a page: maps, mask and histogram of each frame."""

import base64
import gzip
import io
import re
from collections.abc import Sequence
from html import escape
from string import Template

import numpy as np
from PIL import Image, ImageDraw

from ascnet_core.figures.basics import COLOURS
from ascnet_core.files import read_text
from ascnet_core.monitoring.history import History, Point
from ascnet_core.places import CARD
from ascnet_core.runs.folder import Run, SnapshotData
from ascnet_core.settings.method import Map
from pages.parts.film import film
from pages.parts.shared import components, tables
from pages.parts.shared.pictures import Picture, as_rgb, display

MASK, PEAK = (tuple(bytes.fromhex(COLOURS[name][1:])) for name in ("mask", "wild"))
MOST_FRAMES = 60
SIDE = 144  # pixels of a tile
CHART = 96  # pixels of the histogram's height
TEXT = 18


def tiles(point: Point, data: SnapshotData, slices: Sequence[int], maps: Sequence[Map]) -> Picture:
    """I_in, the maps and the mask of the chosen slices, (rows, columns, 3) uint8."""
    rows = []
    for one in slices:
        inside = data.watched_input[one] > 0
        shown = [data.watched_input[one], *(data.levels(m.name)[one] * inside for m in maps)]
        colour = [as_rgb(display(levels)) for levels in (*shown, shown[0])]
        if point.mask is not None:
            mask = display(point.mask[one])
            colour[-1][mask] = (0.35 * colour[-1][mask] + 0.65 * np.array(MASK)).astype(np.uint8)
        rows.append(np.concatenate(colour, axis=1))
    return np.concatenate(rows)


def frame(
    point: Point, data: SnapshotData, slices: Sequence[int], maps: Sequence[Map], tallest: int
) -> Image.Image:
    """One frame: a line of text, the tiles, the histogram on a logarithmic scale."""
    picture = Image.fromarray(tiles(point, data, slices, maps))
    wide, high = (len(maps) + 2) * SIDE, len(slices) * SIDE
    canvas = Image.new("RGB", (wide, TEXT + high + CHART), "white")
    canvas.paste(picture.resize((wide, high), Image.Resampling.BILINEAR), (0, TEXT))
    pen = ImageDraw.Draw(canvas)
    text = f"{point.label}   {point.separated} separated peaks, index {point.separation_index:.2f}"
    if point.stability is not None:
        text += f", stability {point.stability:.2f}"
    columns = ", ".join(["I_in", *(one.short for one in maps), "mask"])
    pen.text((4, 3), f"{text}   ({columns})", fill="black")
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


def gif_of(run: Run, history: History, slices: Sequence[int]) -> bytes:
    """An endless animated GIF of four frames a second; the last one stays for two seconds."""
    kept = film.every_nth(len(history.points), MOST_FRAMES)
    points = [history.points[number] for number in kept]
    tallest = max(int(point.counts.max()) for point in points)
    maps, shared = history.method.pictures(), palette()
    pictures = [
        frame(point, run.load_snapshot(point.index), slices, maps, tallest).quantize(
            palette=shared, dither=Image.Dither.NONE
        )
        for point in points
    ]
    duration = [250] * (len(pictures) - 1) + [2000]
    out = io.BytesIO()
    pictures[0].save(out, "GIF", save_all=True, append_images=pictures[1:], duration=duration,
                     loop=0, disposal=1)  # fmt: skip
    return out.getvalue()


def licence_note(card: str) -> str:
    """What a run's card (Markdown) says of its licence, as plain text; empty if it says nothing.

    The first list item, row of a table or paragraph that names a licence is taken.
    """
    blocks = re.split(r"\n(?=\s*(?:[-*|]\s|#))|\n\s*\n", card)
    for block in blocks:
        if re.search(r"licen[cs]e", block, re.IGNORECASE):
            text = re.sub(r"[*`#]", "", block).strip().strip("|").replace("|", ":")
            told = " ".join(text.removeprefix("- ").split())
            return re.sub(r"^(data and )?licen[cs]e\s*:\s*", "", told, flags=re.IGNORECASE)
    return ""


def page_of(run: Run, packed: bytes, left_out: str) -> str:
    """The HTML page of a run's film, which needs no other file.

    `packed` is what `film.pack` made; `left_out` says which snapshots are not in it.
    """
    header = film.header_in(packed)
    settings = run.settings()
    frames, slices = len(header["frames"]), len(header["slices"])
    about = (
        f"preset {settings.preset or 'none'} · {tables.counted(frames, 'snapshot')} · "
        f"{tables.counted(slices, 'watched slice')} of {header['size']} x {header['size']} "
        f"pixels · mask by {header['rule']} on the {header['map']}"
    )
    notes = [
        ("How to", f"{film.KEYS}, on the watched slices; no true mask is used."),
        ("Left out", left_out),
        ("Preset", settings.description.replace("`", "")),
        ("Licence, from the run's card", licence_note(read_text(run.path / CARD))),
        ("Made by", "ASC-Net Explorer. Research software, not a medical device."),
    ]
    template = Template(film.BROWSER.with_name("film_page.html").read_text("utf-8"))
    return template.substitute(
        title=escape(f"Film of {run.name}"),
        about=escape(about),
        css=components.style(film.BROWSER.with_suffix(".css")),
        html=film.BROWSER.with_suffix(".html").read_text("utf-8"),
        notes="".join(
            f"<p><b>{escape(name)}.</b> {escape(text)}</p>" for name, text in notes if text
        ),
        data=base64.b64encode(gzip.compress(packed, 6, mtime=0)).decode("ascii"),
        js=components.script(film.BROWSER.with_suffix(".js")),
    )
