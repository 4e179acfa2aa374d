"""Tiny DICOM files for tests, written by pydicom; the person in them is invented."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import (
    CTImageStorage,
    EnhancedMRImageStorage,
    ExplicitVRLittleEndian,
    generate_uid,
)

PERSON = "Mustermann^Erika"
PERSON_ID = "PID-4711"
BORN = "19640812"
IDENTITY = ("mustermann", "erika", "4711", "19640812", "20190304", "General Hospital")
AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def volume(slices: int = 5, rows: int = 6, columns: int = 7, seed: int = 0) -> np.ndarray:
    """Stored values (slices, rows, columns), 0 to 4095."""
    return np.random.default_rng(seed).integers(0, 4096, (slices, rows, columns)).astype(np.uint16)


def header(pixels: np.ndarray, sop_class: str = CTImageStorage, **more: Any) -> Dataset:
    """A dataset of one file with everything but its place and its pixels."""
    data = Dataset()
    data.SOPClassUID = sop_class
    data.SOPInstanceUID = generate_uid()
    data.PatientName, data.PatientID, data.PatientBirthDate = PERSON, PERSON_ID, BORN
    data.PatientSex = "F"
    data.StudyDate = data.SeriesDate = data.ContentDate = "20190304"
    data.StudyTime = data.SeriesTime = data.ContentTime = "101112"
    data.AccessionNumber = data.StudyID = "1"
    data.ReferringPhysicianName = ""
    data.InstitutionName = "General Hospital"
    data.Modality, data.Manufacturer = "CT", "Tests"
    data.StudyInstanceUID, data.SeriesInstanceUID = "1.2.826.1", "1.2.826.2"
    data.FrameOfReferenceUID, data.PositionReferenceIndicator = "1.2.826.3", ""
    data.SeriesNumber, data.SeriesDescription = 3, "Head Mustermann 5mm"
    data.Rows, data.Columns = pixels.shape[-2:] if pixels.shape[-1] != 3 else pixels.shape[-3:-1]
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit = 16, 12, 11
    data.PixelRepresentation = 0
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    for name, value in more.items():
        setattr(data, name, value)
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    return data


def save(data: Dataset, path: Path, pixels: np.ndarray | None = None) -> Path:
    if pixels is not None:
        data.PixelData = np.ascontiguousarray(pixels).tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    data.save_as(path, enforce_file_format=True)
    return path


def make_series(
    folder: Path,
    pixels: np.ndarray,
    *,
    orientation: tuple[float, ...] = AXIAL,
    origin: tuple[float, ...] = (-10.0, -20.0, 30.0),
    step: tuple[float, ...] = (0.0, 0.0, 5.0),
    spacing: tuple[float, float] = (0.8, 0.6),
    name: str = "IM{:04d}",
    syntax: str = "",
    each: Any = None,
    **more: Any,
) -> list[Path]:
    """Write a series, a file a slice, from the last one on; the paths from the first.

    `each(data, index)` may change a dataset before it is saved.
    """
    paths = []
    for index, values in enumerate(pixels):
        data = header(values, **more)
        data.ImageOrientationPatient = list(orientation)
        data.ImagePositionPatient = [o + index * s for o, s in zip(origin, step, strict=True)]
        data.PixelSpacing, data.SliceThickness = list(spacing), max(map(abs, step))
        # Neither file names nor instance numbers go along the patient.
        data.InstanceNumber = len(pixels) - index
        if each:
            each(data, index)
        if syntax:
            data.PixelData = np.ascontiguousarray(values).tobytes()
            data.compress(syntax)
            values = None
        paths.append(save(data, folder / name.format(len(pixels) - index), values))
    return paths


def encapsulated(data: Dataset, frames: list[bytes], syntax: str, path: Path) -> Path:
    """Save a file with compressed frames."""
    data.file_meta.TransferSyntaxUID = syntax
    data.PixelData = encapsulate(frames)
    data["PixelData"].VR = "OB"
    return save(data, path)


def enhanced(path: Path, pixels: np.ndarray, step: float = 4.0, **more: Any) -> Path:
    """Write an enhanced multi-frame file whose frames go from the left to the right."""
    data = header(pixels, EnhancedMRImageStorage, Modality="MR", **more)
    data.NumberOfFrames = len(pixels)
    data.InstanceNumber = 1
    data.ImageType = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    shared, measures, plane = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing, measures.SliceThickness = [0.5, 0.7], step
    plane.ImageOrientationPatient = [0, 1, 0, 0, 0, -1]  # sagittal
    shared.PixelMeasuresSequence = Sequence([measures])
    shared.PlaneOrientationSequence = Sequence([plane])
    data.SharedFunctionalGroupsSequence = Sequence([shared])
    frames = []
    for index in range(len(pixels)):
        frame, where, value = Dataset(), Dataset(), Dataset()
        where.ImagePositionPatient = [50.0 + (len(pixels) - 1 - index) * step, -3.0, 8.0]
        value.RescaleSlope, value.RescaleIntercept, value.RescaleType = 1 + index, -index, "US"
        frame.PlanePositionSequence = Sequence([where])
        frame.PixelValueTransformationSequence = Sequence([value])
        frames.append(frame)
    data.PerFrameFunctionalGroupsSequence = Sequence(frames)
    return save(data, path, pixels)


def zipped(folder: Path, path: Path) -> Path:
    """Pack a folder as a zip."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, f"export/{file.relative_to(folder)}")
    return path
