"""Settings: how volumes become slices, and what of the reference is taken."""

from __future__ import annotations

from dataclasses import dataclass

from ascnet_core.errors import UserError
from ascnet_core.settings.field import Checked, setting

MOST_WATCHED = 16
"""So many slices can be watched: each is kept with every snapshot."""


@dataclass(frozen=True)
class Data(Checked):
    """How a volume becomes slices, and how inputs and reference slices are drawn."""

    table = "data"
    size: int = setting(96, "Slices are S x S pixels; a multiple of 16.", low=16, high=1024)
    scaling: str = setting(
        "percentile", "How a volume's intensities are brought to [0, 1].", "percentile", "min-max"
    )
    low: float = setting(0.1, "Percentile that becomes 0.", low=0, high=100)
    high: float = setting(99.9, "Percentile that becomes 1.", low=0, high=100)
    region: str = setting(
        "file",
        "What is looked at: the manifest's region file (else automatic), "
        "always automatic, or everything; outside it slices are 0.",
        "file",
        "auto",
        "none",
    )
    channel: int | None = setting(
        None, "Channel of colour pictures; not set: refuse those of differing channels.", low=0
    )
    frame: int | None = setting(None, "Frame of 4-D files; not set: refuse several frames.", low=0)
    nan: float | None = setting(None, "What NaN and infinity become; not set: refuse them.")
    match: str = setting(
        "none",
        "Draw reference slices at random, or for each input one of about "
        "the same position in the head, so that D can't go by the level.",
        "none",
        "position",
    )
    flips: bool = setting(False, "Mirror training slices left-right at random.")
    brightness: float = setting(
        0.0,
        "Training slices are multiplied by 1 plus or minus up to this share, at random.",
        low=0,
        high=0.9,
    )

    watched: tuple[str, ...] = setting(
        ("4",),
        "Slices whose cuts are kept as they form: how many, to have them chosen (mid height, with "
        "lesion first), or your own as scan:z,scan:z with z from 0.",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_watched()
        if self.size % 16:
            raise UserError(f"data.size is {self.size}; it must be a multiple of 16.")
        if self.low >= self.high:
            raise UserError("data.low must be under data.high.")

    def _check_watched(self) -> None:
        """Refuse what is neither one number nor a list of slices."""
        asked = self.watched
        if len(asked) == 1 and asked[0].isdecimal():
            good = 1 <= int(asked[0]) <= MOST_WATCHED
        else:
            good = 1 <= len(asked) <= MOST_WATCHED and all(map(_is_slice, asked))
        if not good:
            raise UserError(
                f"data.watched is {','.join(asked)!r}; give a number from 1 to {MOST_WATCHED}, or "
                "at most as many slices as scan:z,scan:z, z counted from 0."
            )


def _is_slice(text: str) -> bool:
    scan, _, z = text.rpartition(":")
    return bool(scan) and z.isdecimal()


@dataclass(frozen=True)
class Reference(Checked):
    """What of the reference is taken: the user's knowledge of normal, less of it or spoilt."""

    table = "reference"
    share: float = setting(
        1.0, "Share of the reference slices that is kept, drawn by the seed.", low=0.001, high=1
    )
    contamination: float = setting(
        0.0,
        "Share of the reference that is lesion slices left in by mistake: as many clean ones make "
        "room for them. Needs masks; for experiments only.",
        low=0,
        high=0.5,
    )
    level_low: float = setting(
        0.0,
        "Only slices from this level of the head upwards: 0 is the lowest with tissue, 1 the "
        "highest.",
        low=0,
        high=1,
    )
    level_high: float = setting(1.0, "Only slices up to this level of the head.", low=0, high=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.level_low >= self.level_high:
            raise UserError("reference.level_low must be under reference.level_high.")
