"""What DICOM headers say of each slice; identities stay behind."""

from __future__ import annotations

import hashlib
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from ascnet_core.errors import UserError
from ascnet_core.files import refused
from ascnet_core.imaging.dicom.source import ENDINGS, looks_like_dicom

if TYPE_CHECKING:
    from pydicom import Dataset

_TAGS = [
    "SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "SeriesNumber", "SeriesDescription",
    "PatientName", "PatientID", "ReferringPhysicianName", "OperatorsName",
    "PerformingPhysicianName", "Modality", "ImageType", "InstanceNumber", "Rows", "Columns",
    "BitsAllocated", "SamplesPerPixel", "NumberOfFrames", "ImageOrientationPatient",
    "ImagePositionPatient", "PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing",
    "SliceThickness", "SpacingBetweenSlices", "TemporalPositionIdentifier", "AcquisitionNumber",
    "TriggerTime", "EchoTime", "DiffusionBValue", "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
]  # fmt: skip
_ORDER = (
    "EchoTime", "TemporalPositionIdentifier", "AcquisitionNumber", "DiffusionBValue",
    "TriggerTime", "InstanceNumber",
)  # fmt: skip
_SCOUT = re.compile(r"locali[sz]er|scout|topogram|surview|scanogram|\bloc\b", re.IGNORECASE)
# What stands for a patient in headers without identities.
_NOBODY = re.compile(
    r"[\W_0x]*|(anon(ymous|ymi[sz]ed?)?|de-?identified|removed|unknown|none|patient)[\W_]*(name|id)?"
)
# Modalities of objects that are drawn over images, or are doses and not images.
_NO_IMAGES = ("SEG", "PR", "SR", "KO", "RTDOSE", "RTSTRUCT", "RTPLAN")
# Parts of an image of complex numbers; each is a series of its own.
_PARTS = ("M", "P", "R", "I", "MAGNITUDE", "PHASE", "REAL", "IMAGINARY", "LOCALIZER")


@dataclass(frozen=True)
class Plane:
    """One slice: frame `frame` of the file `file`, and where it lies (DICOM's LPS, in mm).

    `orientation` holds the directions of a row and of a column, `spacing` the distances between
    rows and between columns, `gap` that between slices as the header says, `order` what tells
    apart slices at one place, such as time points. None where the header does not say. `patient` is
    the same for slices of one patient (empty: not known); it is written nowhere.
    """

    file: str
    frame: int
    frames: int
    patient: str
    uid: str
    series_uid: str
    number: int
    title: str
    modality: str
    part: str
    scout: bool
    size: tuple[int, int]
    position: tuple[float, ...] | None
    orientation: tuple[float, ...] | None
    spacing: tuple[float, ...] | None
    gap: float | None
    order: tuple[float, ...]


@contextmanager
def quiet(path: Path) -> Iterator[None]:
    """Turn what a reader of DICOM raises into a sentence, and keep its warnings to itself.

    Both may quote a header, and with it a patient's name.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (UserError, ImportError):
        raise
    except PermissionError as error:
        raise UserError(refused(path, "read", error)) from error
    except Exception as error:  # pydicom raises errors of many kinds, from broken values too
        raise UserError(f"{path} is damaged or cut short; copy or download it again.") from error


def read_planes(stream: BinaryIO, name: str, path: Path) -> list[Plane]:
    """Return the slices of the file `name`; none if it is no DICOM, or holds no image.

    `path` names the file in sentences. Raises a UserError if it is damaged.
    """
    start = stream.read(132)
    stream.seek(0)
    if not looks_like_dicom(start):
        if path.suffix.lower() in ENDINGS:
            raise UserError(f"{path} is empty or no DICOM; copy it again, or remove it.")
        return []
    import pydicom

    size = stream.seek(0, 2)
    stream.seek(0)
    with quiet(path):
        head = pydicom.dcmread(stream, stop_before_pixels=True, specific_tags=_TAGS, force=True)
        kind = str(head.file_meta.get("MediaStorageSOPClassUID", "") or head.get("SOPClassUID", ""))
        if "Rows" not in head or "Columns" not in head:
            if kind and "Image Storage" not in pydicom.uid.UID(kind).name:
                return []  # DICOMDIR, a report, a plan
            raise ValueError("no rows and columns")
        if str(head.get("Modality", "")) in _NO_IMAGES:
            return []
        return _planes(head, name, path, size)


def _planes(head: Dataset, name: str, path: Path, size: int) -> list[Plane]:
    frames = int(head.get("NumberOfFrames", 1) or 1)
    rows, columns = int(head.Rows), int(head.Columns)
    syntax = head.file_meta.get("TransferSyntaxUID")
    folded = syntax is not None and (syntax.is_compressed or syntax.is_deflated)
    bits = int(head.get("BitsAllocated", 8)) * int(head.get("SamplesPerPixel", 1))
    least = frames if folded else frames * rows * columns * bits // 8
    if min(rows, columns, frames) < 1 or least > size:
        raise ValueError("its pixels are not all there")
    image_type = [str(one).upper() for one in head.get("ImageType", None) or ()]
    if "MOSAIC" in image_type:
        raise UserError(f"{path} is a mosaic of slices; convert it to NIfTI with dcm2niix.")
    title = _title(head)
    scout = "LOCALIZER" in image_type or bool(_SCOUT.search(title))
    part = next((one for one in image_type[2:] if one in _PARTS), "")
    shared = (head.get("SharedFunctionalGroupsSequence", None) or [None])[0]
    per_frame = head.get("PerFrameFunctionalGroupsSequence", None) or []
    planes = []
    for frame in range(frames):
        own = per_frame[frame] if frame < len(per_frame) else None
        # An ordinary file says it at the top; one with groups in that of the frame, or in the
        # shared one.
        places = [head] if shared is None and own is None else [own, shared]
        spacing = next(
            (
                found
                for key in ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing")
                if (found := _numbers(_value(places, "PixelMeasuresSequence", key), 2))
            ),
            None,
        )
        position = _value(places, "PlanePositionSequence", "ImagePositionPatient")
        direction = _value(places, "PlaneOrientationSequence", "ImageOrientationPatient")
        gap = _value(places, "PixelMeasuresSequence", "SpacingBetweenSlices") or _value(
            places, "PixelMeasuresSequence", "SliceThickness"
        )
        order = tuple(float(head.get(key, None) or 0) for key in _ORDER)
        time = _value([own], "FrameContentSequence", "TemporalPositionIndex") if own else None
        planes.append(
            Plane(
                file=name,
                frame=frame,
                frames=frames,
                patient=_patient(head),
                uid=str(head.get("SOPInstanceUID", "")),
                series_uid=str(head.get("SeriesInstanceUID", "")),
                number=int(head.get("SeriesNumber", None) or 0),
                title=title,
                modality=str(head.get("Modality", "")),
                part=part,
                scout=scout,
                size=(rows, columns),
                position=_numbers(position, 3),
                orientation=_numbers(direction, 6),
                spacing=spacing,
                gap=abs(float(gap)) if gap else None,
                order=(*order, float(time or 0), float(frame)),
            )
        )
    return planes


def _value(places: list[Any], group: str, name: str) -> Any:
    """Return an attribute from the first dataset that has it, or has it in a functional group."""
    for place in places:
        if place is None:
            continue
        inner = place.get(group, None)
        for dataset in (place, inner[0] if inner else None):
            if dataset is not None and dataset.get(name, None) not in (None, ""):
                return dataset.get(name)
    return None


def _numbers(value: Any, count: int) -> tuple[float, ...] | None:
    if value is None or len(value) == 0:
        return None
    if len(value) != count:
        raise ValueError(f"{len(value)} numbers for {count}")
    return tuple(map(float, value))


def _patient(head: Dataset) -> str:
    """Return a hash of the patient's number, or of the name; empty where they were taken out."""
    for name in ("PatientID", "PatientName"):
        known = str(head.get(name, "") or "").strip().lower()
        if known and not _NOBODY.fullmatch(known):
            break
    else:
        return ""
    return hashlib.sha256(known.encode()).hexdigest()


def _title(head: Dataset) -> str:
    """Return the series' description without words that are a person's, or may be a date."""
    persons = (
        "PatientName", "PatientID", "ReferringPhysicianName", "OperatorsName",
        "PerformingPhysicianName",
    )  # fmt: skip
    known = " ".join(str(head.get(person, "") or "") for person in persons).lower()
    parts = {part for part in re.split(r"[\W_]+", known) if len(part) > 1}
    words = str(head.get("SeriesDescription", "") or "").split()
    kept = [
        word
        for word in words
        if not parts & set(re.split(r"[\W_]+", word.lower())) and len(re.findall(r"\d", word)) < 6
    ]
    return "".join(c if c.isprintable() else " " for c in " ".join(kept))[:40].strip()
