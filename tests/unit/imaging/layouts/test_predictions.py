"""What a program wrote never becomes truth."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from ascnet_core.imaging.index import index_folder
from ascnet_core.outputs import LEDGER, sha256_of
from tests.helpers import make_nifti
from tests.unit.imaging.indexing import by_scan, doubts, reasons, touch_masks, touch_volumes


def record(folder, *names, verb="segment"):
    table = {
        f"{name}.nii.gz": {"sha256": sha256_of(folder / f"{name}.nii.gz"), "verb": verb}
        for name in names
    }
    (folder / LEDGER).write_text(json.dumps({"files": table, "finished": True}))


def test_masks_in_the_table_of_what_was_written_and_their_copies_are_left_out(tmp_path):
    touch_volumes(tmp_path, "p1_flair", "p2_flair")
    touch_masks(tmp_path, "p1_mask")
    touch_masks(tmp_path / "masks of today", "other", "p2_mask", "p1_mask")
    (tmp_path / "masks of today/other.nii.gz").unlink()
    record(tmp_path / "masks of today", "p1_mask", "p2_mask")
    shutil.copy(tmp_path / "masks of today/p2_mask.nii.gz", tmp_path / "p2_mask.nii.gz")
    found = index_folder(tmp_path)
    rows = by_scan(found, tmp_path)
    assert rows["p1"]["mask"] == "p1_mask.nii.gz"
    assert "mask" not in rows["p2"]
    why = reasons(found, tmp_path)
    assert why["masks of today/p1_mask.nii.gz"] == "a prediction: `ascnet segment` wrote it"
    assert why["p2_mask.nii.gz"] == "a prediction: a copy of a mask that `ascnet` wrote"


def test_masks_beside_their_images_that_segment_wrote_are_left_out(tmp_path):
    touch_volumes(tmp_path, "p1_flair", "p2_flair")
    touch_masks(tmp_path, "p1_mask", "p2_mask")
    (tmp_path / "segmentation.csv").write_text(
        "subject,scan,image,mask,map,range,kept\n"
        "p1,p1,p1_flair.nii.gz,out/p1_mask.nii.gz,wild,raw,> 12\n"
    )
    found = index_folder(tmp_path)
    rows = by_scan(found, tmp_path)
    assert "mask" not in rows["p1"]
    assert rows["p2"]["mask"] == "p2_mask.nii.gz"
    assert "`ascnet segment` wrote it" in reasons(found, tmp_path)["p1_mask.nii.gz"]


def test_a_written_mask_that_was_corrected_by_hand_is_taken_and_said(tmp_path):
    touch_volumes(tmp_path, "p1_flair")
    touch_masks(tmp_path, "x", "p1_mask")
    (tmp_path / "x.nii.gz").rename(tmp_path / "drawn.nii.gz")
    record(tmp_path, "p1_mask")
    (tmp_path / "drawn.nii.gz").rename(tmp_path / "p1_mask.nii.gz")
    found = index_folder(tmp_path)
    assert by_scan(found, tmp_path)["p1"]["mask"] == "p1_mask.nii.gz"
    assert "changed since; taken as drawn" in doubts(found)
    assert "changed since" in found.rows[0]["notes"]


def test_what_demo_wrote_is_truth_and_empty_masks_are_all_alike(tmp_path):
    touch_volumes(tmp_path, "p1_flair", "p2_flair")
    touch_masks(tmp_path, "p1_mask")
    record(tmp_path, "p1_mask", verb="demo")
    for name in ("p2_mask", "written/p2_mask"):
        make_nifti(tmp_path / f"{name}.nii.gz", np.zeros((5, 7, 4)), dtype=np.uint8)
    record(tmp_path / "written", "p2_mask")
    rows = by_scan(index_folder(tmp_path), tmp_path)
    assert rows["p1"]["mask"] == "p1_mask.nii.gz"
    assert rows["p2"]["mask"] == "p2_mask.nii.gz"


@pytest.mark.parametrize(
    "name",
    [
        "p1_pred", "p1_mask_pred", "pred_p1", "p1_flair_prediction", "p1_auto_mask", "p1_output",
        "predictions/p1", "output/p1_mask", "auto/p1_mask", "labelsPr/p1", "p1_predicted_lesion",
        "nnUNet_predictions/p1", "p1_autoseg", "results/masks/p1",
        "inferTs/p1", "p1_segpred", "p1_predmask", "pred_FLAIR", "ples_lst_0.5_rmFLAIR_mask",
        "bles_lga_0.3_rmFLAIR", "p1_samseg",
    ],
)  # fmt: skip
def test_names_and_folders_of_predictions(tmp_path, name):
    touch_volumes(tmp_path, "p1_flair")
    touch_masks(tmp_path, "p1_mask", name)
    found = index_folder(tmp_path)
    assert list(by_scan(found, tmp_path)) == ["p1"]
    assert by_scan(found, tmp_path)["p1"]["mask"] == "p1_mask.nii.gz"
    assert reasons(found, tmp_path)[f"{name}.nii.gz"].startswith("a prediction by")


def test_images_that_a_program_made_ready_are_no_predictions(tmp_path):
    touch_volumes(tmp_path, "output/p1_flair", "output/p2", "p3_output")
    (tmp_path / "output/images").mkdir()
    colours = np.random.default_rng(0).integers(0, 255, (8, 8, 3), np.uint8)
    Image.fromarray(colours).save(tmp_path / "output/images/p4.png")
    found = index_folder(tmp_path)
    assert len(found.rows) == 4
    assert not found.left_out


@pytest.mark.parametrize("name", ["wild", "fence", "reconstruction", "residual", "prob", "softmax"])
def test_maps_are_no_images(tmp_path, name):
    touch_volumes(tmp_path, "p1_flair", f"p1_{name}", f"elsewhere/p1_flair_{name}")
    found = index_folder(tmp_path)
    assert list(by_scan(found, tmp_path)) == ["p1"]
    assert len(found.left_out) == 2
    assert all("by its name a map" in reason for _, reason in found.left_out)


@pytest.mark.parametrize("name", ["aseg", "aparc+aseg", "p1_flair_pve_0", "p1_flair_pveseg"])
def test_maps_of_tissues_are_no_images_and_no_truth(tmp_path, name):
    touch_volumes(tmp_path, "p1_flair")
    touch_masks(tmp_path, name, "p1_flair_seg", "p1_flair_pveseg")
    found = index_folder(tmp_path)
    assert list(by_scan(found, tmp_path)) == ["p1"]
    assert not any(row.get("mask") for row in found.rows)
    assert reasons(found, tmp_path)[f"{name}.nii.gz"].startswith("by its name a map of tissues")
