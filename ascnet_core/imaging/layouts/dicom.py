"""DICOM series, whose files mostly have no suffix, and the masks beside them."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ascnet_core.errors import UserError
from ascnet_core.imaging.dicom.series import NoImages, Series, series_of
from ascnet_core.imaging.dicom.source import is_dicom
from ascnet_core.imaging.formats import format_of
from ascnet_core.imaging.image_format import extra_told
from ascnet_core.imaging.layouts.contents import readable, reason_of
from ascnet_core.imaging.layouts.predictions import Doubts
from ascnet_core.imaging.layouts.rows import Row, first_fitting, row_of
from ascnet_core.imaging.layouts.walk import UNKNOWN, LeftOut
from ascnet_core.imaging.naming import MODALITIES, preference, read_name


@dataclass
class Found:
    """One series: what a manifest calls it, and whose it is.

    `place` is the folder or zip, `number` that of the series in it, None where it is the only one;
    `doubt` is what was unsure about the patient.
    """

    place: Path
    number: int | None
    series: Series
    subject: str = ""
    scan: str = ""
    doubt: str = ""

    @property
    def image(self) -> Path:
        """The path of the series as manifests have it."""
        # `FOLDER#2` would lie beside the folder, `FOLDER/#2` lies in it; both are read.
        return self.place if self.number is None else self.place / f"#{self.number}"

    @property
    def modality(self) -> str:
        """What the description says, or CT."""
        words = re.split(r"[\W_]+", self.series.planes[0].title.lower())
        said = [MODALITIES[word] for word in words if word in MODALITIES]
        kind = self.series.planes[0].modality
        return min(said, key=preference) if said else MODALITIES.get(kind.lower(), "")


def dicom_series(
    folder: Path, files: list[Path], left_out: LeftOut, doubts: Doubts
) -> tuple[list[Row], set[Path]]:
    """Make a row of each series, told apart and named by the headers."""
    unknown = [path for path, reason in left_out if reason == UNKNOWN]
    found, used = find_series(folder, [*files, *unknown], left_out)
    left_out[:] = [one for one in left_out if one[0] not in used or one[1] != UNKNOWN]
    rows: list[Row] = []
    for one in found:
        if not readable(one.image, left_out):
            continue
        mask = first_fitting(one.image, _masks_beside(one, found, files), "mask", left_out)
        used |= {mask} if mask else set()
        row = row_of(one.subject, one.image, mask, modality=one.modality)
        rows.append(row | {"scan": one.scan})
        if one.doubt:
            doubts.append((one.image, one.doubt))
    return rows, used


def find_series(
    folder: Path, paths: Iterable[Path], left_out: LeftOut
) -> tuple[list[Found], set[Path]]:
    """Find the series among files below `folder`, and the files that are done with.

    A patient is who the headers say is one; called after the folders that hold nobody else.
    """
    zips = [path for path in paths if path.suffix.lower() == ".zip"]
    files = [path for path in paths if path.suffix.lower() != ".zip" and _may_be_dicom(path)]
    indices = {path for path in files if path.stem.upper() == "DICOMDIR"}
    left_out += [(path, "the table of contents of a DICOM export") for path in sorted(indices)]
    parents = {path.parent for path in files if path not in indices}
    tops = sorted(top for top in parents if not parents & set(top.parents))
    found: list[Found] = []
    for place in [*tops, *zips]:
        try:
            with extra_told(place):
                several = series_of(place)
        except UserError as error:
            other = place in zips and isinstance(error, NoImages)
            reason = "a zip without DICOM images; unpack it first" if other else ""
            left_out.append((place, reason or reason_of(error, place)))
            continue
        for number, series in enumerate(several, start=1):
            one = Found(place, number if len(several) > 1 else None, series)
            if series.scout and len(several) > 1:
                left_out.append((one.image, "a localizer"))
            else:
                found.append(one)
    _name(folder, found)
    return found, {*files, *zips}


def _may_be_dicom(path: Path) -> bool:
    one = format_of(path)
    return one.name == "dicom" if one else is_dicom(path)


def _name(folder: Path, found: Sequence[Found]) -> None:
    """Name subjects by the first folder that is of one patient alone, scans by their paths."""
    paths = [_parts(folder, one.place) for one in found]
    # Without identities in the headers each of the outermost folders is a patient.
    patients = [
        one.series.planes[0].patient or "/".join(path[:1])
        for one, path in zip(found, paths, strict=True)
    ]
    below: dict[tuple[str, ...], set[str]] = {}
    for path, patient in zip(paths, patients, strict=True):
        for depth in range(len(path) + 1):
            below.setdefault(path[:depth], set()).add(patient)
    names: dict[str, str] = {}
    places: dict[str, list[str]] = {}
    for one, path, patient in zip(found, paths, patients, strict=True):
        name = "_".join(path) or folder.absolute().name
        own = next((n for n in range(1, len(path) + 1) if len(below[path[:n]]) == 1), None)
        if patient not in names:
            choices = [f"{name}_{number}" for number in range(1, len(found) + 1)]
            if own:
                choices = [path[own - 1], "_".join(path[:own]), *choices]
            elif len(set(patients)) == 1:
                choices = [name, *choices]
            names[patient] = next(n for n in choices if n not in names.values())
        one.subject = names[patient]
        one.scan = name if one.number is None else f"{name}_{one.number}"
        where = places.setdefault(patient, [])
        if path[0:1] and path[0] not in where:
            where.append(path[0])
    for one, patient in zip(found, patients, strict=True):
        if patients.count(patient) == 1:
            one.scan = one.subject
        if len(places[patient]) > 1:
            one.doubt = (
                f"the headers name one patient in {' and '.join(places[patient][:3])}; taken as one"
            )


def _parts(folder: Path, place: Path) -> tuple[str, ...]:
    inside = place.relative_to(folder)
    return (inside.with_suffix("") if place.is_file() else inside).parts


def _masks_beside(one: Found, found: Sequence[Found], files: Iterable[Path]) -> list[Path]:
    """Return the files whose names say that they are masks of a series.

    They lie in its folder, or beside it where it is the only one there or they are named after it.
    """
    alone = sum(other.place.parent == one.place.parent for other in found) == 1
    masks = []
    for path in files:
        name, role, _ = read_name(path.name.partition(".")[0])
        near = path.parent == one.place or (
            path.parent == one.place.parent and (alone or name == one.place.name)
        )
        if role == "mask" and near:
            masks.append(path)
    return masks
