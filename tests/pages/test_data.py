"""The Data page: open by path and upload, the table, the sets."""

from dataclasses import dataclass, replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from ascnet_core.errors import UserError
from ascnet_core.imaging.cohort import Scan, read_manifest
from ascnet_core.imaging.prepare import Preparation, prepare_scan
from pages.parts.data import sets, uploads
from pages.parts.shared import forms, pictures, tables
from tests.helpers import make_nifti

PAGE = Path(__file__).resolve().parents[2] / "pages" / "data.py"


@dataclass
class Upload:
    """What Streamlit hands over for an uploaded file."""

    name: str
    content: bytes = b"x"

    def getvalue(self) -> bytes:
        return self.content


def _open(cohort: Path) -> AppTest:
    at = AppTest.from_file(PAGE, default_timeout=60)
    at.query_params["cohort"] = str(cohort)
    return at.run()


def test_the_table_says_grid_spacing_lesion_and_scaling(small_cohort: Path) -> None:
    scan = next(s for s in read_manifest(small_cohort).scans if s.group == "anomalous")
    prepared = prepare_scan(scan, Preparation(size=32))
    row = tables.grid_row(prepared)
    assert row["grid, voxels"] == "32 × 32 × 12"
    volume = prepared.truth.sum() * np.prod(prepared.spacing) / 1000
    assert row["lesion, ml"] == pytest.approx(volume, abs=0.01)
    assert row["slices, lesion"] == prepared.truth.any(axis=(0, 1)).sum()
    assert row["file value of 1"] == pytest.approx(prepared.scaled_info.high, abs=1e-3)


def test_the_page_shows_subjects_and_both_sets(own_cache, small_cohort: Path) -> None:
    at = _open(small_cohort)
    assert not at.exception
    assert not at.error
    assert len(at.dataframe[0].value) == 4
    texts = " ".join(markdown.value for markdown in at.markdown)
    assert "4 subjects, 4 scans, 4 with a mask" in texts
    assert "**Input**" in texts
    assert "**Reference**" in texts
    assert any("overlap by" in caption.value for caption in at.caption)


def test_a_path_opens_a_cohort_and_stays_in_the_view(own_cache, small_cohort: Path) -> None:
    at = _open(small_cohort)
    folder = small_cohort.parent
    at.text_input[0].set_value(str(folder))
    next(b for b in at.button if b.label == "Open path").click().run()
    assert not at.exception
    assert at.session_state["view"].cohort == str(folder.resolve())


def test_a_wrong_path_is_said_in_one_sentence(own_cache, small_cohort: Path) -> None:
    at = _open(small_cohort)
    at.text_input[0].set_value("/nowhere/at/all.csv")
    next(b for b in at.button if b.label == "Open path").click().run()
    assert not at.exception
    assert any("/nowhere/at/all.csv" in error.value for error in at.error)
    assert at.session_state["view"].cohort == str(small_cohort)


def test_a_scan_that_cannot_be_read_leaves_the_others(own_cache, small_cohort, tmp_path) -> None:
    table = pd.read_csv(small_cohort)
    for column in ("image", "mask", "region"):
        table[column] = [str(small_cohort.parent / name) for name in table[column]]
    broken = tmp_path / "broken.nii.gz"
    broken.write_bytes(b"no volume")
    table.loc[0, "image"] = str(broken)
    manifest = tmp_path / "manifest.csv"
    table.to_csv(manifest, index=False)
    at = _open(manifest)
    assert not at.exception
    assert any("broken.nii.gz" in error.value for error in at.error)
    grids = at.dataframe[0].value["grid, voxels"]
    assert grids.notna().sum() == 3


def test_a_folder_shows_what_was_unsure_and_what_was_left_out(own_cache, tmp_path) -> None:
    for name in ("P1/a7/FLAIR", "P1/b9/FLAIR", "P2/c1/FLAIR"):
        make_nifti(tmp_path / "scans" / f"{name}.nii.gz", shape=(24, 24, 3))
    make_nifti(tmp_path / "scans/P1/FLAIR_pred.nii.gz", np.eye(24)[:, :, None], dtype=np.uint8)
    at = _open(tmp_path / "scans")
    assert not at.exception
    assert [box.label for box in at.expander][:2] == [
        "What was unsure, and how it was decided",
        "1 file left out",
    ]
    said = " ".join(str(frame.value.to_dict()) for frame in at.dataframe)
    assert "P1 are each taken as one patient" in said
    assert "a prediction by its name" in said


def test_an_indexed_folder_has_its_own_name_and_its_files_their_own_paths(
    own_cache, tmp_path
) -> None:
    folder = tmp_path / "a study"
    make_nifti(folder / "P1_FLAIR.nii.gz", shape=(24, 24, 3))
    (folder / "P2_FLAIR.nii.gz").write_bytes((folder / "P1_FLAIR.nii.gz").read_bytes()[:-20])
    at = _open(folder)
    assert f"{folder / 'P2_FLAIR.nii.gz'} is damaged" in at.error[0].value
    assert any("**a_study** · 2 subjects" in one.value for one in at.markdown)
    assert any(one.value.endswith(f" · {folder}") for one in at.markdown)


def test_uploads_find_their_masks_by_name() -> None:
    images = [Path("a_flair.nii.gz"), Path("b_flair.nii.gz")]
    masks = [Path("b_mask.nii.gz"), Path("a_mask.nii.gz")]
    assert uploads.pair_masks(images, masks) == {images[0]: masks[1], images[1]: masks[0]}
    assert uploads.pair_masks(images[:1], [Path("drawn.nii")]) == {images[0]: Path("drawn.nii")}
    assert uploads.pair_masks(images, masks[:1])[images[0]] is None


def test_an_upload_cannot_choose_its_folder(tmp_path: Path) -> None:
    (path,) = uploads.save_uploads([Upload("../../evil.nii")], tmp_path / "in")
    assert path == tmp_path / "in" / "evil.nii"
    assert not (tmp_path.parent / "evil.nii").exists()


def test_an_upload_becomes_a_cohort_named_by_its_content(own_cache, small_cohort: Path) -> None:
    from ascnet_core.imaging.cohort import read_manifest as read

    scan = read(small_cohort).scans[1]
    files = [Upload("case_flair.nii.gz", scan.image.read_bytes())]
    masks = [Upload("case_mask.nii.gz", scan.mask.read_bytes())]
    manifest = uploads.write_uploads(files, masks)
    cohort = read(manifest)
    assert [s.subject for s in cohort.scans] == ["case"]
    assert prepare_scan(cohort.scans[0], Preparation(size=32)).truth.any()
    assert uploads.write_uploads(files, masks) == manifest
    with pytest.raises(UserError, match="fits no image"):
        uploads.write_uploads([*files, Upload("other.nii.gz")], [Upload("third_mask.nii.gz")])


def test_the_sample_keeps_both_groups(small_cohort: Path) -> None:
    cohort = read_manifest(small_cohort)
    scans = tuple(
        replace(scan, scan=f"{scan.scan}-{i}") for i in range(10) for scan in cohort.scans
    )
    sampled = sets.sample(replace(cohort, scans=scans), limit=6)
    groups = [scan.group for scan in sampled.scans]
    assert len(groups) == 6
    assert groups.count("normal") == 3


def test_display_is_radiological() -> None:
    x, y, z = np.indices((3, 4, 5))
    right, front, top = (plane.astype(float) for plane in (x, y, z))
    axial = pictures.display(right[:, :, 2].T)
    assert axial.shape == (4, 3)
    assert axial[0].tolist() == [2, 1, 0]  # the patient's right on the left of the screen
    assert axial[0, ::-1].tolist() == [0, 1, 2]
    assert pictures.display(front[:, :, 2].T)[:, 0].tolist() == [3, 2, 1, 0]
    coronal = pictures.display(top[:, 1].T)
    assert coronal.shape == (5, 3)
    assert coronal[:, 0].tolist() == [4, 3, 2, 1, 0]
    sagittal = pictures.display(front[1].T)
    assert sagittal.shape == (5, 4)
    assert sagittal[0].tolist() == [3, 2, 1, 0]  # anterior on the left


def test_montage_is_radiological_and_full() -> None:
    slices = np.zeros((3, 4, 4), np.float32)
    slices[0, 3, 3] = 1  # highest y, highest x: anterior, the patient's right
    picture = pictures.montage(pictures.display(slices), columns=2, gap=1)
    assert picture.shape == (9, 9)
    assert picture[0, 0] == 255
    assert picture.sum() == 255


def test_fields_that_may_be_empty() -> None:
    assert forms.whole("Frame", " ") is None
    assert forms.whole("Frame", "3") == 3
    assert forms.number("NaN", "-1.5") == -1.5
    assert forms.whole_numbers("Labels", " ") == ()
    assert forms.whole_numbers("Labels", "1, 4;2") == (1, 4, 2)
    for read in (forms.whole, forms.number, forms.whole_numbers):
        with pytest.raises(UserError, match="Frame"):
            read("Frame", "x")
    for text in ("nan", "inf", "-inf", "1e400"):
        with pytest.raises(UserError, match="write a number"):
            forms.number("NaN", text)
    with pytest.raises(UserError, match="write a whole number"):
        forms.whole("Frame", "9" * 5000)


def test_labels_of_the_masks_are_chosen(own_cache, small_cohort: Path) -> None:
    at = _open(small_cohort)
    field = next(one for one in at.text_input if one.label == "Labels")
    field.set_value("7").run()
    assert not at.exception
    assert any("has no label 7; it holds 0, 1" in error.value for error in at.error)
    next(one for one in at.text_input if one.label == "Labels").set_value("1").run()
    assert not at.error


def test_millilitres_of_a_sheared_grid_are_those_of_its_voxels(tmp_path: Path) -> None:
    image = np.arange(20 * 20 * 4, dtype=np.float32).reshape(20, 20, 4)
    sheared = np.diag([1.0, 2, 3, 1])
    sheared[1, 2] = 2  # gantry tilt: an axis is longer, and a voxel no larger
    for name, array in (("image", image), ("mask", (image < 500).astype(np.uint8))):
        nib.save(nib.Nifti1Image(array, sheared), tmp_path / f"{name}.nii")
    scan = Scan("a", "a", tmp_path / "image.nii", tmp_path / "mask.nii")
    assert tables.grid_row(prepare_scan(scan))["lesion, ml"] == 3.0
