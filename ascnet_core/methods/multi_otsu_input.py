"""Multi-Otsu on the input: three classes of brightness, the outermost is kept."""

from collections.abc import Sequence

from ascnet_core.methods.base import Method
from ascnet_core.methods.input_threshold import scaled_input
from ascnet_core.segmentation.threshold import Side, parse_rule


def _rules(side: Side, asked: Sequence[str], reference: bool) -> tuple[str, ...]:
    # Numbers of classes that were asked for replace the default of three.
    wanted = [str(rule) for rule in map(parse_rule, asked) if rule.name == "multi-otsu"]
    return tuple(dict.fromkeys(wanted or [str(parse_rule("multi-otsu"))]))


METHOD = Method("multi-otsu-input", None, "input", scaled_input, _rules)
