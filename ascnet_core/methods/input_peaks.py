"""The paper's peak rule on the input itself: what the network adds to it is the difference."""

from collections.abc import Sequence

from ascnet_core.methods.base import Method, is_about_peaks, outermost_peak
from ascnet_core.methods.input_threshold import scaled_input
from ascnet_core.segmentation.threshold import Side, parse_rule


def _rules(side: Side, asked: Sequence[str], reference: bool) -> tuple[str, ...]:
    wanted = [str(parse_rule(rule)) for rule in asked if is_about_peaks(rule)]
    return tuple(dict.fromkeys(wanted or [outermost_peak(side)]))


METHOD = Method("input-peaks", None, "input", scaled_input, _rules)
