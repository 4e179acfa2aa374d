"""Managing runs: note, tags, a new name, export as one file, deleting; and importing a run."""

import dataclasses
import tempfile
from pathlib import Path
from typing import NamedTuple

import streamlit as st

from ascnet_core.errors import UserError
from ascnet_core.places import TRAINING
from ascnet_core.runs.export import export_run, files_to_export, import_run, read_contents
from ascnet_core.runs.folder import Run, list_runs, short_name
from ascnet_core.runs.lock import lock_holder
from ascnet_core.runs.manage import (
    delete_run,
    in_words,
    read_note,
    rename_run,
    size_of,
    why_kept,
    write_note,
)
from ascnet_core.runs.tags import read_tags, write_tags
from pages.parts.shared import access, feedback, forms, state, tables
from pages.parts.watch import live_run

UPLOADS = "number of imports"  # a new number is a new, empty uploader
ASKED = "run that is to be deleted"  # until the question is answered
QUESTIONS = "number of questions asked"
NOTES = "notes as this session knows them"  # path of a run -> `ShownNote`
TAGS_REFUSED = "why tags were not kept"
NOTE_SAVED = "a note was saved just now"


class ShownNote(NamedTuple):
    """A run's note as its field began with it, the field's number, and why it was not saved."""

    text: str
    number: int = 0
    problem: str = ""


def show_manage(run: Run) -> None:
    """The popover of a run's head."""
    # a new key is a closed popover: it must not stay open beside the question
    number = st.session_state.setdefault(QUESTIONS, 0)
    with (
        st.popover("Manage", icon=":material/inventory_2:", key=f"manage {number}"),
        st.container(width=330),
    ):
        _manage(run)
    if st.session_state.get(ASKED) == str(run.path):
        ask_to_delete(run)


@st.fragment
@feedback.show_user_errors(stop=False)
def _manage(run: Run) -> None:
    saved = _note(run)
    _tags(run)
    _rename(run)
    _export(run)
    _delete(run)
    if saved:  # last, as a click that came with it is heard first
        st.rerun()  # the list of runs shows the note's first line


def _note(run: Run) -> bool:
    """The field of the note; whether a text was saved just now."""
    note = read_note(run.path)
    known = st.session_state.setdefault(NOTES, {})
    shown = known.get(run.path, ShownNote(note))
    if not shown.problem or _note_key(run.path, shown) not in st.session_state:
        # A text that someone else wrote comes in a new field, or the old one would overwrite it.
        # One's own text keeps its field: two fields for a moment would move what is below them.
        shown = ShownNote(note, shown.number + (shown.text != note))
    known[run.path] = shown
    key = _note_key(run.path, shown)
    st.text_area(
        "Note",
        shown.text,
        key=key,
        height=110,
        placeholder="What was it for, what came of it?",
        help="Saved in the run's folder as note.md when you leave the field; its first line "
        "stands in the list of runs.",
        on_change=_save_note,
        args=(run.path, key),
    )
    if shown.problem:
        st.error(feedback.plain(shown.problem), icon=":material/error:")
    return bool(st.session_state.pop(NOTE_SAVED, False))


def _note_key(run: Path, shown: ShownNote) -> str:
    return f"note {shown.number} of {run}"


def _save_note(run: Path, key: str) -> None:
    """Save what was typed, but not over a text that was never on this page."""
    shown: ShownNote = st.session_state[NOTES][run]
    note, problem = read_note(run), ""
    try:
        if note != shown.text and run.is_dir():
            problem = (
                f"The note was changed elsewhere meanwhile; it reads: “{note}”. Yours is not "
                "saved: change it once more to save it instead."
            )
        else:
            write_note(run, st.session_state[key])
            note, st.session_state[NOTE_SAVED] = read_note(run), True
    except UserError as error:
        problem = str(error)
    st.session_state[NOTES][run] = ShownNote(note, shown.number, problem)


def _tags(run: Run) -> None:
    shown = read_tags(run.path)
    known = {tag for path in list_runs() for tag in read_tags(path)} | set(shown)
    key = f"tags {'/'.join(shown)} of {run.path}"  # others may change them, too

    def save() -> None:
        chosen, before = set(st.session_state[key]), set(shown)
        try:
            # only what was changed here: others may have changed some meanwhile
            now = set(read_tags(run.path))
            write_tags(run.path, (now | (chosen - before)) - (before - chosen))
        except UserError as error:
            st.session_state[TAGS_REFUSED] = str(error)

    st.multiselect(
        "Tags",
        sorted(known, key=str.casefold),
        default=shown,
        accept_new_options=True,
        key=key,
        placeholder="Choose or type a tag",
        help="By tags the list of runs is filtered, also by `run list --tag`. They are kept in the "
        "run's folder as tags.txt.",
        on_change=save,
    )
    if problem := st.session_state.pop(TAGS_REFUSED, None):
        st.error(feedback.plain(problem), icon=":material/error:")


def _rename(run: Run) -> None:
    reason = why_kept(run.path, "rename")
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    name = left.text_input(
        "Name", run.name, key=f"new name of {run.path}", disabled=reason is not None
    )
    if right.button("Rename", disabled=reason is not None, width="stretch", help=reason):
        new = rename_run(run.path, name)
        _forget_runs()
        # not `update`: map, rule and threshold stay as they were, it is the same run
        key = short_name(new)
        state.show(dataclasses.replace(state.current(), run=key))
        st.rerun()


def _export(run: Run) -> None:
    whole = _bytes(run, True, True)
    training, networks = whole - _bytes(run, False, True), whole - _bytes(run, True, False)
    busy = lock_holder(run.path) is not None
    with_training = with_networks = True
    if training:
        with_training = st.checkbox(
            f"With what going on needs, {in_words(training)}",
            value=False,
            key=f"export training of {run.path}",
            help="D, the optimisers and the counters; to go on elsewhere it needs the data too.",
        )
    if networks:
        with_networks = st.checkbox(
            f"With the networks of kept cycles, {in_words(networks)}",
            value=True,
            key=f"export networks of {run.path}",
            help="Without them the cycles' cuts and histograms can be looked at, but only the "
            "finished model opens on a scan.",
        )
    st.download_button(
        f"Export as one file, up to {in_words(_bytes(run, with_training, with_networks))}",
        lambda: file_of(run.path, with_training, with_networks),
        file_name=f"{run.name}.zip",
        mime="application/zip",
        icon=":material/download:",
        key=f"export of {run.path}",
        width="stretch",
        disabled=busy,
        on_click="ignore",
        help=f"Run {run.name} is being trained; stop it before you export it."
        if busy
        else "Settings, weights, events, snapshots and note with their SHA-256, no data. Import it "
        "below the list of runs, or by `run import`.",
    )


def _bytes(run: Run, with_training: bool, with_networks: bool) -> int:
    names, _ = files_to_export(run.path, with_training, with_networks)
    return sum((run.path / name).stat().st_size for name in names)


def file_of(run: Path, with_training: bool, with_networks: bool) -> bytes:
    """A run's export as bytes."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "run.zip"
        export_run(run, file, with_training, with_networks)
        return file.read_bytes()


def _delete(run: Run) -> None:
    reason = why_kept(run.path, "delete")
    if st.button(
        "Delete this run",
        icon=":material/delete:",
        key=f"delete {run.path}",
        disabled=reason is not None,
        width="stretch",
    ):
        st.session_state[ASKED] = str(run.path)
        st.session_state[QUESTIONS] += 1
        st.rerun()
    if reason:
        st.caption(reason)


def _answered() -> None:
    st.session_state.pop(ASKED, None)


@st.dialog("Delete this run?", icon=":material/delete:", on_dismiss=_answered)
def ask_to_delete(run: Run) -> None:
    """Ask, naming the run and its size; delete it and show the next one of the list."""
    files = sum(path.is_file() for path in run.path.rglob("*"))
    st.markdown(
        f"**{run.name}**, {in_words(size_of(run.path))} in {tables.counted(files, 'file')}, is "
        "removed from the disk for good."
    )
    note = read_note(run.path)
    if note:
        st.text(note)
    keep, delete = st.columns(2)
    if keep.button("Keep it", width="stretch", on_click=_answered):
        st.rerun()
    if delete.button("Delete", type="primary", icon=":material/delete:", width="stretch"):
        _answered()
        with feedback.show_user_errors(stop=False):
            follower = follower_of(run)
            delete_run(run.path)
            _forget_runs()
            state.update(run=follower)
            st.rerun()


def follower_of(run: Run) -> str:
    """The run that is shown once `run` is gone: the next of the list, or the last one."""
    paths = list_runs()
    if run.path not in paths:
        return state.DEFAULT.run
    index = paths.index(run.path)
    rest = [path.name for path in paths if path != run.path]
    return rest[min(index, len(rest) - 1)] if rest else state.DEFAULT.run


def show_import() -> None:
    """The popover under the list of runs."""
    with (
        st.popover("Import a run", icon=":material/upload_file:", type="tertiary"),
        st.container(width=330),
    ):
        _import()


@st.fragment
@feedback.show_user_errors(stop=False)
def _import() -> None:
    number = st.session_state.setdefault(UPLOADS, 0)
    file = st.file_uploader(
        "A file that Export wrote",
        type="zip",
        key=f"import {number}",
        help="Every file in it is checked by its SHA-256, and what is no part of a run is refused. "
        "Larger ones: `run import FILE.zip` on the command line.",
    )
    if file is None:
        return
    contents = read_contents(file)
    st.caption(
        f"{tables.counted(len(contents.members), 'file')}, {in_words(contents.size)}, its training "
        f"{'can' if TRAINING in contents.members else 'cannot'} go on"
    )
    wanted = forms.free_name(contents.name, (path.name for path in list_runs()))
    name = st.text_input("Name", wanted, key=f"name of import {number}")
    if st.button("Import", type="primary", icon=":material/upload_file:", width="stretch"):
        access.check_new_run(name)
        with st.spinner("Unpacking and checking"):
            run = import_run(file, name)
        access.agree_to_run(name)
        _forget_runs()
        st.session_state[UPLOADS] = number + 1
        state.update(run=short_name(run))
        st.rerun()


def _forget_runs() -> None:
    """Empty what is cached by a run's path, which may be another run's from now on."""
    st.session_state.pop(live_run.READ, None)
    st.cache_resource.clear()
