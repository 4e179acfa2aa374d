"""Writing and reading files, and the sentences for what the system refuses."""

import errno
import os
from pathlib import Path

import pytest

from ascnet_core.errors import UserError
from ascnet_core.files import (
    file_named,
    made_folder,
    mendable,
    read_json,
    refused,
    replacing,
    text_of,
    whole_or_nothing,
    write_json,
    write_text,
)

NAME = os.fsdecode(b"im\xe9ge\xff.nii")


def leftovers(folder):
    return [path.name for path in folder.rglob("*")]


@pytest.mark.parametrize(
    ("number", "said"),
    [
        ("ENOSPC", "the disk is full"),
        ("EDQUOT", "your share of the disk is used up"),
        ("EROFS", "the place is read-only"),
        ("EACCES", "permission denied"),
        ("EMFILE", "too many files are open"),
        ("ELOOP", "links lead in a circle"),
        ("EIO", "the disk gives an error"),
        ("ENODEV", "no such device"),
        ("ESTALE", "network drive"),
        ("ECHILD", "No child processes"),
    ],
)
def test_what_the_system_refuses_to_write_is_a_sentence_and_leaves_nothing(number, said, tmp_path):
    path = tmp_path / "a" / "table.csv"
    number = getattr(errno, number)

    def write():
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise OSError(number, os.strerror(number))

    with pytest.raises(UserError, match=f"table.csv cannot be written: .*{said}"):
        write()
    assert leftovers(path.parent) == []


def test_an_error_of_another_file_is_not_said_of_this_one(tmp_path):
    with pytest.raises(FileNotFoundError) as caught, replacing(tmp_path / "out"):
        (tmp_path / "source").read_text()
    assert "source cannot be read or written: it is not there" in mendable(caught.value)


def test_the_longest_name_that_the_system_takes_can_be_written(tmp_path):
    path = tmp_path / ("é" * 124 + ".nii.gz")  # 255 bytes
    write_text(path, "x")
    assert path.read_text() == "x"
    with pytest.raises(UserError, match="the name is too long"):
        write_text(tmp_path / ("n" * 300), "x")


def test_a_file_in_the_path_is_a_sentence(tmp_path):
    (tmp_path / "file").touch()
    for path in (tmp_path / "file" / "x", tmp_path / "file" / "a" / "x"):
        with pytest.raises(UserError, match="a part of its path is a file"):
            write_text(path, "x")
    with pytest.raises(UserError, match="is a folder"):
        write_text(tmp_path, "x")


def test_what_is_a_fault_of_the_program_is_not_called_mendable():
    assert mendable(ValueError("x")) is None
    assert mendable(OSError("a library is missing")) is None
    assert mendable(ConnectionResetError(errno.ECONNRESET, "reset")) is None
    assert "Memory does not suffice" in mendable(MemoryError())
    assert "the disk is full" in mendable(OSError(errno.ENOSPC, "x"))
    assert "x cannot be read: no number" in refused("x", "read", OSError("no number"))


def test_names_of_any_bytes_survive_tables(tmp_path):
    write_json(tmp_path / "t.json", {NAME: [NAME, "é"]})
    (tmp_path / "t.json").read_text("utf-8")  # is UTF-8
    assert read_json(tmp_path / "t.json") == {NAME: [NAME, "é"]}
    (tmp_path / NAME).touch()
    write_text(tmp_path / "t.csv", NAME)
    written = (tmp_path / "t.csv").read_text("utf-8")
    assert file_named(tmp_path, written) == tmp_path / NAME
    assert file_named(tmp_path, written).exists()


def test_a_name_is_found_as_windows_writes_it(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "é.nii").touch()
    assert file_named(tmp_path, r"a\é.nii") == tmp_path / "a" / "é.nii"
    assert file_named(tmp_path, "a/é.nii") == tmp_path / "a" / "é.nii"
    assert file_named(tmp_path, r"a\b.nii") == tmp_path / "a" / "b.nii"  # not there


def test_a_path_goes_no_detour_unless_that_leads_elsewhere(tmp_path):
    for folder in ("tables", "scans", "deep/inside"):
        (tmp_path / folder).mkdir(parents=True)
    for file in ("scans/a.nii", "deep/a.nii", "a.nii"):
        (tmp_path / file).touch()
    assert file_named(tmp_path / "tables", "../scans/a.nii") == tmp_path / "scans/a.nii"
    (tmp_path / "link").symlink_to(tmp_path / "deep/inside")
    assert file_named(tmp_path / "link", "../a.nii").samefile(tmp_path / "deep/a.nii")
    assert file_named(tmp_path, "tables/../b.nii") == tmp_path / "tables/../b.nii"


def test_texts_of_windows_editors_are_read(tmp_path):
    path = tmp_path / "x.toml"
    path.write_bytes("é\r\n".encode("utf-8-sig"))
    assert text_of(path) == "é\r\n"
    for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32"):
        mark = "" if encoding in ("utf-16", "utf-32") else "\ufeff"
        path.write_bytes((mark + "secret").encode(encoding))
        with pytest.raises(UserError, match="is in UTF-16; save it again in UTF-8"):
            text_of(path)
    path.write_bytes("secret é".encode("cp1252"))
    with pytest.raises(UserError, match="is not in UTF-8") as caught:
        text_of(path)
    assert "secret" not in str(caught.value)
    with pytest.raises(UserError, match="cannot be read: it is not there"):
        text_of(tmp_path / "nowhere")
    with pytest.raises(UserError, match="cannot be read: it is a folder"):
        text_of(tmp_path)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs /dev/zero")
def test_a_device_without_an_end_is_no_table():
    with pytest.raises(UserError, match="too large"):
        text_of(Path("/dev/zero"))


def test_a_folder_that_was_made_in_vain_goes_again(tmp_path):
    def interrupted(folder, content):
        with made_folder(folder):
            if content:
                (folder / content).touch()
            raise KeyboardInterrupt

    def fails(folder, content=""):
        with pytest.raises(KeyboardInterrupt):
            interrupted(folder, content)

    fails(tmp_path / "a" / "b" / "c")
    assert leftovers(tmp_path) == []
    fails(tmp_path / "a" / "b", "kept")
    assert sorted(leftovers(tmp_path)) == ["a", "b", "kept"]
    fails(tmp_path / "a")
    assert sorted(leftovers(tmp_path)) == ["a", "b", "kept"]
    (tmp_path / "file").touch()
    with (
        pytest.raises(UserError, match="cannot be made: a part of its path is a file"),
        made_folder(tmp_path / "file" / "x"),
    ):
        pass


@pytest.mark.parametrize("stays", [False, True])
def test_what_came_into_a_folder_goes_again_and_what_was_there_stays(tmp_path, stays):
    (tmp_path / "old").mkdir()
    elsewhere = tmp_path / "old" / "content"
    elsewhere.touch()

    def fails():
        with whole_or_nothing(tmp_path, lambda: stays):
            (tmp_path / "new").mkdir()
            (tmp_path / "new" / "file").touch()
            (tmp_path / "link").symlink_to(tmp_path / "old")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert elsewhere.exists()
    assert (tmp_path / "new").exists() == stays
    assert (tmp_path / "link").is_symlink() == stays
    with whole_or_nothing(tmp_path, lambda: False):
        (tmp_path / "made").touch()
    assert (tmp_path / "made").exists()


def test_paths_are_printed_as_they_are(tmp_path):
    assert str(Path("a") / "b") in refused(Path("a") / "b", "read", OSError(errno.ENOENT, "x"))
