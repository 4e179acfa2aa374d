"""Files whose name says another format than they hold."""

import gzip

import numpy as np
import pytest

from ascnet_core.errors import UserError
from ascnet_core.imaging.formats import load_stored
from tests.helpers import make_nifti


@pytest.mark.parametrize(
    ("name", "content", "advice"),
    [
        ("a.nii.gz", b"\x89PNG\r\n", "holds a PNG picture; give it the suffix .png"),
        ("a.nii", gzip.compress(b"x" * 999), "compressed with gzip; name it .nii.gz"),
        ("a.npy", b"PK\x03\x04", "holds a zip archive"),
        ("a.nii.gz", b"<!DOCTYPE html><html>", "a web page"),
        ("a.nii.gz", b"version https://git-lfs.github.com/spec/v1", "git lfs"),
        ("a.nii.gz", b"", "copy or download it again"),
        ("a.tif", b"", "copy or download it again"),
    ],
)
def test_advice_is_on_what_the_file_holds(tmp_path, name, content, advice):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=advice):
        load_stored(tmp_path / name)


def test_a_volume_whose_name_says_gzip_wrongly(tmp_path):
    make_nifti(tmp_path / "x.nii")
    (tmp_path / "x.nii").rename(tmp_path / "x.nii.gz")
    with pytest.raises(UserError, match=r"not compressed; give it the suffix \.nii"):
        load_stored(tmp_path / "x.nii.gz")


def test_an_archive_of_stacks_is_no_stack(tmp_path):
    np.savez(tmp_path / "x.npz", a=np.ones((2, 3, 4)))
    (tmp_path / "x.npz").rename(tmp_path / "x.npy")
    with pytest.raises(UserError, match="holds a zip archive"):
        load_stored(tmp_path / "x.npy")
