"""Masks and maps that a program wrote: they are no truth, and never become one."""

import csv
import io
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from ascnet_core import files
from ascnet_core.errors import UserError
from ascnet_core.imaging import naming
from ascnet_core.imaging.formats import stem_of
from ascnet_core.imaging.layouts.contents import looks_like_mask, share_marked
from ascnet_core.imaging.layouts.groups import read_path
from ascnet_core.imaging.layouts.walk import LeftOut, is_file
from ascnet_core.outputs import LEDGER, read_ledger, sha256_of

# What these verbs write are scans and truth, made up by the program.
_NOT_PREDICTED = ("demo", "index")
_WRITTEN = "a prediction: `ascnet {verb}` wrote it"
Doubts = list[tuple[Path, str]]
"""Files, each with what was unsure about it and how it was decided."""


def without_predictions(
    folder: Path, paths: list[Path], left_out: LeftOut, doubts: Doubts
) -> list[Path]:
    """Return the files that no program wrote, as far as tables, bytes and names tell.

    Known are the files in a folder's table of what this tool wrote or in its `segmentation.csv`,
    copies of these, and names and folders of names such as "prediction" and "output".
    """
    written = _written(paths)
    hashes = {record for record, _ in written.values() if record}
    kept = []
    for path in paths:
        reason = ""
        if path in written:
            record, verb = written[path]
            if record and _hash(path) != record:
                doubts.append(
                    (path, f"`ascnet {verb}` wrote it and it was changed since; taken as drawn")
                )
                kept.append(path)
                continue
            reason = _WRITTEN.format(verb=verb)
        elif hashes and _is_copy(folder, path, hashes):
            reason = "a prediction: a copy of a mask that `ascnet` wrote"
        reason = reason or _by_name(folder, path)
        if reason:
            left_out.append((path, reason))
        else:
            kept.append(path)
    return kept


def _written(paths: Iterable[Path]) -> dict[Path, tuple[str, str]]:
    """Return the files that this tool's tables name: their hash (or "") and the verb."""
    found: dict[Path, tuple[str, str]] = {}
    there = set(paths)
    for folder in dict.fromkeys(path.parent for path in paths):
        for name in _listed(folder / "segmentation.csv"):
            if folder / name in there:
                found[folder / name] = (_hash(folder / name), "segment")
        ledger = read_ledger(folder) if is_file(folder / LEDGER) else {}
        for name, record in ledger.items():
            if folder / name in there and record.verb not in _NOT_PREDICTED:
                found[folder / name] = (record.sha256, record.verb or "segment")
    return found


def _listed(table: Path) -> set[str]:
    """Return the names of the masks in a table that `segment` wrote."""
    rows = csv.DictReader(io.StringIO(files.read_text(table) if is_file(table) else ""))
    try:
        if not {"mask", "map", "kept"} <= set(rows.fieldnames or ()):
            return set()
        masks = [row["mask"] or "" for row in rows]
    except csv.Error:
        return set()
    return {PurePosixPath(mask.replace("\\", "/")).name for mask in masks if mask}


def _is_copy(folder: Path, path: Path, hashes: set[str]) -> bool:
    """Say whether a file has the bytes of one that was written.

    Empty masks are all alike, drawn or written: they say nothing.
    """
    read = read_path(folder, path, {})
    if read.modality or _hash(path) not in hashes:
        return False
    return share_marked(path) > 0


def _hash(path: Path) -> str:
    """Return the hash of a file's bytes; "" where it cannot be read, which its reader says."""
    try:
        return sha256_of(path)
    except UserError:
        return ""


def _by_name(folder: Path, path: Path) -> str:
    stem = stem_of(path)
    read = read_path(folder, path, {})
    fast = path.with_name(path.name.replace("_seg.", "_pveseg."))  # FAST writes both
    if what := naming.map_of(stem_of(fast) if fast.exists() else stem):
        return f"by its name {what}, no image; list it by hand if it is one"
    parts = path.relative_to(folder).parent.parts
    said = next((name for name in (stem, *reversed(parts)) if naming.says_prediction(name)), "")
    is_image = bool(read.modality) or read.role == "image"
    if not said or (is_image and not looks_like_mask(path)):
        return ""  # output/x_flair is an image that a program made ready
    where = "its name" if said == stem else f"the folder {said!r}"
    return f"a prediction by {where}; rename it or list it by hand if it was drawn"
