"""Managing runs: how large one is, renaming it, deleting it, its note.

A run's folder is never incomplete: runs are unpacked and removed under a hidden temporary name
beside it, and moved in one step.
"""

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ascnet_core import places
from ascnet_core.errors import UserError
from ascnet_core.files import read_text, refused, write_text
from ascnet_core.runs import folder as run_folder
from ascnet_core.runs.card import retitle_card
from ascnet_core.runs.lock import LOCK, hold_lock, lock_holder

SHIPPED = (
    "demo-ct",
    "demo-flair",
    "demo-flair-autoencoder",
    "demo-flair-paper",
    "demo-t2",
    "lgg-flair",
)
"""The runs that come with the project, by name under `checkpoints/`; they stay as they are."""

NOTE = "note.md"
_TEMPORARY = ".tmp-run-"


def is_shipped(run: Path) -> bool:
    """Whether a run is one of those that come with the project."""
    run = _absolute(run)
    folders = [folder.resolve() for folder in (places.RUNS, places.INSTALLED_RUNS) if folder]
    return run.name in SHIPPED and run.parent.resolve() in folders


def size_of(run: Path) -> int:
    """Bytes of all files of a run."""
    total = 0
    for path in run.rglob("*"):
        with suppress(OSError):  # a training process moves files while we look
            total += path.lstat().st_size if not path.is_dir() else 0
    return total


def in_words(size: int) -> str:
    """Bytes in words, in powers of ten: `512 bytes`, `12.3 MB`."""
    if size < 1000:
        return f"{size} bytes"
    value = float(size)
    for unit in ("kB", "MB", "GB"):
        value /= 1000
        if value < 999.95:
            return f"{value:.1f} {unit}"
    return f"{value / 1000:.1f} TB"


def why_kept(run: Path, doing: str) -> str | None:
    """Why one cannot "rename" or "delete" (`doing`) a run now, in one sentence; None if one can."""
    run = _absolute(run)
    if is_shipped(run):
        return (
            f"{run.name} comes with the project, whose pages open on it; export it and import it "
            f"under another name to have one that you can {doing}."
        )
    if run.is_symlink():
        return f"{run} is a link to {run.resolve()}; {doing} that folder."
    if lock_holder(run) is not None:
        return f"Run {run.name} is being trained; stop it before you {doing} it."
    if doing == "rename" and run.parent.name == "runs" and (run.parent.parent / "folds").is_dir():
        # crossval finds its finished runs by their names
        return (
            f"Run {run.name} belongs to the cross-validation {run.parent.parent}, which knows it "
            "by its name; export it and import it under another name."
        )
    return None


def check_name(name: str) -> None:
    """Raise UserError where a name cannot be that of a run."""
    run_folder.new_run_path(name)
    if Path(name).name != name:
        raise UserError(f"{name!r} is a path; give a name alone, without '/'.")


def rename_run(run: Path, name: str) -> Path:
    """Give a run another name, in the folder where it lies; its new path.

    The title of its card changes too. `command.txt` and earlier scores keep the old name. Raises
    UserError if the run comes with the project, is being trained or belongs to a cross-validation,
    or the name is awkward or taken.
    """
    run = _absolute(run)
    if reason := why_kept(run, "rename"):
        raise UserError(reason)
    check_name(name)
    new = run.with_name(name)
    if new == run:
        return run
    _move(run, new)
    retitle_card(new)
    return new


def delete_run(run: Path) -> None:
    """Remove a run with all its files for good.

    It is moved to a hidden name first, so that an interrupted removal leaves no half run. Raises
    UserError if the run comes with the project or is being trained, or a file cannot be removed.
    """
    run = _absolute(run)
    if reason := why_kept(run, "delete"):
        raise UserError(reason)
    remove_leftovers(run.parent)
    gone = _temporary(run)
    _move(run, gone)
    shutil.rmtree(gone, ignore_errors=True)
    if gone.exists():
        raise UserError(
            f"Run {run.name} has lost its name, but not all of it could be removed; remove {gone} "
            "by hand."
        )


@contextmanager
def arriving(run: Path) -> Iterator[Path]:
    """Yield an empty hidden folder beside `run`; on success it becomes `run`.

    Raises UserError if the name is taken or the folder cannot be written.
    """
    run = _absolute(run)
    _refuse_taken(run)
    remove_leftovers(run.parent)
    folder = _temporary(run)
    try:
        folder.mkdir(parents=True)
        with hold_lock(folder):  # says that this folder is nobody's leftover
            yield folder
            _refuse_taken(run)
            folder.rename(run)
            (run / LOCK).unlink()
    except OSError as error:
        raise UserError(refused(run, "written", error)) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_leftovers(folder: Path) -> None:
    """Remove hidden folders of runs that a killed process left half unpacked or half removed."""
    for path in folder.glob(f"{_TEMPORARY}*"):
        if lock_holder(path) is None:
            shutil.rmtree(path, ignore_errors=True)


def _absolute(run: Path) -> Path:
    # not resolve(): a link keeps its own name
    return Path(os.path.abspath(run))  # noqa: PTH100


def _temporary(run: Path) -> Path:
    # without the name of the run: a long one would become too long
    return run.with_name(f"{_TEMPORARY}{uuid.uuid4().hex}")


def _refuse_taken(run: Path) -> None:
    if os.path.lexists(run):
        raise UserError(f"{run} is there already; choose another name.")


def _move(run: Path, new: Path) -> None:
    """Move a run that nobody trains, and remove its lock there."""
    _refuse_taken(new)
    try:
        with hold_lock(run):
            run.rename(new)
            (new / LOCK).unlink()
    except OSError as error:
        raise UserError(refused(run, "moved", error)) from error


def read_note(run: Path) -> str:
    """The note of a run, stripped; empty if there is none."""
    return read_text(run / NOTE).strip()


def write_note(run: Path, text: str) -> None:
    """Write a run's note, also while it trains; an empty text removes the note.

    Raises UserError if the text is no Unicode, the run is gone, or its folder cannot be written.
    """
    run_folder.check_still_there(run)
    text = "\n".join(text.splitlines()).strip()
    if not text:
        (run / NOTE).unlink(missing_ok=True)
        return
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise UserError(
            f"The note for {run.name} holds bytes that are no UTF-8 text; type it anew."
        ) from error
    write_text(run / NOTE, text + "\n")


def first_line(run: Path) -> str:
    """The note's first line, without the marks of a Markdown heading; for tables."""
    return read_note(run).partition("\n")[0].lstrip("# ").rstrip()
