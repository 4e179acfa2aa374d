"""nnU-Net: channels and labels are called as dataset.json says."""

import json

import pytest

from ascnet_core.imaging.index import index_folder
from tests.unit.imaging.indexing import by_scan, reasons, touch_masks, touch_volumes

ROOT = "Dataset001_X"


@pytest.mark.parametrize(
    "content",
    [
        {
            "channel_names": {"0": "T1w", "1": "FLAIR", "2": "odd, name"},
            "labels": {"background": 0, "edema": 1, "core": 2},
        },
        {
            "modality": {"0": "T1", "1": "FLAIR", "2": "odd, name"},
            "labels": {"0": "background", "1": "edema", "2": "core"},
        },
    ],
)
def test_channels_and_labels_have_their_names(tmp_path, content):
    for case in ("a_001", "b_002"):
        touch_volumes(tmp_path, *(f"{ROOT}/imagesTr/{case}_000{n}" for n in range(3)))
    touch_volumes(tmp_path, *(f"{ROOT}/imagesTs/c_000{n}" for n in range(3)))
    touch_masks(tmp_path, *(f"{ROOT}/{n}" for n in ("labelsTr/a_001", "labelsTr/b_002")))
    touch_masks(tmp_path, *(f"{ROOT}/{n}" for n in ("labelsTs/c", "labelsPr/c")))
    (tmp_path / ROOT / "dataset.json").write_text(json.dumps(content))
    found = index_folder(tmp_path)
    rows = by_scan(found, tmp_path)
    assert rows["a_001"] == {
        "subject": "a_001",
        "image": f"{ROOT}/imagesTr/a_001_0001.nii.gz",
        "mask": f"{ROOT}/labelsTr/a_001.nii.gz",
        "modality": "FLAIR",
        "image:t1": f"{ROOT}/imagesTr/a_001_0000.nii.gz",
        "image:odd_name": f"{ROOT}/imagesTr/a_001_0002.nii.gz",
        "notes": "labels: 1 edema, 2 core",
    }
    assert rows["c"]["mask"] == f"{ROOT}/labelsTs/c.nii.gz"
    assert rows.keys() == {"a_001", "b_002", "c"}
    assert "a prediction" in reasons(found, tmp_path)[f"{ROOT}/labelsPr/c.nii.gz"]


def test_channels_without_names_are_numbered(tmp_path):
    touch_volumes(tmp_path, "imagesTr/a_0000", "imagesTr/a_0001", "imagesTr/b_0000")
    touch_masks(tmp_path, "labelsTr/a", "labelsTr/b")
    rows = by_scan(index_folder(tmp_path), tmp_path)
    assert rows["a"]["image"] == "imagesTr/a_0000.nii.gz"
    assert rows["a"]["image:channel_1"] == "imagesTr/a_0001.nii.gz"
    assert rows["b"]["mask"] == "labelsTr/b.nii.gz"


def test_cases_of_equal_names_in_training_and_test_are_kept_apart(tmp_path):
    touch_volumes(tmp_path, "imagesTr/x_0000", "imagesTs/x_0000")
    touch_masks(tmp_path, "labelsTr/x", "labelsTs/x")
    rows = list(by_scan(index_folder(tmp_path), tmp_path).values())
    assert [row["mask"] for row in rows] == ["labelsTr/x.nii.gz", "labelsTs/x.nii.gz"]
    assert rows[0]["subject"] != rows[1]["subject"]


def test_four_digits_may_be_the_case(tmp_path):
    touch_volumes(tmp_path, "imagesTr/case_0000", "imagesTr/case_0001")
    touch_masks(tmp_path, "labelsTr/case_0000", "labelsTr/case_0001")
    rows = by_scan(index_folder(tmp_path), tmp_path)
    assert rows.keys() == {"case_0000", "case_0001"}
    assert rows["case_0001"]["mask"] == "labelsTr/case_0001.nii.gz"


def test_a_damaged_table_is_passed_over(tmp_path):
    touch_volumes(tmp_path, "imagesTr/a_0000")
    (tmp_path / "dataset.json").write_text("[1, 2")
    assert list(by_scan(index_folder(tmp_path), tmp_path)) == ["a"]
