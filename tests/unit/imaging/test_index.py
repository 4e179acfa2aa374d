"""Folders of known layouts become manifests; what is left out is named."""

import numpy as np
import pytest
from PIL import Image

from ascnet_core.errors import UserError
from ascnet_core.imaging.cohort import read_manifest, write_manifest
from ascnet_core.imaging.index import index_folder
from ascnet_core.imaging.naming import read_name, subject_of
from tests.helpers import make_nifti
from tests.unit.imaging.indexing import by_scan, reasons, touch_volumes


def test_nifti_by_modality_and_role(tmp_path):
    touch_volumes(tmp_path, "p1_flair", "p1_t2", "p1_t1", "p2_T1w", "p2_T2w")
    for name in ("p1_mask", "p1_brain", "p2_lesion_mask"):
        make_nifti(tmp_path / f"{name}.nii.gz", np.ones((5, 7, 4)), dtype=np.uint8)
    found = index_folder(tmp_path)
    rows = by_scan(found, tmp_path)
    assert rows["p1"] == {
        "subject": "p1", "image": "p1_flair.nii.gz", "mask": "p1_mask.nii.gz",
        "region": "p1_brain.nii.gz", "modality": "FLAIR", "image:t2": "p1_t2.nii.gz",
        "image:t1": "p1_t1.nii.gz",
    }  # fmt: skip
    assert rows["p2"]["modality"] == "T2"
    assert rows["p2"]["mask"] == "p2_lesion_mask.nii.gz"
    assert found.layout == "NIfTI files"
    assert not found.left_out
    write_manifest(tmp_path / "manifest.csv", found.rows)
    assert len(read_manifest(tmp_path).scans) == 2


def test_time_points_brats_and_bids_names(tmp_path):
    touch_volumes(
        tmp_path,
        "ms/P18_T1_FLAIR", "ms/P18_T1_MASK", "ms/P18_T2_FLAIR", "ms/P18_T2_MASK",
        "B/BraTS-GLI-00005-000/BraTS-GLI-00005-000-t2f",
        "B/BraTS-GLI-00005-000/BraTS-GLI-00005-000-seg",
        "B/BraTS-GLI-00005-000/BraTS-GLI-00005-000-t1c",
        "C/Brats18_X_1_1/Brats18_X_1_1_flair", "C/Brats18_X_1_1/Brats18_X_1_1_seg",
        "D/sub-01/ses-1/anat/sub-01_ses-1_FLAIR", "D/sub-01/ses-2/anat/sub-01_ses-2_FLAIR",
        "D/sub-01/ses-1/anat/sub-01_ses-1_desc-lesion_mask",
        "E/training01_01_flair_pp", "E/training01_01_mask1", "E/training01_01_mask2",
        "F/patient7/FLAIR", "F/patient7/consensus_gt", "F/patient8/FLAIR",
    )  # fmt: skip
    found = index_folder(tmp_path)
    rows = by_scan(found, tmp_path)
    assert rows["P18_T1"]["mask"] == "ms/P18_T1_MASK.nii.gz"
    assert rows["P18_T1"]["subject"] == rows["P18_T2"]["subject"] == "P18"
    brats = rows["BraTS-GLI-00005-000"]
    assert (brats["modality"], brats["mask"][-11:], brats["image:t1ce"][-11:]) == (
        "FLAIR", "-seg.nii.gz", "-t1c.nii.gz",
    )  # fmt: skip
    assert rows["Brats18_X_1_1"]["mask"].endswith("_seg.nii.gz")
    assert rows["sub-01_ses-1"]["mask"].endswith("desc-lesion_mask.nii.gz")
    assert rows["sub-01_ses-2"]["subject"] == "sub-01"
    assert rows["training01_01"]["mask"] == "E/training01_01_mask1.nii.gz"
    assert rows["patient7"]["mask"] == "F/patient7/consensus_gt.nii.gz"
    assert rows["patient8"]["image"] == "F/patient8/FLAIR.nii.gz"
    assert reasons(found, tmp_path) == {
        "E/training01_01_mask2.nii.gz": "a second mask beside training01_01_mask1.nii.gz"
    }


def test_images_and_labels_in_folders_of_their_own(tmp_path):
    touch_volumes(
        tmp_path, "imagesTr/liver_001", "labelsTr/liver_001", "imagesTr/x_0000", "labelsTr/x"
    )
    rows = by_scan(index_folder(tmp_path), tmp_path)
    assert rows["liver_001"]["mask"] == "labelsTr/liver_001.nii.gz"
    assert rows["x"]["mask"] == "labelsTr/x.nii.gz"


def test_what_does_not_fit_is_left_out_with_its_reason(tmp_path):
    touch_volumes(tmp_path, "a_flair")
    touch_volumes(tmp_path, "a_mask", shape=(5, 7, 5))
    touch_volumes(tmp_path, "a_t2", spacing=(2, 1, 1))
    touch_volumes(tmp_path, "b_flair", shape=(5, 7, 4, 3))
    touch_volumes(tmp_path, "b_mask", "lonely_mask", "a_brain")
    (tmp_path / "c_flair.nii.gz").write_bytes(b"broken")
    (tmp_path / "d.hdr").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "logo.png").write_bytes(b"")
    (tmp_path / "._a_flair.nii.gz").write_bytes(b"")
    found = index_folder(tmp_path)
    assert by_scan(found, tmp_path).keys() == {"a"}
    why = reasons(found, tmp_path)
    for name, says in {
        "a_mask.nii.gz": "on another grid than a_flair.nii.gz (5 x 7 x 5 against 5 x 7 x 4 voxels)",
        "a_t2.nii.gz": "on another grid than a_flair.nii.gz (corners 4 mm apart)",
        "b_flair.nii.gz": "holds 3 frames",
        "b_mask.nii.gz": "no image that it belongs to",
        "lonely_mask.nii.gz": "no image that it belongs to",
        "a_brain.nii.gz": "holds grey values",
        "c_flair.nii.gz": "damaged",
        "d.hdr": "lacks its image data",
        "notes.txt": "no image format",
        "logo.png": "neither in a folder of images nor with a mask",
        "._a_flair.nii.gz": "hidden",
    }.items():
        assert says in why[name]
    assert len(why) == 11


def test_brain_extracted_images_called_brain_are_images(tmp_path):
    touch_volumes(tmp_path, "s1_brain")
    make_nifti(tmp_path / "s1_brain_mask.nii.gz", np.ones((5, 7, 4)), dtype=np.uint8)
    rows = by_scan(index_folder(tmp_path), tmp_path)
    assert rows["s1"]["image"] == "s1_brain.nii.gz"
    assert rows["s1"]["region"] == "s1_brain_mask.nii.gz"


def test_the_authors_stacks(tmp_path):
    rng = np.random.default_rng(0)
    np.save(tmp_path / "input_for_generator.npy", rng.random((6, 16, 16, 1)))
    np.save(tmp_path / "tumor_mask_for_generator.npy", rng.random((6, 16, 16, 1)) > 0.5)
    np.save(tmp_path / "good_dic_to_train_disc.npy", rng.random((4, 16, 16, 1)))
    found = index_folder(tmp_path)
    assert found.layout.startswith("the authors' .npy stacks")
    rows = by_scan(found, tmp_path)
    assert rows["input"]["mask"] == "tumor_mask_for_generator.npy"
    assert rows["input"]["group"] == "anomalous"
    assert rows["reference"]["image"] == "good_dic_to_train_disc.npy"
    assert rows["reference"]["group"] == "normal"
    np.save(tmp_path / "tumor_mask_for_generator.npy", np.zeros((5, 16, 16, 1)))
    (tmp_path / "good_dic_to_train_disc.npy").write_bytes(b"broken")
    found = index_folder(tmp_path)
    why = reasons(found, tmp_path)
    assert "6 voxels" in why["tumor_mask_for_generator.npy"]
    assert "damaged" in why["good_dic_to_train_disc.npy"]
    assert list(by_scan(found, tmp_path)) == ["input"]


def test_other_stacks(tmp_path):
    for name in ("p1.npy", "p1_mask.npy", "p2.npy"):
        np.save(tmp_path / name, np.eye(8)[None].repeat(3, 0))
    rows = by_scan(index_folder(tmp_path), tmp_path)
    assert rows["p1"]["mask"] == "p1_mask.npy"
    assert rows.keys() == {"p1", "p2"}


def test_the_lgg_layout(tmp_path):
    rng = np.random.default_rng(0)
    for case in ("TCGA_A_1", "TCGA_B_2"):
        for n in (1, 2, 10):
            folder = tmp_path / "kaggle_3m" / case
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(rng.integers(0, 255, (8, 8, 3), np.uint8)).save(
                folder / f"{case}_{n}.tif"
            )
            Image.fromarray(np.eye(8, dtype=np.uint8) * 255).save(folder / f"{case}_{n}_mask.tif")
    (tmp_path / "kaggle_3m/TCGA_A_1/TCGA_A_1_2_mask.tif").unlink()
    (tmp_path / "kaggle_3m/data.csv").write_text("Patient")
    found = index_folder(tmp_path)
    assert found.layout.startswith("LGG slices")
    rows = by_scan(found, tmp_path)
    assert list(rows) == [
        "TCGA_A_1_1", "TCGA_A_1_10", "TCGA_B_2_1", "TCGA_B_2_2", "TCGA_B_2_10"
    ]  # fmt: skip
    assert rows["TCGA_B_2_10"] == {
        "subject": "TCGA_B_2", "image": "kaggle_3m/TCGA_B_2/TCGA_B_2_10.tif",
        "mask": "kaggle_3m/TCGA_B_2/TCGA_B_2_10_mask.tif", "modality": "FLAIR", "channel": 1,
        "series": "TCGA_B_2", "notes": "slice 10",
    }  # fmt: skip
    assert reasons(found, tmp_path) == {
        "kaggle_3m/TCGA_A_1/TCGA_A_1_2.tif": "slice without its mask, or mask without its slice",
        "kaggle_3m/data.csv": "of no image format that is read here",
    }
    write_manifest(tmp_path / "m.csv", found.rows)
    assert len(read_manifest(tmp_path / "m.csv").scans[-1].series) == 3


def test_pictures_in_images_and_masks(tmp_path):
    square = Image.fromarray(np.kron(np.eye(2, dtype=np.uint8), np.ones((8, 8), np.uint8)) * 255)
    names = ("images/p1_3", "masks/p1_3", "liver/p1_3", "images/p1_12", "images/900", "masks/900",
             "masks/p3_1", "figure")  # fmt: skip
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        square.save(tmp_path / f"{name}.png")
    found = index_folder(tmp_path)
    rows = by_scan(found, tmp_path)
    assert rows["p1_3"] == {
        "subject": "p1", "image": "images/p1_3.png", "mask": "masks/p1_3.png",
        "region": "liver/p1_3.png", "notes": "slice 3",
    }  # fmt: skip
    assert rows["p1_12"]["subject"] == "p1"
    assert rows["900"]["subject"] == "900"
    assert reasons(found, tmp_path).keys() == {"masks/p3_1.png", "figure.png"}


def test_pictures_with_a_mask_beside_them(tmp_path):
    for name in ("x_1.jpg", "x_1_mask.png", "y.jpg"):
        Image.new("L", (8, 8), 7).save(tmp_path / name)
    found = index_folder(tmp_path)
    assert by_scan(found, tmp_path)["x_1"]["mask"] == "x_1_mask.png"
    assert reasons(found, tmp_path).keys() == {"y.jpg"}


def test_scans_of_one_name_are_told_apart(tmp_path):
    touch_volumes(tmp_path, "a/s_flair", "b/s_flair", "b/s_2_flair")
    rows = by_scan(index_folder(tmp_path), tmp_path)
    assert rows.keys() == {"s", "s_2", "s_3"}
    write_manifest(tmp_path / "m.csv", index_folder(tmp_path).rows)
    assert len(read_manifest(tmp_path / "m.csv").scans) == 3


def test_nothing_to_index(tmp_path):
    with pytest.raises(UserError, match="is no folder"):
        index_folder(tmp_path / "none")
    with pytest.raises(UserError, match=r"no scans of a known layout; write a manifest"):
        index_folder(tmp_path)
    (tmp_path / "x.xyz").touch()
    with pytest.raises(UserError, match=r"for example x\.xyz: of no image format"):
        index_folder(tmp_path)


@pytest.mark.parametrize(
    ("stem", "parts"),
    [
        ("case_0_flair", ("case_0", "image", "FLAIR")),
        ("case_0_brain_mask", ("case_0", "region", "")),
        ("case_0_mask", ("case_0", "mask", "")),
        ("case_0", ("case_0", "", "")),
        ("sub-3_desc-lesion_mask", ("sub-3", "mask", "")),
        ("P1_T1", ("P1", "image", "T1")),
        ("FLAIR", ("", "image", "FLAIR")),
        ("x_flair_mask", ("x_flair", "mask", "")),
        ("x_flair_n4_bet", ("x", "image", "FLAIR")),
        ("x_bet", ("x", "", "")),
    ],
)
def test_names(stem, parts):
    assert read_name(stem) == parts


@pytest.mark.parametrize(
    ("scan", "subject"),
    [
        ("sub-01_ses-2", "sub-01"),
        ("P14_T1", "P14"),
        ("case_0", "case_0"),
        ("TCGA_DU_5849_19950405", "TCGA_DU_5849_19950405"),
        ("patient7_tp2", "patient7"),
    ],
)
def test_subjects(scan, subject):
    assert subject_of(scan) == subject
