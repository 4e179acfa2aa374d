"""The values of DICOM slices, in real units."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ascnet_core.errors import UserError
from ascnet_core.imaging.dicom.planes import Plane, quiet
from ascnet_core.imaging.dicom.source import opened, place_of

if TYPE_CHECKING:
    import numpy.typing as npt
    from pydicom import Dataset

    Pixels = npt.NDArray[Any]

# Uncompressed, deflated and run lengths: pydicom reads them. GDCM (in SimpleITK) decodes the rest.
_PLAIN = (
    "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2",
    "1.2.840.10008.1.2.5",
)  # fmt: skip
_PIXEL_TAGS = (
    "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation",
    "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "NumberOfFrames",
    "PixelData",
)  # fmt: skip


def each_plane(place: Path, planes: tuple[Plane, ...]) -> Iterator[tuple[int, Pixels]]:
    """Yield (index in `planes`, values) of every plane, file by file; float64 (rows, columns).

    Colour has a last axis of three. Values are in the header's units: rescaled slice by slice,
    and turned over where the lowest stored value is the brightest (MONOCHROME1).

    Raises a UserError if a file is damaged or of a compression that is not read.
    """
    by_file: dict[str, list[int]] = {}
    for index, plane in enumerate(planes):
        by_file.setdefault(plane.file, []).append(index)
    with opened(place) as (_, open_file):
        for name, indices in by_file.items():
            path = place_of(place, name)
            with quiet(path), open_file(name) as stream:
                import pydicom

                data = pydicom.dcmread(stream, force=True)
                stored = _stored(data, path)
            for index in indices:
                frame = planes[index].frame
                with quiet(path):
                    values = _real(data, stored[frame], frame)
                yield index, values


def _stored(data: Dataset, path: Path) -> Pixels:
    """Return the stored values of all frames of a file: (frames, rows, columns[, samples])."""
    from pydicom.pixels.utils import pixel_array
    from pydicom.uid import ImplicitVRLittleEndian

    if "TransferSyntaxUID" not in data.file_meta:
        data.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    syntax = data.file_meta.TransferSyntaxUID
    if data.get("PhotometricInterpretation") == "PALETTE COLOR":
        raise UserError(f"{path} holds colours of a palette; save it in grey.")
    plain = str(syntax) in _PLAIN
    array: Pixels = pixel_array(data) if plain else _decoded(data, path)
    samples = int(data.get("SamplesPerPixel", 1))
    tail = (int(data.Rows), int(data.Columns), *((samples,) if samples > 1 else ()))
    frames = int(data.get("NumberOfFrames", 1) or 1)
    if array.size != frames * math.prod(tail):
        raise ValueError("its pixels are not all there")
    return array.reshape(frames, *tail)


def _decoded(data: Dataset, path: Path) -> Pixels:
    """Decode compressed pixels by GDCM, which is given nothing else and so rescales nothing."""
    import SimpleITK
    from pydicom import DataElement, Dataset
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import (
        MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
        SecondaryCaptureImageStorage,
    )

    bare = Dataset()
    for name in _PIXEL_TAGS:
        if name in data:
            bare[name] = data[name]
    if bare.PhotometricInterpretation == "MONOCHROME1":
        # GDCM would turn values over; a new element, as `data` shares the others.
        bare["PhotometricInterpretation"] = DataElement(
            "PhotometricInterpretation", "CS", "MONOCHROME2"
        )
    several = int(data.get("NumberOfFrames", 1) or 1) > 1
    bare.SOPClassUID = (
        MultiFrameGrayscaleWordSecondaryCaptureImageStorage
        if several
        else SecondaryCaptureImageStorage
    )
    bare.SOPInstanceUID = "1.2.3"
    bare.file_meta = FileMetaDataset()
    bare.file_meta.TransferSyntaxUID = data.file_meta.TransferSyntaxUID
    bare.file_meta.MediaStorageSOPClassUID = bare.SOPClassUID
    bare.file_meta.MediaStorageSOPInstanceUID = bare.SOPInstanceUID
    silent: Any = SimpleITK.ProcessObject  # its types do not hold
    silent.SetGlobalWarningDisplay(False)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "pixels.dcm"
        bare.save_as(file, enforce_file_format=True)
        try:
            array: Pixels = SimpleITK.GetArrayFromImage(
                SimpleITK.ReadImage(str(file), imageIO="GDCMImageIO")
            )
        except RuntimeError as error:
            kind = data.file_meta.TransferSyntaxUID.name
            raise UserError(
                f"{path} is damaged, or its compression is not read ({kind}); export the series "
                "uncompressed, or with gdcmconv --raw or dcmdjpeg."
            ) from error
    return array


def _real(data: Dataset, stored: Pixels, frame: int) -> Pixels:
    """Return a frame in the header's units."""
    import numpy as np
    from pydicom.pixels.processing import apply_modality_lut

    if data.get("PhotometricInterpretation") == "MONOCHROME1":
        bits = int(data.BitsStored)
        stored = (-1 if int(data.PixelRepresentation) else 2**bits - 1) - stored.astype(np.int64)
    slope, intercept = data.get("RescaleSlope", None), data.get("RescaleIntercept", None)
    for group in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        items = data.get(group, None) or []
        item = items[0 if group.startswith("Shared") else frame] if items else None
        inner = item.get("PixelValueTransformationSequence", None) if item is not None else None
        if inner:
            slope, intercept = inner[0].RescaleSlope, inner[0].RescaleIntercept
    if data.get("ModalityLUTSequence", None):
        return np.asarray(apply_modality_lut(stored, data), np.float64)
    factor = 1.0 if slope in (None, "") else float(slope)
    return stored * factor + (0.0 if intercept in (None, "") else float(intercept))


def same_pixels(place: Path, one: Plane, other: Plane) -> bool:
    """Say whether two slices hold the same values."""
    import numpy as np

    if one.uid == other.uid and one.frames == other.frames == 1 and one.file == other.file:
        return True
    (first,), (second,) = (
        [values for _, values in each_plane(place, (plane,))] for plane in (one, other)
    )
    return bool(np.array_equal(first, second))
