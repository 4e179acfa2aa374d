"""The narrow column at the left that every page shares: cohort, run, cycle, subject."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from ascnet_core.errors import UserError
from pages.parts.shared import cohorts, components, runs, state
from pages.parts.shared.question import ask_about, say_missing
from pages.parts.shared.state import View

BROWSER = Path(__file__).parent / "browser"
STYLE = components.variables() + (BROWSER / "page.css").read_text("utf-8")
_around = components.declare("ascnet_around", BROWSER / "around")

FINISHED = -1  # in the menu of cycles; a menu takes None for "nothing chosen"


def _changed(name: str) -> None:
    if state.in_fragment():
        return
    value = st.session_state[state.widget(name)]
    state.update(**{name: None if name == "cycle" and value == FINISHED else value})


def menu(
    name: str,
    label: str,
    options: Sequence[Any],
    value: Any,
    names: Callable[[Any], str] = str,
    help: str | None = None,
) -> None:
    """A menu bound to the view: the view says what is chosen, a choice changes the view."""
    how = state.bound(name, value, _changed)
    st.selectbox(label, options, format_func=names, help=help, **how)


def choose_cohort(view: View) -> None:
    """The menu of cohorts; others are opened on the Data page."""
    menu("cohort", "Cohort", cohorts.known_cohorts(), view.cohort, cohorts.cohort_label)


def choose_run(view: View) -> None:
    """The menus of runs and, where the run has snapshots, of its cycles."""
    names = list(dict.fromkeys([*runs.known_runs(), view.run]))
    menu("run", "Run", names, view.run, lambda name: name.rsplit("/", 1)[-1])
    cycles = runs.run_cycles(view.run)
    if cycles:
        menu(
            "cycle",
            "Cycle",
            [FINISHED, *reversed(cycles)],
            view.cycle if view.cycle in cycles else FINISHED,
            lambda number: "finished model" if number == FINISHED else cycles[number],
            help="A cycle trains the discriminator, then the cutting network (paper, section 3).",
        )
    if view.cycle is not None and view.cycle not in cycles:
        kept = ", ".join(map(str, cycles)) or "none"
        raise UserError(f"Run {view.run} kept no network of cycle {view.cycle}; it kept: {kept}.")


def choose_flip(view: View) -> None:
    """The switch that averages the cuts over a scan and its mirror image."""
    st.toggle(
        "Average with mirror image",
        **state.bound("flip", view.flip, _changed),
        help="Cuts the scan and its left-right mirror image and takes the mean: twice the time, "
        "steadier maps. The shipped recipe for heads with skull is scored so; `--flip` on the "
        "command line.",
    )


def neighbour(names: list[str], name: str, step: int) -> str:
    """The scan `step` places after `name`; after the last comes the first."""
    return names[(names.index(name) + step) % len(names)]


def _step_subject(names: list[str], name: str, step: int) -> None:
    state.update(scan=neighbour(names, name, step))


def choose_subject(view: View) -> View:
    """The menu of subjects with back and forward; returns the view with the subject named."""
    cohort = cohorts.load_cohort(view.cohort)
    scan = cohorts.find_scan(cohort, view.scan).scan
    names = [one.scan for one in cohort.scans]
    what = "Subject" if len(names) == len(cohort.subjects) else "Scan"
    menu(
        "scan",
        f"{what} {names.index(scan) + 1} of {len(names)}",
        names,
        scan,
        help="N goes to the next one. Subjects of the demo were never seen in training.",
    )
    back, forward = st.columns(2, gap="small")
    for column, step, label, which in ((back, -1, "‹", "previous"), (forward, 1, "›", "next")):
        column.button(
            label,
            key=f"subject {step}",
            on_click=_step_subject,
            args=(names, scan, step),
            width="stretch",
            disabled=len(names) < 2,
            help=f"{which} subject",
        )
    return replace(view, scan=scan)


def style() -> None:
    """The style and the script that all pages share; call it first on a page."""
    if PagesManager.uses_pages_directory:
        # Until `st.navigation` has run once, Streamlit takes each file in `pages/` for an app of
        # its own. A link to this page as the server's first visit must run `app.py`, too.
        PagesManager.uses_pages_directory = False
        st.rerun()
    st.html(f"<style>{STYLE}</style>")
    with st.container(key="around"):
        _around(key="around page", data={})


def unseen_title(text: str) -> None:
    """A page's heading for those who hear the page, where the view itself says what it is."""
    st.html(f'<h1 class="unseen">{text}</h1>')


def sidebar(run: bool = True, subject: bool = True) -> View:
    """Draw the sidebar and return the view to show, its subject resolved to a name.

    Where a cohort, run or subject is missing, the page says so and ends.
    """
    style()
    view = state.current()
    # Runs that the Training page compares have no place in the link of a page of one run.
    view = state.show(replace(view, compare=()) if run else view)
    ask_about(view)
    try:
        with st.sidebar:
            choose_cohort(view)
            if run:
                choose_run(view)
            return choose_subject(view) if subject else view
    except (UserError, OSError) as error:
        say_missing(view, error, run=run)
