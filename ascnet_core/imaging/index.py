"""Finding the scans in a folder of a known layout: rows for a manifest, and what is left out."""

import itertools
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from ascnet_core.errors import UserError, printable
from ascnet_core.imaging import formats
from ascnet_core.imaging.formats.dicom import FORMAT as DICOM
from ascnet_core.imaging.image_format import suffix_of
from ascnet_core.imaging.layouts import bids, nnunet
from ascnet_core.imaging.layouts.dicom import dicom_series
from ascnet_core.imaging.layouts.groups import group_files
from ascnet_core.imaging.layouts.patients import name_patients
from ascnet_core.imaging.layouts.predictions import Doubts, without_predictions
from ascnet_core.imaging.layouts.published import authors_stacks, lgg_slices
from ascnet_core.imaging.layouts.rows import Row, rows_of
from ascnet_core.imaging.layouts.walk import HIDDEN, UNKNOWN, LeftOut, walk
from ascnet_core.imaging.naming import role_of_folder

Recogniser = Callable[[Path, list[Path], LeftOut, Doubts], tuple[list[Row], set[Path]]]
"""(folder, files, left out, doubts) -> rows, and the files that are done with."""


@dataclass(frozen=True)
class Indexed:
    """What a folder holds.

    Attributes
    ----------
    rows : For `write_manifest`; what was unsure about one is in its `notes` too.
    layout : The layouts in words.
    left_out : The files and folders in no row, with the reason; images first.
    unsure : Files, or the folder, with what was unsure and how it was decided.
    """

    rows: list[Row]
    layout: str
    left_out: LeftOut
    unsure: Doubts = field(default_factory=list)


def index_folder(folder: str | Path) -> Indexed:
    """Look through a folder and its subfolders for scans of the layouts below (`_LAYOUTS`).

    Volumes are told apart by modality and role in their names (`x_flair`, `x_mask`, `x_brain`),
    by folders (`imagesTr` with `labelsTr`), and by the names of BIDS, BraTS, nnU-Net, MSSEG and
    ISBI; pictures by folders (`images`, `masks`, `liver`, `brain`, `region`) or by a `_mask` beside
    them. The patient is the part of the path that differs. What a program wrote is no truth.

    Raises a UserError if the folder is not there, or nothing in it is recognised.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise UserError(f"{folder} is no folder; give the folder that holds the scans.")
    found = walk(folder)
    left_out, doubts = found.left_out, Doubts()
    files = without_predictions(folder, found.files, left_out, doubts)
    rows: list[Row] = []
    layouts: list[str] = []
    for name, recognise in _LAYOUTS.items():
        new, used = recognise(folder, files, left_out, doubts)
        if new:
            layouts.append(name or _formats_of(new))
        files = [path for path in files if path not in used]
        rows += new
    left_out += [
        (path, "neither in a folder of images nor with a mask beside it") for path in files
    ]
    left_out.sort(key=lambda one: one[1] in (HIDDEN, UNKNOWN))
    if not rows:
        example = ""
        if left_out:
            example = f" (for example {printable(left_out[0][0].name)}: {left_out[0][1]})"
        raise UserError(
            f"{folder} holds no scans of a known layout{example}; write a manifest with the "
            "columns subject,image,mask by hand."
        )
    _name_apart(rows)
    _note(rows, doubts)
    return Indexed(rows, "; ".join(layouts), left_out, doubts)


def _name_apart(rows: list[Row]) -> None:
    """Make names that a table can hold, and number scans of one name so that they are unique."""
    patients: dict[str, str] = {}  # name in the table -> patient
    for row in rows:
        row["scan"] = " ".join(str(row["scan"]).split()) or "scan"
        patient = row["subject"]
        plain = " ".join(str(patient).split()) or "subject"
        names = itertools.chain([plain], (f"{plain}_{number}" for number in itertools.count(2)))
        row["subject"] = next(n for n in names if patients.setdefault(n, patient) == patient)
    seen: Counter[str] = Counter()
    taken = {row["scan"] for row in rows}
    for row in rows:
        name = row["scan"]
        seen[name] += 1
        if seen[name] > 1:
            numbered = (f"{name}_{number}" for number in itertools.count(seen[name]))
            row["scan"] = next(new for new in numbered if new not in taken)
            taken.add(row["scan"])


def _note(rows: list[Row], doubts: Doubts) -> None:
    """Write what was unsure about a file into the notes of its row."""
    of_file = {cell: row for row in rows for cell in row.values() if isinstance(cell, Path)}
    for path, text in doubts:
        row = of_file.get(path, {})
        said = row.get("notes") or ""
        if row and text not in said:
            row["notes"] = f"{said}; {text}" if said else text


def _formats_of(rows: list[Row]) -> str:
    found = (formats.format_of(row["image"]) for row in rows)
    return "; ".join(dict.fromkeys(one.files for one in found if one))


def _volumes(
    folder: Path, files: list[Path], left_out: LeftOut, doubts: Doubts
) -> tuple[list[Row], set[Path]]:
    """Take all volumes, whatever their formats: an image may lie beside a mask of another."""
    mine = {path for path in files if (one := formats.format_of(path)) and not one.flat}
    own = [path for path in files if path in mine and not _stands_beside(path, mine)]
    of_bids = [path for path in own if bids.is_bids(path)]
    others = [path for path in own if not bids.is_bids(path)]
    groups = bids.group_bids(folder, of_bids, left_out)
    groups += group_files(folder, others, nnunet.channels(others))
    found = rows_of(groups, left_out)
    doubts += [(folder, text) for text in name_patients(folder, [group for group, _ in found])]
    for group, row in found:
        row["subject"], row["scan"] = group.patient, group.name
        row["notes"] = "; ".join([*group.notes, *(text for _, text in group.doubts)])
        doubts += group.doubts
    return [row for _, row in found], mine


def _stands_beside(path: Path, there: set[Path]) -> bool:
    """Say whether a file is a header whose image data are listed: these stand for both."""
    one = formats.format_of(path)
    header, data = one.pair if one else ("", "")
    return bool(header) and suffix_of(path) == header and path.with_suffix(data) in there


def _pictures(
    folder: Path, files: list[Path], left_out: LeftOut, doubts: Doubts
) -> tuple[list[Row], set[Path]]:
    """Take pictures that have masks or lie in a folder of images; others may be anything."""

    def of_images(path: Path) -> bool:
        return "image" in map(role_of_folder, path.relative_to(folder).parts[:-1])

    mine = [path for path in files if (one := formats.format_of(path)) and one.flat]
    groups = [
        group
        for group in group_files(folder, mine, nnunet.channels(mine))
        if group.masks or any(of_images(path) for _, path in group.images)
    ]
    used = set(itertools.chain.from_iterable(group.files for group in groups))
    found = rows_of(groups, left_out)
    numbered = [re.match(r"^(.*[^_-])[_-]+(\d+)$", group.name) for group, _ in found]
    # Of "p1_3" the patient is what stands before the number.
    patients = [
        replace(group, name=part[1] if part else group.name)
        for (group, _), part in zip(found, numbered, strict=True)
    ]
    for of_numbers in (True, False):
        some = [
            one for one, part in zip(patients, numbered, strict=True) if of_numbers != bool(part)
        ]
        doubts += [(folder, text) for text in name_patients(folder, some, slices=of_numbers)]
    names = Counter(group.name for group, _ in found)
    for (group, row), part, owner in zip(found, numbered, patients, strict=True):
        row["subject"], row["scan"] = owner.patient, group.name or owner.name
        if names[group.name] > 1 and not group.name.startswith(owner.patient):
            row["scan"] = f"{owner.patient}_{row['scan']}"
        place = [f"slice {int(part[2])}"] if part else []
        row["notes"] = "; ".join([*place, *group.notes, *(text for _, text in group.doubts)])
        doubts += group.doubts
    return [row for _, row in found], used


_LAYOUTS: dict[str, Recogniser] = {
    DICOM.files: dicom_series,
    "the authors' .npy stacks (input, reference, mask)": authors_stacks,
    "LGG slices (CASE/CASE_N.tif with _mask; channel 1 is FLAIR)": lgg_slices,
    "": _volumes,  # called after their formats
    # pictures last: many folders hold some that are no scans
    **{one.files: _pictures for one in formats.FORMATS if one.flat},
}
