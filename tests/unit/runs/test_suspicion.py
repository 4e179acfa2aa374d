"""Sentences on what is odd about a scan for a run."""

import dataclasses
import hashlib

import numpy as np
import pytest

from ascnet_core.imaging.cohort import Scan
from ascnet_core.imaging.prepare import Preparation, prepare_scan
from ascnet_core.runs import suspicion
from ascnet_core.runs.fingerprint import Fingerprint
from ascnet_core.runs.suspicion import in_order, suspicions
from tests.helpers import make_nifti
from tests.unit.runs.test_fingerprint import bump, signs

RUN = Fingerprint(
    "first",
    subjects=frozenset({"anna"}),
    voxels=frozenset({"known"}),
    modalities=frozenset({"flair"}),
    histograms=np.array([bump(10 + n / 10) for n in range(6)]),
    skull=np.full(6, 0.02),
    slices=np.full(6, 30.0),
    spacing=np.tile([1.0, 1.0, 4.0], (6, 1)),
)
WHOLE_HEADS = dataclasses.replace(RUN, skull=np.full(6, 0.25))
NOTHING = Fingerprint("old")


def scan(tmp_path, **more) -> Scan:
    return Scan(**({"subject": "new", "scan": "new", "image": tmp_path / "a.nii"} | more))


def test_an_image_of_the_training_is_known_by_its_voxels_then_its_bytes_then_its_subject(tmp_path):
    (tmp_path / "a.nii").write_bytes(b"image")
    new = scan(tmp_path)
    assert suspicion.trained_on(new, signs(), RUN) == ""
    assert "trained on this image" in suspicion.trained_on(new, signs(voxels="known"), RUN)
    old = dataclasses.replace(NOTHING, files=frozenset({hashlib.sha256(b"image").hexdigest()}))
    assert "old was trained on this image" in suspicion.trained_on(new, signs(), old)
    (tmp_path / "series").mkdir()
    for number, content in enumerate((b"image", b"other")):
        (tmp_path / "series" / str(number)).write_bytes(content)
    series = scan(tmp_path, image=tmp_path / "series")
    assert suspicion.trained_on(series, signs(), old) == ""
    both = old.files | {hashlib.sha256(b"other").hexdigest()}
    old = dataclasses.replace(old, files=both)
    assert "old was trained on this image" in suspicion.trained_on(series, signs(), old)
    named = suspicion.trained_on(scan(tmp_path, subject="anna"), signs(), RUN)
    assert named.startswith("first was trained on a subject of this name")


def test_skull_is_said_both_ways_and_only_where_the_run_saw_the_other_kind(tmp_path):
    new = scan(tmp_path)
    assert suspicion.skull_differs(new, signs(skull=0.3), RUN).startswith("Skull is present")
    assert suspicion.skull_differs(new, signs(skull=0.12), RUN).startswith("Skull seems present")
    assert suspicion.skull_differs(new, signs(skull=0.02), WHOLE_HEADS).startswith("No skull")
    quiet = [(0.02, RUN), (0.09, RUN), (0.3, WHOLE_HEADS), (0.09, WHOLE_HEADS), (0.3, NOTHING)]
    for skull, run in [*quiet, (float("nan"), RUN), (float("nan"), WHOLE_HEADS)]:
        assert suspicion.skull_differs(new, signs(skull=skull), run) == ""
    series = scan(tmp_path, series=((tmp_path / "a.png", None), (tmp_path / "b.png", None)))
    assert suspicion.skull_differs(series, signs(skull=0.02), WHOLE_HEADS) == ""
    assert suspicion.skull_differs(series, signs(skull=0.3), RUN) != ""
    ct = scan(tmp_path, modality="CT")
    assert suspicion.skull_differs(ct, signs(skull=0.3), RUN) == ""


def test_another_modality_by_the_manifest_is_said(tmp_path):
    said = suspicion.modality_differs(scan(tmp_path, modality="T2"), RUN)
    assert said.startswith("The manifest says T2, and first learnt from FLAIR")
    for modality, run in (("Flair", RUN), ("", RUN), ("T2", NOTHING)):
        assert suspicion.modality_differs(scan(tmp_path, modality=modality), run) == ""


def test_other_grey_levels_are_said_with_how_sure_that_is():
    assert suspicion.levels_differ(signs(10.5), RUN) == ""
    assert "somewhat unlike" in suspicion.levels_differ(signs(12.1), RUN)
    assert "clearly unlike" in suspicion.levels_differ(signs(25), RUN)
    assert suspicion.levels_differ(signs(25), NOTHING) == ""
    assert suspicion.levels_differ(signs(histogram=np.zeros(32)), RUN) == ""


def test_few_slices_are_said_where_the_run_saw_many():
    assert suspicion.few_slices(signs(slices=1), RUN).startswith("There is only one axial slice")
    assert "only 7 axial slices" in suspicion.few_slices(signs(slices=7), NOTHING)
    of_pictures = dataclasses.replace(RUN, slices=np.ones(6))
    for found, run in (
        (signs(slices=8), RUN),
        (signs(slices=1), of_pictures),
        (signs(slices=1, spacing=None), RUN),
    ):
        assert suspicion.few_slices(found, run) == ""


def test_thick_slices_are_said_against_those_of_the_training():
    assert "apart, and first saw at most 4 mm" in suspicion.thick_slices(
        signs(spacing=(1, 1, 7)), RUN
    )
    assert suspicion.thick_slices(signs(spacing=(1, 1, 5.9)), RUN) == ""
    assert suspicion.thick_slices(signs(spacing=(1, 1, 6.5)), NOTHING).startswith("Slices lie 6 mm")
    assert suspicion.thick_slices(signs(spacing=(1, 1, 6)), NOTHING) == ""
    assert suspicion.thick_slices(signs(spacing=None), RUN) == ""
    assert "taken in another plane" in suspicion.thick_slices(signs(spacing=(5, 1, 1)), RUN)


def test_sheared_and_left_handed_grids_are_said():
    assert suspicion.sheared(signs(shear=0.9)) == ""
    assert "axes meet at 75 degrees" in suspicion.sheared(signs(shear=15))
    assert suspicion.left_handed(signs()) == ""
    assert suspicion.left_handed(signs(axes="LAS")).startswith("Stored left-handed (LAS)")


def test_scans_of_the_training_are_odd_only_where_scores_are_made(tmp_path):
    make_nifti(tmp_path / "a.nii", np.random.default_rng(0).integers(1, 99, (20, 20, 12)))
    prepared = prepare_scan(scan(tmp_path, subject="anna"), Preparation(size=32))
    run = Fingerprint("first", subjects=frozenset({"anna"}))
    assert suspicions(prepared, run) == ()
    assert len(suspicions(prepared, run, scored=True)) == 1


def test_a_sentence_of_many_scans_is_told_once_and_training_first():
    odd, known = "It is odd.", "first was trained on this image, so leave it out."
    found = in_order([("a", [odd]), ("b", [odd, known]), ("b", [odd]), ("c", [odd]), ("d", [odd])])
    assert [str(one) for one in found] == [
        f"b: {known}",
        f"4 scans (a, b, c, ...): {odd}",
    ]
    assert [one.of_training for one in found] == [True, False]
    assert str(in_order([("a", [odd]), ("b", [odd])])[0]) == f"a, b: {odd}"


@pytest.mark.parametrize("check", [suspicion.sheared, suspicion.left_handed])
def test_quiet_grids_stay_quiet(check):
    assert check(signs()) == ""
