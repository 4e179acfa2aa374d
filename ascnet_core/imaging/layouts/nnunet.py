"""nnU-Net: images numbered by modality (`case_0000`), named in `dataset.json`."""

import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ascnet_core import files
from ascnet_core.imaging import naming
from ascnet_core.imaging.formats import stem_of
from ascnet_core.imaging.layouts.walk import is_file

_NUMBERED = re.compile(r"^(.+)_(\d{4})$")


def channels(paths: Iterable[Path]) -> dict[Path, tuple[str, str]]:
    """Return the case and modality of each image that is numbered by modality.

    The modality is "" where nothing names it and the case has no further one.
    """
    by_folder: dict[Path, list[Path]] = defaultdict(list)
    labels: dict[Path, set[str]] = defaultdict(set)
    for path in paths:
        role = naming.role_of_folder(path.parent.name)
        if role == "image":
            by_folder[path.parent].append(path)
        elif role == "mask":
            labels[path.parent.parent].add(stem_of(path))
    found: dict[Path, tuple[str, str]] = {}
    for folder, images in by_folder.items():
        names = _modalities(folder.parent)
        stems = {stem_of(path) for path in images}
        for path in images:
            stem = stem_of(path)
            numbered = _NUMBERED.match(stem)
            # A stem that has a label of its own is a case whose name ends in four digits.
            if not numbered or stem in labels[folder.parent]:
                continue
            case, number = numbered[1], int(numbered[2])
            if number in names:
                found[path] = (case, names[number])
            elif not names and f"{case}_0000" in stems:
                found[path] = (case, f"channel_{number}" if number else "")
    return found


def labels_of(folder: Path) -> str:
    """Return in words what the labels of a folder's masks mean; "" where one or none is named."""
    content = _dataset(folder).get("labels")
    pairs = content.items() if isinstance(content, dict) else ()
    named = {}
    for one, other in pairs:
        # {"edema": 1} today, {"1": "edema"} before; a list is a union of labels
        number, name = (one, other) if str(one).isdecimal() else (other, one)
        if str(number).isdecimal() and int(number) > 0:
            named[int(number)] = " ".join(str(name).split())
    if len(named) < 2:
        return ""
    return "labels: " + ", ".join(f"{number} {named[number]}" for number in sorted(named))


def _dataset(folder: Path) -> dict[str, Any]:
    path = folder / "dataset.json"
    content = files.read_json(path) if is_file(path) else None
    return content if isinstance(content, dict) else {}


def _modalities(folder: Path) -> dict[int, str]:
    """Return the names of the channels by number, made distinct."""
    content = _dataset(folder)
    named = content.get("channel_names") or content.get("modality")
    if not isinstance(named, dict):
        return {}
    found: dict[int, str] = {}
    for number, name in sorted(named.items(), key=lambda item: str(item[0])):
        if str(number).isdecimal():
            modality = _modality(str(name)) or f"channel_{number}"
            found[int(number)] = f"{modality}_{number}" if modality in found.values() else modality
    return found


def _modality(name: str) -> str:
    """Return the modality that a channel's name means, else the name without odd characters."""
    for word in re.findall(r"[A-Za-z0-9]+", name):
        if word.lower() in naming.MODALITIES:
            return naming.MODALITIES[word.lower()]
    return re.sub(r"[^\w.+-]+", "_", name).strip("_")
