"""Cohorts that pages open: the demo ones, made when first asked for, and those the user names."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from ascnet_core.errors import UserError
from ascnet_core.file_names import file_name
from ascnet_core.imaging.cohort import Cohort, Scan, files_of, read_manifest, write_manifest
from ascnet_core.names import Tell, tell_nobody
from ascnet_core.places import MANIFEST, cache_folder
from ascnet_core.runs.folder import is_run
from pages.parts.shared import access, disk, state
from pages.parts.shared.feedback import progress_bar

if TYPE_CHECKING:
    from ascnet_core.imaging.index import Indexed

DEMOS = {"demo": "flair", "demo-t2": "t2", "demo-ct": "ct"}
DEMO_SEED = 1  # the shipped runs were trained on seed 0: these subjects are new to them
DEMO_SUBJECTS = 8
LONGEST = 40  # characters of a folder's name in the name of a file of ours
_MAKING = threading.Lock()


def demo_manifest(key: str = "demo") -> Path:
    """Where a demo cohort's manifest is, or will be once made."""
    return cache_folder() / f"demo-{DEMOS[key]}" / MANIFEST


def ensure_demo(key: str) -> Path:
    """The manifest of a demo cohort, made the first time; a session that asks meanwhile waits."""
    manifest = demo_manifest(key)
    if manifest.is_file():
        return manifest
    with progress_bar(f"Making the {DEMOS[key]} demo cohort, once") as report:
        return _make(key, lambda done, total: report(done, total, f": subject {done} of {total}"))


def make_ahead(key: str) -> None:
    """Begin to make a demo cohort beside the page that will soon need it; returns at once."""
    if not demo_manifest(key).is_file() and not _MAKING.locked():
        threading.Thread(target=_make, args=(key, tell_nobody), daemon=True).start()


def _make(key: str, progress: Tell) -> Path:
    """Make a demo cohort, unless another session has by now; its manifest."""
    from ascnet_core.imaging.phantom.demo import make_demo

    manifest = demo_manifest(key)
    with _MAKING:
        if manifest.is_file():
            return manifest
        return make_demo(
            manifest.parent,
            contrast=DEMOS[key],
            subjects=DEMO_SUBJECTS,
            seed=DEMO_SEED,
            progress=progress,
            overwrite=True,
        )


def manifest_of(key: str) -> Path:
    """The manifest of a cohort's key: a demo's name, or the path of a manifest or a folder.

    A folder without a manifest is indexed; that manifest goes to our cache, so that the user's
    folder stays as it is. Raises UserError where nothing readable is there, or where the path may
    not be opened.
    """
    if key in DEMOS:
        return ensure_demo(key)
    access.check(key)
    path = Path(key).expanduser()
    if path.is_file():
        return path
    if not path.is_dir():
        raise UserError(
            f"{access.shown(key)}: no such manifest or folder on this machine; open another cohort "
            "on Data."
        )
    if (path / MANIFEST).is_file():
        access.check_files([path / MANIFEST], path)
        return path / MANIFEST
    return _indexed(path, disk.stamp([path]))[0]


def looked_through(key: str) -> Indexed | None:
    """What indexing found in a cohort's folder and left out of it; None where it has a manifest."""
    path = Path(key).expanduser()
    if key in DEMOS or not path.is_dir() or (path / MANIFEST).is_file():
        return None
    access.check(key)
    return _indexed(path, disk.stamp([path]))[1]


@st.cache_resource(show_spinner="Looking through the folder", max_entries=16)
def _indexed(folder: Path, changed: str) -> tuple[Path, Indexed]:
    """The manifest made for a folder, and what was found; made again when a file changed."""
    from ascnet_core.imaging.index import index_folder

    found = index_folder(folder)
    digest = hashlib.sha1(f"{folder.resolve()}\0{changed}".encode("utf-8", "surrogateescape"))
    name = f"{file_name(folder.name)[:LONGEST]}.csv"  # the cohort is called after it
    manifest = cache_folder() / "indexed" / digest.hexdigest()[:12] / name
    write_manifest(manifest, found.rows)
    return manifest, found


@st.cache_resource(show_spinner=False, max_entries=32)
def _read_cohort(manifest: Path, changed: str, open_folders: tuple[Path, ...]) -> Cohort:
    cohort = read_manifest(manifest)
    access.check_files((file for scan in cohort.scans for file in files_of(scan)), manifest)
    return cohort


def load_cohort(key: str) -> Cohort:
    """The cohort of a key, read again when its manifest changed. Raises UserError."""
    manifest = manifest_of(key)
    return _read_cohort(manifest, disk.stamp([manifest]), access.named_folders())


def cohort_stamp(cohort: Cohort) -> str:
    """Another text once the manifest or any file of the cohort's scans changed."""
    return disk.stamp([cohort.manifest]) + disk.scans_stamp(cohort.scans)


def may_open(key: str) -> bool:
    """Whether the cohort of a key opens without a question."""
    return key in DEMOS or access.may_open(key)


def open_cohort(path: str) -> str:
    """Read a manifest or folder that the user named and remember it for this session; its key."""
    path = path.strip()
    if path in DEMOS:
        load_cohort(path)
        return path
    key = str(access.real(path))
    access.agree(key)
    try:
        load_cohort(key)
    except UserError:
        access.forget(key)
        raise
    opened = st.session_state.setdefault(state.OPENED, [])
    if key not in opened:
        opened.append(key)
    return key


def known_cohorts() -> list[str]:
    """Keys to choose from: the demo, what this session opened, and what the URL names."""
    keys = ["demo", *st.session_state.get(state.OPENED, [])]
    keys += [key for key in DEMOS if key != "demo" and demo_manifest(key).is_file()]
    named = state.current().cohort
    return keys if named in keys else [*keys, named]


def cohort_label(key: str) -> str:
    """A cohort's short name for a menu."""
    if key in DEMOS:
        return f"demo {DEMOS[key].upper()}"
    path = Path(key)
    if path.name == MANIFEST:
        of = "data of " if is_run(path.parent) else ""
        return of + path.parent.name
    return path.stem


def find_scan(cohort: Cohort, name: str) -> Scan:
    """A cohort's scan by name, the first anomalous one for "". Raises UserError."""
    if not cohort.scans:
        raise UserError(f"{cohort.manifest}: the manifest has no scans; add rows or open another.")
    if not name:
        return next((scan for scan in cohort.scans if scan.group != "normal"), cohort.scans[0])
    for scan in cohort.scans:
        if name in (scan.scan, scan.subject):
            return scan
    raise UserError(
        f"{name}: no such subject in {cohort.name}; it has {cohort.scans[0].scan} to "
        f"{cohort.scans[-1].scan}."
    )
