"""Masks as programs write them: other values, scales, labels, grids. The image is `x.nii`."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import nibabel as nib
import numpy as np
from PIL import Image

from tests.corpus.case import ML, SHAPE, SPACING, Cases, adder, lesion, nifti, placed, put

MASKS: Cases = {}
"""`make` gives the mask; `ml` is its volume."""
add = adder(MASKS)


def simple(name: str, content: bytes, file: str = "x_mask.nii", **right: object) -> None:
    """Add a mask that is one file of these bytes."""
    add(name, **right)(lambda folder: put(folder / file, content))


def valued(low: float, high: float, kind: str = "i2", **more: object) -> bytes:
    """Return a mask of two values."""
    return nifti(np.where(lesion(), high, low), kind, **more)


simple("0 and 1", valued(0, 1), ml=ML)
simple("0 and 255", valued(0, 255), ml=ML)
simple("0 and 255 as bytes", valued(0, 255, "u1"), ml=ML)
simple("0 and 1 as real numbers", valued(0, 1, "f4"), ml=ML)
simple("0 and 0.9999", valued(0, 0.9999, "f4"), ml=ML)
simple("0 and 0.0039", valued(0, 1 / 255, "f4"), ml=ML)
simple("1e-9 and 1", valued(1e-9, 1, "f4"), ml=ML)
simple("1 through a slope of 1/255", valued(0, 1, scl_slope=1 / 255), ml=ML)
simple("255 through a slope of 1/255", valued(0, 255, "u1", scl_slope=1 / 255), ml=ML)
simple("1 through an intercept of -1024", valued(0, 1, scl_inter=-1024), ml=ML)
simple("1024 and 1025", valued(1024, 1025), ml=ML)
simple("through a negative slope", valued(0, 1, scl_slope=-1), ml=ML)
simple("1 and 2", valued(1, 2), ml=ML)
simple("0 and 4", valued(0, 4), ml=ML)
simple("0 and -1", valued(0, -1), ml=ML)
simple("-1 and 1", valued(-1, 1), ml=ML)
simple("1 and 0, turned round", valued(1, 0), ml=ML)
simple("255 and 0, turned round", valued(255, 0), ml=ML)
simple("0 and 32767", valued(0, 32767), ml=ML)
simple("0 and 1, big-endian", valued(0, 1, endian=">"), ml=ML)
simple("0 and 1 in NIfTI-2", valued(0, 1, version=2), ml=ML)
simple("gzipped", gzip.compress(valued(0, 1)), "x_mask.nii.gz", ml=ML)
simple("another unit of length", valued(0, 1, scale=1000, xyzt_units=3), ml=ML)
simple("nothing", valued(0, 0), ml=0.0)
simple("nothing, of 255 through a slope", valued(0, 0, scl_slope=1 / 255), ml=0.0)
labels = np.where(lesion(), 1, 0)
labels[4] *= 2
simple("labels 1 and 2", nifti(labels), ml=ML)
simple("labels 1, 2 and 4 (BraTS)", nifti(labels + 2 * (labels == 2)), ml=ML)
simple("labels 1 and 2 as real numbers", nifti(labels, "f4"), ml=ML)
share = np.where(lesion(), 0.8, 0.1)
simple("probabilities", nifti(share, "f4"))
simple("grey values", nifti(np.arange(np.prod(SHAPE)).reshape(SHAPE)))
simple("everything", nifti(np.ones(SHAPE)))
simple("with NaN", nifti(np.where(lesion(), np.nan, 0), "f4"), says="nan|infinite")
simple("complex", nifti(lesion(), "c8"), says="complex")
simple("cut short", valued(0, 1)[:900], says="damaged|short")
simple("empty file", b"", says="x_mask.nii")
simple("text", b"mask\n", says="x_mask.nii")
simple("of another shape", nifti(lesion()[:-1]), says="grid")
simple("half a voxel away", valued(0, 1, srow=np.c_[np.diag(SPACING), [-10, -13, -7.5]]),
       says="grid")  # fmt: skip
simple("mirrored by its header", valued(0, 1, qform_code=0, srow=np.c_[np.diag([-2, 2, 3]),
       [15, -13, -7.5]]), says="grid")  # fmt: skip
rounded = np.c_[np.diag(SPACING), [-11.002, -13.001, -7.5]]
simple("away by rounding", valued(0, 1, qform_code=0, srow=rounded), ml=ML)
tilted = np.array([[2, 1e-4, 0, -11], [-1e-4, 2, 0, -13], [0, 0, 3, -7.5]])
simple("turned by rounding", valued(0, 1, qform_code=0, srow=tilted), ml=ML)
simple("two frames", nifti(np.stack([lesion()] * 2, -1)))
simple("a fourth axis of 1", nifti(lesion()[..., None]), ml=ML)
simple("an axis of 1 for a channel in front", nifti(lesion()[None]), says="x_mask.nii")


@add("stored in another order", ml=ML)
def _turned(folder: Path) -> Path:
    affine = np.vstack([np.asarray(placed()["srow"]), [0, 0, 0, 1]])
    turn = nib.orientations.axcodes2ornt("PSL")
    stored = nib.orientations.apply_orientation(
        lesion().astype(np.uint8),
        nib.orientations.ornt_transform(nib.orientations.axcodes2ornt("RAS"), turn),
    )
    back = nib.orientations.inv_ornt_aff(
        nib.orientations.ornt_transform(nib.orientations.axcodes2ornt("RAS"), turn), SHAPE
    )
    nib.save(nib.Nifti1Image(stored, affine @ back), folder / "x_mask.nii")
    return folder / "x_mask.nii"


@add("not there", says="not there")
def _missing(folder: Path) -> Path:
    return folder / "x_mask.nii"


# --- pictures: the image is x.png --------------------------------------------------------------
flat = lesion()[:, :, 2].T
SLICE_ML = 0.004


def picture(name: str, made: Image.Image, file: str = "x_mask.png", **right: object) -> None:
    """Add a mask that is a picture."""

    def make(folder: Path) -> Path:
        made.save(folder / file)
        return folder / file

    add(f"picture: {name}", **right)(make)


def tone(low: int, high: int, kind: str = "u1") -> Image.Image:
    """Return a picture of two tones."""
    return Image.fromarray(np.where(flat, high, low).astype(kind))


for low, high in ((0, 255), (0, 1), (0, 2), (0, 127), (0, 128), (255, 0), (0, 254)):
    picture(f"{low} and {high}", tone(low, high), ml=SLICE_ML)
picture("two tones", Image.fromarray(flat), ml=SLICE_ML)
picture("0 and 65535", tone(0, 65535, "u2"), ml=SLICE_ML)
picture("0 and 257", tone(0, 257, "u2"), ml=SLICE_ML)
picture("black", tone(0, 0), ml=0.0)
picture("white in colour", tone(0, 255).convert("RGB"), ml=SLICE_ML)
picture("white with opacity", tone(0, 255).convert("RGBA"), ml=SLICE_ML)
red = np.zeros((*flat.shape, 3), np.uint8)
red[flat, 0] = 255
picture("red on black", Image.fromarray(red))
picture("with a palette", tone(0, 255).convert("P"), ml=SLICE_ML)
picture("JPEG", tone(0, 255), "x_mask.jpg")
picture("TIF", tone(0, 255), "x_mask.tif", ml=SLICE_ML)
picture("of another size", tone(0, 255).resize((5, 5)), says="grid")


@add("picture: frames", says="x_mask.png")
def _frames(folder: Path) -> Path:
    more = [tone(0, 255).rotate(90)]
    tone(0, 255).save(folder / "x_mask.png", save_all=True, append_images=more)
    return folder / "x_mask.png"


@add("picture: cut short", says="damaged|short")
def _cut(folder: Path) -> Path:
    out = io.BytesIO()
    tone(0, 255).save(out, "PNG")
    return put(folder / "x_mask.png", out.getvalue()[:45])
