"""The settings that suit the scans at hand, in a sentence with the reason; needs no torch.

What is proposed is what was tried on such data, and each sentence says what it reached there: the
figures are those of `checkpoints/README.md`. Masks, where there are any, tell on which side and how
large lesions are; they are looked at for the proposal alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ascnet_core.imaging.phantom.demo import is_demo_subject
from ascnet_core.imaging.prepare import Prepared
from ascnet_core.imaging.signs import Signs, signs_of
from ascnet_core.names import Side
from ascnet_core.runs.fingerprint import BRIGHT_BONE, Fingerprint, plain
from ascnet_core.settings.presets import load_preset
from ascnet_core.settings.tables import Settings
from ascnet_core.settings.text import apply_set

SMALL = 0.025
"""Lesions are called small below this share of the region: median .074 in glioma (`brats`), .012 in
sclerosis (`ms`, `ms_tabriz`, `wmh`)."""

FEW = 40
"""Slices below which a network learns them by heart: in `liver2d` the reference was four."""

_DARK = (
    *("corruption.dark=1", "corruption.dark_counts=true"),
    *("losses.tie_side=dark", "segmentation.side=dark"),
)
_DEMO_T2 = (
    *("corruption.compact=0", "corruption.margin=0", "corruption.level=0.5"),
    *("corruption.multiply=0", "corruption.shift_low=0.15", "corruption.shift_high=0.7"),
    *("corruption.area_low=0.005", "corruption.area_high=0.15", "corruption.roughness=0.5"),
    *("corruption.texture=0.05", "losses.focus=6", "schedule.stage_1=4", "schedule.stage_2=20"),
)
_LARGE = (
    *("corruption.margin=0", "corruption.area_high=0.3"),
    *("schedule.stage_1=4", "schedule.stage_2=0", "losses.self_training=0"),
)
_SMALL = (
    *("corruption.compact=0", "corruption.margin=0", "corruption.coarse=8", "corruption.fine=32"),
    *("corruption.area_low=0.001", "corruption.area_high=0.06", "corruption.roughness=0.2"),
    *("corruption.shift_low=0.15", "corruption.level=0.5", "corruption.dark=0.2"),
    *("schedule.stage_1=4", "schedule.stage_2=2"),
)
_FOR_THE_DEMO = ("teaching", "two-cut-denoising")


class Sight(NamedTuple):
    """What one scan shows.

    `skull` is its sign (`imaging.signs`), NaN where it does not tell; `slices` are axial ones.
    `lesion` and `tissue` are median grey levels in [0, 1] inside and outside of the mask, `share`
    is the mask's part of the region; all NaN without a lesion.
    """

    subject: str
    modality: str
    skull: float
    slices: int
    lesion: float = np.nan
    tissue: float = np.nan
    share: float = np.nan


def sight_of(prepared: Prepared, signs: Signs | None = None) -> Sight:
    """Look at a scan that is ready, whose signs may be known. Takes some milliseconds."""
    scan, slices = prepared.scan, prepared.scaled.shape[2]
    signs = signs or signs_of(prepared)
    seen = Sight(scan.subject, plain(scan.modality), signs.skull, slices)
    region = prepared.region.astype(bool)
    if prepared.truth is None or not (inside := region & prepared.truth.astype(bool)).any():
        return seen
    outside = region & ~inside
    levels = [float(np.median(prepared.scaled[one])) if one.any() else np.nan
              for one in (inside, outside)]  # fmt: skip
    share = float(inside.sum() / region.sum())
    return seen._replace(lesion=levels[0], tissue=levels[1], share=share)


@dataclass(frozen=True)
class Facts:
    """What scans have in common, as far as it can be told.

    `demo` says whether they are synthetic ones of this project. `modality` is in small letters,
    empty where none or several are named. `skull` is None where it cannot be told. `side` and
    `share` are those of the lesions by the masks; None and NaN without.
    """

    scans: int
    slices: int
    modality: str = ""
    demo: bool = False
    skull: bool | None = None
    side: Side | None = None
    share: float = float("nan")

    @property
    def words(self) -> str:
        """The facts in a sentence's part: "10 FLAIR scans without skull, lesions bright"."""
        scans = f"{self.modality.upper()} scan" if self.modality else "scan"
        text = f"{self.scans} {scans}" + ("" if self.scans == 1 else "s")
        if self.demo:
            return f"{self.scans} scans of the synthetic {self.modality.upper()} cohort"
        if self.skull is not None:
            text += " with skull" if self.skull else " without skull"
        if self.side:
            size = "small" if self.share < SMALL else "large"
            text += f", lesions {self.side} and {size} by their masks"
        return text


def facts_of(seen: Iterable[Sight], scans: int | None = None) -> Facts:
    """Put together what scans show; `scans` is how many there are where a few were looked at."""
    seen = list(seen)
    many = scans or len(seen)
    modalities = {one.modality for one in seen}
    modality = modalities.pop() if len(modalities) == 1 else ""
    signs = np.array([one.skull for one in seen], np.float64)
    whole = Fingerprint("", modalities=frozenset(filter(None, [modality])), skull=signs).has_skull
    marked = [one for one in seen if np.isfinite(one.lesion) and np.isfinite(one.tissue)]
    side: Side | None = None
    if marked:
        lift = np.median([one.lesion - one.tissue for one in marked])
        side = "bright" if lift >= 0 else "dark"
    return Facts(
        scans=many,
        slices=round(sum(one.slices for one in seen) * many / max(1, len(seen))),
        modality=modality,
        demo=bool(seen) and all(is_demo_subject(one.subject) for one in seen),
        skull=whole,
        side=side,
        share=float(np.median([one.share for one in marked])) if marked else float("nan"),
    )


@dataclass(frozen=True)
class Proposal:
    """A preset, what to change in it as `--set` takes it, and a sentence that says why."""

    preset: str
    changes: tuple[str, ...]
    sentence: str

    @property
    def settings(self) -> Settings:
        """The settings that are proposed."""
        return apply_set(load_preset(self.preset), self.changes)

    @property
    def options(self) -> str:
        """The same as options of `train`."""
        return " ".join([f"--preset {self.preset}", *(f"--set {one}" for one in self.changes)])


def propose_preset(facts: Facts) -> Proposal:
    """Return the settings that suited such scans best, with what they reached."""
    preset, changes, said = _demo(facts) if facts.demo else _real(facts)
    named = f"`{preset}`" + (f" with {len(changes)} changes" if changes else "")
    few = ""
    if facts.slices < FEW:
        few = f" With {facts.slices} slices a network learns them by heart: add scans if you can."
    return Proposal(preset, changes, f"For {facts.words}, {named} is proposed: {said}{few}")


def _demo(facts: Facts) -> tuple[str, tuple[str, ...], str]:
    if facts.modality == "t2":
        said = "it reached a mean Dice of .64 on such a cohort, and needs about 18 minutes."
        return "two-cut-self-training", _DEMO_T2, said
    if facts.modality == BRIGHT_BONE:
        return "teaching", _DARK, "turned to the dark side it reached a mean Dice of .66."
    return "teaching", (), "it was made for them, and reached a mean Dice of .78."


def _real(facts: Facts) -> tuple[str, tuple[str, ...], str]:
    """For patients."""
    if facts.modality == BRIGHT_BONE or facts.side == "dark":
        return (
            "teaching",
            _DARK,
            "it looks for dark lesions. On the livers of two patients it reached a mean Dice of "
            ".53, less than Otsu's threshold of the input (.58).",
        )
    if facts.skull:
        return (
            "two-cut-self-training",
            (),
            "its blobs keep away from the scalp. On 70 patients with glioma it reached a mean Dice "
            "of .54 (a plain threshold: .14).",
        )
    if facts.skull is None:
        return (
            "two-cut-self-training",
            (),
            "it is the most robust one tried. Whether the skull is there cannot be told from "
            "these scans; look at the fence after the first cycles.",
        )
    if facts.share < SMALL:
        return (
            "two-cut-self-training",
            _SMALL,
            "its blobs are small. It is an experiment: on four patients with sclerosis it reached "
            "a mean Dice of .31 (a plain threshold: .23), and little where the lesions are few.",
        )
    tried = "" if facts.modality in ("flair", "") else " That was FLAIR; others were not tried."
    return (
        "two-cut-self-training",
        _LARGE,
        "its blobs are as large as tumours, and stage 2, in which M is its own teacher, is left "
        "out: that is for heads with skull. On ten patients with glioma, each left out of the "
        f"training, it reached a mean Dice of .81 (a plain threshold: .70).{tried}",
    )


def unsuited(settings: Settings, facts: Facts) -> str:
    """Say in a sentence why settings do not suit such scans; empty where nothing speaks against."""
    side = settings.segmentation.side
    if facts.side and side != facts.side and settings.method.two_cuts:
        return (
            f"By their masks the lesions are {facts.side}, and these settings look for {side} "
            f"ones; set segmentation.side={facts.side} and losses.tie_side={facts.side}."
        )
    if facts.demo or facts.side == "dark" or facts.modality == BRIGHT_BONE:
        return ""
    if settings.preset in _FOR_THE_DEMO:
        where = "whole heads" if facts.skull else "brains of patients"
        return (
            f"`{settings.preset}` was made for the synthetic cohort: on {where} its fence turns "
            "white from the first cycle on, and the lesions with it; choose another preset."
        )
    return ""
