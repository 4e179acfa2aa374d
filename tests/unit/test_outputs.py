"""Outputs never take the place of what this tool did not write."""

import json
import multiprocessing
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from ascnet_core import outputs
from ascnet_core.errors import UserError
from ascnet_core.outputs import LEDGER, check_targets, is_ours, read_ledger, write_own, writing


def put(
    folder: Path,
    overwrite: bool = False,
    then: Callable[[], object] = lambda: None,
    **contents: str,
) -> None:
    """Write files (`a_csv` is a.csv); `then` is called before they move into their place."""
    names = [name.replace("_", ".") for name in contents]
    with writing(folder, names, "index", overwrite=overwrite) as aside:
        for name, text in zip(names, contents.values(), strict=True):
            (aside / name).write_text(text)
        then()


def listed(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*"))


def test_what_is_written_is_known_again(tmp_path):
    put(tmp_path / "out", b_csv="2", a_csv="1")
    assert listed(tmp_path) == [LEDGER, "a.csv", "b.csv", "out"]
    assert read_ledger(tmp_path / "out").keys() == {"a.csv", "b.csv"}
    assert read_ledger(tmp_path / "out")["a.csv"].verb == "index"
    assert is_ours(tmp_path / "out" / "a.csv")
    assert not is_ours(tmp_path / "out" / LEDGER)
    (tmp_path / "out" / "a.csv").write_text("mended by hand")
    assert not is_ours(tmp_path / "out" / "a.csv")
    assert read_ledger(tmp_path) == {}


def test_our_own_is_replaced_on_demand_only(tmp_path):
    put(tmp_path, a_csv="1")
    with pytest.raises(UserError, match=r"a\.csv was written by an earlier call; give --overwrite"):
        put(tmp_path, a_csv="2")
    assert (tmp_path / "a.csv").read_text() == "1"
    put(tmp_path, overwrite=True, a_csv="2")
    assert (tmp_path / "a.csv").read_text() == "2"
    assert is_ours(tmp_path / "a.csv")


@pytest.mark.parametrize("overwrite", [False, True])
def test_files_of_others_stay(tmp_path, overwrite):
    (tmp_path / "mine.csv").write_text("drawn by hand")
    (tmp_path / "link.csv").symlink_to("mine.csv")
    (tmp_path / "dangling.csv").symlink_to("nowhere.csv")
    (tmp_path / "folder.csv").mkdir()
    put(tmp_path, edited_csv="1")
    (tmp_path / "edited.csv").write_text("2")
    before = listed(tmp_path)
    for name in ("mine", "link", "dangling", "folder", "edited"):
        with pytest.raises(UserError, match=rf"{name}\.csv is there, and this tool did not write"):
            put(tmp_path, overwrite, **{"new_csv": "x", f"{name}_csv": "x"})
    assert listed(tmp_path) == before
    assert (tmp_path / "mine.csv").read_text() == "drawn by hand"


def test_an_input_is_no_target_even_if_it_is_ours(tmp_path):
    put(tmp_path / "out", a_csv="1")
    (tmp_path / "way").symlink_to("out")
    inputs = [tmp_path / "way" / ".." / "way" / "a.csv", tmp_path / "gone.csv"]
    with pytest.raises(UserError, match=r"a\.csv is read by this call"):
        check_targets(tmp_path / "out", ["a.csv"], inputs, overwrite=True)


def test_two_names_of_one_file_are_refused_before_anything_is_written(tmp_path):
    with (
        pytest.raises(UserError, match="written twice"),
        writing(tmp_path / "out", ["a.csv", "A.csv"], "index"),
    ):
        pytest.fail("it has begun")
    assert listed(tmp_path) == []


def interrupted() -> None:
    raise KeyboardInterrupt


def test_after_an_exception_all_is_as_it_was(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        put(tmp_path / "x" / "y", then=interrupted, a_csv="1")
    assert listed(tmp_path) == []
    put(tmp_path, a_csv="1")
    with pytest.raises(KeyboardInterrupt):
        put(tmp_path, True, interrupted, a_csv="2")
    assert (tmp_path / "a.csv").read_text() == "1"
    assert listed(tmp_path) == [LEDGER, "a.csv"]


def test_what_others_wrote_meanwhile_stays(tmp_path):
    with pytest.raises(UserError, match="did not write"):
        put(tmp_path, then=lambda: (tmp_path / "b").write_text("by hand"), a="1", b="2")
    assert listed(tmp_path) == ["b"]
    assert (tmp_path / "b").read_text() == "by hand"


def test_what_is_not_written_this_time_does_not_contradict_the_rest(tmp_path):
    put(tmp_path, a_csv="1", b_csv="1")
    with writing(tmp_path, ["a.csv", "b.csv"], "index", overwrite=True) as aside:
        (aside / "b.csv").write_text("2")
        (aside / "work").write_text("thrown away")
    assert listed(tmp_path) == [LEDGER, "b.csv"]
    assert read_ledger(tmp_path).keys() == {"b.csv"}


def killed_at(folder: Path, move: int) -> None:
    """Write three files, and be killed before one of the moves."""
    replace, moves = Path.replace, 0

    def counted(self: Path, target: Path) -> Path:
        nonlocal moves
        if self.suffix == ".csv":
            moves += 1
        if moves > move:
            os.kill(os.getpid(), signal.SIGKILL)
        return replace(self, target)

    outputs.Path.replace = counted  # type: ignore[method-assign]
    put(folder, True, a_csv="2", b_csv="2", c_csv="2")


@pytest.mark.parametrize("earlier", [False, True])
@pytest.mark.parametrize("move", [0, 1, 2])
def test_after_a_kill_the_same_call_gives_the_same_bytes(tmp_path, move, earlier):
    put(tmp_path / "whole", a_csv="2", b_csv="2", c_csv="2")
    folder = tmp_path / "killed"
    if earlier:
        put(folder, a_csv="1", b_csv="1", c_csv="1")
    process = multiprocessing.get_context("fork").Process(target=killed_at, args=(folder, move))
    process.start()
    process.join(30)
    assert process.exitcode == -signal.SIGKILL
    assert len(listed(folder)) > move  # it was in the middle
    put(folder, a_csv="2", b_csv="2", c_csv="2")  # without --overwrite
    for path in (tmp_path / "whole").iterdir():
        assert path.read_bytes() == (folder / path.name).read_bytes()
    assert listed(folder) == listed(tmp_path / "whole")


def test_a_file_put_there_after_a_kill_stays(tmp_path):
    process = multiprocessing.get_context("fork").Process(target=killed_at, args=(tmp_path, 1))
    process.start()
    process.join(30)
    (tmp_path / "b.csv").write_text("drawn by hand")
    with pytest.raises(UserError, match=r"b\.csv is there"):
        put(tmp_path, True, a_csv="2", b_csv="2", c_csv="2")
    assert (tmp_path / "b.csv").read_text() == "drawn by hand"


def test_the_rests_of_the_living_stay(tmp_path):
    (tmp_path / ".tmp-mine").mkdir()
    with writing(tmp_path, ["a"], "index") as aside:
        (aside / "a").write_text("1")
        put(tmp_path, b_csv="1")
        assert (aside / "a").is_file()
    assert listed(tmp_path) == [LEDGER, ".tmp-mine", "a", "b.csv"]


def test_a_damaged_table_knows_nothing(tmp_path):
    put(tmp_path, a_csv="1")
    for text in ("[", "[]", '{"files": 3}', '{"files": {"a.csv": 1}}', '{"files": {"a.csv": {}}}'):
        (tmp_path / LEDGER).write_text(text)
        with pytest.raises(UserError, match="did not write"):
            put(tmp_path, True, a_csv="2")


def test_a_place_that_takes_no_files_is_said(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(UserError, match="cannot be written"):
        put(tmp_path / "file" / "out", a_csv="1")


def test_own_files_are_written_anew_while_work_goes_on(tmp_path):
    write_own(tmp_path / "a.csv", "1", "crossval")
    write_own(tmp_path / "a.csv", b"2", "crossval")
    assert json.loads((tmp_path / LEDGER).read_text())["files"]["a.csv"]["verb"] == "crossval"
    (tmp_path / "mine.csv").write_text("3")
    write_own(tmp_path / "mine.csv", "3", "crossval")  # nothing would change
    with pytest.raises(UserError, match="did not write"):
        write_own(tmp_path / "mine.csv", "4", "crossval")
    assert (tmp_path / "mine.csv").read_text() == "3"


def test_of_a_folder_without_a_record_the_sentence_says_why(tmp_path):
    (tmp_path / "a.csv").write_text("of an early version")
    with pytest.raises(UserError, match=r"\(early versions kept no record\); move it away"):
        put(tmp_path, a_csv="1")
    put(tmp_path, b_csv="1")
    with pytest.raises(UserError, match="as it is now; move it away"):
        put(tmp_path, a_csv="1")
