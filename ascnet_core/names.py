"""The field's words that code, command line, page and files share. Imports nothing of the project.

So light that `--help` and the first picture can wait for it.
"""

from typing import Literal, NamedTuple, get_args

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


class Map(NamedTuple):
    """What a map is called in menus and beside numbers, and the rule that fits it best."""

    label: str
    short: str
    rule: str


MAPS = {
    "reconstruction": Map("reconstruction I_ro", "I_ro", "rightmost-peak"),
    "wild": Map("wild cut I_wc", "wild", "otsu"),
    "residual": Map("residual I_in - I_fc", "residual", "otsu"),
    "fence": Map("fence cut I_fc", "fence", "otsu"),
}
"""The maps that networks give, in the order of menus; their rules are for bright anomalies."""

SHOWN = MAPS | {"input": Map("input I_in", "I_in", "otsu")}
"""The maps that pages show: the scan itself too."""


def map_of(name: str) -> Map:
    """What is known of a map; one that nobody described is called by its name."""
    return SHOWN.get(name, Map(name, name, "otsu"))


REGIONS = ("file", "auto", "none")
"""What is looked at: the manifest's region (else automatic), always automatic, or everything."""
