"""The field's words that code, command line, pages and files share. Imports nothing heavy."""

from collections.abc import Callable
from typing import Literal, get_args

Side = Literal["bright", "dark"]
"""Whether the anomaly is bright or dark on the map that is thresholded."""
SIDES: tuple[Side, ...] = get_args(Side)

Scope = Literal["subject", "cohort"]
"""Whose histogram a threshold rule reads: a subject's own, or that of the whole cohort."""
SCOPES: tuple[Scope, ...] = get_args(Scope)

RangeKind = Literal["raw", "subject", "cohort"]
"""What levels 0 and 255 stand for: 0 and 1, or the extremes of a subject or of the cohort."""
RANGES: tuple[RangeKind, ...] = get_args(RangeKind)

Unit = Literal["subject", "scan"]
"""What a row of an evaluation is: a subject with its scans pooled, or a scan."""
UNITS: tuple[Unit, ...] = get_args(Unit)

Region = Literal["file", "auto", "none"]
"""Which voxels count: the manifest's region (else automatic), always automatic, or all."""
REGIONS: tuple[Region, ...] = get_args(Region)

Flag = Literal["fine", "doubtful", "exclude", "flipped"]
"""What a rater says of a subject in a study; `exclude`: it gets no mask."""
FLAGS: tuple[Flag, ...] = get_args(Flag)

OwnReference = Literal["normal", "lesion-free"]
OWN_REFERENCES: tuple[OwnReference, ...] = get_args(OwnReference)
"""References within the cohort: its group `normal`, or its slices without lesion."""

Tell = Callable[[int, int], None]
"""What long work calls with (steps done, steps in all)."""


def tell_nobody(done: int, total: int) -> None:
    """Do nothing: work that nobody waits for."""
