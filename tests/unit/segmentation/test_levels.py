"""What is kept of scans is the same in memory and in a folder, and knows its range."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from ascnet_core.imaging.cohort import Scan
from ascnet_core.imaging.prepare import Preparation, Prepared, prepare_scan
from ascnet_core.metrics.overlap import threshold_table
from ascnet_core.segmentation.histogram import RAW, Range, count_levels, quantise
from ascnet_core.segmentation.levels import Folder, Kept, keep, pooled_counts, settle_ranges

SHAPE = (12, 14, 5)


def ready(folder: Path, name: str, subject: str, seed: int) -> Prepared:
    rng = np.random.default_rng(seed)
    image = rng.integers(1, 1000, SHAPE).astype(np.int16)
    image[:4] = 0
    mask = np.zeros(SHAPE, np.uint8)
    mask[5:7, 5:7, 2] = 1
    for kind, data in (("image", image), ("mask", mask), ("t2", image[::-1].copy())):
        nib.save(nib.Nifti1Image(data, np.diag([1, 2, 3, 1])), folder / f"{name}_{kind}.nii")
    scan = Scan(
        subject,
        name,
        folder / f"{name}_image.nii",
        mask=folder / f"{name}_mask.nii",
        further={"T2": folder / f"{name}_t2.nii"},
    )
    return prepare_scan(scan, Preparation(size=16))


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> list[Prepared]:
    folder = tmp_path_factory.mktemp("scans")
    who = (("a1", "a"), ("a2", "a"), ("b", "b"))
    return [ready(folder, name, subject, n) for n, (name, subject) in enumerate(who)]


def kept_of(scans: list[Prepared], kind: str, folder: Path | None = None) -> list[Kept]:
    found = []
    for n, one in enumerate(scans):
        arrays = {} if folder is None else Folder(folder / str(n))
        maps = [("map", one.scaled * np.float32(0.2 * (n + 1))), (("run", "other"), one.scaled)]
        found.append(keep(one, maps, arrays, kind))
    return found


@pytest.mark.parametrize("kind", ["raw", "subject", "cohort"])
def test_memory_and_folder_hold_the_same(scans: list[Prepared], tmp_path: Path, kind: str) -> None:
    held, stored = kept_of(scans, kind), kept_of(scans, kind, tmp_path)
    for several in (held, stored):
        settle_ranges(several, kind, lambda scan: scan.subject)
    for one, other, prepared in zip(held, stored, scans, strict=True):
        region = prepared.region
        assert np.array_equal(one.region(), region)
        assert np.array_equal(other.region(), region)
        assert np.array_equal(other.truth(), prepared.truth)
        for key in ("map", ("run", "other")):
            assert one.ranges[key] == other.ranges[key]
            assert np.array_equal(one.levels(key), other.levels(key))
            volume = other.volume(key, region)
            assert np.array_equal(volume[region], one.levels(key))
            assert not volume[~region].any()
            expected = threshold_table(volume, prepared.truth, region)
            assert np.array_equal(one.table(key).lesion, expected.lesion)
            assert np.array_equal(one.counts(key), expected.levels)


def test_ranges_are_those_of_the_subject_or_of_the_cohort(scans: list[Prepared]) -> None:
    ends = [
        (float(v.min()), float(v.max()))
        for n, one in enumerate(scans)
        for v in [(one.scaled * np.float32(0.2 * (n + 1)))[one.region]]
    ]
    several = kept_of(scans, "subject")
    settle_ranges(several, "subject", lambda scan: scan.subject)
    of_a = Range(min(ends[0][0], ends[1][0]), max(ends[0][1], ends[1][1]), "subject")
    assert several[0].ranges["map"] == several[1].ranges["map"] == of_a
    assert several[2].ranges["map"] == Range(*ends[2], "subject")
    settle_ranges(several, "cohort", lambda scan: scan.subject)
    low, high = min(e[0] for e in ends), max(e[1] for e in ends)
    assert {one.ranges["map"] for one in several} == {Range(low, high, "cohort")}
    assert kept_of(scans, "raw")[0].ranges["map"] == RAW


def test_histograms_of_a_subject_are_pooled_and_those_of_normal_slices_know_the_truth(
    scans: list[Prepared],
) -> None:
    several = kept_of(scans, "raw")
    pooled = pooled_counts({"a": several[:2], "b": several[2:]}, "map")
    assert np.array_equal(pooled["a"], several[0].counts("map") + several[1].counts("map"))
    prepared, one = scans[0], several[0]
    free = prepared.region.copy()
    free[:, :, 2] = False
    expected = count_levels(quantise(prepared.scaled * np.float32(0.2)), free)
    assert np.array_equal(one.normal_counts("map"), expected)


def test_a_further_image_is_read_as_the_prepared_scan_reads_it(scans: list[Prepared]) -> None:
    (one,) = kept_of(scans[:1], "raw")
    assert np.array_equal(one.further("t2"), scans[0].further("t2"))
