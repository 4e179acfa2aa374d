"""Peaks are found where a person sees them, and never in noise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.signal import find_peaks as oracle_peaks

from ascnet_core.errors import UserError
from ascnet_core.segmentation.histogram import (
    Range,
    count_levels,
    describe_peaks,
    extremes,
    find_peaks,
    measure_range,
    quantise,
    read_histogram,
    separations,
    verdict,
)
from ascnet_core.segmentation.smoothing import smooth
from ascnet_core.segmentation.threshold import attempt


def mixture(seed: int, total: int, *parts: tuple[float, float, float]) -> np.ndarray:
    """Histogram of a mixture of Gaussians given as (share, mean, sd), drawn voxel by voxel."""
    rng = np.random.default_rng(seed)
    drawn = [rng.normal(mean, sd, round(share * total)) for share, mean, sd in parts]
    values = np.clip(np.rint(np.concatenate(drawn)), 0, 255).astype(int)
    return np.bincount(values, minlength=256)


def positions(counts: np.ndarray) -> list[int]:
    return [peak.position for peak in find_peaks(counts)]


class TestQuantise:
    def test_rounds_and_clips(self) -> None:
        values = np.array([-1.0, 0.0, 0.4 / 255, 0.6 / 255, 0.5, 254.6 / 255, 1.0, 7.0])
        assert quantise(values).tolist() == [0, 0, 0, 1, 128, 255, 255, 255]

    def test_range_in_real_units(self) -> None:
        assert quantise(np.array([-100.0, 50.0, 200.0]), -100, 200).tolist() == [0, 128, 255]

    def test_constant_map_is_level_zero(self) -> None:
        levels = quantise(np.full((3, 4), 0.7, np.float32), 0.7, 0.7)
        assert levels.dtype == np.uint8
        assert not levels.any()

    def test_input_is_not_changed(self) -> None:
        values = np.linspace(0, 1, 9, dtype=np.float32)
        before = values.copy()
        quantise(values, 0.2, 0.7)
        assert np.array_equal(values, before)

    @given(hnp.arrays(np.uint8, (50,)))
    def test_levels_survive_the_way_there_and_back(self, levels: np.ndarray) -> None:
        assert np.array_equal(quantise(levels.astype(np.float32) / 255), levels)


class TestRange:
    def test_subject_range_looks_inside_the_region(self) -> None:
        values = np.array([0.0, 0.2, 0.4, 1.0])
        inside = np.array([False, True, True, False])
        assert measure_range([extremes(values[inside])], "subject") == Range(0.2, 0.4, "subject")

    def test_cohort_range_spans_all_scans(self) -> None:
        ends = (extremes(np.array([low, high])) for low, high in ((0.3, 0.4), (0.1, 0.2)))
        assert measure_range(ends, "cohort") == Range(0.1, 0.4, "cohort")

    def test_raw_range_does_not_look(self) -> None:
        assert measure_range([], "raw") == Range(0, 1, "raw")

    def test_nothing_inside_is_said(self) -> None:
        with pytest.raises(UserError, match="region"):
            measure_range([extremes(np.ones(3)[np.zeros(3, bool)])], "subject")

    def test_value_of_a_level(self) -> None:
        whole = Range(0.2, 0.7, "subject")
        assert quantise(np.array([0.7]), whole.low, whole.high) == 255
        assert whole.describe() == "subject 0.2 to 0.7"


def test_counts_with_and_without_background() -> None:
    levels = np.array([[0, 0, 7], [7, 255, 0]], np.uint8)
    region = np.array([[False, True, True], [True, True, False]])
    assert count_levels(levels)[[0, 7, 255]].tolist() == [3, 2, 1]
    assert count_levels(levels, region)[[0, 7, 255]].tolist() == [1, 2, 1]
    assert count_levels(levels).shape == (256,)


class TestNoise:
    @settings(max_examples=60, deadline=None)
    @given(
        seed=st.integers(0, 10**6),
        total=st.integers(300, 300_000),
        mean=st.floats(20, 235),
        sd=st.floats(0.5, 60),
    )
    def test_one_gaussian_is_one_peak(self, seed: int, total: int, mean: float, sd: float) -> None:
        values = np.random.default_rng(seed).normal(mean, sd, total)
        values = values[(values > -0.5) & (values < 255.5)]  # no piles at the ends
        counts = np.bincount(np.rint(values).astype(int), minlength=256)
        assert len(find_peaks(counts)) == 1

    @settings(max_examples=60, deadline=None)
    @given(seed=st.integers(0, 10**6), total=st.integers(256, 2_000_000))
    def test_uniform_noise_has_no_second_peak(self, seed: int, total: int) -> None:
        counts = np.random.default_rng(seed).multinomial(total, np.full(256, 1 / 256))
        assert len(find_peaks(counts)) == 1

    @settings(max_examples=40, deadline=None)
    @given(seed=st.integers(0, 10**6), total=st.integers(1000, 2_000_000), scale=st.floats(3, 80))
    def test_a_falling_tail_has_no_second_peak(self, seed: int, total: int, scale: float) -> None:
        values = np.random.default_rng(seed).exponential(scale, total)
        counts = np.bincount(values[values < 255.5].astype(int), minlength=257)[:256]
        assert len(find_peaks(counts)) == 1

    def test_nothing_and_next_to_nothing(self) -> None:
        assert find_peaks(np.zeros(256, np.int64)) == ()
        assert read_histogram(np.zeros(256, np.int64)).verdict == "no peak: the histogram is empty"
        one = np.zeros(256, np.int64)
        one[93] = 1
        assert positions(one) == [93]


class TestPlanted:
    @settings(max_examples=40, deadline=None)
    @given(
        seed=st.integers(0, 10**6),
        means=st.tuples(st.floats(30, 60), st.floats(100, 140), st.floats(190, 230)),
        sd=st.floats(2, 11),
        shares=st.tuples(st.floats(0.1, 1), st.floats(0.1, 1), st.floats(0.1, 1)),
    )
    def test_three_planted_peaks_are_found(
        self,
        seed: int,
        means: tuple[float, float, float],
        sd: float,
        shares: tuple[float, float, float],
    ) -> None:
        parts = [(share, mean, sd) for share, mean in zip(shares, means, strict=True)]
        found = find_peaks(mixture(seed, 100_000, *parts))
        assert len(found) == 3
        for peak, mean in zip(found, means, strict=True):
            assert abs(peak.position - mean) <= max(2, 0.5 * sd)
            assert peak.left <= peak.position <= peak.right

    @pytest.mark.parametrize("seed", range(10))
    def test_a_lesion_of_three_in_a_thousand_beside_a_huge_peak(self, seed: int) -> None:
        counts = mixture(seed, 200_000, (0.7, 90, 12), (0.297, 125, 8), (0.003, 215, 8))
        found = find_peaks(counts)
        assert len(found) == 3
        assert abs(found[-1].position - 215) <= 5
        assert found[-1].share == pytest.approx(0.003, abs=0.0005)

    def test_same_as_scipy_on_easy_cases(self) -> None:
        levels = np.arange(256)
        for means in ((40, 200), (60, 130, 190), (30, 90, 150, 220)):
            counts = sum(
                np.rint(5000 * (n + 1) * np.exp(-0.5 * ((levels - mean) / 6) ** 2))
                for n, mean in enumerate(means)
            ).astype(np.int64)
            expected, _ = oracle_peaks(counts, prominence=500)
            assert positions(counts) == expected.tolist() == list(means)

    def test_width_of_a_gaussian(self) -> None:
        counts = np.rint(1e6 * np.exp(-0.5 * ((np.arange(256) - 120) / 10) ** 2)).astype(np.int64)
        (peak,) = find_peaks(counts)
        # full width at half maximum, widened by the smoothing of 2 levels
        assert peak.width == pytest.approx(2.3548 * np.hypot(10, 2), rel=0.01)
        assert peak.prominence == pytest.approx(1)
        assert (peak.left, peak.right, peak.share) == (0, 255, 1)

    def test_shares_add_up(self) -> None:
        counts = mixture(3, 50_000, (0.5, 50, 5), (0.3, 120, 5), (0.2, 200, 5))
        found = find_peaks(counts)
        assert sum(peak.share for peak in found) == pytest.approx(1)
        assert [peak.left for peak in found[1:]] == [peak.right + 1 for peak in found[:-1]]


class TestAwkwardShapes:
    @pytest.mark.parametrize("gap", [2, 3, 4, 5, 7, 10])
    def test_a_comb_is_not_many_peaks(self, gap: int) -> None:
        """Few grey values stretched over 256 levels leave gaps between all of them."""
        coarse = mixture(1, 200_000, (0.7, 80, 20), (0.3, 190, 12))
        comb = np.zeros(256, np.int64)
        np.add.at(comb, np.arange(256) // gap * gap, coarse)
        found = positions(comb)
        assert len(found) == 2
        assert abs(found[0] - 80) <= 6 + gap
        assert abs(found[1] - 190) <= 6 + gap

    @pytest.mark.parametrize("levels_in", [100, 150, 180, 192, 200, 230, 300, 400, 1000])
    def test_uneven_rounding_is_not_many_peaks(self, levels_in: int) -> None:
        """300 grey values on 256 levels: every sixth level or so gets two of them."""
        rng = np.random.default_rng(0)
        for spread in (0.05, 0.12, 0.2):
            drawn = rng.normal(0.5, spread, 300_000)
            values = np.rint(drawn[(drawn >= 0) & (drawn <= 1)] * levels_in) / levels_in
            assert len(find_peaks(count_levels(quantise(values)))) == 1

    @pytest.mark.parametrize("steepness", [20, 30, 80])
    def test_a_quantiser_of_coarse_grey_values(self, steepness: float) -> None:
        """Steps of a quantiser pull 200 grey values apart: a comb between its peaks only."""
        rng = np.random.default_rng(4)
        grey = np.rint(np.clip(rng.normal(0.5, 0.2, 150_000), 0, 1) * 200) / 200
        steps = [1 / (1 + np.exp(-steepness * (grey - at))) for at in (0.25, 0.75)]
        counts = count_levels(quantise(np.mean(steps, axis=0)))
        assert len(find_peaks(counts)) == 3

    def test_an_equalised_picture_has_no_separated_peaks(self) -> None:
        """Equalising pulls frequent grey values far apart: teeth as high as their gaps are wide."""
        rng = np.random.default_rng(4)
        grey = np.rint(np.clip(rng.normal(0.5, 0.15, 150_000), 0, 1) * 100).astype(int)
        share = np.cumsum(np.bincount(grey, minlength=101)) / grey.size
        assert (
            max(read_histogram(count_levels(quantise(share[grey]))).separations, default=0) < 0.25
        )

    def test_a_few_exact_values_are_the_peaks(self) -> None:
        """A network that has become a quantiser puts out three or four values."""
        counts = np.zeros(256, np.int64)
        counts[[12, 90, 91, 170, 254]] = [500_000, 90_000, 20_000, 200_000, 3_000]
        assert positions(counts) == [12, 90, 170, 254]
        assert separations(counts, find_peaks(counts)) == pytest.approx((1, 1, 1))

    def test_a_map_within_few_levels_keeps_its_peaks_apart(self) -> None:
        """Early in training I_ro lies within a tenth of the raw scale."""
        counts = mixture(1, 100_000, (0.7, 110, 1.2), (0.3, 119, 1.2))
        assert positions(counts) == [110, 119]
        counts = np.zeros(256, np.int64)
        counts[110:118] = [50, 900, 9000, 800, 300, 2000, 30_000, 900]
        assert positions(counts) == [112, 116]

    def test_clipped_values_at_the_ends_are_not_peaks(self) -> None:
        """Percentile scaling clips 0.1 % at each end."""
        counts = mixture(5, 100_000, (1.0, 120, 20))
        counts[0] += 100
        counts[255] += 100
        assert len(find_peaks(counts)) == 1

    def test_background_is_a_peak_and_hides_nothing(self) -> None:
        counts = mixture(6, 100_000, (0.9, 120, 15), (0.1, 14, 3))
        counts[0] += 2_000_000
        found = positions(counts)
        assert found[0] == 0
        assert len(found) == 3
        assert abs(found[1] - 14) <= 1

    def test_a_saturated_lesion_is_a_peak_at_255(self) -> None:
        counts = mixture(7, 100_000, (1.0, 120, 15))
        counts[255] += 500
        assert positions(counts)[-1] == 255

    @pytest.mark.parametrize("spike", [252, 253, 254, 255])
    def test_a_spike_near_the_end_keeps_its_level(self, spike: int) -> None:
        counts = mixture(8, 100_000, (1.0, 120, 15))
        counts[spike] += 900
        assert positions(counts)[-1] == spike

    def test_outliers_far_out_are_not_a_peak(self) -> None:
        counts = mixture(9, 1_000_000, (1.0, 80, 12))
        counts[[230, 238, 239, 250]] = [9, 40, 30, 8]
        assert len(find_peaks(counts)) == 1

    @given(hnp.arrays(np.int64, 256, elements=st.integers(0, 10**6)))
    @settings(max_examples=40, deadline=None)
    def test_any_histogram_gives_ordered_peaks(self, counts: np.ndarray) -> None:
        found = find_peaks(counts)
        order = [peak.position for peak in found]
        assert order == sorted(set(order))
        assert all(0 < peak.prominence <= 1 and peak.height > 0 for peak in found)
        values = separations(counts, found)
        assert len(values) == max(0, len(found) - 1)
        assert all(0 <= value <= 1 for value in values)
        assert verdict(found, values)


def test_smoothing_keeps_the_voxels() -> None:
    counts = mixture(2, 40_000, (1.0, 120, 15))
    assert smooth(counts).sum() == pytest.approx(counts.sum(), rel=1e-4)


def test_wrong_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="256"):
        smooth(np.zeros(64, np.int64))


class TestVerdict:
    def test_separated(self) -> None:
        seen = read_histogram(mixture(1, 100_000, (0.5, 50, 8), (0.3, 120, 8), (0.2, 200, 8)))
        assert seen.verdict == "3 separated peaks"
        assert min(seen.separations) > 0.9

    def test_overlapping(self) -> None:
        seen = read_histogram(mixture(1, 1_000_000, (0.5, 60, 8), (0.3, 150, 8), (0.28, 172, 8)))
        assert seen.verdict.startswith("3 peaks, 2 of them separated; peak 3 overlaps peak 2 (0.")
        assert seen.separations[0] > 0.9
        assert 0.1 < seen.separations[1] < 0.5

    def test_the_lower_one_is_said_to_overlap(self) -> None:
        seen = read_histogram(mixture(1, 1_000_000, (0.28, 60, 8), (0.3, 82, 8), (0.5, 170, 8)))
        assert "peak 1 overlaps peak 2" in seen.verdict

    def test_one_peak(self) -> None:
        assert (
            read_histogram(mixture(1, 10_000, (1.0, 60, 8))).verdict == "1 peak: nothing to choose"
        )

    def test_none_separated(self) -> None:
        seen = read_histogram(mixture(1, 1_000_000, (0.5, 100, 10), (0.45, 127, 10)))
        assert seen.verdict.startswith("2 peaks, not separated; peak 2 overlaps peak 1")

    def test_separation_is_one_minus_valley_over_lower_peak(self) -> None:
        counts = mixture(1, 1_000_000, (0.5, 100, 10), (0.3, 132, 10))
        found = find_peaks(counts)
        curve = smooth(counts)
        valley = curve[found[0].position : found[1].position].min()
        (value,) = separations(counts, found)
        assert value == pytest.approx(1 - valley / curve[found[1].position], abs=0.02)

    def test_a_narrow_peak_is_not_flattened(self) -> None:
        """A cut that saturates gives a sharp peak: it counts as high as one sees it."""
        counts = np.full(256, 900)
        counts[[0, 1]] = 0
        counts[200:] = 0
        counts[12:19] = [100, 1700, 2900, 2100, 1600, 1300, 1100]
        counts[:12] = 0
        counts += mixture(1, 300_000, (1.0, 60, 12))
        seen = read_histogram(counts)
        assert seen.peaks[0].position == 14
        assert seen.separations[0] > 0.5


def test_valleys_are_those_of_the_rule() -> None:
    counts = mixture(1, 100_000, (0.5, 50, 8), (0.3, 120, 8), (0.2, 200, 8))
    seen = read_histogram(counts)
    rules = [attempt(f"valley:{number}", counts, "bright") for number in (1, 2)]
    assert seen.valleys == tuple(found.level for found in rules)
    assert read_histogram(np.zeros(256, np.int64)).valleys == ()


def two_peaks() -> np.ndarray:
    levels = np.arange(256)
    bright = 300 * np.exp(-0.5 * ((levels - 190) / 6) ** 2)
    return (5000 * np.exp(-0.5 * ((levels - 60) / 8) ** 2) + bright).astype(np.int64)


def test_the_verdict_says_how_clear_the_outer_peak_stands() -> None:
    peaks = find_peaks(two_peaks())
    text = describe_peaks(peaks, (0.824,), "2 separated peaks", "bright")
    assert text == "2 separated peaks. Rightmost peak: separation 0.82 (0 to 1)."
    three = describe_peaks((*peaks, peaks[1]), (0.2, 0.9), "3 peaks", "dark")
    assert three == "3 peaks. Leftmost peak: separation 0.20 (0 to 1)."
    assert describe_peaks(peaks[:1], (), "1 peak: nothing to choose", "dark") == (
        "1 peak: nothing to choose."
    )
