"""Links followed once, and everything that cannot be read named with the reason."""

import os
import shutil
import socket

import pytest

from ascnet_core.imaging.cohort import read_manifest, write_manifest
from ascnet_core.imaging.index import index_folder
from ascnet_core.imaging.layouts import walk as walking
from ascnet_core.imaging.layouts.walk import walk
from ascnet_core.outputs import LEDGER
from tests.unit.imaging.indexing import by_scan, reasons, touch_masks, touch_volumes


def names(found, folder):
    return [path.relative_to(folder).as_posix() for path in found.files]


def test_links_to_files_and_folders_are_followed(tmp_path):
    store, folder = tmp_path / "store", tmp_path / "scans"
    folder.mkdir()
    touch_volumes(store, "p1_flair", "p2/flair")
    (folder / "p1_flair.nii.gz").symlink_to(store / "p1_flair.nii.gz")
    (folder / "p2").symlink_to(store / "p2")
    assert names(walk(folder), folder) == ["p1_flair.nii.gz", "p2/flair.nii.gz"]
    write_manifest(folder / "manifest.csv", index_folder(folder).rows)
    assert read_manifest(folder).subjects == ("p1", "p2")


def test_each_file_is_listed_once_by_its_own_name_and_circles_end(tmp_path):
    touch_volumes(tmp_path, "b/p1_flair")
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b/again").symlink_to(tmp_path)
    (tmp_path / "b/up").symlink_to("..")
    (tmp_path / "b/out").symlink_to("/")
    (tmp_path / "b/self").symlink_to("self")
    (tmp_path / "copy_flair.nii.gz").symlink_to("b/p1_flair.nii.gz")
    found = walk(tmp_path)
    assert names(found, tmp_path) == ["b/p1_flair.nii.gz"]
    why = reasons(found, tmp_path)
    assert "looked through already" in why["a"]
    assert "looked through already" in why["b/again"]
    assert "holds the one given" in why["b/out"]
    assert "not there" in why["b/self"]
    assert why["copy_flair.nii.gz"].startswith("a link to p1_flair.nii.gz")


def test_a_folder_that_is_given_by_a_link_has_its_files_by_their_own_names(tmp_path):
    touch_volumes(tmp_path, "real/p1_flair")
    (tmp_path / "real/p2_flair.nii.gz").symlink_to("p1_flair.nii.gz")
    (tmp_path / "link").symlink_to("real")
    found = walk(tmp_path / "link")
    assert names(found, tmp_path) == ["link/p1_flair.nii.gz"]


def test_equal_files_of_git_annex_may_be_masks_of_several_and_the_image_of_one(tmp_path):
    objects = tmp_path / ".git/annex/objects"
    touch_volumes(objects, "one", "two", seed=1)
    touch_volumes(objects, "two", seed=2)
    touch_masks(objects, "empty")
    for name, target in {
        "p1_flair": "one", "p1_mask": "empty", "p2_flair": "two", "p2_mask": "empty",
        "p3_flair": "two",
    }.items():  # fmt: skip
        (tmp_path / f"{name}.nii.gz").symlink_to(objects / f"{target}.nii.gz")
    found = index_folder(tmp_path)
    rows = by_scan(found, tmp_path)
    assert [row["mask"] for row in rows.values()] == ["p1_mask.nii.gz", "p2_mask.nii.gz"]
    assert "the same file as" in reasons(found, tmp_path)["p3_flair.nii.gz"]


def test_data_that_were_not_fetched_are_named_with_what_to_do(tmp_path):
    touch_volumes(tmp_path, "p1_flair")
    (tmp_path / "p2_flair.nii.gz").symlink_to("../.git/annex/objects/zz/MD5E-s9--1.nii.gz")
    (tmp_path / "p3_flair.nii.gz").symlink_to("gone.nii.gz")
    (tmp_path / "p4").symlink_to("gone")
    (tmp_path / "p5_flair.nii.gz").write_text(
        "version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 9\n"
    )
    (tmp_path / "p6_flair.nii.gz").write_text("/annex/objects/MD5E-s9--1.nii.gz\n")
    found = index_folder(tmp_path)
    assert by_scan(found, tmp_path).keys() == {"p1"}
    why = reasons(found, tmp_path)
    assert "`git annex get` or `datalad get`" in why["p2_flair.nii.gz"]
    assert "a file that is not there" in why["p3_flair.nii.gz"]
    assert "a file that is not there" in why["p4"]
    assert "`git lfs pull`" in why["p5_flair.nii.gz"]
    assert "`git annex get`" in why["p6_flair.nii.gz"]


def test_pipes_and_sockets_are_never_opened(tmp_path, monkeypatch):
    touch_volumes(tmp_path, "p1_flair")
    os.mkfifo(tmp_path / "p2_flair.nii.gz")
    monkeypatch.chdir(tmp_path)  # a socket's path must be short
    with socket.socket(socket.AF_UNIX) as one:
        one.bind("p3_flair.nii.gz")
        why = reasons(index_folder(tmp_path), tmp_path)
    assert why["p2_flair.nii.gz"] == why["p3_flair.nii.gz"] == "a pipe, socket or device, no file"


@pytest.mark.parametrize("name", ["segmentation.csv", "dataset.json", LEDGER])
def test_pipes_in_place_of_tables_are_never_opened(tmp_path, name):
    touch_volumes(tmp_path, "imagesTr/p1_0000")
    touch_masks(tmp_path, "labelsTr/p1")
    for folder in (tmp_path, tmp_path / "imagesTr"):
        os.mkfifo(folder / name)
    assert list(by_scan(index_folder(tmp_path), tmp_path)) == ["p1"]


def test_a_folder_that_may_not_be_read_ends_nothing(tmp_path, monkeypatch):
    touch_volumes(tmp_path, "p1_flair", "shut/p2_flair")
    listing = walking.Path.iterdir

    def iterdir(path):
        if path.name == "shut":  # root may read everything
            raise PermissionError(13, "Permission denied")
        return listing(path)

    monkeypatch.setattr(walking.Path, "iterdir", iterdir)
    found = index_folder(tmp_path)
    assert by_scan(found, tmp_path).keys() == {"p1"}
    assert "permission denied" in reasons(found, tmp_path)["shut"]


@pytest.mark.parametrize("name", [b"p2\xe9_flair.nii.gz", b"p\xe9re/flair.nii.gz"])
def test_names_that_are_not_utf8_are_left_out_by_name(tmp_path, name):
    touch_volumes(tmp_path, "p1_flair")
    path = tmp_path / os.fsdecode(name)
    try:
        path.parent.mkdir(exist_ok=True)
        shutil.copy(tmp_path / "p1_flair.nii.gz", path)
    except OSError:
        pytest.skip("this file system takes UTF-8 alone")
    found = index_folder(tmp_path)
    assert by_scan(found, tmp_path).keys() == {"p1"}
    assert [reason for _, reason in found.left_out] == ["its name is not in UTF-8; rename it"]


def test_names_of_any_characters_come_back_from_the_manifest(tmp_path):
    odd = [
        " p1_flair", "p,2_flair", "p;3_flair", 'p"4"_flair', "p\n5_flair", "p\t6_flair", "=7_flair",
        "p\\8_flair", "p'9_flair", "Ä10_flair", "\u00a0p11_flair", "p\r12_flair", "-13_flair",
    ]  # fmt: skip
    for number, name in enumerate(odd):
        touch_volumes(tmp_path, f"{name}", seed=number)
    (tmp_path / " sub, 1").mkdir()
    touch_volumes(tmp_path / " sub, 1", " x_flair", seed=99)
    rows = index_folder(tmp_path).rows
    write_manifest(tmp_path / "manifest.csv", rows)
    scans = read_manifest(tmp_path).scans
    assert {scan.image.resolve() for scan in scans} == {row["image"].resolve() for row in rows}
    assert len(scans) == len(odd) + 1
    assert len({scan.subject for scan in scans}) == len(odd) + 1


def test_patients_whose_names_differ_in_blanks_alone_are_two(tmp_path):
    touch_volumes(tmp_path, "p 1_flair", "p\t1_flair", " p 1_flair")
    rows = index_folder(tmp_path).rows
    assert len({row["subject"] for row in rows}) == len({row["scan"] for row in rows}) == 3


def test_nothing_is_said_of_what_this_tool_keeps_for_itself(tmp_path):
    touch_volumes(tmp_path, "p1_flair", ".hidden")
    (tmp_path / LEDGER).write_text("{}")
    (tmp_path / ".tmp-ascnet-x").mkdir()
    assert [path.name for path, _ in walk(tmp_path).left_out] == [".hidden.nii.gz"]
