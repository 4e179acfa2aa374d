"""What single names of files and folders say."""

import pytest

from ascnet_core.imaging import naming


@pytest.mark.parametrize(
    ("folder", "role", "split"),
    [
        ("masks", "mask", ""), ("imagesTr", "image", "tr"), ("labelsTs", "mask", "ts"),
        ("labelstr", "mask", "tr"), ("test_images", "image", "test"), ("T1", "", ""),
        ("lesion_masks", "mask", ""), ("brain_masks", "region", ""), ("liver", "region", ""),
        ("train", "", "train"), ("Ground_Truth", "mask", ""), ("wmh", "", ""), ("scan1", "", ""),
        ("labelsPr", "", ""), ("raw", "", ""),
    ],
)  # fmt: skip
def test_folders(folder, role, split):
    assert naming.place_of(folder) == (role, split)


@pytest.mark.parametrize(
    ("stem", "parts"),
    [
        ("lesion_roi", ("", "mask", "")),
        ("x_roi", ("x", "region", "")),
        ("x_brain_tumor_mask", ("x", "mask", "")),
        ("ManualSegmentation_3", ("", "mask", "")),
        ("UNC_train_Case01_lesion_byCHB", ("UNC_train_Case01", "mask", "")),
        ("lesion_1", ("lesion_1", "", "")),
        ("1-LesionSeg-Flair", ("1", "mask", "")),
        ("imaging", ("", "image", "")),
        ("p1_flair_img", ("p1", "image", "FLAIR")),
        ("T1WKS", ("", "image", "T1CE")),
        ("p1_T1_post", ("p1", "image", "T1CE")),
        ("p1_T1_pre", ("p1", "image", "T1")),
        ("p1_pre", ("p1_pre", "", "")),
    ],
)
def test_files(stem, parts):
    assert naming.read_name(stem) == parts


@pytest.mark.parametrize(
    ("scan", "subject"),
    [
        ("BraTS-GLI-00005-000", "BraTS-GLI-00005"),
        ("Brats18_TCIA01_131_1", "Brats18_TCIA01_131"),
        ("training01_02", "training01"),
        ("p1_2019-01-02", "p1"),
        ("p1_m06", "p1"),
        ("M01", "M01"),
        ("pre", "pre"),
    ],
)
def test_patients(scan, subject):
    assert naming.subject_of(scan) == subject


@pytest.mark.parametrize("name", ["pre", "visit-2", "2019-01-02", "20190102", "Baseline", "ses-1"])
def test_times(name):
    assert naming.is_time_point(name)


@pytest.mark.parametrize("name", ["P1", "M01", "siteA", "001", "12345678901", "prefrontal"])
def test_no_times(name):
    assert not naming.is_time_point(name)


@pytest.mark.parametrize("name", ["p1_pred", "Predictions", "nnUNet_predictions", "AutoSeg"])
def test_predictions(name):
    assert naming.says_prediction(name)


@pytest.mark.parametrize("name", ["predator", "autumn", "p1_mask", "restful"])
def test_no_predictions(name):
    assert not naming.says_prediction(name)
