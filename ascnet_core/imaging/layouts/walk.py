"""The files of a folder and its subfolders, links followed; what cannot be read is named."""

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from ascnet_core.imaging import formats
from ascnet_core.imaging.content import FETCH, stands_for
from ascnet_core.outputs import is_record

LeftOut = list[tuple[Path, str]]
"""Files in no row of a manifest, each with the reason in words."""

HIDDEN = "hidden"
UNKNOWN = "of no image format that is read here"
_POINTER_BYTES = 1024


@dataclass
class Walk:
    """What was found: files in natural order of their paths, and what was left out.

    `links` says whether there was a link that leads somewhere.
    """

    files: list[Path] = field(default_factory=list)
    left_out: LeftOut = field(default_factory=list)
    links: bool = False


def walk(folder: Path) -> Walk:
    """Find the files below `folder`, hidden ones left out.

    Links to files and folders are followed, also out of `folder`, but not to a folder that holds
    `folder`. Each folder is entered once and each file listed once, by its own name where it has
    one below `folder`. Pipes, sockets and devices are never opened.
    """
    found = Walk()
    root = Path(os.path.realpath(folder))
    entered: set[str] = set()
    # Linked folders come after all real ones, so that files have their own names where possible.
    folders, linked = [folder], list[Path]()
    while folders or linked:
        here = folders.pop() if folders else linked.pop(0)
        real = os.path.realpath(here)
        if real in entered:
            found.left_out.append((here, "a link to a folder that is looked through already"))
        elif Path(real) in root.parents:
            found.left_out.append((here, "a link to a folder that holds the one given"))
        else:
            entered.add(real)
            _enter(here, found, folders, linked)
    _list_once(found, folder, root)
    key = {path: formats.natural_key(str(path)) for path in found.files}
    found.files.sort(key=key.__getitem__)
    found.left_out.sort(key=lambda one: formats.natural_key(str(one[0])))
    return found


def _enter(here: Path, found: Walk, folders: list[Path], linked: list[Path]) -> None:
    try:
        paths = sorted(here.iterdir())
    except OSError as error:
        found.left_out.append((here, f"a folder that cannot be looked through: {_why(error)}"))
        return
    for path in paths:
        if is_record(path.name):
            continue
        if path.name.startswith("."):
            found.left_out.append((path, HIDDEN))
            continue
        if any("\ud800" <= letter <= "\udfff" for letter in path.name):
            found.left_out.append((path, "its name is not in UTF-8; rename it"))
            continue
        try:
            status, is_link = path.stat(), path.is_symlink()
        except OSError as error:
            found.left_out.append((path, _missing(path, error)))
            continue
        found.links |= is_link
        if stat.S_ISDIR(status.st_mode):
            (linked if is_link else folders).append(path)
        elif reason := _unfit(path, status):
            found.left_out.append((path, reason))
        else:
            found.files.append(path)


def _why(error: OSError) -> str:
    return (error.strerror or "unknown error").lower()


def _missing(path: Path, error: OSError) -> str:
    """Say why nothing is known of a file: mostly a link that leads nowhere."""
    try:
        target = path.readlink().as_posix()
    except OSError:
        return f"cannot be read: {_why(error)}"
    if "annex/objects" in target:
        return f"its data are not here (git-annex); {FETCH}"
    return "a link to a file that is not there; mend the link or bring the file"


def _unfit(path: Path, status: os.stat_result) -> str:
    """Say why a file is not to be opened; empty where it may be."""
    if not stat.S_ISREG(status.st_mode):
        return "a pipe, socket or device, no file"
    if not formats.format_of(path):
        return UNKNOWN
    try:
        return stands_for(path.read_bytes()) if status.st_size < _POINTER_BYTES else ""
    except OSError:
        return ""  # the reader of the format says it


def is_file(path: Path) -> bool:
    """Say whether a path is a file that may be opened: a pipe would wait for ever."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return False


def _list_once(found: Walk, folder: Path, root: Path) -> None:
    """Leave out links to files that are listed by their own names.

    Links to one file elsewhere stay: git-annex keeps equal files once, such as empty masks.
    """
    if not found.links:
        return
    real = {path: os.path.realpath(path) for path in found.files}
    own = {real[p]: p for p in found.files if real[p] == str(root / p.relative_to(folder))}
    kept = []
    for path in found.files:
        other = own.get(real[path], path)
        if other == path:
            kept.append(path)
        else:
            found.left_out.append((path, f"a link to {other.name}, which is looked at itself"))
    found.files[:] = kept
