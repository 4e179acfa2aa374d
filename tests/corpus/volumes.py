"""NIfTI files that people have, and that go wrong: headers, numbers, grids, damage."""

from __future__ import annotations

import gzip
import os
import struct
from pathlib import Path

import numpy as np

from tests.corpus.case import ML, SHAPE, Cases, adder, head, nifti, put, scan

VOLUMES: Cases = {}
add = adder(VOLUMES)
VOXEL = 0.012
HEAD = float(head().sum()) * VOXEL


def simple(name: str, content: bytes, file: str = "x.nii", **right: object) -> None:
    """Add a case that is one file of these bytes."""
    add(name, **right)(lambda folder: put(folder / file, content))


# --- headers that say it otherwise -----------------------------------------------------------
simple("plain", nifti(), ml=ML, region_ml=HEAD)
simple("micrometres", nifti(scale=1000, xyzt_units=3), ml=ML)
simple("metres", nifti(scale=0.001, xyzt_units=1), ml=ML)
simple("metres and seconds", nifti(scale=0.001, xyzt_units=1 | 8), ml=ML)
simple("micrometres in NIfTI-2", nifti(scale=1000, xyzt_units=3, version=2), ml=ML)
simple("no unit", nifti(xyzt_units=0), ml=ML)
simple("a unit that does not exist", nifti(xyzt_units=5))
simple("big-endian", nifti(endian=">"), ml=ML)
simple("NIfTI-2", nifti(version=2), ml=ML)
simple("NIfTI-2, big-endian", nifti(version=2, endian=">"), ml=ML)
simple("suffix in capitals", nifti(), "X.NII", ml=ML)
simple("gzipped, suffix in capitals", gzip.compress(nifti()), "X.NII.GZ", ml=ML)
simple("gzipped but called .nii", gzip.compress(nifti()))
simple("called .nii.gz but not gzipped", nifti(), "x.nii.gz")
simple("gzip of two members", gzip.compress(nifti()[:500]) + gzip.compress(nifti()[500:]),
       "x.nii.gz", ml=ML)  # fmt: skip
simple("garbage behind the data", nifti() + b"garbage" * 99, ml=ML)
simple("garbage behind the gzip", gzip.compress(nifti()) + b"garbage" * 99, "x.nii.gz")
simple("qform alone", nifti(sform_code=0), ml=ML)
simple("sform alone", nifti(qform_code=0), ml=ML)
simple("neither form", nifti(qform_code=0, sform_code=0), ml=ML)
simple("forms that disagree", nifti(qoffset=[50, 60, 70]), ml=ML)
simple("form codes that do not exist", nifti(qform_code=99, sform_code=-3))
simple("qfac of 0", nifti(sform_code=0, pixdim=[0, 2, 2, 3, 1, 1, 1, 1]), ml=ML)
simple("negative pixdim", nifti(sform_code=0, pixdim=[1, -2, 2, 3, 1, 1, 1, 1]))
simple("slope of 0", nifti(scl_slope=0), ml=ML)
simple("slope of NaN", nifti(scl_slope=np.nan), ml=ML)
simple("slope of infinity", nifti(scl_slope=np.inf))
simple("slope and intercept", nifti(scl_slope=0.01, scl_inter=0), ml=ML)
simple("wrong bitpix", nifti(bitpix=7))
simple("display window and intent", nifti(intent_code=1002), ml=ML)
simple("a patient's name in the header", nifti(descrip=b"DOE^JANE 1950-01-01",
       aux_file=b"DOE^JANE", intent_name=b"DOE^JANE"), ml=ML)  # fmt: skip


@add("a pair", ml=ML)
def _pair(folder: Path) -> Path:
    content = nifti(magic=b"ni1\0", vox_offset=0)
    put(folder / "x.hdr", content[:348])
    return put(folder / "x.img", content[352:])


@add("a header without its image", says="image data")
def _header_alone(folder: Path) -> Path:
    return put(folder / "x.hdr", nifti(magic=b"ni1\0", vox_offset=0)[:348])


# --- grids -----------------------------------------------------------------------------------
def rows(*axes: tuple[float, float, float]) -> np.ndarray:
    """An sform whose columns are these axes."""
    return np.c_[np.array(axes, float).T, [0, 0, 0]]


simple("left-handed", nifti(qform_code=0, srow=rows((-2, 0, 0), (0, 2, 0), (0, 0, 3))), ml=ML)
simple("sheared", nifti(qform_code=0, srow=rows((2, 0, 0), (0, 2, 0), (0, 1, 3))), ml=ML)
simple("sheared to nearly flat", nifti(qform_code=0, srow=rows((2, 0, 0), (0, 2, 0), (0, 300, 3))))
simple("at 45 degrees", nifti(qform_code=0, srow=rows(
    (2**0.5, 2**0.5, 0), (-(2**0.5), 2**0.5, 0), (0, 0, 3))), ml=ML)  # fmt: skip
simple("axes of no length", nifti(qform_code=0, srow=rows((0, 0, 0), (0, 2, 0), (0, 0, 3))),
       says="affine")  # fmt: skip
simple("axes that lie on each other", nifti(qform_code=0, srow=rows(
    (2, 0, 0), (2, 0, 0), (0, 0, 3))), says="affine")  # fmt: skip
simple("affine of NaN", nifti(qform_code=0, srow=np.full((3, 4), np.nan)), says="affine")
simple("affine of infinity", nifti(qform_code=0, srow=np.full((3, 4), np.inf)), says="affine")
simple("origin of NaN", nifti(qoffset=[np.nan] * 3, sform_code=0))
simple("quaternion of no rotation", nifti(sform_code=0, quatern=[9, 9, 9]))
simple("quaternion a little longer than 1",  # nibabel refuses it, as users of it report
       nifti(sform_code=0, quatern=np.array([0.6, 0.6, 0.5292]) * 1.001))  # fmt: skip
simple("sform of zeros, a good qform", nifti(srow=np.zeros((3, 4))), ml=ML)
simple("pixdim that is not the sform's", nifti(pixdim=[1, 1, 1, 1, 1, 1, 1, 1]), ml=ML)
simple("axes nearly at right angles", nifti(qform_code=0, srow=rows(
    (2, 1e-5, 0), (-2e-5, 2, 0), (0, 3e-5, 3))), ml=ML)  # fmt: skip
simple("spacing of 0", nifti(qform_code=0, sform_code=0, pixdim=[1, 0, 0, 0, 1, 1, 1, 1]))
simple("spacing of a light year", nifti(scale=1e19))
simple("spacing of an atom", nifti(scale=1e-12))
simple("spacing that differs a millionfold",
       nifti(qform_code=0, srow=rows((2e6, 0, 0), (0, 2, 0), (0, 0, 3))))  # fmt: skip
simple(
    "spacing that differs beyond all",
    nifti(qform_code=0, srow=rows((2e30, 0, 0), (0, 2, 0), (0, 0, 3))),
    says="spacing|affine",
)
simple("sform of NaN, a good qform", nifti(srow=np.full((3, 4), np.nan)), ml=ML)
simple(
    "sform in part of NaN, a good qform",
    nifti(srow=np.array([[2, 0, 0, 0], [0, 2, 0, 0], [0, np.nan, 3, 0]])),
    ml=ML,
)
simple("slices of 30 mm", nifti(qform_code=0, srow=rows((2, 0, 0), (0, 2, 0), (0, 0, 30)),
       pixdim=[1, 2, 2, 30, 1, 1, 1, 1]), ml=10 * ML)  # fmt: skip
simple("one slice", nifti(scan()[:, :, 2:3]), ml=ML / 2)
simple("two axes", nifti(scan()[:, :, 2]), ml=ML / 2)
simple("one axis", nifti(scan()[:, 5, 2]))
simple("one voxel", nifti(scan()[:1, :1, :1]), says="constant|empty|region")
simple("an axis of 0", nifti(dim=[3, 12, 0, 6, 1, 1, 1, 1]), says="shape|damaged|cut short")
simple("no axes", nifti(dim=[0] * 8))
simple("eight axes", nifti(dim=[8, 12, 14, 6, 1, 1, 1, 1]))
simple("a negative axis", nifti(dim=[3, 12, -14, 6, 1, 1, 1, 1]), says="x.nii")
simple("axes of terabytes", nifti(dim=[3, 30000, 30000, 30000, 1, 1, 1, 1]), says="damaged|short")
simple("axes of terabytes, gzipped", gzip.compress(nifti(dim=[3, 30000, 30000, 30000, 1, 1, 1, 1])),
       "x.nii.gz", says="damaged|short")  # fmt: skip
simple("more slices said than there are", nifti(dim=[3, 12, 14, 60, 1, 1, 1, 1]),
       says="damaged|short")  # fmt: skip

# --- frames, channels, numbers ---------------------------------------------------------------
two = np.stack([scan() // 2, scan()], -1)
simple("two frames", nifti(two), says="--frame")
simple("two frames, one chosen", nifti(two), ml=ML, how={"frame": 1})
simple("two frames, the third chosen", nifti(two), says="frame", how={"frame": 2})
simple("a fourth axis of 1", nifti(scan()[..., None]), ml=ML)
simple("five axes, the last ones of 1", nifti(scan()[..., None, None]), ml=ML)
simple("vectors in a fifth axis", nifti(np.stack([scan()] * 3, -1)[:, :, :, None]))


def _colours(*channels: np.ndarray) -> bytes:
    """NIfTI's RGB24 by hand: three bytes a voxel."""
    raw = np.stack(channels, -1).astype(np.uint8).transpose(2, 1, 0, 3).tobytes()
    return nifti(datatype=128, bitpix=24)[:352] + raw


simple("grey in colour", _colours(*[scan() // 4] * 3), ml=ML)
simple("colour", _colours(scan() // 4, scan() // 9, scan() // 5), says="--channel")
simple("colour, a channel chosen", _colours(scan() // 9, scan() // 4, scan() // 5), ml=ML,
       how={"channel": 1})  # fmt: skip
simple("complex numbers", nifti(kind="c8"), says="complex")
for kind in ("u1", "i1"):
    simple(f"numbers of type {kind}", nifti(scan() // 8, kind), ml=ML)
for kind in ("u2", "i4", "u4", "i8", "u8", "f4", "f8"):
    simple(f"numbers of type {kind}", nifti(kind=kind), ml=ML)
simple("a type that does not exist", nifti(datatype=4095), says="x.nii")
simple("no type", nifti(datatype=0), says="x.nii")
simple("numbers of 16 bytes", nifti(datatype=1536, bitpix=128), says="x.nii")
simple("numbers beyond float32", nifti(scan() * 1e300, "f8"))
simple("numbers too small for float32", nifti(scan() * 1e-300, "f8"))
simple("very large numbers", nifti(scan() * 1e30, "f4"), ml=ML)

nans = scan().astype(float)
nans[0, 0, :] = np.nan
simple("NaN", nifti(nans, "f4"), says="nan")
simple("NaN, a value chosen", nifti(nans, "f4"), ml=ML, how={"nan": 0})
infinite = scan().astype(float)
infinite[0, 0, :3], infinite[0, 0, 3:] = np.inf, -np.inf
simple("infinities", nifti(infinite, "f4"), says="infinite|--nan")
simple("infinities, a value chosen", nifti(infinite, "f4"), ml=ML, how={"nan": 0})
simple("nothing but NaN", nifti(np.full(SHAPE, np.nan), "f4"), says="nan")
simple("nothing but NaN, a value chosen", nifti(np.full(SHAPE, np.nan), "f4"),
       says="constant|empty|region", how={"nan": 0})  # fmt: skip
simple("constant", nifti(np.full(SHAPE, 7)), says="constant")
simple("nothing but 0", nifti(np.zeros(SHAPE)), says="constant|empty")
simple("negative everywhere", nifti(scan() - 5000))

# --- padding and backgrounds: the region is the head -------------------------------------------
fine = np.indices((64, 64, 6)) - np.array([31.5, 31.5, 2.5])[:, None, None, None]
body = (fine[0] / 17) ** 2 + (fine[1] / 20) ** 2 < 1
view = fine[0] ** 2 + fine[1] ** 2 < 31.5**2  # the round field of view
hounsfield = np.where(body, np.random.default_rng(2).integers(20, 60, body.shape), -1000)
hounsfield[26:34, 26:34, 2:4] = 300
small = {"srow": np.c_[np.diag([0.5, 0.5, 3]), [0, 0, 0]], "qform_code": 0}
BODY = float(body.sum()) * 0.00075
for filler in (-3024, -2000, -2048, -32768):
    padded = nifti(np.where(view, hounsfield, filler), **small)
    simple(f"CT with corners of {filler}", padded, ml=ML, region_ml=BODY)
simple("CT", nifti(hounsfield, **small), ml=ML, region_ml=BODY)
simple("CT through an intercept", nifti(hounsfield + 1024, scl_inter=-1024, **small), ml=ML,
       region_ml=BODY)  # fmt: skip
tissue = scan()[head()]
standard = np.where(head(), (scan() - tissue.mean()) / tissue.std(), 0)
simple("standardised, the background 0", nifti(standard, "f4"), ml=ML, region_ml=HEAD)
simple("standardised with the background", nifti((scan() - scan().mean()) / scan().std(), "f4"),
       ml=ML, region_ml=HEAD)  # fmt: skip
simple("standardised, the background -9", nifti(np.where(head(), standard, -9), "f4"), ml=ML,
       region_ml=HEAD)  # fmt: skip

# --- damage and what is no volume --------------------------------------------------------------
simple("empty", b"", says="x.nii")
simple("empty and gzipped", b"", "x.nii.gz", says="x.nii.gz")
simple("gzip of nothing", gzip.compress(b""), "x.nii.gz", says="x.nii.gz")
simple("cut short", nifti()[:1200], says="damaged|short")
simple("cut short in the header", nifti()[:200], says="damaged|short|no")
simple("gzip cut short", gzip.compress(nifti())[:400], "x.nii.gz", says="damaged|short")
broken = bytearray(gzip.compress(nifti()))
broken[-6] ^= 255
simple("gzip with a wrong checksum", bytes(broken), "x.nii.gz")
simple("text", b"no image at all\n", says="x.nii")
simple("a web page", b"<!DOCTYPE html><html><body>404</body></html>", "x.nii.gz", says="x.nii.gz")
simple("a pointer of Git LFS",
       b"version https://git-lfs.github.com/spec/v1\noid sha256:4d\nsize 9\n", "x.nii.gz",
       says="x.nii.gz")  # fmt: skip
simple("a pointer of git-annex", b"/annex/objects/MD5E-s9--0d.nii.gz\n", "x.nii.gz",
       says="x.nii.gz")  # fmt: skip
simple("DICOM called .nii", bytes(128) + b"DICM" + bytes(400), says="x.nii")
simple("a picture called .nii", b"\x89PNG\r\n\x1a\n" + bytes(400), says="x.nii")
simple("another magic word", nifti(magic=b"abc\0"))
simple("data said to begin behind the end", nifti(vox_offset=10**7), says="damaged|short")
simple("data said to begin at 0", nifti(vox_offset=0))
simple("data said to begin before 0", nifti(vox_offset=-500))
simple("data said to begin at NaN", nifti(vox_offset=np.nan))
simple("an extension longer than the file", nifti()[:348] + b"\1\0\0\0"
       + struct.pack("<ii", 2**31 - 16, 6) + nifti()[352:])  # fmt: skip
simple("an unknown suffix", nifti(), "x.scan", says="format")
simple("no suffix", nifti(), "x", says="format")


@add("a folder called like a scan", says="folder")
def _folder(folder: Path) -> Path:
    (folder / "x.nii").mkdir()
    return folder / "x.nii"


@add("not there", says="not there")
def _missing(folder: Path) -> Path:
    return folder / "x.nii"


@add("a link", ml=ML)
def _link(folder: Path) -> Path:
    put(folder / "store" / "abc", nifti())
    (folder / "x.nii").symlink_to(Path("store") / "abc")
    return folder / "x.nii"


@add("a link to nothing", says="x.nii")
def _dangling(folder: Path) -> Path:
    (folder / "x.nii").symlink_to("nowhere")
    return folder / "x.nii"


@add("a link to itself", says="x.nii")
def _circle(folder: Path) -> Path:
    (folder / "x.nii").symlink_to("x.nii")
    return folder / "x.nii"


@add("a pipe that nobody fills", says="x.nii")
def _pipe(folder: Path) -> Path:
    os.mkfifo(folder / "x.nii")
    return folder / "x.nii"
