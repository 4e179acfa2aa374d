"""Compare: two to four runs, or two moments of one, by slices, curves and settings."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import streamlit as st

from ascnet_core.errors import UserError
from ascnet_core.figures.basics import PLAIN
from ascnet_core.figures.compare import COURSE, Panel, laid_over
from ascnet_core.figures.history import Along
from ascnet_core.monitoring.comparison import (
    Curve,
    common_slices,
    course_curves,
    event_curves,
    shared,
)
from ascnet_core.places import EVENTS
from ascnet_core.runs.card import reference_in_words
from ascnet_core.runs.folder import Run, is_run, list_runs
from ascnet_core.runs.parent import read_parent
from ascnet_core.settings.tables import Settings
from ascnet_core.settings.text import about, differing, value_of
from pages.parts.compare import slices_compared
from pages.parts.shared import access, feedback, forms, state, tables, ticker
from pages.parts.shared.feedback import plain
from pages.parts.shared.runs import run_folder
from pages.parts.watch import live_run, stopping

MOST = 4
LOOKED_AT = 20  # runs among which a partner with the same watched slices is searched for
SECTIONS = ("Slices", "Curves", "Settings")
SECTION = "what is compared, live"  # a fragment
BEFORE = "runs compared before"

Curves = dict[str, Mapping[str, Curve]]
"""By the run's title, its curves by name."""


def known_names(current: str, compared: Sequence[str]) -> list[str]:
    """What can be compared: runs under `checkpoints/`, and by their paths those kept elsewhere.

    The latter are the view's own run with its neighbours, and those that a link names.
    """
    names = [path.name for path in list_runs()]
    kept_elsewhere = list(compared)
    if current not in names and access.may_open_run(current) and is_run(Path(current)):
        kept_elsewhere[:0] = map(str, list_runs(Path(current).parent))
    for name in kept_elsewhere:
        if name not in names and access.may_open_run(name) and is_run(Path(name)):
            names.append(name)
    return names


def titles(runs: Sequence[Run]) -> list[str]:
    """Names of runs, after their folder's name where two have the same."""
    names = [run.name for run in runs]
    return [
        name if names.count(name) == 1 else f"{run.path.parent.name}/{name}"
        for run, name in zip(runs, names, strict=True)
    ]


def first_choice(names: Sequence[str], current: str) -> list[str]:
    """The view's run and, of a fork, its parent.

    Of another run it is one that watches the same slices if there is one, else any other.
    """
    first = current if current in names else names[0]
    others = [name for name in names if name != first]
    if not others:
        return [first]
    if parent := parent_of(first, others):
        return [parent, first]

    def in_common(name: str) -> int:
        try:
            runs = [Run(run_folder(one)) for one in (first, name)]
            watched = [slices_compared.watched_of(run) for run in runs]
        except UserError:
            return -1
        return len(common_slices([one for one in watched if one is not None]))

    return [first, max(others[:LOOKED_AT], key=in_common)]


def parent_of(fork: str, others: Sequence[str]) -> str | None:
    """The run among `others` that a run was forked from; None where it is no fork, or gone."""
    try:
        folder = run_folder(fork)
        parent = read_parent(folder)
        if parent is None:
            return None
        beside = str(folder.parent / parent.run)
        return next((name for name in (parent.run, beside) if name in others), None)
    except UserError:
        return None


def _changed() -> None:
    st.session_state[BEFORE] = ("", ())
    state.update(compare=tuple(st.session_state[state.widget("compare")]))


def choose(names: Sequence[str]) -> list[str]:
    """The menu of runs; what is chosen is in the URL."""
    view = state.current()
    run, before = st.session_state.get(BEFORE, ("", ()))
    wanted = view.compare or (before if run == view.run else ())
    missing = [name for name in wanted if name not in names]
    if missing:
        st.warning(
            plain(f"There is no run {', '.join(missing)} any more; it is left out."),
            icon=":material/link_off:",
        )
    chosen = [name for name in wanted if name in names][:MOST]
    if missing and not chosen:  # no other is put in its place: nobody asked for that one
        chosen = [view.run if view.run in names else names[0]]
    chosen = chosen or first_choice(names, view.run)
    st.session_state[BEFORE] = (view.run, tuple(chosen))
    if tuple(chosen) != view.compare:
        state.update(compare=tuple(chosen))
    st.session_state[state.widget("compare")] = chosen
    return st.multiselect(
        "Runs to compare",
        names,
        key=state.widget("compare"),
        max_selections=MOST,
        format_func=lambda name: name.rsplit("/", 1)[-1],
        on_change=_changed,
        placeholder="Choose a run for two of its moments, or two to four runs",
        label_visibility="collapsed",
    )


def show_compare() -> None:
    view = state.current()
    names = known_names(view.run, view.compare)
    if not names:
        st.info("There is no run yet. Choose New run above and train one, or import one.")
        return
    left, right = st.columns([1.6, 1], vertical_alignment="bottom")
    with left:
        chosen = choose(names)
    runs = [Run(run_folder(name)) for name in chosen]
    section: str | None = None
    if len(runs) > 1:
        section = right.segmented_control(
            "Section",
            SECTIONS,
            default=SECTIONS[0],
            key="section of the comparison",
            label_visibility="collapsed",
            width="stretch",
        )
    else:
        more = (
            "Choose a second one beside it to compare runs."
            if len(names) > 1
            else "It is the only run here: train another one under New run, or import one."
        )
        right.caption(f"Two moments of {runs[0].name}. {more}")
    called = titles(runs)

    @feedback.show_user_errors(stop=False)
    def show_section() -> None:
        if section == SECTIONS[1]:
            show_curves(runs, called)
        elif section == SECTIONS[2]:
            show_settings(runs, called)
        else:
            slices_compared.show_slices(runs, called)

    def kept() -> list[int]:
        return [len(run.snapshots()) for run in runs]

    # the section is drawn again whenever one of the runs has kept another snapshot
    ticker.follow("comparison", runs, lambda trains: {SECTION: ticker.Part(kept, 4.0)})
    st.fragment(show_section, key=SECTION)()


def show_curves(runs: Sequence[Run], called: Sequence[str]) -> None:
    """Curves of all snapshots, of the losses that runs share, and of gauges."""
    axes: list[Along] = ["images", "cycle"]
    along = st.segmented_control(
        "Time axis",
        axes,
        default="images",
        format_func=stopping.AXES.__getitem__,
        key="time axis of the comparison",
        label_visibility="collapsed",
    )
    axis: Along = along or "images"
    course: Curves = {}
    losses: Curves = {}
    gauges: Curves = {}
    for run, name in zip(runs, called, strict=True):
        points = stopping.history_of(run).points
        events = live_run.read_new_events(run.path / EVENTS)
        course[name] = course_curves(points)
        losses[name] = event_curves(events, points)
        gauges[name] = event_curves(events, points, "epoch", "gauges")
    st.markdown("**What every snapshot shows**, mask by each run's own rule on its watched slices")
    draw(course, COURSE, axis, "course")
    terms = shared([list(one) for one in losses.values()])
    st.markdown("**Losses** that runs share, weighted as in the sum")
    if terms:
        panels = []
        for term in terms:
            curves = [one[term] for one in losses.values() if term in one]
            values = [v for curve in curves for v in curve.values if v is not None]
            panels.append(Panel(term, term, log=bool(values) and min(values) > 0))
        draw(losses, panels, axis, "losses")
    else:
        st.caption("These runs share no loss term.")
    if alone := terms_alone(losses, terms):
        st.caption(f"In one run only: {alone}.")
    measured = shared([list(one) for one in gauges.values()])
    if measured:
        st.markdown("**Gauges** at each epoch's end, mean over sample slices")
        panels = [Panel(name, live_run.GAUGES.get(name, name)) for name in measured]
        draw(gauges, panels, axis, "gauges")


def draw(runs: Curves, panels: Sequence[Panel], along: Along, name: str) -> None:
    figure = laid_over(runs, panels, along)
    st.plotly_chart(
        figure,
        key=f"compared {name}",
        config=PLAIN,
        alt=f"The {name} of the compared runs: " + ", ".join(panel.title for panel in panels),
    )


def terms_alone(losses: Curves, together: Sequence[str]) -> str:
    """The terms that one run alone has, by run."""
    found = {name: [term for term in one if term not in together] for name, one in losses.items()}
    return "; ".join(f"{name} {', '.join(terms)}" for name, terms in found.items() if terms)


def setting_rows(several: Sequence[Settings]) -> list[tuple[str, list[str], str]]:
    """What differs: key, its value in each run, its sentence."""
    return [
        (key, [forms.text_of(value_of(one, key)) or "not set" for one in several], about(key).help)
        for key in differing(*several)
    ]


def setting_table(rows: Sequence[tuple[str, Sequence[str], str]], called: Sequence[str]) -> str:
    """The rows as a table in Markdown."""
    cells = ([f"`{key}`", *(f"**{one}**" for one in values), told] for key, values, told in rows)
    return tables.markdown(["setting", *called, "what it is"], cells)


def show_settings(runs: Sequence[Run], called: Sequence[str]) -> None:
    """In which settings the runs differ, and what each setting is."""
    several = [run.settings() for run in runs]
    shown = [reference_in_words(run.path, one) for run, one in zip(runs, several, strict=True)]
    first = [
        ("preset", [one.preset or "none" for one in several], "What the settings began as."),
        ("reference", shown, "What the run was shown as normal."),
    ]
    rows = [row for row in first if len(set(row[1])) > 1] + setting_rows(several)
    if rows:
        differ = "differs" if len(rows) == 1 else "differ"
        st.markdown(f"**{tables.counted(len(rows), 'setting')} {differ}**")
        st.markdown(setting_table(rows, called))
    else:
        st.markdown("**No setting differs**")
    if alike := [f"{name} {values[0]}" for name, values, _ in first if len(set(values)) == 1]:
        st.caption(plain(f"The same in all: {'; '.join(alike)}."))
