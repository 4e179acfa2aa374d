"""What makes one doubt a result: how a scan differs from what a run learnt from, in sentences.

Each check is a function of a scan's signs that returns a sentence, empty where nothing is odd. A
sentence says what, how sure that is, and what to do. It holds no figure that differs from scan to
scan without need, so that the same sentence of many scans can be told once.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from ascnet_core.imaging.cohort import Scan
from ascnet_core.imaging.formats import files_of
from ascnet_core.imaging.prepare import Prepared
from ascnet_core.imaging.signs import Signs, signs_of
from ascnet_core.outputs import sha256_of
from ascnet_core.runs.fingerprint import BRIGHT_BONE, NO_SKULL, Fingerprint, distances, plain

FEW, THICK_MM = 8, 6.0
"""Below so many axial slices, or above this distance of them, nothing can be expected of a run
whose training is not known better."""

_TRAINED = " was trained on "
_CLEARLY = 1.5
_THICKER = 1.5
_STRETCHED = 2.0
_SHEARED = 1.0
_LISTED = 3


class Remark(NamedTuple):
    """One sentence and the scans that it is said of, in order."""

    sentence: str
    scans: tuple[str, ...]

    @property
    def of_training(self) -> bool:
        """Whether it says that a run was trained on the scan or its subject."""
        return _TRAINED in self.sentence

    def __str__(self) -> str:
        few = ", ".join(self.scans[:_LISTED])
        if len(self.scans) > _LISTED:
            few = f"{len(self.scans)} scans ({few}, ...)"
        return f"{few}: {self.sentence}"


def suspicions(prepared: Prepared, run: Fingerprint, scored: bool = False) -> tuple[str, ...]:
    """Return what is odd about a scan for a run, the weightiest first.

    Scans of the training are odd where results are `scored`; to segment them is a usual thing, as
    the method learns without masks.
    """
    signs, scan = signs_of(prepared), prepared.scan
    found = (
        trained_on(scan, signs, run) if scored else "",
        skull_differs(scan, signs, run),
        modality_differs(scan, run),
        levels_differ(signs, run),
        few_slices(signs, run),
        thick_slices(signs, run),
        sheared(signs),
        left_handed(signs),
    )
    return tuple(filter(None, found))


def misfits(prepared: Prepared, run: Fingerprint) -> tuple[str, ...]:
    """Return why no result of a run on a scan can be trusted, the weightiest first.

    They are those of the `suspicions` that speak of another kind of scan: head or brain, modality,
    and grey levels that clearly differ.
    """
    signs, scan = signs_of(prepared), prepared.scan
    clearly = _levels_apart(signs, run) > _CLEARLY
    found = (
        skull_differs(scan, signs, run),
        modality_differs(scan, run),
        levels_differ(signs, run) if clearly else "",
    )
    return tuple(filter(None, found))


def trained_on(scan: Scan, signs: Signs, run: Fingerprint) -> str:
    """Say that a run was trained on this image (by its voxels), or on a subject of its name."""
    if is_of_training(scan, signs, run):
        return (
            f"{run.run}{_TRAINED}this image, so its result says nothing about new patients; "
            "leave it out of scores."
        )
    if scan.subject in run.subjects:
        return (
            f"{run.run}{_TRAINED}a subject of this name; if it is the same patient, leave it out "
            "of scores."
        )
    return ""


def is_of_training(scan: Scan, signs: Signs, run: Fingerprint) -> bool:
    """Whether a run was trained on this image, by its voxels or files."""
    if signs.voxels in run.voxels:
        return True
    return bool(run.files) and {sha256_of(file) for file in files_of(scan.image)} <= run.files


def skull_differs(scan: Scan, signs: Signs, run: Fingerprint) -> str:
    """Say that a head has its skull and those of the training had none, or the other way round."""
    if plain(scan.modality) == BRIGHT_BONE:
        return ""
    if run.has_skull is False and signs.skull > run.skull_from:
        sure = "is" if signs.skull > 2 * run.skull_from else "seems"
        return (
            f"Skull {sure} present (a dark ring of bone under the outline), and {run.run} saw "
            "none: expect scalp and eyes in the mask; strip the skull first."
        )
    # at the base of the skull a single picture of a whole head may show no ring
    alone = len(scan.series) < 2
    if run.has_skull and signs.skull < NO_SKULL and alone:
        return (
            f"No skull is seen (no dark ring under the outline), and {run.run} saw whole heads: "
            "the peaks may lie elsewhere; use a run that learnt from brains without skull."
        )
    return ""


def modality_differs(scan: Scan, run: Fingerprint) -> str:
    """Say that the manifest names a modality that is not among those of the training."""
    if not run.modalities or not scan.modality or plain(scan.modality) in run.modalities:
        return ""
    known = ", ".join(sorted(run.modalities)).upper()
    return (
        f"The manifest says {scan.modality[:40]}, and {run.run} learnt from {known}: bright and "
        "dark may mean something else; use a run of this modality."
    )


def levels_differ(signs: Signs, run: Fingerprint) -> str:
    """Say that a histogram lies further from those of the training than they from each other."""
    apart = _levels_apart(signs, run)
    if apart <= 1:
        return ""
    sure = "clearly" if apart > _CLEARLY else "somewhat"
    return (
        f"Grey levels are distributed {sure} unlike those that {run.run} learnt from: another "
        "modality, intensity scale or region; the peaks may lie elsewhere."
    )


def _levels_apart(signs: Signs, run: Fingerprint) -> float:
    """How far a histogram lies from those of the training, 1: as far as they from each other.

    0 where one of them is not known.
    """
    if len(run.histograms) == 0 or not signs.histogram.any():
        return 0.0
    return float(distances(signs.histogram, run.histograms).min()) / run.furthest


def few_slices(signs: Signs, run: Fingerprint) -> str:
    """Say that a scan has few axial slices, where those of the training had many."""
    usual = float(np.median(run.slices)) if len(run.slices) else FEW
    if signs.spacing is None or signs.slices >= min(FEW, usual):
        return ""
    count = "one axial slice" if signs.slices == 1 else f"{signs.slices} axial slices"
    known = f"; {run.run} learnt from {usual:.0f} a scan" if len(run.slices) else ""
    return (
        f"There is only {count}{known}: a histogram of so few voxels may show no peaks; look at "
        "the threshold yourself."
    )


def thick_slices(signs: Signs, run: Fingerprint) -> str:
    """Say that slices lie further apart than in training, or that axial ones are stretched."""
    if signs.spacing is None:
        return ""
    x, y, z = signs.spacing
    if max(x, y) > _STRETCHED * min(x, y):
        return (
            f"Axial pixels are {x:.2g} x {y:.2g} mm: the scan was taken in another plane, so "
            "axial slices are blurred; use an axial or isotropic one."
        )
    known = run.spacing[np.isfinite(run.spacing[:, 2]), 2]
    usual = float(known.max(initial=0))
    if z <= (usual * _THICKER if len(known) else THICK_MM) or signs.slices == 1:
        return ""
    seen = f", and {run.run} saw at most {usual:.2g} mm" if len(known) else ""
    return (
        f"Slices lie {z:.0f} mm apart{seen}: lesions are averaged with what is around them; "
        "volumes are rough."
    )


def sheared(signs: Signs) -> str:
    """Say that the axes of a grid are not at right angles."""
    if signs.shear <= _SHEARED:
        return ""
    return (
        f"The grid is sheared (axes meet at {90 - signs.shear:.0f} degrees, not 90): millilitres "
        "hold, distances in mm and the shape of slices do not; resample it (gantry tilt?)."
    )


def left_handed(signs: Signs) -> str:
    """Say that voxels are stored left-handed: harmless, unless the header is wrong."""
    if not signs.axes:
        return ""
    return f"Stored left-handed ({signs.axes}): left and right are taken from the header."


def in_order(remarks: Iterable[tuple[str, Iterable[str]]]) -> tuple[Remark, ...]:
    """Put the same sentence of many scans together, given each scan's name and its sentences.

    What says that a scan was trained on comes first.
    """
    together: dict[str, dict[str, None]] = {}
    for scan, sentences in remarks:
        for sentence in sentences:
            together.setdefault(sentence, {})[scan] = None
    found = [Remark(sentence, tuple(scans)) for sentence, scans in together.items()]
    return tuple(sorted(found, key=lambda remark: not remark.of_training))
