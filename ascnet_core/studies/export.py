"""What leaves a study: its decisions, their history, masks, and a text that explains them."""

import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path

from ascnet_core.outputs import LEDGER
from ascnet_core.studies.decisions import COLUMNS, history, holding, plain
from ascnet_core.studies.folder import Study
from ascnet_core.studies.table import THRESHOLDS, to_csv

README = "README.txt"

_README = """\
Decisions of study {name}
{rule}
cohort    {cohort} ({manifest})
run       {run}{cycle}{flip}
made      {made}

thresholds.csv  the decisions that hold, one a subject and rater
history.csv     every decision ever made, oldest first; a row with `undoes` took that number back
                (text that begins with = + - @ has an apostrophe before it, so that no spreadsheet
                takes it for a formula)

rater, subject  who decided, and for whom: for all scans of the subject
scan            the one on the screen, where there was one
map             the map that is thresholded; its levels 0 to 255 stand for `range`: 0 to 1 (raw), or
                the least and largest value of the subject or of the cohort
level, upper    side bright keeps levels at or above `level`, dark those at or below it; with
                `upper` the levels from one to the other are kept on either side
rule, scope     what proposed the level; the level itself where it was set by hand; nothing: there
                is no lesion, the mask is empty and has no level
post            post-processing steps, in order
flag            fine, doubtful, flipped (peaks on the other side), exclude (gets no mask)
rating          of the mask, 1 (bad) to 5
seconds         how long it took; made: when, in UTC
truth_shown, dice_shown   whether they were on the screen
blind           whether masks, Dice and others' levels were hidden until the decision stood
pieces          connected pieces (26 neighbours) dropped, or kept alone, after the steps and in
                order (JSON); each by a voxel of it, x y z from 0 in RAS order, of one scan
scan_sha256, run_sha256, versions   of what the decision was made on

The masks again:  ascnet segment --study {path} --rater RATER -o masks
"""


def tables(study: Study, rater: str | None = None) -> dict[str, str]:
    """The files of an export by name: thresholds.csv, history.csv and README.txt, as text.

    They hold the decisions of all raters, or of one.
    """
    about = study.about
    rows = [entry for entry in history(study) if rater in (None, entry.rater)]
    title = f"Decisions of study {study.name}"
    more = {
        "name": study.name,
        "rule": "=" * len(title),
        "cycle": f", cycle {about['cycle']}" if about["cycle"] else "",
        "flip": ", averaged with its mirror image" if study.flip else "",
        "path": study.path,
    }
    return {
        THRESHOLDS: to_csv(map(plain, holding(study, rater)), COLUMNS),
        "history.csv": to_csv(map(plain, rows), [*COLUMNS, "undoes"]),
        README: _README.format(**{**about, **more}),
    }


_PACKED = """\
Masks of {rater}
{rule}
{folder:<18}a mask for each scan that gets one, on the scan's own grid; 1 is anomaly
segmentation.csv  a row a scan: threshold, volume, and why there is no mask where there is none
segmentation.json the same, with all settings

"""


def packed_tables(study: Study, rater: str, folder: str) -> dict[str, str]:
    """As `tables`, of one rater, for a file that holds the masks in a folder."""
    title = f"Masks of {rater}"
    about = _PACKED.format(rater=rater, folder=f"{folder}/", rule="=" * len(title))
    found = tables(study, rater)
    return found | {README: f"{about}\n{found[README]}"}


def pack(path: Path, masks: Path, folder: str, texts: Mapping[str, str]) -> None:
    """Pack what `segment` wrote into the folder `masks`, and texts, into a ZIP.

    Masks lie in it below `folder`, all else beside that. They come in the order of their names and
    without times: the same masks give the same bytes.
    """
    files = sorted(file for file in masks.iterdir() if file.is_file() and file.name != LEDGER)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, text in texts.items():
            packed.writestr(_member(name), text)
        for file in files:
            table = file.suffix in (".csv", ".json")
            member = _member(file.name if table else f"{folder}/{file.name}")
            # NIfTI and PNG are packed already
            member.compress_type = zipfile.ZIP_DEFLATED if table else zipfile.ZIP_STORED
            with file.open("rb") as source, packed.open(member, "w") as target:
                shutil.copyfileobj(source, target)


def _member(name: str) -> zipfile.ZipInfo:
    found = zipfile.ZipInfo(name)
    found.compress_type, found.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
    return found
