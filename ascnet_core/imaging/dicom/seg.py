"""DICOM SEG: a mask as a DICOM object that refers to the slices it was drawn on.

It belongs to the patient of its series, so it repeats the name, numbers and dates of that. It is
the only thing written that does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ascnet_core import __version__, files
from ascnet_core.errors import UserError
from ascnet_core.imaging.dicom.planes import Plane, quiet
from ascnet_core.imaging.dicom.source import opened, place_of, split_series
from ascnet_core.imaging.formats import check_file
from ascnet_core.imaging.formats.dicom import laid_out
from ascnet_core.imaging.image_format import Grid, extra_told

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from pydicom import Dataset

_NEEDED = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID")
# A SEG must have these, if empty.
_MAY_BE_EMPTY = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyID", "StudyDate",
    "StudyTime", "AccessionNumber", "ReferringPhysicianName",
)  # fmt: skip


def seg_name(mask: str) -> str:
    """Return the name of the SEG beside a mask's NIfTI file."""
    return f"{mask.removesuffix('.nii.gz')}.dcm"


def check_source(image: Path) -> None:
    """Raise a UserError if an image is no DICOM, or the library that writes SEG is not there."""
    try:
        kind = check_file(image).name
    except UserError:  # said when it is read, beside those that can be
        return
    if kind != "dicom":
        raise UserError(f"{image} is no DICOM, as --dicom-seg needs it; leave the option out.")
    with extra_told(image):
        import highdicom  # noqa: F401


def write_seg(
    path: Path, stored: npt.NDArray[np.bool_], image: Path, grid: Grid, frame: int | None = None
) -> None:
    """Write a mask as DICOM SEG for the series that its image was read from, whole or not at all.

    `stored` is by column, row and slice, as `grid` says; `frame` is the one that was chosen of
    several. The same mask of the same series gives the same bytes.

    Raises a UserError as `check_source`, or if the series lacks what a SEG refers to.
    """
    import numpy as np
    from pydicom.uid import generate_uid

    check_source(image)
    place, _ = split_series(image)
    laid, _ = laid_out(image)
    planes = laid.frames[0 if len(laid.frames) == 1 or frame is None else frame]
    many = planes[0].frames > 1
    if many and (planes[0].frames != len(planes) or len(laid.frames) > 1):
        raise UserError(
            f"{image} can have no DICOM SEG: its file holds more frames than the chosen volume."
        )
    slices = np.ascontiguousarray(stored.reshape(grid.shape).transpose(2, 1, 0)).astype(np.uint8)
    if many:
        by_frame = np.empty_like(slices)
        by_frame[[plane.frame for plane in planes]] = slices
        slices, planes = by_frame, planes[:1]
    heads = _heads(place, planes)
    lacking = [name for name in _NEEDED if not all(head.get(name) for head in heads)]
    if lacking or planes[0].position is None:
        what = lacking[0] if lacking else "ImagePositionPatient"
        raise UserError(f"{image} can have no DICOM SEG: its headers lack {what}.")
    mark = [heads[0].SeriesInstanceUID, hashlib.sha256(slices.tobytes()).hexdigest(), __version__]
    with quiet(image):
        uids = [generate_uid(entropy_srcs=[*mark, str(number)]) for number in range(3)]
        seg = _made(slices, heads, uids)
        # Random numbers and the moment of writing would make every call's bytes differ.
        for item in (*seg.DimensionOrganizationSequence, *seg.DimensionIndexSequence):
            item.DimensionOrganizationUID = uids[2]
        for item in seg.get("ContributingEquipmentSequence", None) or ():
            item.pop("ContributionDateTime", None)
        for name in ("ContentDate", "InstanceCreationDate", "SeriesDate"):
            setattr(seg, name, heads[0].StudyDate or "19000101")
        for name in ("ContentTime", "InstanceCreationTime", "SeriesTime"):
            setattr(seg, name, heads[0].StudyTime or "000000")
    with files.replacing(path) as temporary:
        seg.save_as(temporary)


def _heads(place: Path, planes: tuple[Plane, ...]) -> list[Dataset]:
    """Read the headers of planes, with what a SEG needs and theirs may lack."""
    import pydicom

    heads: list[Dataset] = []
    with opened(place) as (_, open_file):
        for plane in planes:
            with quiet(place_of(place, plane.file)), open_file(plane.file) as stream:
                head = pydicom.dcmread(stream, stop_before_pixels=True, force=True)
                for name in _MAY_BE_EMPTY:
                    if name not in head:
                        setattr(head, name, "")
                heads.append(head)
    return heads


def _made(slices: npt.NDArray[np.uint8], heads: list[Dataset], uids: Sequence[str]) -> Any:
    import highdicom
    from pydicom.sr.codedict import codes

    name = "ASC-Net Explorer"
    described = highdicom.seg.SegmentDescription(
        segment_number=1,
        segment_label="Anomaly",
        segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
        segmented_property_type=codes.SCT.Lesion,
        algorithm_type=highdicom.seg.SegmentAlgorithmTypeValues.AUTOMATIC,
        algorithm_identification=highdicom.AlgorithmIdentificationSequence(
            name=name, family=codes.DCM.ArtificialIntelligence, version=__version__
        ),
    )
    return highdicom.seg.Segmentation(
        source_images=heads,
        pixel_array=slices,
        segmentation_type=highdicom.seg.SegmentationTypeValues.BINARY,
        segment_descriptions=[described],
        series_instance_uid=uids[0],
        series_number=int(heads[0].get("SeriesNumber", None) or 0) + 1000,
        sop_instance_uid=uids[1],
        instance_number=1,
        manufacturer=name,
        manufacturer_model_name=name,
        software_versions=__version__,
        device_serial_number="1",
        content_label="ANOMALY",
    )
