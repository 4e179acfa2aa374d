"""Finding the scans in a folder of a known layout: rows for a manifest, and what is left out."""

import itertools
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ascnet_core.errors import UserError
from ascnet_core.imaging import formats
from ascnet_core.imaging.dicom.indexing import find_series, masks_beside
from ascnet_core.imaging.formats.dicom import FORMAT as DICOM
from ascnet_core.imaging.formats.picture import colour_channels
from ascnet_core.imaging.image_format import Format, suffix_of
from ascnet_core.imaging.naming import Group, group_files, preference, role_of_folder, subject_of
from ascnet_core.imaging.volume import grid_difference

# The names that the authors' scripts read.
AUTHORS_INPUT = "input_for_generator.npy"
AUTHORS_REFERENCE = "good_dic_to_train_disc.npy"
AUTHORS_MASK = "tumor_mask_for_generator.npy"

_UNKNOWN = "of no image format that is read here"

Row = dict[str, Any]
LeftOut = list[tuple[Path, str]]
Recogniser = Callable[[Path, list[Path], LeftOut], tuple[list[Row], set[Path]]]
"""(folder, files, left out) -> rows, and the files that are done with, in rows or left out."""


@dataclass(frozen=True)
class Indexed:
    """Rows for `write_manifest`, the layout in words, and the files in no row with the reason."""

    rows: list[Row]
    layout: str
    left_out: LeftOut


def index_folder(folder: str | Path) -> Indexed:
    """Look through a folder and its subfolders for scans of the layouts below (`_LAYOUTS`).

    NIfTI files are told apart by modality and role in their names (`x_flair`, `x_mask`, `x_brain`,
    BraTS and BIDS names, `imagesTr` with `labelsTr`), pictures by folders (`images`, `masks`,
    `liver`, `brain`, `region`) or by a `_mask` beside them.

    Raises a UserError if the folder is not there, or nothing in it is recognised.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise UserError(f"{folder} is no folder; give the folder that holds the scans.")
    left_out: LeftOut = []
    files: list[Path] = []
    for path in sorted(folder.rglob("*"), key=lambda p: formats.natural_key(str(p))):
        if not path.is_file():
            continue
        if any(part.startswith(".") for part in path.relative_to(folder).parts):
            left_out.append((path, "hidden"))
        elif formats.format_of(path):
            files.append(path)
        else:
            left_out.append((path, _UNKNOWN))
    rows, used = _dicom_series(folder, files, left_out)
    layouts = [DICOM.files] if rows else []
    files = [path for path in files if path not in used]
    left_out = [one for one in left_out if one[0] not in used or one[1] != _UNKNOWN]
    for name, recognise in _LAYOUTS.items():
        new, used = recognise(folder, files, left_out)
        files = [path for path in files if path not in used]
        if new:
            rows += new
            layouts.append(name)
    left_out += [
        (path, "neither in a folder of images nor with a mask beside it") for path in files
    ]
    if not rows:
        example = f" (for example {left_out[0][0].name}: {left_out[0][1]})" if left_out else ""
        raise UserError(
            f"{folder} holds no scans of a known layout{example}; write a manifest with the "
            "columns subject,image,mask by hand."
        )
    _name_apart(rows)
    return Indexed(rows, "; ".join(layouts), left_out)


def _dicom_series(
    folder: Path, files: list[Path], left_out: LeftOut
) -> tuple[list[Row], set[Path]]:
    """Take DICOM series, whose files mostly have no suffix, and the masks beside them."""
    others = [path for path, reason in left_out if reason == _UNKNOWN]
    mine = [path for path in files if formats.format_of(path) is DICOM]
    found, used = find_series(folder, [*mine, *others], left_out)
    rows: list[Row] = []
    for one in found:
        if not _readable(one.image, left_out):
            continue
        mask = _first_fitting(one.image, masks_beside(one, found, files), "mask", left_out)
        used |= {mask} if mask else set()
        row = _row(one.subject, one.image, mask, modality=one.modality, notes=one.doubt)
        rows.append({**row, "scan": one.scan})
    return rows, used


def _name_apart(rows: list[Row]) -> None:
    """Number scans of one name (from different subfolders) so that names are unique."""
    seen: Counter[str] = Counter()
    taken = {row["scan"] for row in rows}
    for row in rows:
        name = row["scan"]
        seen[name] += 1
        if seen[name] > 1:
            numbered = (f"{name}_{number}" for number in itertools.count(seen[name]))
            row["scan"] = next(new for new in numbered if new not in taken)
            taken.add(row["scan"])


def _row(subject: str, image: Path, mask: Path | None = None, **more: Any) -> Row:
    return {"subject": subject, "scan": subject, "image": image, "mask": mask, **more}


def _authors(folder: Path, files: list[Path], left_out: LeftOut) -> tuple[list[Row], set[Path]]:
    """Take the three stacks of the authors' scripts from each subfolder that has them."""
    rows: list[Row] = []
    used: set[Path] = set()
    there = set(files)
    for parent in dict.fromkeys(path.parent for path in files):
        inputs, reference, mask = (
            path if (path := parent / name) in there else None
            for name in (AUTHORS_INPUT, AUTHORS_REFERENCE, AUTHORS_MASK)
        )
        if inputs is None and reference is None:
            continue
        used |= {path for path in (inputs, reference, mask) if path}
        prefix = "" if parent == folder else f"{parent.relative_to(folder).as_posix()}/"
        notes = "stack of slices; it does not say which patient a slice is of"
        if inputs and _readable(inputs, left_out):
            fitting = _first_fitting(inputs, [mask] if mask else [], "mask", left_out)
            rows.append(_row(f"{prefix}input", inputs, fitting, group="anomalous", notes=notes))
        elif mask:
            left_out.append((mask, f"no readable {AUTHORS_INPUT} beside it"))
        if reference and _readable(reference, left_out):
            rows.append(_row(f"{prefix}reference", reference, group="normal", notes=notes))
    return rows, used


def _readable(path: Path, left_out: LeftOut) -> bool:
    """Say whether a file can be a row; where not, note why."""
    try:
        frames = formats.load_head(path).frames
    except UserError as error:
        left_out.append((path, _bare(error, path)))
        return False
    if frames > 1:
        reason = f"holds {frames} frames; list it by hand and choose one by --frame"
        left_out.append((path, reason))
    return frames <= 1


def _lgg(folder: Path, files: list[Path], left_out: LeftOut) -> tuple[list[Row], set[Path]]:
    """Take CASE/CASE_N.tif + CASE/CASE_N_mask.tif: each row a slice, each case a series."""
    tifs = {path for path in files if suffix_of(path) in (".tif", ".tiff")}
    pairs: list[tuple[Any, Path, int, Path, Path]] = []
    lonely: list[Path] = []
    used: set[Path] = set()
    for path in sorted(tifs):
        stem = formats.stem_of(path)
        bare = stem.removesuffix("_mask")
        case, _, number = bare.rpartition("_")
        if case != path.parent.name or not number.isdecimal():
            continue
        used.add(path)
        partner = path.with_stem(f"{stem}_mask" if bare == stem else bare)
        if partner not in tifs:
            lonely.append(path)
        elif bare == stem:
            rank = formats.natural_key(str(path.parent))
            pairs.append((rank, path.parent, int(number), path, partner))
    rows: list[Row] = []
    for _, parent, z, image, mask in sorted(pairs):
        if _readable(image, left_out) and _readable(mask, left_out):
            case = parent.name
            channel = 1 if colour_channels(image) > 1 else None
            row = _row(case, image, mask, modality="FLAIR", series=case, notes=f"slice {z}")
            rows.append({**row, "scan": f"{case}_{z}", "channel": channel})
    if not rows:
        return [], set()
    left_out += [(path, "slice without its mask, or mask without its slice") for path in lonely]
    return rows, used


def _files_of(one: Format) -> Recogniser:
    """Make the recogniser that takes all files of a format."""

    def take(folder: Path, files: list[Path], left_out: LeftOut) -> tuple[list[Row], set[Path]]:
        mine = {path for path in files if formats.format_of(path) is one}
        header, data = one.pair
        # Of a pair the image data stand for both.
        own = mine - {p for p in mine if suffix_of(p) == header and p.with_suffix(data) in mine}
        groups = group_files(folder, [path for path in files if path in own])
        return _rows_of(groups, left_out), mine

    return take


def _pictures(folder: Path, files: list[Path], left_out: LeftOut) -> tuple[list[Row], set[Path]]:
    """Take pictures that have masks or lie in a folder of images; others may be anything."""

    def of_images(path: Path) -> bool:
        return "image" in map(role_of_folder, path.relative_to(folder).parts[:-1])

    mine = [path for path in files if (found := formats.format_of(path)) and found.flat]
    groups = [
        group
        for group in group_files(folder, mine)
        if group.masks or any(of_images(path) for _, path in group.images)
    ]
    rows = _rows_of(groups, left_out)
    for row in rows:
        numbered = re.match(r"^(.*[^_-])[_-]+(\d+)$", row["scan"])
        if numbered:
            row["subject"], row["notes"] = numbered[1], f"slice {int(numbered[2])}"
    used = [[*(path for _, path in one.images), *one.masks, *one.regions] for one in groups]
    return rows, set(itertools.chain.from_iterable(used))


_LAYOUTS: dict[str, Recogniser] = {
    "the authors' .npy stacks (input, reference, mask)": _authors,
    "LGG slices (CASE/CASE_N.tif with _mask; channel 1 is FLAIR)": _lgg,
    # pictures last: many folders hold some that are no scans
    **{one.files: _files_of(one) for one in formats.FORMATS if not one.flat and one is not DICOM},
    **{one.files: _pictures for one in formats.FORMATS if one.flat},
}


def _rows_of(groups: list[Group], left_out: LeftOut) -> list[Row]:
    """Make a row of each group, and say what did not fit into it."""
    rows: list[Row] = []
    for group in groups:
        regions = _true_regions(group, left_out)
        images: dict[str, Path] = {}
        for modality, path in group.images:
            if modality in images:
                what = f"{modality} image" if modality else "image"
                left_out.append((path, f"a second {what} beside {images[modality].name}"))
            elif _readable(path, left_out):
                images[modality] = path
        if not images:
            left_out += [(path, "no image that it belongs to") for path in group.masks + regions]
            continue
        main = min(images, key=preference)
        image = images.pop(main)
        mask = _first_fitting(image, group.masks, "mask", left_out)
        region = _first_fitting(image, regions, "region", left_out)
        row = _row(subject_of(group.name), image, mask, region=region, modality=main)
        row["scan"] = group.name
        for modality, path in images.items():
            reason = _apart(path, image) if modality else "its modality is not in its name"
            if reason:
                left_out.append((path, reason))
            else:
                row[f"image:{modality.lower()}"] = path
        rows.append(row)
    return rows


def _true_regions(group: Group, left_out: LeftOut) -> list[Path]:
    """Return the regions that are masks: "x_brain" may as well be the brain's image.

    With grey values it is the group's image where there is no other, else left out.
    """
    regions = []
    for path in group.regions:
        if not _has_grey_values(path):
            regions.append(path)
        elif group.images:
            left_out.append((path, "called a region but holds grey values"))
        else:
            group.images.append(("", path))
    return regions


def _has_grey_values(path: Path) -> bool:
    try:
        stored, _ = formats.load_stored(path)
    except UserError:
        return False
    sample = stored.ravel()[:: max(1, stored.size // 100_000)]
    # Soft edges of a JPEG are no grey values: nearly all of a mask is near its two ends.
    span = float(sample.max() - sample.min()) or 1.0
    share = (sample - sample.min()) / span
    return float(np.mean((share > 0.1) & (share < 0.9))) > 0.05


def _first_fitting(image: Path, files: list[Path], what: str, left_out: LeftOut) -> Path | None:
    """Return the first file on the image's grid; say why the others are left out."""
    chosen: Path | None = None
    for path in files:
        reason = _apart(path, image)
        if not reason and chosen is not None:
            reason = f"a second {what} beside {chosen.name}"
        if reason:
            left_out.append((path, reason))
        else:
            chosen = path
    return chosen


def _apart(path: Path, image: Path) -> str:
    """Say in what the grids of two files differ, by their heads alone; empty where they agree."""
    try:
        reason = grid_difference(formats.load_head(path), formats.load_head(image))
    except UserError as error:
        return _bare(error, path)
    return f"on another grid than {image.name} ({reason})" if reason else ""


def _bare(error: UserError, path: Path) -> str:
    """Return the sentence without the file's name, which is listed beside it."""
    return str(error).removeprefix(f"{path} ").removesuffix(".")
