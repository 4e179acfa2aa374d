"""The one interface behind which everything that makes a map to threshold stands."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ascnet_core.imaging.prepare import Preparation, Prepared
from ascnet_core.names import Side
from ascnet_core.segmentation.rules import parse_rule

Grey = NDArray[np.float32]
REFERENCE_QUANTILE = "reference-quantile:0.995"


@dataclass(frozen=True)
class Method:
    """Something that gives a map for a scan, and the rules by which the map is thresholded.

    Attributes
    ----------
    name : What it is called in tables: `asc-net`, `input-threshold`, ...
    run : Name of the run whose weights it uses; None for methods without training.
    map, source : Which map it gives, and what tells apart maps of one run (its cycle, say). Methods
        of the same run, map and source give the same map: it is computed once.
    grey : Prepared -> (X, Y, Z) float32 in [0, 1] on the volume's own grid.
    rules : (side, rules asked for, whether there is a reference) -> the mask-free rules to score. A
        method takes of those asked for what makes sense for it.
    doubts : Prepared (as adapted) -> sentences on what is odd about a scan for this method's run.
    adapt : The cohort's preparation -> the one this method needs (a network: size and scaling that
        it was trained with). It must leave the region alone.
    """

    name: str
    run: str | None
    map: str
    grey: Callable[[Prepared], Grey]
    rules: Callable[[Side, Sequence[str], bool], tuple[str, ...]]
    adapt: Callable[[Preparation], Preparation] = lambda preparation: preparation
    source: str = ""
    doubts: Callable[[Prepared], tuple[str, ...]] = lambda prepared: ()

    @property
    def key(self) -> tuple[str, str, str]:
        """What the map depends on besides the scan."""
        return (self.run or "", self.source, self.map)


def for_side(rule: str, side: Side) -> str:
    """Return a rule for bright anomalies, or its counterpart for dark ones."""
    parsed = parse_rule(rule)
    return str(parsed if side == "bright" else parsed.entry.mirror(parsed))
