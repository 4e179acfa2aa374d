"""The list of all runs behind a button: search, tags, sorting; a click anywhere opens a run."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from ascnet_core.places import EVENTS, SETTINGS, SNAPSHOTS
from ascnet_core.runs.folder import Run, short_name
from ascnet_core.runs.lock import lock_holder
from ascnet_core.runs.manage import NOTE
from ascnet_core.runs.tags import TAGS
from pages.parts.shared import disk, state, tables
from pages.parts.shared.ticker import Part
from pages.parts.watch import manage

OPEN = "list of runs is open"  # session key of the popover
CLICKED = "a row of the list of runs was clicked"
TABLE = "table of runs"
LIST = "list of runs, live"  # a fragment
HEIGHT = 420  # pixels
COLUMNS = ("run", "status", "done", "cycles", "tags", "preset", "histogram of I_ro", "note")
SEARCHED = ("run", "status", "preset", "histogram of I_ro", "tags", "note")
KEPT = (SETTINGS, EVENTS, TAGS, NOTE)


@st.cache_data(show_spinner=False, max_entries=1000)
def _row(path: str, stamp: str, trains: bool) -> dict[str, Any]:
    return tables.run_row(Run(Path(path)))


def row_of(run: Run) -> dict[str, Any]:
    """A run's row; it is made again only where one of its files changed."""
    stamp = disk.stamp(run.path / name for name in KEPT)
    snapshots = run.path / SNAPSHOTS
    number = sum(1 for _ in snapshots.iterdir()) if snapshots.is_dir() else 0
    return _row(str(run.path), f"{stamp} {number}", lock_holder(run.path) is not None)


def found(row: Mapping[str, Any], words: str, tags: Sequence[str]) -> bool:
    """Whether a row holds every word somewhere, in any case, and has every tag."""
    cells = (row[name] for name in SEARCHED)
    text = " ".join(one if isinstance(one, str) else " ".join(one) for one in cells).casefold()
    return set(tags) <= set(row["tags"]) and all(word in text for word in words.casefold().split())


def parts(runs: Sequence[Run]) -> dict[str, Part]:
    """The fragment that a clock draws again while any run trains, where the list is open."""

    def sizes() -> list[int]:
        files = (run.path / EVENTS for run in runs)
        return [file.stat().st_size if file.is_file() else 0 for file in files]

    return {LIST: Part(sizes, 6.0)} if st.session_state.get(OPEN) else {}


def show_button(runs: Sequence[Run]) -> None:
    """The button that opens the list; only an open list is read."""
    with st.popover(
        f"All runs ({len(runs)})",
        icon=":material/list:",
        key=OPEN,
        on_change="rerun",
    ):
        if st.session_state.get(OPEN):
            with st.container(key="run-list"):
                st.fragment(show_list, key=LIST)(runs)
            manage.show_import()


def show_list(runs: Sequence[Run]) -> None:
    """Search, tags and the table."""
    if st.session_state.pop(CLICKED, False):
        st.rerun()  # the whole page, as it shows another run now
    rows = [row_of(run) for run in runs]
    left, right = st.columns([1, 1.6], vertical_alignment="bottom")
    words = left.text_input(
        "Search",
        key="words searched in the list of runs",
        placeholder="name, preset, status, tag or note",
        icon=":material/search:",
        label_visibility="collapsed",
    )
    known = sorted({tag for row in rows for tag in row["tags"]}, key=str.casefold)
    chosen: list[str] = []
    if known:
        with right:
            chosen = st.pills(
                "Tags",
                known,
                selection_mode="multi",
                key="tags of the list of runs",
                label_visibility="collapsed",
            )
    shown = [number for number, row in enumerate(rows) if found(row, words, chosen)]
    if not shown:
        st.caption("No run has all of that; take a word or a tag away.")
        return
    names = [short_name(runs[number].path) for number in shown]
    tables.choose_row(
        [rows[number] for number in shown],
        # a row's number means another run once the list has changed
        f"{TABLE} " + "/".join(names),
        on_select=lambda: _open(names),
        column_order=COLUMNS,
        height=min(38 + 35 * len(shown), HEIGHT),
        column_config={
            "run": st.column_config.TextColumn(width="medium"),
            "done": st.column_config.ProgressColumn(
                "done, % of steps", format="%d %%", min_value=0, max_value=100
            ),
            "histogram of I_ro": st.column_config.TextColumn(width="medium"),
            "tags": st.column_config.ListColumn(),
            "note": st.column_config.TextColumn(width="medium"),
        },
        alt="All runs: name, status, preset, cycles, progress, histogram, tags and note.",
    )
    if len(shown) < len(rows):
        st.caption(f"{len(shown)} of {tables.counted(len(rows), 'run')}")


def _open(names: Sequence[str]) -> None:
    """Show the run whose row was clicked, and close the list."""
    place = tables.chosen_place(st.session_state[f"{TABLE} " + "/".join(names)])
    if place is not None and place < len(names):
        st.session_state[OPEN], st.session_state[CLICKED] = False, True
        if names[place] != state.current().run:
            state.update(run=names[place])
