"""The plain input under a threshold: what brightness alone gives."""

from collections.abc import Sequence

from ascnet_core.imaging.prepare import Prepared
from ascnet_core.methods.base import Grey, Method, own_then_asked
from ascnet_core.segmentation.threshold import Rule, Side


def scaled_input(prepared: Prepared) -> Grey:
    """Return the scan's intensities, (X, Y, Z) float32 in [0, 1]."""
    return prepared.scaled


def _accepts(rule: Rule) -> bool:
    # Peaks of the input and multi-Otsu are baselines of their own.
    return "peak" not in rule.name and "valley" not in rule.name and rule.name != "multi-otsu"


def _rules(side: Side, asked: Sequence[str], reference: bool) -> tuple[str, ...]:
    return own_then_asked(("otsu",), asked, reference, _accepts)


METHOD = Method("input-threshold", None, "input", scaled_input, _rules)
