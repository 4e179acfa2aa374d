"""Input and reference sets, balance and matching."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ascnet_core.errors import UserError
from ascnet_core.imaging.cohort import read_manifest, write_manifest
from ascnet_core.imaging.index import index_folder
from ascnet_core.imaging.prepare import Preparation, prepare_scan
from ascnet_core.imaging.reference import (
    balance,
    check_reference,
    join,
    match_positions,
    proposed_reference,
    reference_pools,
    slices_of,
)
from tests.helpers import make_nifti

HOW = Preparation(size=16, scaling="min-max")


def head(folder, name, lesions=(), group=None, mask=True, seed=0):
    """Ten slices: 0 and 9 empty, 1 a speck (under 5 %), 2 to 8 tissue."""
    data = np.zeros((12, 12, 10), np.float32)
    data[1:11, 1:11, 2:9] = np.random.default_rng(seed).uniform(50, 100, (10, 10, 7))
    data[5, 5, 1] = 80
    truth = np.zeros_like(data)
    for z in lesions:
        truth[3:5, 3:5, z] = 1
    make_nifti(folder / f"{name}.nii", data, axcodes="LPI")
    make_nifti(folder / f"{name}_mask.nii", truth, axcodes="LPI", dtype=np.uint8)
    row = {"subject": name, "image": folder / f"{name}.nii", "group": group}
    return {**row, "mask": folder / f"{name}_mask.nii"} if mask else row


@pytest.fixture
def cohort(tmp_path):
    rows = [
        head(tmp_path, "sick", (4, 5), "anomalous"),
        head(tmp_path, "well", (), "normal", seed=1),
        head(tmp_path, "unknown", mask=False, seed=2),
    ]
    write_manifest(tmp_path / "manifest.csv", rows)
    return read_manifest(tmp_path)


def names(found):
    return sorted(set(found.scans.tolist()))


def test_empty_slices_are_out_and_positions_run_over_tissue(cohort):
    found = slices_of(prepare_scan(cohort.scans[0], HOW))
    assert found.z.tolist() == [2, 3, 4, 5, 6, 7, 8]
    assert np.allclose(found.positions, np.linspace(0, 1, 7))
    assert found.lesion.tolist() == [False, False, True, True, False, False, False]
    assert found.labelled.all()
    assert found.images.shape == (7, 16, 16)
    assert found.images.dtype == np.float32
    assert set(found.subjects) == {"sick"}


def test_slices_of_several_scans_know_where_lesions_are(cohort):
    made = join([slices_of(prepare_scan(scan, HOW)) for scan in cohort.scans])
    assert len(made) == 21
    assert made.take(made.lesion).z.tolist() == [4, 5]
    free = made.take(made.labelled & ~made.lesion)
    assert len(free) == 12
    assert names(free) == ["sick", "well"]  # without a mask nothing is known to be free


def test_reference_of_the_normal_group(cohort):
    seen = []
    inputs, reference, lesions = reference_pools(cohort, HOW, "normal", lambda *at: seen.append(at))
    assert names(inputs) == ["sick", "unknown"]
    assert names(reference) == ["well"]
    assert lesions.z.tolist() == [4, 5]
    assert names(lesions) == ["sick"]
    assert seen == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_reference_of_lesion_free_slices(cohort):
    inputs, reference, lesions = reference_pools(cohort, HOW, "lesion-free")
    assert names(inputs) == ["sick", "unknown"]
    assert len(inputs) == 2 + 7
    assert names(reference) == ["sick", "well"]
    assert not reference.lesion.any()
    assert len(reference) == 5 + 7
    assert lesions.z.tolist() == [4, 5]


def test_reference_of_another_manifest(cohort, tmp_path):
    other = tmp_path / "other"
    write_manifest(other / "m.csv", [head(other, "x", (3,)), head(other, "y", mask=False)])
    inputs, reference, lesions = reference_pools(cohort, HOW, other / "m.csv")
    assert len(inputs) == 21
    assert names(reference) == ["x", "y"]
    assert len(reference) == 6 + 7
    assert names(lesions) == ["x"]  # its own come first
    write_manifest(
        other / "m.csv", [head(other, "x", (3,)), head(other, "y", group="normal", mask=False)]
    )
    pools = reference_pools(cohort, HOW, str(other / "m.csv"))
    assert names(pools.reference) == ["y"]
    assert names(pools.lesions) == ["sick"]  # the reference knows of none
    again = reference_pools(cohort, HOW, read_manifest(other / "m.csv"))
    assert np.array_equal(again.reference.images, pools.reference.images)


def test_references_that_are_not_there(cohort, tmp_path):
    write_manifest(tmp_path / "a.csv", [head(tmp_path, "a", range(10))])
    ill = read_manifest(tmp_path / "a.csv")
    with pytest.raises(UserError, match="no normal group"):
        reference_pools(ill, HOW, "normal")
    with pytest.raises(UserError, match="no lesion-free slices with a mask"):
        reference_pools(ill, HOW, "lesion-free")
    with pytest.raises(UserError, match="no lesion-free slices; choose another"):
        reference_pools(cohort, HOW, tmp_path / "a.csv")
    write_manifest(tmp_path / "b.csv", [head(tmp_path, "b", group="normal")])
    well = read_manifest(tmp_path / "b.csv")
    with pytest.raises(UserError, match="no other scans"):
        reference_pools(well, HOW, "normal")
    with pytest.raises(UserError, match="no slices with lesion"):
        reference_pools(well, HOW, "lesion-free")
    with pytest.raises(UserError, match=r"none\.csv is not there"):
        reference_pools(well, HOW, tmp_path / "none.csv")


def test_pictures_of_a_series_know_their_place(tmp_path):
    folder = tmp_path / "CASE"
    folder.mkdir()
    for n in range(1, 8):
        grey = np.zeros((16, 16), np.uint8)
        if n > 2:
            grey[2:14, 2:14] = np.random.default_rng(n).integers(90, 255, (12, 12))
        Image.fromarray(grey).save(folder / f"CASE_{n}.tif")
        Image.fromarray(grey * 0).save(folder / f"CASE_{n}_mask.tif")
    write_manifest(tmp_path / "manifest.csv", index_folder(tmp_path).rows)
    cohort = read_manifest(tmp_path)
    found = join([slices_of(prepare_scan(scan, HOW)) for scan in cohort.scans])
    assert found.z.tolist() == [2, 3, 4, 5, 6]
    assert np.allclose(found.positions, [0, 0.25, 0.5, 0.75, 1])
    single = slices_of(prepare_scan(cohort.scans[0], HOW))
    assert len(single) == 0
    assert len(join([single, found])) == 5


@given(st.integers(1, 30), st.integers(0, 60), st.integers(0, 5))
def test_balance_fills_up_and_drops_nothing(n, target, seed):
    picked = balance(n, target, np.random.default_rng(seed))
    assert len(picked) == max(n, target)
    assert picked[:n].tolist() == list(range(n))
    assert picked.min() >= 0
    assert picked.max() < n


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=30),
    st.lists(st.floats(0, 1), min_size=1, max_size=30),
    st.integers(0, 5),
)
def test_matches_lie_near_or_nearest(inputs, references, seed):
    near, there = np.array(inputs), np.array(references)
    picked = match_positions(near, there, np.random.default_rng(seed))
    distance = np.abs(there[picked] - near)
    best = np.abs(there[None, :] - near[:, None]).min(1)
    assert np.all((distance <= 0.05 + 1e-12) | np.isclose(distance, best))


def test_matches_are_drawn_from_all_neighbours():
    picked = match_positions(np.full(2000, 0.5), np.linspace(0, 1, 101), np.random.default_rng(0))
    counts = np.bincount(picked, minlength=101)
    assert set(np.flatnonzero(counts)) == set(range(45, 56))
    assert counts[45:56].min() > 120
    again = match_positions(np.full(2000, 0.5), np.linspace(0, 1, 101), np.random.default_rng(0))
    assert np.array_equal(picked, again)


def test_the_reference_that_suits_a_cohort_is_proposed_and_the_others_are_refused(tmp_path):
    def cohort_of(*rows):
        write_manifest(tmp_path / "m.csv", rows)
        return read_manifest(tmp_path / "m.csv")

    ill = head(tmp_path, "ill", (3,))
    plain = head(tmp_path, "plain", mask=False)
    well = head(tmp_path, "well", group="normal", mask=False)
    for rows, fitting, said in (
        ((ill, well), "normal", ""),
        ((ill, plain), "lesion-free", "no normal group; take its lesion-free slices"),
        ((plain,), None, "fill its column `group` with normal and anomalous, or take another"),
        ((well,), None, "train on another cohort, and take this one as its reference"),
    ):
        found = cohort_of(*rows)
        assert proposed_reference(found) == fitting
        if said:
            with pytest.raises(UserError, match=said):
                check_reference(found, "normal")
        else:
            check_reference(found, "normal")
    with pytest.raises(UserError, match="no masks, so nothing says which"):
        check_reference(cohort_of(plain), "lesion-free")
