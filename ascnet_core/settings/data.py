"""Settings: how volumes become slices, and what of the reference is used."""

from typing import Literal

from pydantic import Field

from ascnet_core.errors import UserError
from ascnet_core.names import Region
from ascnet_core.settings.checked import table

MOST_WATCHED = 16
"""At most so many slices can be watched, as each is kept with every snapshot."""


@table
class Data:
    """How a volume becomes slices, and how inputs and reference slices are drawn."""

    size: int = Field(96, ge=16, le=1024)
    """Slices are S x S pixels; a multiple of 16."""
    scaling: Literal["percentile", "min-max"] = "percentile"
    """How a volume's intensities are brought to [0, 1]."""
    low: float = Field(0.1, ge=0, le=100)
    """Percentile that becomes 0."""
    high: float = Field(99.9, ge=0, le=100)
    """Percentile that becomes 1."""
    region: Region = "file"
    """What is looked at: the manifest's region file (else automatic), always automatic, or
    everything; outside it slices are 0."""
    channel: int | None = Field(None, ge=0, le=9999)
    """Channel of colour pictures; not set: refuse those of differing channels."""
    frame: int | None = Field(None, ge=0, le=999999)
    """Frame of 4-D files; not set: refuse several frames."""
    nan: float | None = Field(None, ge=-1e9, le=1e9)
    """What NaN and infinity become; not set: refuse them."""
    label: tuple[int, ...] = ()
    """Labels of the masks that are the lesion, such as 1,4; none: the manifest's, else all."""
    match: Literal["none", "position"] = "none"
    """Draw reference slices at random, or for each input one of about the same position in the
    head, so that D can't tell them apart by it."""
    flips: bool = False
    """Mirror training slices left-right at random."""
    brightness: float = Field(0.0, ge=0, le=0.9)
    """Training slices are multiplied by 1 plus or minus up to this share, at random."""

    watched: tuple[str, ...] = ("4",)
    """Slices whose maps every snapshot keeps: a number, to have so many chosen (mid height, with
    lesion first), or your own as scan:z,scan:z with z from 0."""

    def __post_init__(self) -> None:
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
        if self.size % 16:
            raise UserError(f"data.size is {self.size}; it must be a multiple of 16.")
        if self.low >= self.high:
            raise UserError("data.low must be under data.high.")


def _is_slice(text: str) -> bool:
    scan, _, z = text.rpartition(":")
    return bool(scan) and z.isdecimal()


@table
class Reference:
    """What of the reference is used: all of it, a share, some levels, or a spoilt one."""

    share: float = Field(1.0, ge=0.001, le=1)
    """Share of the reference slices that is kept, drawn by the seed."""
    contamination: float = Field(0.0, ge=0, le=0.5)
    """Share of the reference that is lesion slices left in by mistake: as many clean ones make room
    for them. Needs masks; for experiments only."""
    level_low: float = Field(0.0, ge=0, le=1)
    """Only slices from this level of the head upwards: 0 is the lowest with tissue, 1 the
    highest."""
    level_high: float = Field(1.0, ge=0, le=1)
    """Only slices up to this level of the head."""

    def __post_init__(self) -> None:
        if self.level_low >= self.level_high:
            raise UserError("reference.level_low must be under reference.level_high.")
