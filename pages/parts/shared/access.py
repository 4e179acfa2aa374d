"""Which paths of this machine the pages open, and for whom.

Demos, uploads, and the runs and studies under `checkpoints/` are always open. What else opens
depends on where the server listens and on what its owner named (`ascnet app --data FOLDER`, which
sets the variable `places.OPEN_FOLDERS`; folders are separated as in PATH):

- Folders are named: these and what is in them, nothing else.
- None is named and the server listens on this machine alone: what the user typed or agreed to in
  this session. A link may be from anybody, so a path in it is asked about first.
- None is named and the server listens to others: nothing else.

Paths are compared with links and `..` resolved, and before anything tells whether they are there.
"""

import ipaddress
import os
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import streamlit as st

from ascnet_core import places
from ascnet_core.errors import UserError
from ascnet_core.places import cache_folder
from ascnet_core.runs.folder import is_run, new_run_path, run_folders
from pages.parts.shared import state


def uploads_folder() -> Path:
    """Where uploads are kept, a folder for each."""
    return cache_folder() / "uploads"


def named_folders() -> tuple[Path, ...]:
    """The folders that the server's owner named, with links resolved."""
    named = os.environ.get(places.OPEN_FOLDERS, "").split(os.pathsep)
    return tuple(real(folder) for folder in named if folder.strip())


def listens_to_others() -> bool:
    """Whether the server can be reached from another machine, or may be."""
    address = str(st.get_option("server.address") or "").strip("[]").lower()
    if address == "localhost":
        return False
    try:
        return not ipaddress.ip_address(address).is_loopback
    except ValueError:  # every address of the machine, a name, a socket behind another server
        return True


def only_named() -> bool:
    """Whether nothing opens but what the owner named."""
    return bool(named_folders()) or listens_to_others()


def real(path: str | Path) -> Path:
    """The absolute path with links and `..` resolved. UserError where the text can be no path."""
    try:
        found = Path(os.path.realpath(Path(path).expanduser()))
        found.exists()  # raises where a part is too long for a name
    except (OSError, RuntimeError, ValueError) as error:
        if not isinstance(error, PermissionError):
            raise UserError(
                f"{shown(path)} cannot be a path on this machine; check its characters."
            ) from None
    return found


def shown(path: str | Path) -> str:
    """A path in a sentence: on one line, and not too long."""
    text = "".join(c if c.isprintable() else "?" for c in str(path))
    return text if len(text) <= 240 else f"{text[:160]}…{text[-60:]}"


def may_open(path: str | Path) -> bool:
    """Whether a cohort's file or folder may be opened; not where the text can be no path.

    Where a user may open all, what is not there counts as open: it is looked for, and named.
    """
    try:
        found = real(path)
    except UserError:
        return False
    if only_named():
        return _inside(found, always_open())
    agreed = map(Path, st.session_state.get(state.AGREED, ()))
    return _inside(found, (*always_open(), *agreed)) or not _is_there(found)


def may_open_run(name: str) -> bool:
    """Whether a run may be opened: one under `checkpoints/`, or one at a path.

    Whoever agreed to a run at a path agreed to the runs beside it: pages list them with it.
    """
    try:
        folders, path = run_folders(), real(name)
    except UserError:
        return False
    if _inside(path, (*always_open(), *map(real, folders))):
        return True
    if ".." not in Path(name).parts:
        listed = [(folder.absolute(), (folder / name).absolute()) for folder in folders]
        if any(place.parent == folder and is_run(place) for folder, place in listed):
            return True  # a link, which the owner put there
        if len(Path(name).parts) == 1 and not is_run(path):
            return True  # no run at all: its name alone tells nothing of the machine
    if only_named():
        return False
    beside = map(Path, st.session_state.get(state.AGREED_RUNS, ()))
    return path.parent in beside or not _is_there(path)


def agree(path: str | Path) -> None:
    """Open a path of a cohort for this session, where the user may open others at all."""
    _note(state.AGREED, real(path))


def agree_to_run(path: str | Path) -> None:
    """Open a run's path, and the runs beside it, for this session, if it is not open anyway."""
    if not may_open_run(str(path)):
        _note(state.AGREED_RUNS, real(path).parent)


def forget(path: str | Path) -> None:
    """Take back what `agree` noted."""
    noted = st.session_state.get(state.AGREED, [])
    if str(real(path)) in noted:
        noted.remove(str(real(path)))


def check(path: str | Path, *, is_run: bool = False) -> None:
    """Raise the sentence on a path that may not be opened; it does not tell what is there."""
    if not (may_open_run(str(path)) if is_run else may_open(path)):
        raise UserError(refusal(path))


def check_new_run(name: str) -> None:
    """Raise the sentence on a name or path of a new run that would lie where no run opens.

    Where a user may open all, what the user types may be made anywhere.
    """
    if only_named() and not may_open_run(str(new_run_path(name).absolute())):
        raise UserError(refusal(name))


def check_files(files: Iterable[Path], manifest: Path) -> None:
    """Where only named folders open: raise where a manifest names a file outside of them."""
    if not only_named():
        return
    roots = always_open()
    for file in files:
        if not _inside(real(file), roots):
            raise UserError(
                f"{shown(manifest)} names a file outside of the folders that this server opens; "
                "remove that row, or let the server's owner name the folder."
            )


def refusal(path: str | Path) -> str:
    """Why a path is not opened. Raises UserError where the text can be no path."""
    real(path)
    if only_named():
        return (
            f"{shown(path)} is in no folder that this server opens; its owner names them by "
            "`ascnet app --data FOLDER`."
        )
    return f"{shown(path)} has not been opened in this session; open it on the page Data."


def always_open() -> tuple[Path, ...]:
    """Folders that are open to all: named ones, uploads, demos, studies."""
    return _open_to_all(os.environ.get(places.OPEN_FOLDERS, ""), cache_folder(), places.RUNS)


@lru_cache(maxsize=16)
def _open_to_all(named: str, cache: Path, checkpoints: Path) -> tuple[Path, ...]:
    """Resolved once: a rerun asks a hundred times, and hundreds of looks at the disk add up."""
    demos = (cache / f"demo-{kind}" for kind in ("flair", "t2", "ct"))
    own = (uploads_folder(), *demos, checkpoints / places.STUDIES)
    return (*named_folders(), *map(real, own))


def _inside(path: Path, folders: Iterable[Path]) -> bool:
    return any(path == folder or folder in path.parents for folder in folders)


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except PermissionError:
        return True


def _note(key: str, path: Path) -> None:
    noted = st.session_state.setdefault(key, [])
    if str(path) not in noted:
        noted.append(str(path))
