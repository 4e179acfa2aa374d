"""A run knows the files that it learns from, those of a DICOM series too."""

import nibabel as nib
import numpy as np
import pytest

from ascnet_core.errors import UserError
from ascnet_core.imaging.cohort import read_manifest
from ascnet_core.runs.create import check_data, learns_from
from ascnet_core.settings.presets import load_preset
from tests.dicoms import make_series, volume
from tests.unit.runs.created import create_run


def test_files_of_a_series_are_known_again(tmp_path):
    paths = make_series(tmp_path / "s", volume())
    (tmp_path / "manifest.csv").write_text("subject,image,group\nA,s,normal\nB,s#1,anomalous\n")
    cohort = read_manifest(tmp_path)
    run = tmp_path / "run"
    create_run(run, load_preset("teaching"), cohort, "normal")
    check_data(run)
    assert learns_from(run, cohort)
    paths[2].write_bytes(paths[2].read_bytes() + b"\0")
    with pytest.raises(UserError, match=f"{paths[2].name} has changed"):
        check_data(run)


def test_the_data_of_a_pair_are_known_as_its_header_is(tmp_path):
    for name in ("a", "b"):
        nib.save(nib.Nifti1Pair(np.ones((4, 4, 2), np.uint8), np.eye(4)), tmp_path / f"{name}.hdr")
    (tmp_path / "manifest.csv").write_text("subject,image\na,a.hdr\nb,b.hdr\n")
    cohort = read_manifest(tmp_path)
    create_run(tmp_path / "run", load_preset("teaching"), cohort, "normal")
    check_data(tmp_path / "run")
    nib.save(nib.Nifti1Pair(np.zeros((4, 4, 2), np.uint8), np.eye(4)), tmp_path / "b.hdr")
    with pytest.raises(UserError, match=r"b\.img has changed"):
        check_data(tmp_path / "run")
