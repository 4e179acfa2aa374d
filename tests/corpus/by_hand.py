"""NIfTI written and read from the standard's tables by numpy alone: a judge that shares no code.

<https://nifti.nimh.nih.gov/pub/dist/src/niftilib/nifti1.h> and nifti2.h.
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

CODES = {
    "u1": 2, "i2": 4, "i4": 8, "f4": 16, "c8": 32, "f8": 64, "i1": 256, "u2": 512, "u4": 768,
    "i8": 1024, "u8": 1280,
}  # fmt: skip
"""numpy's type -> the header's `datatype`."""
UNITS_MM = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}
"""`xyzt_units` -> millimetres; 0 names none, and millimetres are taken."""

_FIRST = {
    "sizeof_hdr": ("i4", 0), "dim": ("8i2", 40), "intent_code": ("i2", 68), "datatype": ("i2", 70),
    "bitpix": ("i2", 72), "pixdim": ("8f4", 76), "vox_offset": ("f4", 108),
    "scl_slope": ("f4", 112), "scl_inter": ("f4", 116), "xyzt_units": ("u1", 123),
    "descrip": ("S80", 148), "aux_file": ("S24", 228), "qform_code": ("i2", 252),
    "sform_code": ("i2", 254), "quatern": ("3f4", 256), "qoffset": ("3f4", 268),
    "srow": ("(3,4)f4", 280), "intent_name": ("S16", 328), "magic": ("S4", 344),
}  # fmt: skip
_SECOND = {
    "sizeof_hdr": ("i4", 0), "magic": ("S8", 4), "datatype": ("i2", 12), "bitpix": ("i2", 14),
    "dim": ("8i8", 16), "pixdim": ("8f8", 104), "vox_offset": ("i8", 168),
    "scl_slope": ("f8", 176), "scl_inter": ("f8", 184), "descrip": ("S80", 240),
    "aux_file": ("S24", 320), "qform_code": ("i4", 344), "sform_code": ("i4", 348),
    "quatern": ("3f8", 352), "qoffset": ("3f8", 376), "srow": ("(3,4)f8", 400),
    "xyzt_units": ("i4", 500), "intent_code": ("i4", 504), "intent_name": ("S16", 508),
}  # fmt: skip


def _layout(version: int, endian: str) -> np.dtype:
    table = _FIRST if version == 1 else _SECOND
    return np.dtype(
        {
            "names": list(table),
            "formats": [kind for kind, _ in table.values()],
            "offsets": [offset for _, offset in table.values()],
            "itemsize": 348 if version == 1 else 540,
        }
    ).newbyteorder(endian)


def nifti(
    raw: np.ndarray, *, version: int = 1, endian: str = "<", fields: Mapping[str, Any] | None = None
) -> bytes:
    """Return a file of raw numbers (first axis fastest), with `fields` of the header as given."""
    header = np.zeros((), _layout(version, endian))
    size = header.dtype.itemsize
    header["sizeof_hdr"] = size
    header["magic"] = b"n+1\0" if version == 1 else b"n+2\0\r\n\x1a\n"
    header["dim"] = [raw.ndim, *raw.shape, *[1] * (7 - raw.ndim)]
    kind = raw.dtype.str[1:]
    header["datatype"], header["bitpix"] = CODES[kind], 8 * raw.dtype.itemsize
    header["pixdim"] = [1] * 8
    header["vox_offset"] = size + 4
    header["scl_slope"] = 1
    header["xyzt_units"] = 2
    for name, value in (fields or {}).items():
        header[name] = value
    data = raw.astype(raw.dtype.newbyteorder(endian)).tobytes(order="F")
    return header.tobytes() + bytes(4) + data


def read(path: Path) -> tuple[np.ndarray, np.ndarray, np.void]:
    """Return a file's values (scaled, float64), its affine in mm, and its header."""
    content = path.read_bytes()
    if content[:2] == b"\x1f\x8b":
        content = gzip.decompress(content)
    version, endian = next(
        (version, endian)
        for version, size in ((1, 348), (2, 540))
        for endian in "<>"
        if int(np.frombuffer(content, f"{endian}i4", 1)[0]) == size
    )
    header = np.frombuffer(content, _layout(version, endian), 1)[0]
    count = int(header["dim"][0])
    shape = tuple(int(n) for n in header["dim"][1 : count + 1])
    kind = next(name for name, code in CODES.items() if code == header["datatype"])
    start = int(header["vox_offset"])
    raw = np.frombuffer(content, f"{endian}{kind}", int(np.prod(shape)), start)
    slope, inter = float(header["scl_slope"]), float(header["scl_inter"])
    values = raw.reshape(shape, order="F").astype(np.float64)
    if slope and np.isfinite(slope):
        values = values * slope + inter
    return values, affine_of(header), header


def affine_of(header: np.void) -> np.ndarray:
    """Return the header's affine in mm: sform, else qform, else the old way from the middle."""
    whole = np.eye(4)
    pixdim = header["pixdim"].astype(np.float64)
    if header["sform_code"] > 0:
        whole[:3] = header["srow"]
    elif header["qform_code"] > 0:
        b, c, d = header["quatern"].astype(np.float64)
        a = np.sqrt(max(0.0, 1 - b * b - c * c - d * d))
        turn = np.array(
            [
                [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
                [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
                [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
            ]
        )
        hand = -1.0 if pixdim[0] < 0 else 1.0
        whole[:3, :3] = turn * (pixdim[1:4] * [1, 1, hand])
        whole[:3, 3] = header["qoffset"]
    else:
        raise AssertionError("the header has neither form")
    whole[:3] *= UNITS_MM[int(header["xyzt_units"]) & 7]
    return whole


def quaternion(turn: np.ndarray) -> tuple[float, float, float]:
    """Return b, c, d of a rotation matrix whose angle is below 180 degrees."""
    a = np.sqrt(max(1e-12, 1 + np.trace(turn))) / 2
    b, c, d = turn[2, 1] - turn[1, 2], turn[0, 2] - turn[2, 0], turn[1, 0] - turn[0, 1]
    return b / (4 * a), c / (4 * a), d / (4 * a)
