"""The film of a run as one HTML file: opens without the app, without a network, by a double click.

The same HTML, style and script as on the page (`film.py`, `film.js`), and the frames with it.
"""

from __future__ import annotations

import base64
import gzip
import re
from collections.abc import Sequence
from html import escape

from ascnet_core.training.run_folder import CARD, Run
from pages.parts import film, tables

STYLE = """
:root { --st-font: system-ui, -apple-system, "Segoe UI", sans-serif; --st-text-color: #1b1f24;
  --st-border-color: #d0d4da; --st-secondary-background-color: #f0f2f6; }
body { margin: 0 auto; max-width: 1400px; padding: 20px 28px 28px; background: #fff;
  color: var(--st-text-color); font: 14px/1.5 var(--st-font); }
h1 { font-size: 22px; line-height: 1.3; margin: 0; }
.about, .notes p { color: #59616b; }
.about { margin: 2px 0 14px; }
.notes { margin-top: 18px; border-top: 1px solid var(--st-border-color); padding-top: 10px;
  max-width: 110ch; font-size: 13px; }
.notes p { margin: 4px 0; }
.notes b { color: var(--st-text-color); }
"""

START = """
const packed = document.getElementById("frames").textContent;
const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
const opened = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
new Response(opened).arrayBuffer().then((data) => {
  mount({ parentElement: document, data: new Uint8Array(data), setStateValue: () => {} });
});
"""

KEYS = (
    "Click the film, then ← → step, space plays, l loops, Home and End go to the ends; a click on "
    "a curve jumps there. Masks by the run's rule at each snapshot's own counts, on the watched "
    "slices; no true mask is used."
)


def licence_note(card: str) -> str:
    """What a run's card (Markdown) says of its licence, as plain text; empty if it says nothing.

    That is the list item, the row of a table or the paragraph that names a licence first.
    """
    blocks = re.split(r"\n(?=\s*(?:[-*|]\s|#))|\n\s*\n", card)
    for block in blocks:
        if re.search(r"licen[cs]e", block, re.IGNORECASE):
            text = re.sub(r"[*`#]", "", block).strip().strip("|").replace("|", ":")
            told = " ".join(text.removeprefix("- ").split())
            return re.sub(r"^(data and )?licen[cs]e\s*:\s*", "", told, flags=re.IGNORECASE)
    return ""


def page_of(run: Run, packed: bytes, left_out: str) -> str:
    """The page of a run's film; `left_out` says which snapshots are not in it."""
    header = film.header_in(packed)
    settings, card = run.settings(), run.path / CARD
    text = card.read_text(encoding="utf-8", errors="replace") if card.is_file() else ""
    frames, slices = len(header["frames"]), len(header["slices"])
    about = " · ".join(
        (
            f"preset {settings.preset or 'none'}",
            tables.counted(frames, "snapshot"),
            f"{tables.counted(slices, 'watched slice')} of {header['size']} x {header['size']} "
            "pixels",
            f"mask by {header['rule']} on the {header['map']}",
        )
    )
    notes = [
        ("How to", KEYS),
        ("Left out", left_out),
        ("Preset", settings.description.replace("`", "")),
        ("Licence, from the run's card", licence_note(text)),
        ("Made by", "ASC-Net Explorer. Research software, not a medical device."),
    ]
    return film_html(packed, run.name, about, notes)


def film_html(packed: bytes, run: str, about: str, notes: Sequence[tuple[str, str]]) -> str:
    """The page.

    Parameters
    ----------
    packed
        What `film.pack` made.
    run
        The run's name.
    about
        A line below the title: preset, snapshots, slices.
    notes
        Heading and text of what stands below the film; those without text are left out.
    """
    title = f"Film of {run}"
    frames = base64.b64encode(gzip.compress(packed, 6, mtime=0)).decode("ascii")
    below = "".join(f"<p><b>{escape(name)}.</b> {escape(text)}</p>" for name, text in notes if text)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title>\n<style>{STYLE}{film.CSS}</style></head>\n<body>\n"
        f'<h1>{escape(title)}</h1>\n<p class="about">{escape(about)}</p>\n{film.HTML}\n'
        f'<div class="notes">{below}</div>\n'
        f'<script type="application/octet-stream" id="frames">{frames}</script>\n'
        f'<script type="module">\n{film.JS}\n{START}</script>\n</body></html>\n'
    )
