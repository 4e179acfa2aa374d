"""The demo cohort: exact masks, seeds, and how hard its lesions are for a plain threshold."""

from functools import cache
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from ascnet_core.errors import UserError
from ascnet_core.imaging.phantom import demo
from ascnet_core.imaging.phantom.brain import FIELD_OF_VIEW, brain_anatomy
from ascnet_core.imaging.phantom.demo import (
    CONTRASTS,
    PhantomSubject,
    make_demo,
    phantom_subject,
)
from ascnet_core.imaging.phantom.lesions import no_lesions, small_lesions
from ascnet_core.outputs import LEDGER

SMALL = (48, 48, 16)
FULL = (96, 96, 32)


@cache
def subject(index: int, contrast: str = "flair", seed: int = 0) -> PhantomSubject:
    return phantom_subject(seed, index, contrast, FULL)


def best_threshold(contrast: str, seed: int) -> float:
    """Mean subject Dice at the one best level of 256, scaled in the region from .1 to 99.9 %."""
    curves = []
    for index in (1, 3, 5, 7):
        case = subject(index, contrast, seed)
        values = case.image[case.region].astype(float)
        truth = case.mask[case.region]
        if contrast == "ct":
            values = -values
        low, high = np.percentile(values, [0.1, 99.9])
        levels = np.rint(np.clip((values - low) / (high - low), 0, 1) * 255)
        curves.append(
            [
                2 * np.sum(truth & (levels >= t)) / (truth.sum() + np.sum(levels >= t))
                for t in range(256)
            ]
        )
    return float(np.mean(curves, axis=0).max())


@pytest.mark.parametrize(("contrast", "bar"), [("flair", 0.75), ("t2", 0.5), ("ct", 0.6)])
@pytest.mark.parametrize("seed", [0, 1])
def test_no_single_threshold_is_enough(contrast: str, bar: float, seed: int) -> None:
    assert 0.02 < best_threshold(contrast, seed) < bar


@pytest.mark.parametrize("contrast", CONTRASTS)
def test_lesions_stand_out_from_what_would_be_there_without_them(
    contrast: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = subject(1, contrast)
    if contrast == "ct":
        ring = near(case.mask) & case.region & ~case.mask
        assert case.image[case.mask].mean() < case.image[ring].mean() - 15
        return
    monkeypatch.setattr(demo, "small_lesions", lambda rng, brain: no_lesions(brain))
    without = phantom_subject(0, 1, contrast, FULL).image
    brighter = (case.image - without) / np.percentile(without[case.region], 99)
    # the same draws otherwise: nothing but the lesions' voxels and their soft edges changed
    assert np.median(brighter[case.mask]) > 0.12
    assert np.abs(brighter[~near(case.mask) & case.region]).max() < 0.02


def near(mask: np.ndarray, steps: int = 5) -> np.ndarray:
    """`mask` grown by `steps` voxels in its slices and two slices up and down."""
    grown = mask.copy()
    for axis, count in ((0, steps), (1, steps), (2, 2)):
        base = grown.copy()
        for shift in range(-count, count + 1):
            grown |= np.roll(base, shift, axis)
    return grown


@pytest.mark.parametrize("contrast", CONTRASTS)
def test_half_is_normal_and_masks_lie_in_the_region(contrast: str) -> None:
    cases = [phantom_subject(2, index, contrast, SMALL) for index in range(8)]
    assert [c.group for c in cases] == ["normal", "anomalous"] * 4
    for case in cases:
        assert case.mask.any() == (case.group == "anomalous")
        assert not (case.mask & ~case.region).any()
        assert np.isfinite(case.image).all()
        assert case.image.dtype == np.float32
        share = case.region.mean()
        assert 0.05 < share < 0.5
    notes = [c.notes for c in cases if c.mask.any()]
    assert notes == ["small lesions", "large lesion"] * 2


def test_normal_and_anomalous_subjects_differ_without_any_mask() -> None:
    # the brightest tissue stands further from the typical one where lesions are
    def tail(case: PhantomSubject) -> float:
        values = case.image[case.region]
        white = np.median(values)
        return float(np.percentile(values, 99.5) / white)

    normal = [tail(subject(i, "flair", s)) for s in (0, 1) for i in (0, 2, 4, 6)]
    anomalous = [tail(subject(i, "flair", s)) for s in (0, 1) for i in (1, 3, 5, 7)]
    assert np.mean(anomalous) > np.mean(normal) + 0.05


def test_mask_is_where_at_least_half_of_a_voxel_is_lesion() -> None:
    brain = brain_anatomy(np.random.default_rng(3), SMALL)
    found = small_lesions(np.random.default_rng(4), brain)
    assert np.array_equal(found.mask, found.share >= 0.5)
    fluid = brain.shares["csf"] + brain.shares["plexus"]
    assert fluid[found.mask].max() <= 0.5
    assert not no_lesions(brain).mask.any()


def test_tissue_shares_fill_every_voxel_once() -> None:
    brain = brain_anatomy(np.random.default_rng(5), SMALL)
    total = np.sum(list(brain.shares.values()), axis=0)
    assert np.allclose(total, 1, atol=1e-4)
    assert min(float(share.min()) for share in brain.shares.values()) > -1e-6
    volume = np.prod(np.array(FIELD_OF_VIEW) / SMALL) / 1000
    white = volume * brain.shares["white"].sum()
    cortex = volume * brain.shares["cortex"].sum()
    assert 300 < white < 900  # ml, as in a grown-up
    assert 300 < cortex < 900


def test_small_lesions_keep_to_white_matter_and_large_ones_are_large() -> None:
    for index in (1, 5):
        brain_ml = subject(index).mask.sum() * np.prod(subject(index).spacing) / 1000
        assert 1 < brain_ml < 45
    for index in (3, 7):
        assert subject(index).mask.sum() * np.prod(subject(index).spacing) / 1000 > 5


def test_seeds() -> None:
    again = phantom_subject(0, 3, "flair", SMALL)
    same = phantom_subject(0, 3, "flair", SMALL)
    assert np.array_equal(again.image, same.image)
    assert np.array_equal(again.mask, same.mask)
    other = phantom_subject(1, 3, "flair", SMALL)
    assert again.name != other.name
    assert not np.array_equal(again.region, other.region)
    assert not np.array_equal(again.region, phantom_subject(0, 7, "flair", SMALL).region)


def test_t2_has_the_same_brain_as_flair() -> None:
    t2, flair = subject(3, "t2"), subject(3, "flair")
    assert np.array_equal(t2.mask, flair.mask)
    assert np.array_equal(t2.region, flair.region)
    assert np.array_equal(t2.further["flair"], flair.image)
    # fluid is dark on one and bright on the other
    inside = flair.region & ~flair.mask
    assert np.corrcoef(t2.image[inside], flair.image[inside])[0, 1] < 0


def test_liver_lies_on_the_right_with_vessels_brighter_than_lesions() -> None:
    case = subject(3, "ct")
    x = case.origin[0] + case.spacing[0] * np.argwhere(case.region)[:, 0]
    assert np.median(x) > 20  # RAS: positive is the patient's right
    liver = case.image[case.region & ~case.mask]
    assert 70 < np.median(liver) < 140
    assert np.percentile(liver, 99.5) > np.median(liver) + 30
    assert case.image.min() < -950


@pytest.mark.parametrize("contrast", CONTRASTS)
def test_cohort_on_disk(contrast: str, tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    manifest = make_demo(
        tmp_path / "demo", contrast, 3, SMALL, 5, lambda done, total: calls.append((done, total))
    )
    assert calls == [(1, 3), (2, 3), (3, 3)]
    rows = pd.read_csv(manifest)
    assert list(rows.group) == ["normal", "anomalous", "normal"]
    assert ("image:flair" in rows) == (contrast == "t2")
    assert rows.subject.is_unique
    for index, row in rows.iterrows():
        case = phantom_subject(5, int(str(index)), contrast, SMALL)
        image = nib.load(manifest.parent / row.image)
        assert image.shape == SMALL
        assert np.allclose(image.header.get_zooms(), case.spacing)
        assert nib.aff2axcodes(image.affine) == ("R", "A", "S")
        assert np.abs(image.get_fdata() - case.image).max() <= 0.51
        for column, data in (("mask", case.mask), ("region", case.region)):
            stored = nib.load(manifest.parent / row[column])
            assert np.array_equal(stored.get_fdata(), data)
            assert np.allclose(stored.affine, image.affine)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["demo"]


def test_an_earlier_demo_is_replaced_and_other_folders_are_left_alone(tmp_path: Path) -> None:
    make_demo(tmp_path / "demo", subjects=2, size=SMALL, seed=0)
    with pytest.raises(UserError, match="give --overwrite"):
        make_demo(tmp_path / "demo", subjects=1, size=SMALL, seed=1)
    make_demo(tmp_path / "demo", subjects=1, size=SMALL, seed=1, overwrite=True)
    names = {p.name for p in (tmp_path / "demo").iterdir()} - {LEDGER}
    assert all(name == "manifest.csv" or name.startswith("demo1-001") for name in names)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("all of it")
    (tmp_path / "mine" / "manifest.csv").write_text("subject,image\na,a.nii.gz\n")
    with pytest.raises(UserError, match="holds other things"):
        make_demo(tmp_path / "mine", subjects=1, size=SMALL)
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "all of it"


def test_a_demo_that_was_changed_by_hand_stays(tmp_path: Path) -> None:
    """Its file names say that it is ours, its content does not."""
    manifest = make_demo(tmp_path / "demo", subjects=1, size=SMALL)
    manifest.write_text("subject,image\nmine,mine.nii.gz\n")
    with pytest.raises(UserError, match="holds other things"):
        make_demo(tmp_path / "demo", subjects=1, size=SMALL, overwrite=True)
    assert "mine.nii.gz" in manifest.read_text()


def test_files_are_the_same_byte_for_byte(tmp_path: Path) -> None:
    first = make_demo(tmp_path / "first", "t2", 2, SMALL).parent
    second = make_demo(tmp_path / "second", "t2", 2, SMALL).parent
    for path in first.iterdir():
        assert path.read_bytes() == (second / path.name).read_bytes()


def test_a_failure_on_the_way_leaves_nothing(tmp_path: Path) -> None:
    def fail(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_demo(tmp_path / "demo", subjects=2, size=SMALL, progress=fail)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"contrast": "pet"}, "pet"),
        ({"subjects": 0}, "0 subjects"),
        ({"size": (96, 96)}, "voxels"),
        ({"size": (96, 96, 2000)}, "voxels"),
        ({"seed": -1}, "seed"),
    ],
)
def test_bad_requests_are_refused_in_one_sentence(
    settings: dict[str, object], words: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=words):
        make_demo(tmp_path / "demo", **settings)  # type: ignore[arg-type]
    assert not (tmp_path / "demo").exists()
