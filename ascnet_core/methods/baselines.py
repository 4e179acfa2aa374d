"""The methods that need no training: what brightness alone gives, by four rules."""

from collections.abc import Sequence
from operator import attrgetter

import numpy as np

from ascnet_core.errors import UserError
from ascnet_core.imaging.intensity import equalise
from ascnet_core.imaging.prepare import Prepared
from ascnet_core.methods.base import REFERENCE_QUANTILE, Grey, Method, for_side
from ascnet_core.names import Side
from ascnet_core.segmentation.rules import parse_rule

MULTI_OTSU = "multi-otsu"
_PLAIN = attrgetter("scaled")


def equalised_input(prepared: Prepared) -> Grey:
    """Return the equalised intensities, 0 outside the region.

    For FLAIR a strong baseline (Meissen et al., 2021, "Challenging Current Semi-Supervised Anomaly
    Segmentation Methods for Brain MRI"). Put on 256 levels that hold the same share each: rounding
    to 255 steps would halve the outermost levels, and the brightest one alone is more than a small
    lesion.
    """
    share = equalise(prepared.scaled, prepared.region)
    level = np.minimum(np.floor(share * np.float32(256)), np.float32(255))
    return np.asarray(level / np.float32(255), np.float32)


def _equalised_rules(side: Side, asked: Sequence[str], reference: bool) -> tuple[str, ...]:
    """Otsu's rule, the reference's quantile and all asked for but peaks: those are of rounding."""
    rules = ["otsu", *([REFERENCE_QUANTILE] if reference else ()), *asked]
    parsed = map(parse_rule, rules)
    return tuple(dict.fromkeys(str(rule) for rule in parsed if not rule.entry.needs_peaks))


def _plain_rules(side: Side, asked: Sequence[str], reference: bool) -> tuple[str, ...]:
    """The same without multi-Otsu, which is another baseline, as are peaks of the input."""
    rules = _equalised_rules(side, asked, reference)
    return tuple(rule for rule in rules if not rule.startswith(MULTI_OTSU))


def _multi_otsu_rules(side: Side, asked: Sequence[str], reference: bool) -> tuple[str, ...]:
    """Three classes; numbers of classes that were asked for replace them."""
    wanted = [str(rule) for rule in map(parse_rule, asked) if rule.name == MULTI_OTSU]
    return tuple(dict.fromkeys(wanted or [str(parse_rule(MULTI_OTSU))]))


def _peak_rules(side: Side, asked: Sequence[str], reference: bool) -> tuple[str, ...]:
    """The paper's rule on the input itself: what the network adds to it is the difference."""
    wanted = [str(rule) for rule in map(parse_rule, asked) if rule.entry.needs_peaks]
    return tuple(dict.fromkeys(wanted or [for_side("rightmost-peak", side)]))


BASELINES: dict[str, Method] = {
    method.name: method
    for method in (
        Method("input-threshold", None, "input", _PLAIN, _plain_rules),
        Method("equalised-input", None, "equalised", equalised_input, _equalised_rules),
        Method("multi-otsu-input", None, "input", _PLAIN, _multi_otsu_rules),
        Method("input-peaks", None, "input", _PLAIN, _peak_rules),
    )
}


def baselines(names: Sequence[str] | None = None) -> tuple[Method, ...]:
    """Return the baselines of these names, or all of them.

    Raises a UserError if a name is none of `BASELINES`.
    """
    for name in names or ():
        if name not in BASELINES:
            raise UserError(f"There is no method '{name}'; choose among {', '.join(BASELINES)}.")
    return tuple(BASELINES[name] for name in (BASELINES if names is None else names))
