"""Pieces dropped in the viewer: what comes back to it, and that `segment` makes the same mask."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from PIL import Image
from scipy import ndimage
from streamlit.testing.v1 import AppTest

from ascnet_core import places
from ascnet_core.cli import main
from ascnet_core.imaging.cohort import read_manifest
from ascnet_core.imaging.volume import read_volume
from ascnet_core.segmentation.pieces import Edit
from ascnet_core.studies.decisions import Decision, record
from ascnet_core.studies.folder import new_study
from pages.parts.shared import runs, state
from pages.parts.shared.state import View
from pages.parts.viewer import findings
from tests.pages.threshold.conftest import acceptance, sent, tell, view_of

HOW = {"map": "residual", "range": "subject", "t": 60, "side": "bright", "post": ()}


def labels_of(mask: np.ndarray) -> np.ndarray:
    return ndimage.label(mask, np.ones((3, 3, 3)))[0]


@pytest.fixture
def several(small_cohort: Path, tmp_path: Path) -> Path:
    """A subject of two scans, and one of a picture."""
    scans = read_manifest(small_cohort).scans
    rows = [("subject", "scan", "image")]
    for name, scan in zip(("one", "two"), scans, strict=False):
        rows.append(("P0", name, str(scan.image)))
    middle = np.asanyarray(nib.load(scans[1].image).dataobj)[:, :, 6]
    Image.fromarray((middle / middle.max() * 255).astype(np.uint8).T).save(tmp_path / "flat.png")
    rows.append(("P1", "flat", "flat.png"))
    with (tmp_path / "manifest.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows(rows)
    return tmp_path / "manifest.csv"


def test_the_mask_on_the_screen_is_that_of_segment_bit_for_bit(
    own_cache: Path, several: Path, small_run: Path, tmp_path: Path, monkeypatch: Any
) -> None:
    """Dropped and kept pieces, of a subject with two scans and of a flat image."""
    monkeypatch.setattr(places, "RUNS", tmp_path / "checkpoints")
    study = new_study("own", several, small_run, ["anna"])
    shown, edits = {}, {}
    for number, scan in enumerate(("one", "two", "flat")):
        view = View(cohort=str(several), run=str(small_run), scan=scan, **HOW)
        labels = labels_of(findings.cleaned(findings.load(runs.complete(view))).mask)
        assert labels.max() > 2
        act = "keep" if number == 1 else "drop"
        voxels = [np.argwhere(labels == n).tolist()[0] for n in (1, 2)[: 2 - number % 2]]
        edits[scan] = tuple(Edit(scan, tuple(voxel), act) for voxel in voxels)
        after = findings.load(runs.complete(state.replace(view, pieces=edits[scan])))
        shown[scan] = findings.cleaned(after).mask
        assert shown[scan].any()
        assert not np.array_equal(shown[scan], labels > 0)
    for subject, scans in (("P0", ("one", "two")), ("P1", ("flat",))):
        pieces = [edit for scan in scans for edit in edits[scan]]
        decision = Decision("anna", subject, "residual", "bright", "subject", "", 60, pieces=pieces)
        record(study, decision)
    assert main(["segment", "--study", str(study.path), "-o", str(tmp_path / "m")]) == 0
    for scan, mask in shown.items():
        (file,) = (tmp_path / "m").glob(f"{scan}_mask.*")
        assert np.array_equal(read_volume(file).data > 0, mask)


def test_an_edit_comes_back_as_a_mask_and_ends_with_its_threshold(
    open_page: Callable[..., AppTest],
) -> None:
    app = open_page(t="150", side="bright")
    shown = findings.load(runs.complete(view_of(app)))
    mask = findings.cleaned(shown).mask
    voxel = np.argwhere(mask)[0].tolist()
    edit = {"scan": view_of(app).scan, "voxel": voxel, "act": "drop"}
    told = {"seq": 1, "key": sent(app)["key"], "t": 150, "upper": None, "side": "bright",
            "rule": "", "cursor": [4, 5, 6], "pieces": [edit], "acts": []}  # fmt: skip
    app.session_state[state.TOLD] = told
    app.run()
    data = sent(app)
    labels = labels_of(mask)
    gone = np.count_nonzero(labels == labels[tuple(voxel)]) * data["voxelMl"]
    assert data["pieces"] == [edit]
    assert data["edited"] == f"1 piece dropped, {gone:.1f} ml less"
    assert data["cleaned"]["for"] == "150 null bright"
    left = mask.sum() * data["voxelMl"] - gone
    assert data["cleaned"]["numbers"]["volume"] == pytest.approx(left)
    assert app.query_params["pieces"] == f"drop:{'.'.join(map(str, voxel))}:{edit['scan']}"
    app.multiselect(key=state.widget("post")).set_value(["open:3"]).run()
    assert sent(app)["pieces"] == []
    assert sent(app)["edited"] == state.FORGOTTEN
    app.session_state[state.TOLD] = told | {"seq": 2, "cursor": [5, 5, 6], "pieces": []}
    app.run()
    assert sent(app)["edited"] == state.FORGOTTEN  # moving the cursor is no news
    app.session_state[state.TOLD] = told | {"seq": 3, "t": 151, "pieces": []}
    app.run()
    assert sent(app)["edited"] == ""


def test_an_edit_that_lies_on_nothing_is_said_and_not_accepted(
    open_page: Callable[..., AppTest],
) -> None:
    subject = view_of(open_page()).scan
    app = open_page(t="150", pieces=f"drop:0.0.0:{subject}", subject=subject)
    data = sent(app)
    assert data["cleaned"] is None
    assert "lies on no piece" in data["edited"]
    tell(app, acceptance(app, pieces=data["pieces"]), pieces=data["pieces"])
    assert sent(app)["accepted"] == ""
    assert "lies on no piece" in app.session_state[state.PROBLEM]
