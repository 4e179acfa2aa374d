"""Two scans of a patient share a subject, two patients never do."""

import numpy as np
import pytest
from PIL import Image

from ascnet_core.imaging.index import index_folder
from tests.unit.imaging.indexing import by_scan, doubts, patients, touch_masks, touch_volumes


@pytest.mark.parametrize(
    "files",
    [
        {"P1/imaging": ("P1", "P1"), "P2/imaging": ("P2", "P2")},
        {"P1/head": ("P1", "P1"), "P2/head": ("P2", "P2"), "P3/head": ("P3", "P3")},
        {"a/case_00000/imaging": ("case_00000", "case_00000"),
         "a/case_00001/imaging": ("case_00001", "case_00001")},
        {"P1/pre/FLAIR": ("P1", "P1_pre"), "P1/post/FLAIR": ("P1", "P1_post"),
         "P2/pre/FLAIR": ("P2", "P2_pre")},
        {"P1/2019-01-02/flair": ("P1", "P1_2019-01-02"), "P1/20200304/flair": ("P1", "P1_20200304"),
         "P2/2019-01-02/flair": ("P2", "P2_2019-01-02")},
        {"anat/P1/baseline/anat/T1w": ("P1", "P1_baseline"),
         "anat/P1/followup/anat/T1w": ("P1", "P1_followup")},
        {"P1/visit1/FLAIR": ("P1", "P1_visit1"), "P2/visit1/FLAIR": ("P2", "P2_visit1")},
        {"visit1/p01_flair": ("p01", "p01_visit1"), "visit2/p01_flair": ("p01", "p01_visit2"),
         "visit1/p02_flair": ("p02", "p02_visit1")},
        {"A/site_1/P1/FLAIR": ("P1", "P1"), "A/site_2/P2/FLAIR": ("P2", "P2")},
        {"Center_01/Patient_01/FLAIR": ("Center_01_Patient_01", "Center_01_Patient_01"),
         "Center_02/Patient_01/FLAIR": ("Center_02_Patient_01", "Center_02_Patient_01")},
        {"test/001_flair": ("test_001", "001"), "train/001_flair": ("train_001", "001_2")},
        {"P1/T1/P1_T1_FLAIR": ("P1", "P1_T1"), "P1/T2/P1_T2_FLAIR": ("P1", "P1_T2"),
         "P2/T1/P2_T1_FLAIR": ("P2", "P2_T1")},
        {"training01/training01_01_flair": ("training01", "training01_01"),
         "training01/training01_02_flair": ("training01", "training01_02"),
         "training02/training02_01_flair": ("training02", "training02_01")},
        {"BraTS-GLI-00005-000-t2f": ("BraTS-GLI-00005", "BraTS-GLI-00005-000"),
         "BraTS-GLI-00005-001-t2f": ("BraTS-GLI-00005", "BraTS-GLI-00005-001")},
        {"p1_pre_flair": ("p1", "p1_pre"), "p1_post_flair": ("p1", "p1_post")},
        {"p1_m06_flair": ("p1", "p1_m06"), "p1_m12_flair": ("p1", "p1_m12")},
        {"P1_01_flair": ("P1", "P1_01"), "P1_02_flair": ("P1", "P1_02"),
         "P2_01_flair": ("P2", "P2_01")},
        {"site1_01_flair": ("site1_01", "site1_01"), "site1_02_flair": ("site1_02", "site1_02"),
         "site2_01_flair": ("site2_01", "site2_01")},
        {"x7/x7_flair": ("x7", "x7"), "x7/x7_flair_bias": ("x7", "x7_flair_bias")},
        {"P1/2019/FLAIR": ("P1", "P1_2019"), "P1/2020/FLAIR": ("P1", "P1_2020")},
        {"P1/P1_FLAIR": ("P1", "P1"), "P1/P1_FLAIR_1": ("P1", "P1_FLAIR_1"),
         "P2/P2_FLAIR": ("P2", "P2")},
        {"Subj01_3D-FLAIR": ("Subj01", "Subj01"), "Subj02_ax_FLAIR": ("Subj02", "Subj02")},
        {"2001/FLAIR": ("2001", "2001"), "2002/FLAIR": ("2002", "2002")},
        {"normal/001/flair": ("normal_001", "normal_001"),
         "anomalous/001/flair": ("anomalous_001", "anomalous_001")},
        {"p1_2019-01-02_flair": ("p1", "p1_2019-01-02"),
         "p1_2020-01-02_flair": ("p1", "p1_2020-01-02")},
        {"scan1": ("scan1", "scan1"), "scan2": ("scan2", "scan2")},
        {"scan1/flair": ("scan1", "scan1"), "scan2/flair": ("scan2", "scan2")},
        {"site/P1_flair": ("P1", "P1"), "site/P2_flair": ("P2", "P2"),
         "other/P3_flair": ("P3", "P3")},
    ],
)  # fmt: skip
def test_the_patient_is_the_part_of_the_path_that_differs(tmp_path, files):
    touch_volumes(tmp_path, *files)
    assert patients(tmp_path) == files


def test_times_alone_are_those_of_the_folder(tmp_path):
    touch_volumes(tmp_path, "Miller/pre/FLAIR", "Miller/post/FLAIR")
    assert {subject for subject, _ in patients(tmp_path / "Miller").values()} == {"Miller"}


def test_joined_names_are_said(tmp_path):
    touch_volumes(tmp_path, "x7_flair", "x7_flair_bias", "P1_01", "P1_02", "P2_01")
    found = index_folder(tmp_path)
    assert "x7_flair_bias are taken as of the patient of x7" in doubts(found)
    assert "names such as P1_01 are taken as scans of one patient, P1" in doubts(found)
    assert [row["notes"] for row in found.rows if row["scan"] == "x7_flair_bias"] == [
        "taken as of the patient of x7"
    ]


def test_many_numbered_folders_are_patients_not_times(tmp_path):
    touch_volumes(tmp_path, *(f"study/scan{n}/flair" for n in range(1, 10)))
    assert len({subject for subject, _ in patients(tmp_path).values()}) == 9


def test_unclear_folders_are_said(tmp_path):
    touch_volumes(tmp_path, "P1/a7/FLAIR", "P1/b9/FLAIR", "P2/c1/FLAIR")
    found = index_folder(tmp_path)
    assert [row["subject"] for row in found.rows] == ["P1", "P1", "P2"]
    assert "P1 are each taken as one patient, with several scans" in doubts(found)
    touch_volumes(tmp_path / "x", "north/a7/FLAIR", "north/b9/FLAIR", "south/c1/FLAIR")
    found = index_folder(tmp_path / "x")
    assert [row["subject"] for row in found.rows] == ["a7", "b9", "c1"]
    assert "group of patients" in doubts(found)


def test_one_name_in_two_folders_is_said(tmp_path):
    touch_volumes(tmp_path, *(f"x/p{n}_flair" for n in range(9)))
    touch_volumes(tmp_path, *(f"y/p{n}_flair" for n in range(8, 17)))
    found = index_folder(tmp_path)
    assert sum(row["subject"] == "p8" for row in found.rows) == 2
    assert "'p8' is in x and y; taken as one patient" in doubts(found)


@pytest.mark.parametrize(
    "names", [("slice_1", "slice_2"), ("1", "2", "3"), ("img_01", "img_02"), ("07", "08")]
)
def test_slices_in_folders_of_patients_are_theirs(tmp_path, names):
    for patient in ("P1", "P2"):
        for number, name in enumerate(names):
            for kind in ("images", "masks"):
                path = tmp_path / patient / kind / f"{name}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(np.eye(8, dtype=np.uint8) * (number + 1)).save(path)
    found = index_folder(tmp_path)
    assert [row["subject"] for row in found.rows] == ["P1"] * len(names) + ["P2"] * len(names)
    assert len({row["scan"] for row in found.rows}) == 2 * len(names)
    assert all(row["mask"].parts[-3] == row["image"].parts[-3] for row in found.rows)


def test_masks_stay_with_their_patient(tmp_path):
    for patient in ("case_00000", "case_00001"):
        touch_volumes(tmp_path, f"{patient}/imaging")
        touch_masks(tmp_path, f"{patient}/segmentation")
    rows = by_scan(index_folder(tmp_path), tmp_path)
    assert rows["case_00001"]["mask"] == "case_00001/segmentation.nii.gz"
    assert rows["case_00000"]["mask"] == "case_00000/segmentation.nii.gz"
