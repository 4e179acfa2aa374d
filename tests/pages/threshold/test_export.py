"""The mask as a file on the scan's grid, the numbers as a table."""

import csv
import io
from pathlib import Path

import nibabel as nib
import numpy as np

from ascnet_core.imaging.cohort import read_manifest
from ascnet_core.imaging.prepare import Preparation, prepare_scan
from ascnet_core.segmentation.threshold import Threshold
from pages.parts.shared.state import View
from pages.parts.threshold import export

VIEW = View(cohort="c", scan="s1", map="wild", side="bright", scope="subject", post=("open:3",))
THRESHOLD = Threshold(90, None, "bright", "peak:2", "Peak 2.")
BEFORE = {"volume": 1.23456789, "dice": 0.5, "sensitivity": None, "precision": 0.25}
AFTER = {"volume": 1.0, "dice": 0.75, "sensitivity": None, "precision": 0.5}


def test_the_mask_file_has_the_grid_of_the_scan(small_cohort: Path, tmp_path: Path) -> None:
    prepared = prepare_scan(read_manifest(small_cohort).scans[0], Preparation(size=32))
    mask = np.zeros(prepared.region.shape, bool)
    mask[3:6, 4:9, 2] = True
    file = tmp_path / export.mask_name(prepared, "s1")
    file.write_bytes(export.mask_file(prepared, mask))
    written, image = nib.load(file), nib.load(prepared.scan.image)
    assert file.name == "s1_mask.nii.gz"
    assert written.shape == image.shape
    assert np.array_equal(written.affine, image.affine)
    back = nib.as_closest_canonical(written)
    assert np.array_equal(np.asanyarray(back.dataobj) > 0, mask)


def test_masks_of_two_scans_are_not_called_the_same(small_cohort: Path) -> None:
    prepared = prepare_scan(read_manifest(small_cohort).scans[0], Preparation(size=32))
    names = ["P:1", "P?1", "../P"]
    files = {export.mask_name(prepared, name, names) for name in names}
    assert len({file.casefold() for file in files}) == 3
    assert not any(sign in file for file in files for sign in ":?/")


def test_a_row_names_rule_kind_and_units() -> None:
    row = export.row_of(VIEW, THRESHOLD, BEFORE, AFTER, "")
    assert row["rule"] == "peak:2"
    assert row["kind"] == "mask-free"
    assert row["volume_ml"] == 1.234568
    assert row["volume_ml_after_post"] == 1.0
    assert row["dice_after_post"] == 0.75
    assert row["sensitivity"] == ""
    assert row["post"] == "open:3"


def test_what_is_accepted_is_not_listed_twice() -> None:
    now = export.row_of(VIEW, THRESHOLD, BEFORE, AFTER, "")
    kept = export.row_of(VIEW, THRESHOLD, BEFORE, AFTER, "2026-01-02 03:04:05")
    other = kept | {"subject": "s0"}
    assert len(list(csv.DictReader(io.StringIO(export.table([other, kept], now))))) == 2
    assert len(list(csv.DictReader(io.StringIO(export.table([other], now))))) == 2
    assert len(list(csv.DictReader(io.StringIO(export.table([], now))))) == 1


def test_the_panel_says_what_was_accepted() -> None:
    row = export.row_of(VIEW, THRESHOLD, BEFORE, None, "now")
    accepted = {"c s1": row}
    assert export.accepted_line({}, VIEW) == ""
    assert export.accepted_line(accepted, VIEW) == "Accepted at 90 · 1 in all"
    assert export.accepted_line(accepted, View(cohort="c", scan="s2")) == "1 accepted so far"
