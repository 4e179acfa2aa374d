"""Help and exit status, of every verb."""

import errno
import os
import re
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest

from ascnet_core.cli import build_parser
from ascnet_core.commands.options import RULES_HELP
from ascnet_core.errors import UserError
from tests import hangup
from tests.unit.commands.command_line import ROOT, cli, complaint, in_a_process, rows_of

VERBS = (
    *("demo", "index", "train", "segment", "evaluate", "study", "crossval", "report", "run", "app"),
)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself_by_examples(verb, capsys):
    assert cli(verb, "--help") == 0
    text = capsys.readouterr().out
    assert "examples:" in text
    assert f"python -m ascnet_core {verb} " in text
    assert "--debug" in text


def test_examples_in_help_can_be_parsed(capsys):
    """What a newcomer copies must at least be a command line."""
    parser = build_parser()
    found = 0
    for verb in VERBS:
        cli(verb, "--help")
        text = capsys.readouterr().out.partition("examples:")[2]
        text = re.sub(r"\s*\\\n\s*", " ", text)
        for line in text.splitlines():
            head, _, rest = line.partition(f"python -m ascnet_core {verb} ")
            if not head.strip() and rest:
                parser.parse_args([verb, *re.split(r" {2,}", rest)[0].split()])
                found += 1
    assert found >= 15


def test_without_a_verb_the_help_is_shown(capsys):
    assert cli() == 2
    assert "demo" in capsys.readouterr().out


def test_help_loads_nothing_heavy():
    program = """
        import sys
        from ascnet_core.cli import main
        main(["--help"])
        main(["train", "--help"])
        assert "pydantic" not in sys.modules
        main(["segment", "--help"])
        heavy = {"torch", "numpy", "pandas", "scipy", "nibabel", "skimage"} & set(sys.modules)
        assert not heavy, heavy
    """
    done = in_a_process(program)
    assert done.returncode == 0, done.stderr


def test_demo_and_index_work_without_torch(tmp_path):
    program = f"""
        import sys
        sys.modules["torch"] = None
        from ascnet_core.cli import main
        assert main(["demo", {str(tmp_path / "d")!r}, "--subjects=2", "--size=32x32x8"]) == 0
        assert main(["index", {str(tmp_path / "d")!r}, "-o", {str(tmp_path / "m.csv")!r}]) == 0
    """
    done = in_a_process(program)
    assert done.returncode == 0, done.stderr
    assert len(rows_of(tmp_path / "m.csv")) == 2


def test_the_help_names_all_rules_steps_maps_and_baselines():
    from ascnet_core.commands.evaluate import BASELINES
    from ascnet_core.methods import baselines
    from ascnet_core.network.cutting import CuttingModule
    from ascnet_core.segmentation.cuts import map_names
    from ascnet_core.segmentation.rules import RULES
    from ascnet_core.segmentation.steps import STEPS
    from ascnet_core.settings.methods import METHODS

    for entry in [*RULES.values(), *STEPS.values()]:
        assert f"  {entry.form} " in RULES_HELP
        assert entry.sentence in RULES_HELP
    asc_net = METHODS["asc-net"]
    assert {one.name for one in asc_net.maps} == set(map_names(CuttingModule(2)))
    assert set(BASELINES) == set(baselines.BASELINES)


def test_list_settings_prints_every_setting(capsys):
    from ascnet_core.settings.text import keys

    assert cli("train", "--list-settings", "--preset", "paper", "--set", "schedule.seed=7") == 0
    text = capsys.readouterr().out
    assert "schedule.seed=7\n" in text
    assert all(f"\n{key}=" in text for key in keys())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["fly"], "invalid choice"),
        (["segment", "RUN", "IMAGE"], "-o"),
        (["demo", "OUT", "--size", "96x96"], "96x96x32"),
        (["demo", "OUT", "--size", "²x96x96"], "96x96x32"),
        (["demo", "OUT", "--size", "9" * 5000 + "x9x9"], "96x96x32"),
        (["demo", "OUT", "--seed", "-1"], "--seed is -1"),
        (["app", "--port", "0"], "choose one from 1 to 65535"),
        (["segment", "demo-flair", "I.nii", "-o", "OUT", "--batch", "-1"], "--batch is -1"),
        (["train", "M.csv", "--name", "x", "--nan", "nan"], "data.nan is 'nan'"),
        (["train", "M.csv", "--name", "x", "--set", "schedule.batch_m=1e11"], "whole number"),
        (["demo", "OUT", "--subjects", "1"], "at least 2"),
        (["index", "NOWHERE"], "NOWHERE"),
        (["train", "NOWHERE.csv", "--name", "x"], "NOWHERE.csv"),
        (["train", "NOWHERE.csv"], "--name"),
        (["train", "--name", "x"], "MANIFEST"),
        (["train", "--resume", "NOWHERE"], "no run 'NOWHERE'"),
        (["train", "M.csv", "--name", "x", "--preset", "best"], "no preset 'best'"),
        (["train", "M.csv", "--name", "x", "--set", "data.sizes=3"], "data.size"),
        (["train", "M.csv", "--name", "x", "--set", "data.size=30"], "multiple of 16"),
        (["train", "M.csv", "--name", "x", "--device", "tpu"], "--device"),
        (["train", "M.csv", "--name", "x", "--device", "cuda:97"], "cuda:97"),
        (["train", "M.csv", "--name", ".."], "cannot name a run"),
        (["segment", "NOWHERE", "I.nii", "-o", "OUT"], "I.nii is not there"),
        (["evaluate", "NOWHERE.csv", "-o", "OUT"], "NOWHERE.csv"),
        (["evaluate", "NOWHERE.csv", "-o", "OUT", "--no-baselines"], "nothing to evaluate"),
        (["evaluate", "M.csv", "-o", "OUT.csv"], "folder"),
    ],
)
def test_what_the_user_can_mend_is_one_line_and_status_2(
    arguments, said, capsys, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    assert cli(*arguments) == 2
    assert said in complaint(capsys)
    assert not (tmp_path / "OUT").exists()


def test_a_failure_of_ours_is_status_1_and_debug_shows_it(monkeypatch, capsys, tmp_path):
    def fails(*args, **kwargs):
        raise ZeroDivisionError("two\nlines")

    monkeypatch.setattr("ascnet_core.imaging.phantom.demo.make_demo", fails)
    assert cli("demo", tmp_path / "d") == 1
    line = complaint(capsys)
    assert "ZeroDivisionError: two lines" in line
    assert "--debug" in line
    assert cli("demo", tmp_path / "d", "--debug") == 1
    assert "Traceback" in capsys.readouterr().err


def test_an_interruption_is_no_traceback(monkeypatch, capsys, tmp_path):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("ascnet_core.imaging.phantom.demo.make_demo", interrupted)
    assert cli("demo", tmp_path / "d") == 1
    assert "interrupted" in complaint(capsys)


def start(*arguments, closing="", **options):
    """The command line as a process of its own; `closing` closes streams as a shell does."""
    words = ["sh", "-c", f'exec "$@" {closing}', "sh", sys.executable, "-m", "ascnet_core"]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    return subprocess.Popen([*words, *map(str, arguments)], cwd=ROOT, **options)


def outcome(process):
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "ascii", "ascii:strict"])
def test_characters_that_stdout_lacks_are_replaced(encoding, tmp_path):
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    folder = tmp_path / "ł–μ"
    process = start("demo", folder, "--subjects=2", "--size=32x32x8", env=environment)
    status, out, err = outcome(process)
    assert status == 0, err
    assert b"2 subjects in" in out
    assert (folder / "manifest.csv").is_file()


def test_the_c_locale_prints_help_and_names_of_any_letters(tmp_path):
    environment = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0"}
    for verb in VERBS:
        status, _, err = outcome(start(verb, "--help", env=environment))
        assert status == 0, err
    demo = start("demo", tmp_path / "ł", "--subjects=2", "--size=32x32x8", env=environment)
    assert outcome(demo)[0] == 0
    assert (tmp_path / "ł" / "manifest.csv").is_file()


@pytest.mark.parametrize("closing", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_closed_streams_do_no_harm(closing, tmp_path):
    out = tmp_path / "d"
    process = start("demo", out, "--subjects=2", "--size=32x32x8", closing=closing)
    status, _, err = outcome(process)
    assert status == 0, err
    # a file that is opened while stdout is closed must not get what is printed
    assert outcome(start("index", out, "-o", tmp_path / "m.csv", closing=closing))[0] == 0
    assert len(rows_of(tmp_path / "m.csv")) == 2


def test_closed_streams_do_not_hide_what_is_wrong(tmp_path):
    assert outcome(start("index", tmp_path / "nowhere", closing=">&- 2>&-"))[0] == 2


def test_a_reader_that_goes_away_is_no_error_to_tell():
    command = f"{sys.executable} -m ascnet_core train --list-settings | head -1"
    done = subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, check=False)
    assert done.stdout.count(b"\n") == 1
    assert done.stderr == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("arguments", [["--help"], ["train", "--list-settings"]])
def test_what_cannot_be_printed_is_said(arguments):
    with Path("/dev/full").open("w") as full:
        buffered = {**os.environ, "PYTHONUNBUFFERED": ""}
        status, _, err = outcome(start(*arguments, stdout=full, env=buffered))
    assert status == 2
    assert err.decode().startswith("error: ")
    assert "the disk is full" in err.decode()
    assert err.count(b"\n") == 1


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, pytest.param(signal.SIGHUP, marks=hangup.heard)]
)
def test_a_signal_ends_the_work_and_leaves_nothing_behind(number, tmp_path):
    process = start("demo", tmp_path / "d", "--subjects=400")
    until = time.monotonic() + 60
    while not list(tmp_path.glob("d/.tmp-*/*.nii.gz")) and time.monotonic() < until:
        time.sleep(0.05)
    process.send_signal(number)
    status, _, err = outcome(process)
    assert status == 143
    assert err.decode() == "error: ended by a signal.\n"
    assert list(tmp_path.iterdir()) == []


def test_signals_are_as_before_afterwards(tmp_path):
    before = signal.getsignal(signal.SIGTERM)
    assert cli("index", tmp_path / "nowhere") == 2
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["demo", "FILE/d"], "a part of its path is a file"),
        (["demo", "N" * 300], "name is too long"),
        (["index", "SCANS", "-o", "FILE/m.csv"], "a part of its path is a file"),
        (["index", "SCANS", "-o", "N" * 300 + ".csv"], "name is too long"),
        (["index", "SCANS", "-o", "SCANS"], "is a folder"),
        (["index", "N" * 300], "name is too long"),
        (["segment", "demo-flair", "SCANS/manifest.csv", "-o", "FILE/o"], "is a file"),
        (["segment", "demo-flair", "SCANS/manifest.csv", "-o", "N" * 300], "name is too long"),
        (["segment", "demo-flair", "N" * 300, "-o", "OUT"], "name is too long"),
        (["segment", "N" * 300, "SCANS/manifest.csv", "-o", "OUT"], "N"),
        (["evaluate", "SCANS/manifest.csv", "-o", "FILE/out"], "is a file"),
        (["evaluate", "SCANS/manifest.csv", "-o", "N" * 300], "name is too long"),
        (["evaluate", "FILE/m.csv", "-o", "OUT"], "FILE/m.csv is not there"),
        (["train", "SCANS/manifest.csv", "--name", "./" + "N" * 300], "at most 100 letters"),
        (["train", "SCANS/manifest.csv", "--name", "FILE/run"], "a part of its path is a file"),
        (["train", "SCANS/manifest.csv", "--name", "x", "--preset", "SCANS.toml"], "is a folder"),
        (["crossval", "SCANS"], "is a folder"),
        (["crossval", "FILE/plan.toml"], "a part of its path is a file"),
        (["report", "FILE/scores"], "holds no scores"),
        (["segment", "demo-flair", "SCANS/manifest.csv", "-o", ""], "-o/--out: it is empty"),
        (["demo", "OUT", "--subjects", "9" * 12], "ask for 1 to 10000"),
        (["demo", "OUT", "--seed", "9" * 5000], "...99"),
        (["run", "export", "demo-flair", "-o", "FILE/x.zip"], "a part of its path is a file"),
        (["run", "import", "SCANS"], "is a folder"),
        (["run", "import", "N" * 300 + ".zip"], "name is too long"),
        (["run", "list", "FILE/x"], "is no folder"),
    ],
)
def test_what_the_file_system_refuses_is_one_line_and_status_2(
    arguments, said, capsys, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    assert cli("demo", "SCANS", "--subjects", 2, "--size", "32x32x8") == 0
    capsys.readouterr()
    Path("FILE").touch()
    Path("SCANS.toml").mkdir()
    before = sorted(tmp_path.rglob("*"))
    assert cli(*arguments) == 2
    assert said in complaint(capsys)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_full_disk_is_one_line_and_status_2(capsys, tmp_path, monkeypatch):
    def full(self, content):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    assert cli("demo", tmp_path / "scans", "--subjects", 2, "--size", "32x32x8") == 0
    capsys.readouterr()
    monkeypatch.setattr(Path, "write_bytes", full)
    assert cli("index", tmp_path / "scans", "-o", tmp_path / "m.csv") == 2
    line = complaint(capsys)
    assert "m.csv cannot be written: the disk is full" in line


def test_memory_that_does_not_suffice_is_one_line_and_status_2(monkeypatch, capsys, tmp_path):
    def fails(*args, **kwargs):
        raise MemoryError

    monkeypatch.setattr("ascnet_core.imaging.phantom.demo.make_demo", fails)
    assert cli("demo", tmp_path / "d") == 2
    assert "Memory does not suffice" in complaint(capsys)


def test_warnings_of_libraries_are_kept_from_users(monkeypatch, capfd, tmp_path):
    def warns(*args, **kwargs):
        warnings.warn("Extension size is not a multiple of 16 bytes", stacklevel=1)
        raise UserError("One sentence.")

    monkeypatch.setattr("ascnet_core.imaging.phantom.demo.make_demo", warns)
    monkeypatch.setattr("warnings.showwarning", lambda *args: sys.stderr.write("a warning"))
    assert cli("demo", tmp_path / "d") == 2
    assert capfd.readouterr().err == "error: One sentence.\n"
    cli("demo", tmp_path / "d", "--debug")
    assert "a warning" in capfd.readouterr().err
