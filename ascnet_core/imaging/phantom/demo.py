"""The demo cohort: synthetic scans with exact masks, every subject's anatomy different.

Half of the subjects are normal, half anomalous. The lesions stand out against their surroundings,
but no single grey value tells them from bright normal tissue in every subject, so a plain threshold
is not enough.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from ascnet_core.errors import UserError
from ascnet_core.imaging.cohort import write_manifest
from ascnet_core.imaging.image_format import Grid
from ascnet_core.imaging.phantom import liver
from ascnet_core.imaging.phantom.brain import CENTRE, FIELD_OF_VIEW, brain_anatomy
from ascnet_core.imaging.phantom.lesions import draw_mass, large_lesion, no_lesions, small_lesions
from ascnet_core.imaging.phantom.liver import liver_scan
from ascnet_core.imaging.phantom.mr import mr_picture
from ascnet_core.imaging.volume import write_volume
from ascnet_core.names import Tell, tell_nobody
from ascnet_core.outputs import held_in, is_ours, writing

CONTRASTS = ("flair", "t2", "ct")
_MOST_SUBJECTS = 10_000
_NAME = re.compile(r"demo\d+-\d+\Z")
_nib: Any = nib  # its types do not hold


@dataclass(frozen=True)
class PhantomSubject:
    """One synthetic subject; arrays are (X, Y, Z) in RAS.

    `image` is in scanner units (HU for ct), 0 outside the head; `mask` are the exact lesions,
    `region` is the brain or the liver, `further` the same anatomy in other contrasts, by name.
    `spacing` and `origin` (of voxel (0, 0, 0)) are in mm.
    """

    name: str
    image: NDArray[np.float32]
    mask: NDArray[np.bool_]
    region: NDArray[np.bool_]
    further: dict[str, NDArray[np.float32]]
    spacing: tuple[float, float, float]
    origin: tuple[float, float, float]
    group: str
    notes: str


def phantom_subject(
    seed: int, index: int, contrast: str = "flair", size: tuple[int, int, int] = (96, 96, 32)
) -> PhantomSubject:
    """Make subject `index` of the cohort with `seed`; it does not depend on the cohort's size.

    Even subjects are normal, odd ones anomalous, with small and large lesions in turn. The same
    seed and index give the same brain and lesions on "flair" and "t2".
    """
    anatomy, lesion, second, first = (
        np.random.default_rng(child) for child in np.random.SeedSequence([seed, index]).spawn(4)
    )
    kind = ("none", "small", "none", "large")[index % 4]
    further: dict[str, NDArray[np.float32]] = {}
    if contrast == "ct":
        scan = liver_scan(anatomy, lesion, second, kind, size)
        image, mask, region = scan.picture, scan.mask, scan.region
        extent, middle = liver.FIELD_OF_VIEW, liver.CENTRE
    else:
        extent, middle = FIELD_OF_VIEW, CENTRE
        mass = draw_mass(lesion) if kind == "large" else None
        brain = brain_anatomy(anatomy, size, mass)
        if mass is not None:
            lesions = large_lesion(lesion, brain, mass)
        else:
            lesions = small_lesions(lesion, brain) if kind == "small" else no_lesions(brain)
        image = mr_picture(first, brain, lesions, "flair", size)
        if contrast == "t2":
            further["flair"] = image
            image = mr_picture(second, brain, lesions, "t2", size)
        mask, region = np.zeros(size, bool), np.zeros(size, bool)
        mask.reshape(-1)[brain.index] = lesions.mask
        region.reshape(-1)[brain.index] = True
    x, y, z = np.divide(extent, size).tolist()
    left, back, bottom = (middle - np.subtract(extent, (x, y, z)) / 2).tolist()
    return PhantomSubject(
        name=_name(seed, index),
        image=image,
        mask=mask,
        region=region,
        further=further,
        spacing=(x, y, z),
        origin=(left, back, bottom),
        group="normal" if kind == "none" else "anomalous",
        notes={"none": "no lesion", "small": "small lesions", "large": "large lesion"}[kind],
    )


def _name(seed: int, index: int) -> str:
    return f"demo{seed}-{index + 1:03d}"


def is_demo_subject(name: str) -> bool:
    """Whether a subject is called as those of the demo cohorts are."""
    return bool(_NAME.match(name))


def _grid(subject: PhantomSubject) -> Grid:
    affine = np.diag([*subject.spacing, 1.0])
    affine[:3, 3] = subject.origin
    header = _nib.Nifti1Header()
    header.set_data_shape(subject.image.shape)
    header.set_xyzt_units("mm", "sec")
    header.set_sform(affine, code=1)
    header.set_qform(affine, code=1)
    return Grid(subject.image.shape, affine, header)


def _check(contrast: str, subjects: int, size: tuple[int, int, int], seed: int) -> None:
    if contrast not in CONTRASTS:
        raise UserError(f"There is no demo contrast {contrast!r}; choose one of {CONTRASTS}.")
    if not 1 <= subjects <= _MOST_SUBJECTS:
        raise UserError(
            f"A demo cohort of {subjects} subjects cannot be made; ask for 1 to {_MOST_SUBJECTS}."
        )
    if seed < 0:
        raise UserError(f"{seed} is no seed; use a whole number from 0 up.")
    if len(size) != 3 or min(size) < 8 or max(size) > 512:
        raise UserError(
            f"A demo volume of {size} voxels cannot be made; use 8 to 512 along each axis."
        )


def make_demo(
    out: Path,
    contrast: str = "flair",
    subjects: int = 24,
    size: tuple[int, int, int] = (96, 96, 32),
    seed: int = 0,
    progress: Tell = tell_nobody,
    overwrite: bool = False,
) -> Path:
    """Write a demo cohort to the new folder `out` and return the path of its manifest.

    `contrast` is "flair" (bright lesions), "t2" (lesions as bright as fluid, FLAIR beside it) or
    "ct" (liver, dark lesions, HU). The field of view does not depend on `size`, in voxels.

    With `overwrite` it takes the place of an earlier one.

    Raises a UserError for an unknown contrast, an impossible size, or a folder of other things (an
    earlier cohort that someone has changed, too).
    """
    _check(contrast, subjects, size, seed)
    out = Path(out)
    held = held_in(out)
    if any(not is_ours(out / name) for name in held) or (out.exists() and not out.is_dir()):
        raise UserError(f"{out} holds other things; give a new or an empty folder for the demo.")
    ends = [contrast, *(["flair"] if contrast == "t2" else []), "mask", "region"]
    names = [f"{_name(seed, index)}_{end}.nii.gz" for index in range(subjects) for end in ends]
    names += [name for name in held if name not in (*names, "manifest.csv")]
    with writing(out, [*names, "manifest.csv"], "demo", (), overwrite) as aside:
        rows = []
        for index in range(subjects):
            subject = phantom_subject(seed, index, contrast, size)
            row: dict[str, str | Path] = {"subject": subject.name, "modality": contrast}
            row |= {"group": subject.group, "notes": subject.notes}
            images = {"image": (contrast, subject.image)}
            images |= {f"image:{name}": (name, data) for name, data in subject.further.items()}
            masks = {"mask": ("mask", subject.mask), "region": ("region", subject.region)}
            for column, (end, data) in {**images, **masks}.items():
                row[column] = path = aside / f"{subject.name}_{end}.nii.gz"
                kind = np.uint8 if column in masks else np.int16
                write_volume(path, np.rint(data), _grid(subject), kind)
            rows.append(row)
            progress(index + 1, subjects)
        write_manifest(aside / "manifest.csv", rows)
    return out / "manifest.csv"
