"""Uploads: told apart, paired with masks, safe in names and sizes, whole or not at all."""

import errno
import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from streamlit.testing.v1 import AppTest

from ascnet_core.errors import UserError
from ascnet_core.imaging.cohort import Cohort, read_manifest
from ascnet_core.imaging.formats.nifti import FORMAT as NIFTI
from ascnet_core.imaging.image_format import Grid
from ascnet_core.imaging.prepare import Preparation, prepare_scan
from pages.parts.data import uploads
from pages.parts.shared import access
from tests.pages.conftest import ROOT
from tests.pages.test_data import Upload


def _volume(tmp_path: Path, value: float, mask: bool = False) -> bytes:
    """A NIfTI of 12 x 12 x 4 voxels; as a mask, of so many voxels."""
    array = np.full((12, 12, 4), 100.0)
    array[4:8, 4:8] = value
    if mask:
        array = (np.arange(array.size) < value).reshape(array.shape).astype(np.uint8)
    path = tmp_path / "one.nii.gz"
    NIFTI.write(path, array, Grid(array.shape, np.eye(4)), np.uint8 if mask else np.float32)
    return path.read_bytes()


def _written(images: list[Upload], masks: list[Upload] | None = None) -> Cohort:
    return read_manifest(uploads.write_uploads(images, masks or []))


def test_two_images_of_one_subject_are_two_scans(own_cache, tmp_path) -> None:
    for names in (("a_flair.nii.gz", "a_t1.nii.gz"), ("a.nii.gz", "A.nii")):
        scans = _written([Upload(names[0], b"x"), Upload(names[1], b"y")]).scans
        assert [scan.scan for scan in scans] in (["a_1", "a_2"], ["a_1", "A_2"])


def _left() -> list[str]:
    folder = access.uploads_folder()
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def test_two_of_one_name_are_both_opened_and_told_apart(own_cache, tmp_path: Path) -> None:
    images = [Upload("FLAIR.nii.gz", _volume(tmp_path, value)) for value in (150, 170)]
    cohort = _written(images)
    assert [scan.subject for scan in cohort.scans] == ["FLAIR", "FLAIR_2"]
    assert [scan.image.read_bytes() for scan in cohort.scans] == [i.content for i in images]
    assert all("2 uploads are called FLAIR.nii.gz" in scan.notes for scan in cohort.scans)


def test_their_masks_go_by_the_order_and_the_table_says_so(own_cache, tmp_path: Path) -> None:
    images = [Upload("FLAIR.nii.gz", _volume(tmp_path, value)) for value in (150, 170, 190)]
    masks = [Upload("FLAIR_mask.nii.gz", _volume(tmp_path, n, mask=True)) for n in (7, 9, 11)]
    cohort = _written(images, masks)
    found = [prepare_scan(scan, Preparation(size=32)).truth.sum() for scan in cohort.scans]
    assert found == [7, 9, 11]
    at = AppTest.from_file(ROOT / "pages" / "data.py", default_timeout=60)
    at.query_params["cohort"] = str(cohort.manifest)
    at.run()
    assert not at.exception
    assert "by the order of the uploads: check it" in at.dataframe[0].value["notes"][0]


@pytest.mark.parametrize(
    "masks", [["FLAIR_mask.nii.gz"], ["FLAIR_mask.nii.gz"] * 3, ["FLAIR_mask.nii", "FLAIR_seg.nii"]]
)
def test_masks_that_may_be_of_either_are_refused(own_cache, tmp_path: Path, masks) -> None:
    images = [Upload("FLAIR.nii.gz", _volume(tmp_path, value)) for value in (150, 170)]
    with pytest.raises(UserError, match="rename them"):
        uploads.write_uploads(images, [Upload(name) for name in masks])
    assert _left() == []


def test_two_masks_for_one_image_are_refused(own_cache) -> None:
    masks = [Upload("a_mask.nii"), Upload("a_seg.nii")]
    with pytest.raises(UserError, match=r"1 image called .* and 2 masks"):
        uploads.write_uploads([Upload("a.nii"), Upload("b.nii")], masks)


def test_names_that_differ_in_capitals_are_two(own_cache, tmp_path: Path) -> None:
    images = [Upload(name, _volume(tmp_path, 150)) for name in ("Anna.nii.gz", "ANNA.nii.gz")]
    masks = [
        Upload(name, _volume(tmp_path, n, mask=True))
        for name, n in (("ANNA_mask.nii.gz", 3), ("Anna_mask.nii.gz", 5))
    ]
    cohort = _written(images, masks)
    assert len({scan.subject.casefold() for scan in cohort.scans}) == 2
    found = [prepare_scan(scan, Preparation(size=32)).truth.sum() for scan in cohort.scans]
    assert found == [5, 3]
    # No file takes another's place where capitals do not count.
    assert len({str(scan.image).casefold() for scan in cohort.scans}) == 2


def test_a_mask_in_other_capitals_still_finds_its_image() -> None:
    images, masks = [Path("Case1.nii"), Path("b.nii")], [Path("CASE1_MASK.nii"), Path("b.nii")]
    assert uploads.pair_masks(images, masks) == {images[0]: masks[0], images[1]: masks[1]}


def test_the_same_content_twice_is_said(own_cache, tmp_path: Path) -> None:
    content = _volume(tmp_path, 150)
    cohort = _written([Upload(name, content) for name in ("a.nii.gz", "b.nii.gz")])
    assert all("same content" in scan.notes for scan in cohort.scans)


def test_one_cohort_never_holds_what_another_was_made_of(own_cache, tmp_path: Path) -> None:
    one, two = _volume(tmp_path, 150), _volume(tmp_path, 160)
    first = uploads.write_uploads([Upload("a.nii.gz", one), Upload("b.nii.gz", two)], [])
    other = uploads.write_uploads([Upload("a.nii.gz", one)], [Upload("b.nii.gz", two)])
    assert first.parent != other.parent
    assert not any(scan.mask for scan in read_manifest(first).scans)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../evil.nii", "evil.nii"),
        ("..\\..\\evil.nii", "evil.nii"),
        ("C:\\scans\\a b.nii.gz", "a b.nii.gz"),
        ("/etc/a.nii", "a.nii"),
        (".nii.gz", "upload.nii.gz"),
        ("...nii", "upload.nii"),
        ("a\0b\n.nii", "a-b-.nii"),
        ("P:1?.nii.gz", "P-1-.nii.gz"),
        ("Müller 脳.nii.gz", "Müller 脳.nii.gz"),
        ("broken\udcff.nii", "broken-.nii"),
    ],
)
def test_names_of_uploads_become_names_of_files(name: str, kept: str) -> None:
    assert uploads.safe_file_name(name) == kept


@given(some.text(max_size=400))
def test_any_name_stays_in_its_folder_and_is_taken_by_the_disk(name: str) -> None:
    kept = uploads.safe_file_name(f"{name}.nii.gz")
    assert kept == Path(kept).name
    assert not kept.startswith(".")
    assert kept.isprintable()
    assert len(kept.encode()) <= 200


def test_odd_and_very_long_names_open(own_cache, tmp_path: Path) -> None:
    content = _volume(tmp_path, 150)
    names = ["x" * 300 + ".nii.gz", "x" * 301 + ".nii.gz", "_mask.nii.gz", 'a,b;"c".nii.gz']
    cohort = _written([Upload(name, content) for name in [*names, "\udcff.nii.gz"]])
    assert len({scan.scan for scan in cohort.scans}) == 5
    for scan in cohort.scans:
        prepare_scan(scan, Preparation(size=32))


@pytest.mark.parametrize("name", ["notes.csv", "a.exe", "a", "manifest.csv.gz", "a.dcm.exe"])
def test_what_is_no_image_is_refused_and_nothing_is_left(own_cache, name: str) -> None:
    with pytest.raises(UserError, match="of no format read here"):
        uploads.write_uploads([Upload("a.nii"), Upload(name)], [])
    assert _left() == []


def test_a_refused_upload_leaves_nothing_behind(own_cache, tmp_path: Path) -> None:
    images = [Upload(f"{name}.nii.gz", _volume(tmp_path, 150)) for name in "ab"]
    with pytest.raises(UserError, match="fits no image"):
        uploads.write_uploads(images, [Upload("c_mask.nii.gz")])
    assert _left() == []


def test_a_full_disk_leaves_nothing_behind(own_cache, tmp_path: Path, monkeypatch) -> None:
    content, written = _volume(tmp_path, 150), Path.write_bytes

    def full(path: Path, data: bytes) -> int:
        if path.name == "b.nii.gz":
            written(path, data[:10])
            raise OSError(errno.ENOSPC, "No space left on device")
        return written(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(UserError, match="No space left on device"):
        uploads.write_uploads([Upload("a.nii.gz", content), Upload("b.nii.gz", content)], [])
    assert _left() == []


def test_a_rest_of_an_earlier_upload_is_made_whole(own_cache, tmp_path: Path) -> None:
    images = [Upload("a.nii.gz", _volume(tmp_path, 150))]
    scan = read_manifest(uploads.write_uploads(images, [])).scans[0]
    scan.image.unlink()
    assert read_manifest(uploads.write_uploads(images, [])).scans[0].image.is_file()


def test_a_gz_bomb_is_refused_before_anything_is_written(own_cache, monkeypatch) -> None:
    monkeypatch.setattr(uploads.st, "get_option", lambda name: 1)
    bomb = gzip.compress(bytes(64 << 20))
    assert len(bomb) < 1 << 17
    with pytest.raises(UserError, match="unfolds to more than 4 MB"):
        uploads.write_uploads([Upload("bomb.nii.gz", bomb)], [])
    assert _left() == []
    uploads.write_uploads([Upload("fits.nii.gz", gzip.compress(bytes(4 << 20)))], [])


def test_the_limit_of_an_upload_stands_in_one_place() -> None:
    import tomllib

    import streamlit as st

    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))
    assert st.get_option("server.maxUploadSize") == config["server"]["maxUploadSize"]
    sources = [*(ROOT / "pages").rglob("*.py"), ROOT / "app.py"]
    assert not [path for path in sources if str(config["server"]["maxUploadSize"]) + " MB" in
                path.read_text("utf-8")]  # fmt: skip
