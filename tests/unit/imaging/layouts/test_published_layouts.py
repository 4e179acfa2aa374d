"""Folders as published: BraTS, MSSEG, ISBI and others, each made of tiny files."""

import numpy as np
import pytest

from ascnet_core.imaging.index import index_folder
from tests.helpers import make_nifti
from tests.unit.imaging.indexing import by_scan, doubts, reasons, touch_masks, touch_volumes


@pytest.mark.parametrize(
    ("case", "patient", "names"),
    [
        ("Brats18_CBICA_AAB_1", "Brats18_CBICA_AAB", "_flair _t1 _t1ce _t2 _seg"),
        ("BraTS19_2013_0_1", "BraTS19_2013_0_1", "_flair _t1 _t1ce _t2 _seg"),
        ("BraTS20_Training_001", "BraTS20_Training_001", "_flair _t1 _t1ce _t2 _seg"),
        ("BraTS2021_00000", "BraTS2021_00000", "_flair _t1 _t1ce _t2 _seg"),
        ("BraTS-GLI-00005-000", "BraTS-GLI-00005", "-t2f -t1n -t1c -t2w -seg"),
        ("BraTS-MET-00101-001", "BraTS-MET-00101", "-t2f -t1n -t1c -t2w -seg"),
    ],
)
def test_brats(tmp_path, case, patient, names):
    flair, t1, t1ce, t2, seg = (f"HGG/{case}/{case}{name}" for name in names.split())
    touch_volumes(tmp_path, flair, t1, t1ce, t2)
    touch_masks(tmp_path, seg)
    found = index_folder(tmp_path)
    assert by_scan(found, tmp_path) == {
        case: {
            "subject": patient, "image": f"{flair}.nii.gz", "mask": f"{seg}.nii.gz",
            "modality": "FLAIR", "image:t1": f"{t1}.nii.gz", "image:t1ce": f"{t1ce}.nii.gz",
            "image:t2": f"{t2}.nii.gz",
        }
    }  # fmt: skip
    assert not found.left_out
    assert not found.unsure


def test_isbi_2015(tmp_path):
    for case in ("training01_01", "training01_02", "training02_01"):
        folder = case[:10]
        touch_volumes(tmp_path, f"{folder}/orig/{case}_flair", shape=(6, 6, 6))
        for modality in ("flair", "mprage", "pd", "t2"):
            touch_volumes(tmp_path, f"{folder}/preprocessed/{case}_{modality}_pp")
        touch_masks(tmp_path, f"{folder}/masks/{case}_mask1", f"{folder}/masks/{case}_mask2")
    found = index_folder(tmp_path)
    rows = by_scan(found, tmp_path)
    assert rows.keys() == {"training01_01", "training01_02", "training02_01"}
    assert rows["training01_02"] == {
        "subject": "training01",
        "image": "training01/preprocessed/training01_02_flair_pp.nii.gz",
        "mask": "training01/masks/training01_02_mask1.nii.gz",
        "modality": "FLAIR",
        "image:t1": "training01/preprocessed/training01_02_mprage_pp.nii.gz",
        "image:pd": "training01/preprocessed/training01_02_pd_pp.nii.gz",
        "image:t2": "training01/preprocessed/training01_02_t2_pp.nii.gz",
        "notes": "without training01_02_mask2.nii.gz: a second mask beside "
        "training01_02_mask1.nii.gz",
    }
    why = reasons(found, tmp_path)
    assert "a second mask beside" in why["training01/masks/training01_02_mask2.nii.gz"]
    assert "a second FLAIR image" in why["training01/orig/training01_02_flair.nii.gz"]


def test_msseg_2016(tmp_path):
    patients = ("Center_01/Patient_01", "Center_01/Patient_02", "Center_07/Patient_01")
    for patient in patients:
        home = f"Training/{patient}"
        touch_volumes(tmp_path, f"{home}/Raw_Data/FLAIR", f"{home}/Raw_Data/T1", shape=(6, 6, 6))
        for modality in ("FLAIR", "T1", "T2", "DP", "GADO"):
            touch_volumes(tmp_path, f"{home}/Preprocessed_Data/{modality}_preprocessed")
        raters = [f"ManualSegmentation_{n}" for n in range(1, 8)]
        masks = ("Brain_Mask", "Consensus", *raters)
        touch_masks(tmp_path, *(f"{home}/Masks/{name}" for name in masks))
    found = index_folder(tmp_path)
    rows = by_scan(found, tmp_path)
    assert len(rows) == len({row["subject"] for row in rows.values()}) == 3
    home = "Training/Center_07/Patient_01"
    assert rows["Center_07_Patient_01"] == {
        "subject": "Center_07_Patient_01",
        "image": f"{home}/Preprocessed_Data/FLAIR_preprocessed.nii.gz",
        "mask": f"{home}/Masks/Consensus.nii.gz",
        "region": f"{home}/Masks/Brain_Mask.nii.gz",
        "modality": "FLAIR",
        "image:t1": f"{home}/Preprocessed_Data/T1_preprocessed.nii.gz",
        "image:t2": f"{home}/Preprocessed_Data/T2_preprocessed.nii.gz",
        "image:pd": f"{home}/Preprocessed_Data/DP_preprocessed.nii.gz",
        "image:t1ce": f"{home}/Preprocessed_Data/GADO_preprocessed.nii.gz",
        "notes": "'Patient_01' is in Training/Center_01 and Training/Center_07; taken as "
        "different patients",
    }
    why = reasons(found, tmp_path)[f"{home}/Masks/ManualSegmentation_3.nii.gz"]
    assert why == "one person's mask beside Consensus.nii.gz, on which several agreed"


def test_msseg_2008(tmp_path):
    for case in ("CHB_train_Case01", "UNC_train_Case01"):
        touch_volumes(tmp_path, *(f"{case}/{case}_{name}" for name in ("FLAIR", "T1", "T2")))
        touch_masks(tmp_path, f"{case}/{case}_lesion", f"{case}/{case}_lesion_byCHB")
    found = index_folder(tmp_path)
    rows = by_scan(found, tmp_path)
    assert rows.keys() == {"CHB_train_Case01", "UNC_train_Case01"}
    row = rows["UNC_train_Case01"]
    assert row["mask"] == "UNC_train_Case01/UNC_train_Case01_lesion.nii.gz"
    assert row["image:t2"] == "UNC_train_Case01/UNC_train_Case01_T2.nii.gz"
    assert "a second mask" in found.left_out[0][1]


def test_numbers_after_the_role(tmp_path):
    touch_volumes(tmp_path, "lits/volume-0", "lits/volume-1", "btcv/img/img0001", "flat/image_7")
    touch_masks(tmp_path, "lits/segmentation-0", "lits/segmentation-1")
    touch_masks(tmp_path, "btcv/label/label0001", "flat/mask_7")
    found = index_folder(tmp_path)
    assert {row["image"].name: row["mask"].name for row in found.rows} == {
        "volume-0.nii.gz": "segmentation-0.nii.gz",
        "volume-1.nii.gz": "segmentation-1.nii.gz",
        "img0001.nii.gz": "label0001.nii.gz",
        "image_7.nii.gz": "mask_7.nii.gz",
    }


def test_a_folder_of_each_modality(tmp_path):
    touch_volumes(tmp_path, "FLAIR/p1", "T1/p1", "FLAIR/p2", "T1/p2")
    touch_masks(tmp_path, "masks/p1", "masks/p2")
    rows = by_scan(index_folder(tmp_path), tmp_path)
    touch_volumes(tmp_path, "x/FLAIR/p3", "x/T1/p3")
    touch_masks(tmp_path, "x/FLAIR/p3_mask")
    again = by_scan(index_folder(tmp_path), tmp_path)
    assert again["p3"]["mask"] == "x/FLAIR/p3_mask.nii.gz"
    assert rows["p1"] == {
        "subject": "p1", "image": "FLAIR/p1.nii.gz", "mask": "masks/p1.nii.gz",
        "modality": "FLAIR", "image:t1": "T1/p1.nii.gz",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["x_lesion_roi", "x_brain_lesion", "x_brain_tumor_mask", "x_wmh"])
def test_words_of_lesions_make_a_mask(tmp_path, name):
    touch_volumes(tmp_path, "x_flair")
    touch_masks(tmp_path, name)
    assert by_scan(index_folder(tmp_path), tmp_path)["x"]["mask"] == f"{name}.nii.gz"


def test_a_bare_roi_is_told_by_its_size_and_said(tmp_path):
    small, large = np.zeros((10, 10, 10)), np.ones((10, 10, 10))
    small[4, 4, 4], large[0] = 1, 0
    for name, data in (("x", small), ("y", large)):
        touch_volumes(tmp_path, f"{name}_flair", shape=(10, 10, 10))
        make_nifti(tmp_path / f"{name}_roi.nii.gz", data, dtype=np.uint8)
    found = index_folder(tmp_path)
    rows = by_scan(found, tmp_path)
    assert rows["x"]["mask"] == "x_roi.nii.gz"
    assert rows["y"]["region"] == "y_roi.nii.gz"
    assert "taken as the lesions' mask" in rows["x"]["notes"]
    assert "taken as the region" in doubts(found)


def test_a_mask_without_a_word_for_it_is_doubted(tmp_path):
    touch_volumes(tmp_path, "p1_flair")
    touch_masks(tmp_path, "p1_nwmh")
    found = index_folder(tmp_path)
    assert len(found.rows) == 2
    assert "holds two values like a mask" in doubts(found)


def test_masks_find_scans_of_other_case_folder_and_modality(tmp_path):
    touch_volumes(tmp_path, "P1_FLAIR", "q/P2/anat/flair", "q/P3/1-Flair", "q/P3/1-T1")
    touch_masks(tmp_path, "p1_mask", "q/P2/drawn/lesion", "q/P3/1-LesionSeg-Flair")
    found = index_folder(tmp_path)
    masks = {row["subject"]: row["mask"].relative_to(tmp_path).as_posix() for row in found.rows}
    assert masks["P1"] == "p1_mask.nii.gz"
    assert masks["P2"] == "q/P2/drawn/lesion.nii.gz"
    assert masks.keys() == {"P1", "P2", "1"}
    assert masks["1"] == "q/P3/1-LesionSeg-Flair.nii.gz"
    assert "in another folder; taken as that of q/P2/anat/flair.nii.gz" in doubts(found)


def test_the_image_on_the_masks_grid_is_the_main_one(tmp_path):
    touch_volumes(tmp_path, "p1_flair", shape=(6, 6, 6))
    touch_volumes(tmp_path, "p1_dwi")
    touch_masks(tmp_path, "p1_lesion")
    found = index_folder(tmp_path)
    assert by_scan(found, tmp_path)["p1"]["modality"] == "DWI"
    assert found.rows[0]["mask"]
    assert "on another grid" in reasons(found, tmp_path)["p1_flair.nii.gz"]


def test_modalities_before_the_name(tmp_path):
    touch_volumes(tmp_path, "FLAIR_p1", "T1_p1", "FLAIR_p2", "PD_7", "images/FLAIR_p9")
    touch_masks(tmp_path, "mask_p1", "masks/FLAIR_p9")
    rows = by_scan(index_folder(tmp_path), tmp_path)
    assert rows.keys() == {"p1", "p2", "PD_7", "p9"}
    assert (rows["p1"]["mask"], rows["p1"]["image:t1"]) == ("mask_p1.nii.gz", "T1_p1.nii.gz")
    assert rows["p9"]["mask"] == "masks/FLAIR_p9.nii.gz"


@pytest.mark.parametrize(
    "name", ["x7_lesion_mask_final", "x7_FLAIR_lesions_JB", "x7_seg_v2", "x7seg", "x7_lesion_reg"]
)
def test_words_of_masks_before_the_last_are_read_where_contents_agree(tmp_path, name):
    touch_volumes(tmp_path, "x7_FLAIR", "lesion_study_9")
    touch_masks(tmp_path, name)
    rows = by_scan(index_folder(tmp_path), tmp_path)
    assert rows["x7"]["mask"] == f"{name}.nii.gz"
    assert rows.keys() == {"x7", "lesion_study_9"}


def test_of_several_images_of_a_modality_the_plainest_is_taken(tmp_path):
    touch_volumes(tmp_path, "P1/flair", "P1/flair2", "P1/FLAIR_reg")
    found = index_folder(tmp_path)
    assert [row["image"].name for row in found.rows] == ["flair.nii.gz"]
    assert all("a second FLAIR image" in reason for _, reason in found.left_out)


def test_scans_in_a_folder_called_after_lesions(tmp_path):
    touch_volumes(tmp_path, "lesions/p1_flair", "lesions/p1_t1")
    touch_masks(tmp_path, "lesions/p1_mask")
    assert by_scan(index_folder(tmp_path), tmp_path)["p1"] == {
        "subject": "p1", "image": "lesions/p1_flair.nii.gz", "mask": "lesions/p1_mask.nii.gz",
        "modality": "FLAIR", "image:t1": "lesions/p1_t1.nii.gz",
    }  # fmt: skip


def test_wmh_challenge(tmp_path):
    for case in ("Utrecht/0", "Utrecht/2", "Singapore/50", "GE3T/100"):
        touch_volumes(tmp_path, f"{case}/pre/FLAIR", f"{case}/pre/T1", f"{case}/orig/FLAIR")
        touch_masks(tmp_path, f"{case}/wmh")
    found = index_folder(tmp_path)
    rows = by_scan(found, tmp_path)
    assert {row["subject"] for row in rows.values()} == {"0", "2", "50", "100"}
    assert rows["50"]["image"] == "Singapore/50/pre/FLAIR.nii.gz"
    assert all(row["mask"].endswith("wmh.nii.gz") for row in rows.values())


def test_lesions_by_name_come_before_a_bare_mask_and_large_masks_are_doubted(tmp_path):
    touch_volumes(tmp_path, "p1_flair", "p2_flair")
    touch_masks(tmp_path, "p1_mask", "p1_wmh")
    brain = np.zeros((5, 7, 4))
    brain[1:4, 1:6] = 1
    make_nifti(tmp_path / "p2_mask.nii.gz", brain, dtype=np.uint8)
    found = index_folder(tmp_path)
    rows = by_scan(found, tmp_path)
    assert rows["p1"]["mask"] == "p1_wmh.nii.gz"
    assert "notes" not in rows["p1"]
    assert "marks 43 % of all voxels" in rows["p2"]["notes"]


def test_a_damaged_file_ends_nothing(tmp_path):
    touch_volumes(tmp_path, "p1_flair")
    np.save(tmp_path / "good.npy", np.ones((2, 4, 4)))
    whole = (tmp_path / "good.npy").read_bytes()
    broken = {
        "cut.npy": whole[:60], "short.npy": whole[:-40], "text.npy": b"hello", "empty.npy": b"",
        "version.npy": b"\x93NUMPY\x09\x00" + whole[8:], "cut.nii.gz": b"\x1f\x8b\x08\x00",
        "images/cut.tif": b"II*\x00\x08\x00\x00\x00\xff\xff",
        "images/cut.png": b"\x89PNG\r\n\x1a\n",
        "images/text.jpg": b"hello", "head.nii": b"\x5c\x01\x00\x00" + b"\xff" * 344,
    }  # fmt: skip
    (tmp_path / "images").mkdir()
    for name, content in broken.items():
        (tmp_path / name).write_bytes(content)
    np.save(tmp_path / "objects.npy", np.array([{}], object), allow_pickle=True)
    np.save(tmp_path / "flat.npy", np.ones(5))
    np.savez(tmp_path / "several.npz", np.ones((2, 4, 4)))
    (tmp_path / "several.npz").rename(tmp_path / "several.npy")
    np.save(tmp_path / "words.npy", np.full((2, 4, 4), "a"))
    found = index_folder(tmp_path)
    rows = by_scan(found, tmp_path)
    assert {"p1", "good"} <= rows.keys()
    assert reasons(found, tmp_path).keys() >= (
        broken.keys() | {"objects.npy", "flat.npy", "several.npy"}
    )


def test_shifts(tmp_path):
    """A folder for each modality, whose files say it once more, and one for the masks."""
    touch_volumes(tmp_path, "dev/flair/1_FLAIR_isovox", "dev/t1/1_T1_isovox")
    touch_masks(tmp_path, "dev/gt/1_gt_isovox")
    (row,) = index_folder(tmp_path).rows
    assert row["image"].name == "1_FLAIR_isovox.nii.gz"
    assert row["mask"].name == "1_gt_isovox.nii.gz"
    assert row["image:t1"].name == "1_T1_isovox.nii.gz"
