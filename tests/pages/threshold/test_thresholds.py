"""Which threshold is in force on the pages."""

import numpy as np

from ascnet_core.segmentation.threshold import NoThreshold, Threshold, attempt
from pages.parts.shared import thresholds
from pages.parts.shared.state import View


def test_a_rule_that_finds_nothing_keeps_the_last_threshold_and_says_so() -> None:
    one_peak = np.zeros(256, np.int64)
    one_peak[40:60] = 500
    view = View(rule="rightmost-peak", side="bright")
    proposed = attempt(view.rule, one_peak, "bright")
    assert isinstance(proposed, NoThreshold)
    assert "single peak" in proposed.sentence
    stays = thresholds.choose(view, proposed, Threshold(77, None, "bright", "otsu", "Otsu."))
    assert (stays.level, stays.kind, stays.rule) == (77, "manual", "77")
    assert stays.sentence == f"{proposed.sentence} The last threshold stays."
    assert thresholds.choose(view, proposed, None) is proposed
    by_hand = thresholds.choose(View(t=9, side="bright"), proposed, None)
    assert (by_hand.level, by_hand.sentence) == (9, "Set by hand.")
