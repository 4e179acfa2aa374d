"""DICOM series become rows: patients by the headers, names by the folders."""

import os
import shutil

import nibabel as nib
import numpy as np
import pytest

from ascnet_core.imaging.cohort import read_manifest, write_manifest
from ascnet_core.imaging.index import index_folder
from ascnet_core.imaging.prepare import prepare_scan
from ascnet_core.imaging.volume import read_volume, write_volume
from tests.dicoms import IDENTITY, make_series, volume, zipped

FLAIR = {"SeriesInstanceUID": "1.2.5", "SeriesNumber": 5, "SeriesDescription": "t2 flair tra"}


def rows_by_scan(folder):
    found = index_folder(folder)
    write_manifest(folder / "manifest.csv", found.rows)
    text = (folder / "manifest.csv").read_text()
    assert not [word for word in IDENTITY if word.lower() in text.lower()]
    scans = read_manifest(folder).scans
    for scan in scans:
        assert prepare_scan(scan).volume.data.any()
    return {scan.scan: scan for scan in scans}, found


def test_patients_in_folders_of_their_own(tmp_path):
    for number in (1, 2):
        make_series(tmp_path / f"P{number}" / "ct", volume(seed=number), PatientID=f"ID{number}")
    (tmp_path / "readme.txt").write_text("x")
    scans, found = rows_by_scan(tmp_path)
    assert set(scans) == {"P1", "P2"}
    assert scans["P1"].image == tmp_path / "P1" / "ct"
    assert scans["P1"].modality == "CT"
    assert found.layout == "DICOM series"
    assert [path.name for path, _ in found.left_out] == ["readme.txt"]


def test_an_export_with_several_series_and_studies_of_one_patient(tmp_path):
    (tmp_path / "DICOMDIR").write_bytes(b"\0" * 128 + b"DICM")
    make_series(tmp_path / "DICOM" / "ST0", volume())
    make_series(tmp_path / "DICOM" / "ST0", volume(seed=1), name="F{}", **FLAIR)
    scout = {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"], "SeriesInstanceUID": "1.2.9"}
    make_series(tmp_path / "DICOM" / "ST0", volume(2, seed=1), name="L{}", **scout)
    make_series(tmp_path / "DICOM" / "ST1", volume(seed=2), PatientName="Mustermann^E.")
    scans, found = rows_by_scan(tmp_path)
    assert {scan.subject for scan in scans.values()} == {"DICOM"}
    assert {scan.modality for scan in scans.values()} == {"CT", "FLAIR"}
    assert len(scans) == 3
    assert {reason for _, reason in found.left_out} == {
        "a localizer", "the table of contents of a DICOM export",
    }  # fmt: skip


def test_one_patient_in_two_folders_is_one_subject_and_said(tmp_path):
    for name in ("scan_a", "scan_b"):
        make_series(tmp_path / name, volume())
    scans, found = rows_by_scan(tmp_path)
    assert set(scans) == {"scan_a", "scan_b"}
    assert len({scan.subject for scan in scans.values()}) == 1
    assert "name one patient in scan_a and scan_b" in found.rows[0]["notes"]


@pytest.mark.parametrize("nobody", ["", "Anonymous", "000", "ANON"])
def test_without_identities_folders_are_patients(tmp_path, nobody):
    for name in ("a", "b"):
        make_series(tmp_path / name / "s", volume(), PatientID=nobody, PatientName=nobody)
    scans, _ = rows_by_scan(tmp_path)
    assert {scan.subject for scan in scans.values()} == {"a", "b"}


def test_patients_of_one_name_and_in_one_folder_are_told_apart(tmp_path):
    for site in ("x", "y"):
        for number in (1, 2):
            make_series(tmp_path / site / f"P{number}", volume(), PatientID=f"{site}{number}")
    scans, _ = rows_by_scan(tmp_path)
    assert len({scan.subject for scan in scans.values()}) == 4
    flat = tmp_path / "flat"
    for number in (7, 8):
        more = {"SeriesInstanceUID": f"1.2.{number}", "SeriesNumber": number}
        make_series(flat, volume(), name=f"{number}-{{}}", PatientID=f"ID{number}", **more)
    scans, _ = rows_by_scan(flat)
    assert {scan.subject for scan in scans.values()} == {"flat_1", "flat_2"}


def test_a_folder_that_is_the_series(tmp_path):
    folder = tmp_path / "P.7"
    make_series(folder, volume())
    scans, _ = rows_by_scan(folder)
    assert set(scans) == {"P.7"}


def test_masks_and_zips(tmp_path):
    for number in (1, 2):
        folder = tmp_path / f"P{number}"
        make_series(folder / "dicom", volume(seed=number), PatientID=f"ID{number}")
        loaded = read_volume(folder / "dicom")
        write_volume(folder / "lesion_mask.nii.gz", loaded.data > 3000, loaded.grid, bool)
    odd = nib.Nifti1Image(np.zeros((2, 2, 2), np.uint8), np.eye(4))
    nib.save(odd, tmp_path / "P2" / "dicom" / "other_mask.nii.gz")
    make_series(tmp_path / "s", volume(seed=3), PatientID="ID3")
    zipped(tmp_path / "s", tmp_path / "P3.zip")
    shutil.rmtree(tmp_path / "s")
    scans, found = rows_by_scan(tmp_path)
    assert set(scans) == {"P1", "P2", "P3"}
    assert scans["P1"].mask == tmp_path / "P1" / "lesion_mask.nii.gz"
    assert scans["P3"].image == tmp_path / "P3.zip"
    assert prepare_scan(scans["P2"]).truth.any()
    assert any("other_mask" in str(path) for path, _ in found.left_out)


def test_several_series_of_a_zip_are_read_by_the_paths_that_a_manifest_has(tmp_path):
    make_series(tmp_path / "s", volume(seed=1), name="a{}")
    make_series(tmp_path / "s", volume(seed=2), name="b{}", SeriesInstanceUID="1.9", SeriesNumber=9)
    zipped(tmp_path / "s", tmp_path / "P3.zip")
    shutil.rmtree(tmp_path / "s")
    scans, _ = rows_by_scan(tmp_path)
    first, second = (prepare_scan(scan).volume.data for scan in scans.values())
    assert not np.array_equal(first, second)


def test_a_damaged_series_is_named_and_the_others_go_on(tmp_path):
    make_series(tmp_path / "good", volume(), PatientID="ID1")
    paths = make_series(tmp_path / "bad", volume(8), PatientID="ID2")
    paths[3].unlink()
    worse = make_series(tmp_path / "worse", volume(), PatientID="ID3")
    os.truncate(worse[0], 400)
    scans, found = rows_by_scan(tmp_path)
    assert set(scans) == {"good"}
    reasons = {path.name: reason for path, reason in found.left_out}
    assert "lacks slices" in reasons["bad"]
    assert "damaged or cut short" in reasons["worse"]
