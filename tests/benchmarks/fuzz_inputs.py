"""What the fuzz run begins with: small whole files of every kind, and how they are spoilt."""

from __future__ import annotations

import gzip
import io
import pickle
import random
import re
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tests.corpus import by_hand

Inputs = Mapping[str, list[tuple[str, bytes]]]
"""Kind -> (file name, bytes)."""

EVIL = "import pathlib; pathlib.Path('CODE-WAS-RUN').touch()"
ENDS = (0, 1, 2, 127, 128, 255, 256, 32767, 32768, 65535, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1)
WORDS = (
    "nan", "inf", "-1", "0", "1e999", "99999999999999999999", "-0.0", "true", "''", '"', "\n", ",",
    ";", "\t", "=", "[", "]", "{", "}", "[[", "#", "\0", "\ufeff", "../../x", "/etc/passwd",
    "C:\\x", "é", "\u202e", "0x7fffffff", "1979-05-27", "a.b.c", "[a]", "🧠" * 50, "A" * 5000,
)  # fmt: skip


class Evil:
    """What runs code where it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, (EVIL,)


def volume() -> np.ndarray:
    """Return a small volume with something to scale."""
    values = np.random.default_rng(0).integers(0, 4000, (7, 9, 5))
    values[2:4, 3:5, 1:3] = 4095
    return values


def _niftis() -> list[tuple[str, bytes]]:
    rows = np.c_[np.diag([-1.5, 2, 3]), [4, 5, 6]]
    fields = {"sform_code": 1, "srow": rows, "qform_code": 1, "pixdim": [1, 1.5, 2, 3, 1, 1, 1, 1]}
    raw = volume()
    found = []
    for number, (kind, version, endian) in enumerate(
        [("i2", 1, "<"), ("u1", 1, ">"), ("f4", 2, "<"), ("f8", 1, "<"), ("u2", 2, ">")]
    ):
        scaled = fields | {"scl_slope": 0.5, "scl_inter": -10}
        content = by_hand.nifti(
            (raw % 250).astype(kind), version=version, endian=endian, fields=scaled
        )
        found.append((f"{number}.nii", content))
    frames = by_hand.nifti(np.stack([raw, raw], -1).astype("i2"), fields=fields)
    return [*found, ("frames.nii", frames)]


def _stacks() -> list[tuple[str, bytes]]:
    found = []
    for number, array in enumerate(
        [
            volume().astype("u1"),
            volume().astype("f4"),
            volume()[..., None].astype(">i2"),
            volume()[0],
        ]
    ):
        out = io.BytesIO()
        np.save(out, array)
        found.append((f"{number}.npy", out.getvalue()))
    out = io.BytesIO()
    np.save(out, np.array([Evil(), Evil()], object), allow_pickle=True)
    return [*found, ("objects.npy", out.getvalue()), ("pickle.npy", pickle.dumps(Evil()))]


def _pictures() -> tuple[list[tuple[str, bytes]], list[tuple[str, bytes]]]:
    from PIL import Image

    grey = (volume()[:, :, 2] // 16).astype(np.uint8)
    colour = np.stack([grey, 255 - grey, grey // 2], -1)
    whole = Image.fromarray(grey)

    def saved(picture: Image.Image, kind: str, **more: object) -> bytes:
        out = io.BytesIO()
        picture.save(out, kind, **more)
        return out.getvalue()

    png = [
        ("grey.png", saved(whole, "PNG")),
        ("deep.png", saved(Image.fromarray(grey.astype(np.uint16) * 200), "PNG")),
        ("colour.png", saved(Image.fromarray(colour), "PNG")),
        ("palette.png", saved(Image.fromarray(colour).quantize(16), "PNG")),
        ("alpha.png", saved(whole.convert("LA"), "PNG")),
        ("grey.jpg", saved(whole, "JPEG")),
    ]
    tif = [
        ("grey.tif", saved(whole, "TIFF")),
        ("packed.tif", saved(whole, "TIFF", compression="tiff_lzw")),
        ("deflated.tif", saved(whole, "TIFF", compression="tiff_adobe_deflate")),
        ("float.tif", saved(Image.fromarray(grey.astype(np.float32)), "TIFF")),
        ("pages.tif", saved(whole, "TIFF", save_all=True, append_images=[whole, whole])),
        ("colour.tif", saved(Image.fromarray(colour), "TIFF")),
    ]
    return png, tif


MANIFEST = """subject,scan,image,mask,region,modality,group,fold,channel,series,image:t2,notes
a,a1,good.nii,good.nii,,FLAIR,normal,1,,,good.nii,"one, two"
a,a2,good.nii,,good.nii,FLAIR,anomalous,2,0,,,
b,b,good.nii,,,T2,,,1,s,,
"""
PLAN = """seeds = [0, 1]
[data.x]
manifests = ["m.csv"]
folds = 2
reference = "normal"
post = ["components:3"]
baselines = ["input-threshold"]
[run.one]
preset = "teaching"
set = ["data.size=32", "network.width=2"]
rules = { wild = ["otsu", "reference-quantile:0.9"], reconstruction = ["rightmost-peak"] }
flip = [false, true]
"""


def _archive() -> bytes:
    import hashlib
    import json

    from ascnet_core.settings.presets import FOLDER

    settings = (FOLDER / "teaching.toml").read_bytes()
    files = {"settings.toml": settings, "note.md": b"A note.\n"}
    files["snapshots/001-s1-c1/info.json"] = b"{}"
    members = {
        name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in files.items()
    }
    contents = {"kind": "ASC-Net run", "format": 1, "made_by": "x", "name": "r", "members": members}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("contents.json", json.dumps(contents))
        for name, content in files.items():
            archive.writestr(name, content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _further(folder: Path) -> list[tuple[str, bytes]]:
    """Files of NRRD, MetaImage and MGZ, packed ones too."""
    import nibabel as nib
    import SimpleITK

    image = SimpleITK.GetImageFromArray(volume().astype(np.int16))
    paths = [folder / name for name in ("x.nrrd", "packed.nrrd", "x.mha", "packed.mha", "x.mgz")]
    for path in paths[:-1]:
        SimpleITK.WriteImage(image, path, path.stem == "packed")
    nib.save(nib.MGHImage(volume().astype(np.int16), np.eye(4)), paths[-1])
    return [(path.name, path.read_bytes()) for path in paths]


def _dicoms(folder: Path) -> list[tuple[str, bytes]]:
    """A series in a zip, one of its files, a compressed one, and one of several frames."""
    from pydicom.uid import RLELossless

    from tests.dicoms import enhanced, make_series, volume, zipped

    pixels = volume(4)
    pixels[1:3, 2:4, 2:5] = 4095
    one, *_ = make_series(folder / "series", pixels, name="{}.dcm")
    packed, *_ = make_series(folder / "packed", pixels[:1], name="packed.dcm", syntax=RLELossless)
    series = zipped(folder / "series", folder / "series.zip")
    paths = [series, one, packed, enhanced(folder / "frames.dcm", pixels)]
    return [(path.name, path.read_bytes()) for path in paths]


def inputs() -> Inputs:
    """Return whole files of every kind."""
    from ascnet_core.settings.presets import FOLDER

    png, tif = _pictures()
    niftis = _niftis()
    zipped = [(f"{name}.gz", gzip.compress(content, mtime=0)) for name, content in niftis]
    with tempfile.TemporaryDirectory() as folder:
        further, dicom = _further(Path(folder)), _dicoms(Path(folder))
    return {
        "nifti": niftis,
        "nifti-gz": zipped,
        "npy": _stacks(),
        "png": png,
        "tif": tif,
        "csv": [("m.csv", MANIFEST.encode())],
        "preset": [(path.name, path.read_bytes()) for path in sorted(FOLDER.glob("*.toml"))],
        "plan": [("plan.toml", PLAN.encode())],
        "archive": [("r.zip", _archive())],
        "further": further,
        "dicom": dicom,
    }


def spoilt(rng: random.Random, kind: str, content: bytes, other: bytes) -> bytes:
    """Return `content` spoilt at one to four places; `other` is a file of the same kind."""
    if kind == "nifti-gz" and rng.random() < 0.6:  # most often spoilt within, so that it unpacks
        inner = spoilt(rng, "nifti", gzip.decompress(content), gzip.decompress(other))
        return gzip.compress(inner, 1, mtime=0)
    if kind == "dicom" and content.startswith(b"PK") and rng.random() < 0.8:
        return _spoilt_member(rng, content, other)
    text = kind in ("csv", "preset", "plan")
    for _ in range(rng.randint(1, 4)):
        if text and rng.random() < 0.7:
            content = _spoilt_text(rng, content)
        else:
            content = _spoilt_bytes(rng, kind, bytearray(content), other)
    return content


def _spoilt_member(rng: random.Random, content: bytes, other: bytes) -> bytes:
    """Spoil one or two files of a zip."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as whole, zipfile.ZipFile(out, "w") as made:
        files = {name: whole.read(name) for name in whole.namelist()}
        for name in rng.sample(sorted(files), rng.randint(1, 2)):
            files[name] = spoilt(rng, "dicom", files[name], other)
        for name, inner in files.items():
            made.writestr(name, inner)
    return out.getvalue()


def _spoilt_bytes(rng: random.Random, kind: str, content: bytearray, other: bytes) -> bytes:
    # Headers decide most: half of the faults lie within the first bytes.
    head = 352 if kind.startswith("nifti") else 1600 if kind == "dicom" else 128
    reach = min(len(content), head) if rng.random() < 0.6 else len(content)
    at = rng.randrange(reach) if reach else 0
    match rng.randrange(7):
        case 0:
            content[at : at + 1] = bytes([rng.randrange(256)])
        case 1:
            for where in (rng.randrange(reach) for _ in range(8) if reach):
                content[where] ^= 1 << rng.randrange(8)
        case 2:  # a size that lies
            width = rng.choice((1, 2, 4, 8))
            number = rng.choice(ENDS) % 256**width
            content[at : at + width] = number.to_bytes(width, rng.choice(("little", "big")))
        case 3:
            del content[rng.randrange(len(content) + 1) :]
        case 4:
            cut = rng.randrange(1, 64)
            content[at:at] = content[at : at + cut] * rng.randint(1, 20)
        case 5:  # a piece of another file
            start = rng.randrange(len(other)) if other else 0
            piece = other[start : start + rng.randrange(1, 400)]
            content[at : at + len(piece)] = piece
        case _:  # a floating number that is none
            odd = (float("nan"), float("inf"), -1e38, 1e-38, 0.0, 3e38)
            content[at : at + 4] = np.array(rng.choice(odd), "<f4").tobytes()
    return bytes(content)


def _spoilt_text(rng: random.Random, content: bytes) -> bytes:
    parts = re.split(rb"([\s,=\[\]\"]+)", content)
    at = rng.randrange(len(parts))
    word = rng.choice(WORDS).encode(rng.choice(("utf-8", "utf-16", "utf-8", "utf-8")))
    match rng.randrange(4):
        case 0:
            parts[at] = word
        case 1:
            parts[at] += word
        case 2:
            del parts[at : at + rng.randint(1, 6)]
        case _:
            parts[at:at] = [parts[rng.randrange(len(parts))], word]
    return b"".join(parts)
