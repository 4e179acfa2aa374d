"""`run`: list, note, tag, rename, delete, export, import."""

import sys
from pathlib import Path

import pytest

from ascnet_core import places
from ascnet_core.runs.lock import hold_lock
from tests.made_up import write_run
from tests.unit.commands.command_line import cli, complaint, in_a_process


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """An own folder of runs, in which the tests also are."""
    folder = tmp_path / "checkpoints"
    monkeypatch.setattr(places, "RUNS", folder)
    write_run(folder / "first", "mss")
    write_run(folder / "second", "m")
    monkeypatch.chdir(tmp_path)
    return folder


def test_the_list_has_a_line_a_run(runs, capsys):
    (runs / "second" / "settings.toml").write_text("no toml [")
    assert cli("run", "note", "first", "three", "clean peaks") == 0
    capsys.readouterr()
    assert cli("run", "list") == 0
    head, first, second = capsys.readouterr().out.splitlines()
    assert head.split()[:4] == ["run", "preset", "status", "cycles"]
    assert first.split()[:6] == ["first", "teaching", "finished", "3", "of", "8"][:6]
    assert first.endswith("three clean peaks")
    assert "kB" in first
    assert second.startswith("second  unreadable: ")


def test_another_folder_is_listed_and_an_empty_one_says_what_to_do(runs, tmp_path, capsys):
    write_run(tmp_path / "elsewhere" / "third", "m")
    assert cli("run", "list", "elsewhere") == 0
    assert "third" in capsys.readouterr().out
    (tmp_path / "empty").mkdir()
    assert cli("run", "list", "empty") == 0
    assert "train" in capsys.readouterr().out
    assert cli("run", "list", "nowhere") == 2
    assert "nowhere is no folder" in complaint(capsys)


def test_tags_are_added_listed_by_and_removed(runs, capsys):
    assert cli("run", "tag", "first") == 0
    assert capsys.readouterr().out == "There is no tag on first.\n"
    assert cli("run", "tag", "first", "skull", "first lecture") == 0
    assert capsys.readouterr().out == "first lecture, skull\n"
    assert cli("run", "list", "--tag", "skull") == 0
    _, only = capsys.readouterr().out.splitlines()
    assert only.startswith("first")
    assert only.endswith("first lecture, skull")
    assert cli("run", "tag", "first", "skull", "--remove") == 0
    assert capsys.readouterr().out == "first lecture\n"
    assert (runs / "first" / "tags.txt").read_text() == "first lecture\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["list", "--tag", "none"], "No run in"),
        (["tag", "first", "skull", "--remove"], "first has no tag skull."),
        (["tag", "first", "--remove"], "Name the tags"),
        (["tag", "first", "a,b"], "'a,b' cannot be a tag"),
    ],
)
def test_tags_that_are_not_there_or_cannot_be(runs, capsys, arguments, said):
    assert cli("run", *arguments) == 2
    assert complaint(capsys).startswith(f"error: {said}")


def test_a_note_is_written_read_and_cleared(runs, capsys):
    assert cli("run", "note", "first") == 0
    assert capsys.readouterr().out == "There is no note on first.\n"
    assert cli("run", "note", "first", "a", "note") == 0
    assert cli("run", "note", runs / "first") == 0
    assert capsys.readouterr().out == "a note\n"
    assert cli("run", "note", "first", "x", "--clear") == 2
    complaint(capsys)
    assert cli("run", "note", "first", "--clear") == 0
    assert not (runs / "first" / "note.md").exists()


def test_a_run_is_renamed(runs, capsys):
    assert cli("run", "rename", "first", "third") == 0
    assert str(runs / "third") in capsys.readouterr().out
    assert cli("run", "rename", "third", "second") == 2
    assert "second is there already" in complaint(capsys)
    assert sorted(path.name for path in runs.iterdir()) == ["second", "third"]


def test_without_a_terminal_deleting_needs_a_yes(runs, capsys, monkeypatch):
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)
    assert cli("run", "delete", "first") == 2
    assert "--yes" in complaint(capsys)
    assert (runs / "first").is_dir()
    assert cli("run", "delete", "first", "second", "--yes") == 0
    assert list(runs.iterdir()) == []


@pytest.mark.parametrize(
    ("answer", "left"), [("y", []), ("Yes ", []), ("", ["first"]), ("n", ["first"])]
)
def test_on_a_terminal_it_is_asked_for_with_its_size(runs, capsys, monkeypatch, answer, left):
    asked = []
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda question: asked.append(question) or answer)
    assert cli("run", "delete", "first") == 0
    assert sorted(path.name for path in runs.iterdir()) == [*left, "second"]
    (question,) = asked
    assert str(runs / "first") in question
    assert "kB" in question


def test_no_answer_is_no_consent(runs, monkeypatch):
    def ends(question: str) -> str:
        raise EOFError

    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", ends)
    assert cli("run", "delete", "first") == 0
    assert (runs / "first").is_dir()


def test_one_name_that_is_wrong_keeps_them_all(runs, capsys):
    assert cli("run", "delete", "first", "nothing", "--yes") == 2
    assert "no run 'nothing'" in complaint(capsys)
    with hold_lock(runs / "second"):
        assert cli("run", "delete", "first", "second", "--yes") == 2
    assert "stop it before" in complaint(capsys)
    assert sorted(path.name for path in runs.iterdir()) == ["first", "second"]


def test_a_run_is_passed_on_as_one_file(runs, tmp_path, capsys):
    (runs / "first" / "training.safetensors").write_bytes(b"x" * 1000)
    (runs / "first" / "odd.xyz").write_text("x")
    assert cli("run", "export", "first") == 0
    said = capsys.readouterr().out
    assert "first.zip holds" in said
    assert "left out, no part of a run: odd.xyz" in said
    assert cli("run", "import", "first.zip") == 2
    assert "first is there already" in complaint(capsys)
    assert cli("run", "import", "first.zip", "--name", "copy") == 0
    assert (runs / "copy" / "training.safetensors").is_file()
    assert cli("run", "export", "first", "-o", "small.zip", "--no-training") == 0
    assert cli("run", "import", "small.zip", "--name", "small") == 0
    assert not (runs / "small" / "training.safetensors").exists()


def test_an_export_replaces_nothing_of_others(runs, capsys):
    Path("first.zip").write_bytes(b"mine")
    for more in ([], ["--overwrite"]):
        assert cli("run", "export", "first", *more) == 2
        assert "first.zip is there, and this tool did not write it" in complaint(capsys)
    assert Path("first.zip").read_bytes() == b"mine"
    assert cli("run", "export", "first", "-o", "other.zip") == 0
    capsys.readouterr()
    assert cli("run", "export", "first", "-o", "other.zip") == 2
    assert "give --overwrite" in complaint(capsys)
    assert cli("run", "export", "first", "-o", "other.zip", "--overwrite") == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "ACTION"),
        (["fly"], "invalid choice"),
        (["export", "first", "-o", "first.tar"], ".zip"),
        (["export", "nothing"], "no run 'nothing'"),
        (["import", "nothing.zip"], "nothing.zip cannot be read"),
        (["rename", "first", "a b"], "cannot name a run"),
    ],
)
def test_what_the_user_can_mend_is_status_2(runs, capsys, arguments, said):
    assert cli("run", *arguments) == 2
    assert said in complaint(capsys)


def test_runs_are_kept_in_order_without_torch(runs):
    program = f"""
        import sys
        from pathlib import Path
        sys.modules["torch"] = None
        from ascnet_core.cli import main
        from ascnet_core import places
        places.RUNS = Path({str(runs)!r})
        out = {str(runs.parent / "f.zip")!r}
        assert main(["run", "list"]) == 0
        assert main(["run", "export", "first", "-o", out]) == 0
        assert main(["run", "import", out, "--name", "again"]) == 0
        assert main(["run", "rename", "again", "more"]) == 0
        assert main(["run", "delete", "more", "--yes"]) == 0
    """
    done = in_a_process(program)
    assert done.returncode == 0, done.stderr
