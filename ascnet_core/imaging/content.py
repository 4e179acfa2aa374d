"""What a file holds by its first bytes, where that is not what its name says."""

from __future__ import annotations

from pathlib import Path

_STARTS = (
    (0, b"\x89PNG", "a PNG picture", (".png",)),
    (0, b"\xff\xd8\xff", "a JPEG picture", (".jpg", ".jpeg")),
    (0, b"II*\0", "a TIF picture", (".tif", ".tiff")),
    (0, b"MM\0*", "a TIF picture", (".tif", ".tiff")),
    (0, b"\x93NUMPY", "a numpy stack", (".npy",)),
    (0, b"PK\x03\x04", "a zip archive", (".zip", ".npz")),
    (0, b"NRRD", "NRRD", (".nrrd",)),
    (128, b"DICM", "DICOM", (".dcm",)),
    (344, b"n+1\0", "NIfTI that is not compressed", (".nii",)),
)
_ENOUGH = 400
FETCH = "fetch it by `git annex get` or `datalad get`"


def advice_on(path: Path, suffix: str) -> str:
    """Return what to do about a file that cannot be read as what its suffix says."""
    again = "copy or download it again"
    try:
        with path.open("rb") as file:
            start = file.read(_ENOUGH)
    except OSError:
        return again
    if not_fetched := stands_for(start):
        return not_fetched
    if start.lstrip()[:15].lower().startswith((b"<!doctype", b"<html")):
        return "it is a web page, not the download; download the file itself"
    if start.startswith(b"\x1f\x8b") and not suffix.endswith(".gz"):
        return f"it is compressed with gzip; name it {suffix}.gz or unfold it"
    for offset, magic, what, suffixes in _STARTS:
        if start[offset:].startswith(magic) and suffix not in suffixes:
            return f"it holds {what}; give it the suffix {suffixes[0]}"
    return again


def stands_for(start: bytes) -> str:
    """Say so where a small text stands for a file whose data were not fetched; else ""."""
    if start.startswith(b"version https://git-lfs"):
        return "its data are not here (a Git LFS pointer); fetch it by `git lfs pull`"
    if start.startswith(b"/annex/objects/"):
        return f"its data are not here (git-annex); {FETCH}"
    return ""
