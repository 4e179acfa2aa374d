import os
import re
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from ascnet_core.errors import UserError
from ascnet_core.runs import manage
from ascnet_core.runs.card import _MARK, _sealed
from ascnet_core.runs.folder import Run, list_runs
from ascnet_core.runs.lock import hold_lock, lock_holder
from ascnet_core.runs.manage import (
    SHIPPED,
    arriving,
    delete_run,
    in_words,
    rename_run,
    size_of,
    why_kept,
)
from tests.made_up import write_run

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def run(runs) -> Path:
    return write_run(runs / "first", "ms")


def in_a_killed_process(program: str) -> None:
    """Run a program that ends itself by SIGKILL."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], cwd=ROOT, check=False, stderr=-1
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


# --- renaming ------------------------------------------------------------------------------------


def test_a_renamed_run_is_the_same_run_elsewhere(run):
    before = {p.relative_to(run): p.read_bytes() for p in run.rglob("*") if p.is_file()}
    new = rename_run(run, "second")
    assert new == run.with_name("second")
    assert {p.relative_to(new): p.read_bytes() for p in new.rglob("*") if p.is_file()} == before
    assert list_runs(run.parent) == [new]
    assert Run(new).status() == "finished"


def test_the_title_of_its_card_follows_but_not_one_written_by_hand(run):
    (run / "card.md").write_text(f"{_MARK}\n# first\n\nfirst of all\n", "utf-8")
    second = rename_run(run, "second")
    assert (second / "card.md").read_text("utf-8") == f"{_MARK}\n# second\n\nfirst of all\n"
    sealed = _sealed(f"{_MARK}\n# second\n\nfirst of all\n")
    (second / "card.md").write_text(sealed, "utf-8")
    second = rename_run(rename_run(second, "other"), "second")
    assert (second / "card.md").read_text("utf-8") == sealed
    (second / "card.md").write_text(sealed.replace("of all", "of mine"), "utf-8")
    second = rename_run(rename_run(second, "other"), "second")
    assert "# second\n\nfirst of mine" in (second / "card.md").read_text("utf-8")
    (second / "card.md").write_text("# My card\n", "utf-8")
    third = rename_run(second, "third")
    assert (third / "card.md").read_text("utf-8") == "# My card\n"


def test_its_own_name_is_no_change(run):
    assert rename_run(run, "first") == run
    assert run.is_dir()


@pytest.mark.parametrize("name", ["", "..", ".x", "a b", "-x", "presets", "x" * 101, "ü"])
def test_awkward_names_are_refused(run, name):
    with pytest.raises(UserError):
        rename_run(run, name)
    assert list_runs(run.parent) == [run]


@pytest.mark.parametrize("name", ["elsewhere/x", "../x", "/tmp/x", "x/"])
def test_a_run_is_not_moved_to_another_folder(run, name):
    with pytest.raises(UserError, match="a path"):
        rename_run(run, name)
    assert list_runs(run.parent) == [run]


@pytest.mark.parametrize("kind", ["run", "empty folder", "file", "dead link"])
def test_a_name_that_is_taken_is_refused(run, kind):
    taken = run.with_name("taken")
    if kind == "run":
        write_run(taken, "m")
    elif kind == "empty folder":
        taken.mkdir()
    elif kind == "file":
        taken.write_text("mine")
    else:
        taken.symlink_to("nowhere")
    with pytest.raises(UserError, match="taken is there already"):
        rename_run(run, "taken")
    assert Run(run).status() == "finished"


def test_a_run_of_a_cross_validation_keeps_the_name_it_is_known_by(tmp_path):
    run = write_run(tmp_path / "plan" / "runs" / "lgg-a-s0-f0", "m")
    (tmp_path / "plan" / "folds").mkdir()
    with pytest.raises(UserError, match="cross-validation"):
        rename_run(run, "better")
    delete_run(run)  # it would only be trained again
    assert not run.exists()


# --- deleting ------------------------------------------------------------------------------------


def test_a_deleted_run_leaves_nothing(run, runs):
    other = write_run(runs / "other", "m")
    delete_run(run)
    assert list(runs.iterdir()) == [other]


def test_a_deletion_that_is_killed_leaves_no_half_run_and_the_next_one_clears_up(run, runs):
    in_a_killed_process(f"""
        import os, shutil, signal
        from pathlib import Path
        import filelock  # version 3 makes and removes a folder as it is imported
        from ascnet_core.runs import manage
        shutil.rmtree = lambda *a, **b: os.kill(os.getpid(), signal.SIGKILL)
        manage.delete_run(Path({str(run)!r}))
    """)
    assert not run.exists()
    assert list_runs(runs) == []
    assert len(list(runs.iterdir())) == 1  # hidden
    delete_run(write_run(runs / "other", "m"))
    assert list(runs.iterdir()) == []


def test_what_is_being_unpacked_is_no_leftover(runs):
    with arriving(runs / "coming") as folder:
        (folder / "settings.toml").write_text("x")
        manage.remove_leftovers(runs)
        assert (folder / "settings.toml").is_file()
        assert list_runs(runs) == []
    assert [path.name for path in (runs / "coming").iterdir()] == ["settings.toml"]


def test_what_fails_to_arrive_leaves_nothing(runs):
    with pytest.raises(UnicodeEncodeError), arriving(runs / "coming") as folder:
        (folder / "settings.toml").write_text("x\udcff", "utf-8")
    assert list(runs.iterdir()) == []


# --- what is never moved -------------------------------------------------------------------------


@pytest.mark.parametrize("doing", [delete_run, lambda run: rename_run(run, "second")])
def test_a_run_that_is_being_trained_is_refused(run, doing):
    with hold_lock(run):
        with pytest.raises(UserError, match="Run first is being trained; stop it before you"):
            doing(run)
        assert lock_holder(run) is not None
    assert Run(run).status() == "finished"


@pytest.mark.parametrize("doing", [delete_run, lambda run: rename_run(run, "second")])
@pytest.mark.parametrize("name", SHIPPED)
def test_runs_of_the_project_are_refused(runs, name, doing):
    run = write_run(runs / name, "m")
    with pytest.raises(UserError, match=f"{name} comes with the project"):
        doing(run)
    assert Run(run).status() == "finished"


def test_a_run_of_that_name_elsewhere_is_the_users(tmp_path, runs):
    assert why_kept(write_run(tmp_path / "demo-flair", "m"), "delete") is None


def test_the_runs_of_the_project_are_those_that_git_keeps():
    kept = re.findall(r"^!checkpoints/(.+)/$", (ROOT / ".gitignore").read_text("utf-8"), re.M)
    assert sorted(kept) == sorted(SHIPPED)


@pytest.mark.parametrize("doing", [delete_run, lambda run: rename_run(run, "second")])
def test_a_link_is_refused_and_what_it_points_to_stays(tmp_path, run, doing):
    link = tmp_path / "link"
    link.symlink_to(run)
    with pytest.raises(UserError, match="is a link"):
        doing(link)
    assert Run(run).status() == "finished"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_said(run, runs):
    runs.chmod(0o500)
    try:
        with pytest.raises(UserError, match="cannot be"):
            rename_run(run, "second")
        with pytest.raises(UserError, match="cannot be"):
            delete_run(run)
    finally:
        runs.chmod(0o700)
    assert Run(run).status() == "finished"
    assert not (run / "run.lock").exists()


# --- sizes ---------------------------------------------------------------------------------------


def test_sizes(tmp_path):
    (tmp_path / "snapshots").mkdir()
    (tmp_path / "a").write_bytes(b"x" * 700)
    (tmp_path / "snapshots" / "b").write_bytes(b"x" * 800)
    assert size_of(tmp_path) == 1500
    words = [in_words(n) for n in (0, 999, 1500, 999_960, 12_345_678, 7 * 10**9, 2 * 10**12)]
    assert words == ["0 bytes", "999 bytes", "1.5 kB", "1.0 MB", "12.3 MB", "7.0 GB", "2.0 TB"]
