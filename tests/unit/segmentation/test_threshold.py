"""Rules give the level they say they give, and say what is missing when they can't."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from skimage.filters import threshold_multiotsu, threshold_otsu

from ascnet_core.errors import UserError
from ascnet_core.segmentation.histogram import find_peaks
from ascnet_core.segmentation.otsu import otsu_cuts
from ascnet_core.segmentation.rules import RULES, parse_rule
from ascnet_core.segmentation.threshold import Threshold, apply, describe, propose

LEVELS = np.arange(256)


def bumps(*parts: tuple[float, float, float]) -> np.ndarray:
    """Exact histogram with Gaussian bumps of (height, mean, sd)."""
    curves = [height * np.exp(-0.5 * ((LEVELS - mean) / sd) ** 2) for height, mean, sd in parts]
    return np.rint(np.sum(curves, axis=0)).astype(np.int64)


THREE = bumps((9000, 40, 7), (5000, 110, 7), (800, 200, 7))


class TestPeakRules:
    @pytest.mark.parametrize(
        ("rule", "level"),
        [
            ("rightmost-peak", 200),
            ("leftmost-peak", 40),
            ("peak:1", 40),
            ("peak:2", 110),
            ("peak:-1", 200),
            (" Peak:2 ", 110),
        ],
    )
    @pytest.mark.parametrize("side", ["bright", "dark"])
    def test_level(self, rule: str, level: int, side: str) -> None:
        found = propose(rule, THREE, side)
        assert (found.level, found.upper, found.side) == (level, None, side)
        assert found.kind == "mask-free"
        assert str(level) in found.sentence
        assert found.rule == rule.strip().lower()

    def test_valleys_are_the_lowest_levels_between(self) -> None:
        low = [propose(rule, THREE).level for rule in ("valley:1", "valley:2")]
        assert low[0] in range(66, 82)
        assert low[1] in range(140, 175)
        assert propose("rightmost-valley", THREE).level == low[1]
        assert propose("valley:-1", THREE).level == low[1]
        assert propose("leftmost-valley", THREE).level == low[0]

    def test_an_empty_valley_gives_its_middle(self) -> None:
        counts = np.zeros(256, np.int64)
        counts[[50, 150]] = 1000
        assert propose("valley:1", counts).level == 100

    @pytest.mark.parametrize("rule", ["peak:4", "valley:3", "valley:-3", "peak:-4"])
    def test_no_such_peak_is_said(self, rule: str) -> None:
        with pytest.raises(UserError, match="histogram has"):
            propose(rule, THREE)

    @pytest.mark.parametrize("rule", ["rightmost-peak", "leftmost-peak", "rightmost-valley"])
    def test_a_single_peak_leaves_no_choice(self, rule: str) -> None:
        with pytest.raises(UserError, match="take another rule"):
            propose(rule, bumps((1000, 90, 10)))

    def test_a_single_peak_can_be_named(self) -> None:
        assert propose("peak:1", bumps((1000, 90, 10))).level == 90

    @pytest.mark.parametrize("rule", ["rightmost-peak", "otsu", "multi-otsu", "valley:1"])
    def test_empty_histogram(self, rule: str) -> None:
        with pytest.raises(UserError, match="empty"):
            propose(rule, np.zeros(256, np.int64))

    def test_peaks_are_those_of_the_histogram(self) -> None:
        for number, peak in enumerate(find_peaks(THREE), start=1):
            assert propose(f"peak:{number}", THREE).level == peak.position


histograms = hnp.arrays(np.int64, 256, elements=st.integers(0, 5000)).filter(
    lambda counts: np.count_nonzero(counts) > 5
)


class TestOtsu:
    @settings(max_examples=40, deadline=None)
    @given(histograms)
    def test_same_split_as_scikit_image(self, counts: np.ndarray) -> None:
        expected = int(threshold_otsu(hist=(counts, LEVELS)))
        assert self._within(counts, otsu_cuts(counts, 2)) <= self._within(counts, (expected,)) * (
            1 + 1e-9
        )

    @settings(max_examples=15, deadline=None)
    @given(histograms, st.sampled_from([3, 4]))
    def test_same_split_as_scikit_image_with_more_classes(
        self, counts: np.ndarray, classes: int
    ) -> None:
        expected = threshold_multiotsu(hist=(counts, LEVELS), classes=classes)
        assert self._within(counts, otsu_cuts(counts, classes)) <= self._within(
            counts, tuple(int(level) for level in expected)
        ) * (1 + 1e-6)

    @staticmethod
    def _within(counts: np.ndarray, cuts: tuple[int, ...]) -> float:
        """Sum of squares within the classes that end at the cuts."""
        total = 0.0
        for part in np.split(LEVELS, [cut + 1 for cut in cuts]):
            weight = counts[part].astype(float)
            if weight.sum():
                total += float(weight @ (part - np.average(part, weights=weight)) ** 2)
        return total

    def test_exactly_scikit_images_levels_on_plain_histograms(self) -> None:
        counts = THREE + 1
        assert otsu_cuts(counts, 2) == (int(threshold_otsu(hist=(counts, LEVELS))),)
        expected = threshold_multiotsu(hist=(counts, LEVELS), classes=3)
        # scikit-image adds up in float32 here and misses the best split by one level
        assert otsu_cuts(counts, 3) == pytest.approx(tuple(expected), abs=1)

    def test_sides_take_the_outer_classes(self) -> None:
        cuts = otsu_cuts(THREE, 3)
        assert propose("multi-otsu", THREE, "bright").level == cuts[1] + 1
        assert propose("multi-otsu:3", THREE, "dark").level == cuts[0]
        assert propose("otsu", THREE, "dark").level + 1 == propose("otsu", THREE, "bright").level

    def test_too_few_grey_values(self) -> None:
        counts = np.zeros(256, np.int64)
        counts[[3, 9]] = 5
        assert otsu_cuts(counts, 2) == (3,)
        with pytest.raises(UserError, match="3 classes"):
            propose("multi-otsu", counts)


class TestReferenceQuantile:
    reference = bumps((1000, 60, 15))

    @settings(max_examples=60, deadline=None)
    @given(histograms, st.floats(0.01, 0.999))
    def test_at_most_the_asked_share_is_kept_and_no_lower_level_does_it(
        self, reference: np.ndarray, quantile: float
    ) -> None:
        total = reference.sum()
        allowed = (1 - quantile) * total + 1e-6 * total
        if reference[255] <= allowed:
            level = propose(f"reference-quantile:{quantile}", THREE, "bright", reference).level
            assert reference[level:].sum() <= allowed
            assert level == 0 or reference[level - 1 :].sum() > allowed - 2e-6 * total
        if reference[0] <= allowed:
            level = propose(f"reference-quantile:{quantile}", THREE, "dark", reference).level
            assert reference[: level + 1].sum() <= allowed
            assert level == 255 or reference[: level + 2].sum() > allowed - 2e-6 * total

    def test_dark_mirrors_bright(self) -> None:
        bright = propose("reference-quantile:0.995", THREE, "bright", self.reference)
        dark = propose("reference-quantile:0.995", THREE, "dark", self.reference[::-1].copy())
        assert dark.level == 255 - bright.level
        assert "normal reference" in bright.sentence

    def test_no_reference_is_said(self) -> None:
        with pytest.raises(UserError, match="reference"):
            propose("reference-quantile:0.99", THREE)

    def test_a_saturated_reference_is_said(self) -> None:
        reference = np.zeros(256, np.int64)
        reference[255] = 10
        with pytest.raises(UserError, match="smaller quantile"):
            propose("reference-quantile:0.99", THREE, "bright", reference)


class TestByHand:
    def test_number(self) -> None:
        assert propose("170", THREE, "dark") == Threshold(
            170, None, "dark", "170", "Chosen by hand.", "manual"
        )

    def test_band(self) -> None:
        found = propose("band:30:60", THREE)
        assert (found.level, found.upper, found.kind) == (30, 60, "manual")

    def test_by_hand_needs_no_histogram(self) -> None:
        assert propose("3", np.zeros(256, np.int64)).level == 3


class TestParse:
    @pytest.mark.parametrize(
        "text",
        ["rightmost-peak", "peak:2", "valley:-1", "otsu", "multi-otsu:4", "170", "band:1:2"],
    )
    def test_text_comes_back(self, text: str) -> None:
        assert str(parse_rule(text)) == text

    def test_quantile_text_keeps_its_digits(self) -> None:
        assert str(parse_rule("reference-quantile:0.9995")) == "reference-quantile:0.9995"

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "brightest",
            "peak",
            "peak:0",
            "peak:1.5",
            "peak:x",
            "peak:1:2",
            "otsu:2",
            "multi-otsu:1",
            "multi-otsu:2.5",
            "reference-quantile",
            "reference-quantile:1",
            "reference-quantile:99.5",
            "256",
            "-1",
            "12.5",
            "number",
            "number:5:6",
            "nan",
            "inf",
            "band:9:3",
            "band:1",
            "band:0:256",
            "band:nan:3",
        ],
    )
    def test_nonsense_is_refused_with_the_rules(self, text: str) -> None:
        with pytest.raises(UserError) as caught:
            parse_rule(text)
        assert "rightmost-peak" in str(caught.value)
        assert "\n" not in str(caught.value)

    def test_wrong_side(self) -> None:
        with pytest.raises(UserError, match="neither bright nor dark"):
            propose("otsu", THREE, "left")  # type: ignore[arg-type]

    def test_every_rule_is_described(self) -> None:
        assert all(entry.sentence for entry in RULES.values())


class TestApply:
    levels = np.array([[0, 10, 20], [30, 40, 255]], np.uint8)
    region = np.array([[True, True, True], [True, False, True]])

    def keep(self, level: int, upper: int | None, side: str) -> list[int]:
        threshold = Threshold(level, upper, side, "x", "x")  # type: ignore[arg-type]
        return self.levels[apply(self.levels, self.region, threshold)].tolist()

    def test_both_sides_include_the_level(self) -> None:
        assert self.keep(20, None, "bright") == [20, 30, 255]
        assert self.keep(20, None, "dark") == [0, 10, 20]

    def test_band_includes_both_ends_on_either_side(self) -> None:
        assert self.keep(10, 30, "bright") == self.keep(10, 30, "dark") == [10, 20, 30]

    def test_without_region(self) -> None:
        assert apply(self.levels, None, Threshold(40, None, "bright", "x", "x")).sum() == 2

    def test_level_zero_keeps_the_region(self) -> None:
        threshold = Threshold(0, None, "bright", "x", "x")
        assert np.array_equal(apply(self.levels, self.region, threshold), self.region)


def test_plain_values_and_short_text() -> None:
    found = propose("peak:2", THREE)
    assert describe(found)["level"] == 110
    assert found.text() == "≥ 110"
    assert propose("peak:2", THREE, "dark").text() == "≤ 110"
    assert propose("band:3:9", THREE).text() == "3 to 9"
