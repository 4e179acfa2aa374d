"""Going on with a run: a fork that begins with a kept cycle, or further cycles."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from ascnet_core.errors import UserError
from ascnet_core.places import MANIFEST
from ascnet_core.runs.create import reference_of
from ascnet_core.runs.folder import Run
from ascnet_core.runs.parent import sizes
from ascnet_core.settings.tables import Settings
from pages.parts.new_run import draft, form, preset_box
from pages.parts.shared import cohorts, forms, state, tables
from pages.parts.shared.runs import run_folder

OWN, OTHER = "own", "other"


def fork_button(run: str, cycle: int, key: str) -> None:
    """The button that opens the form for a fork of this cycle."""
    if st.button(
        "Fork from here",
        icon=":material/fork_right:",
        width="stretch",
        key=key,
        help="Opens the form of a new run that begins with this cycle's network, filled with this "
        "run's settings. This run stays as it is.",
    ):
        st.session_state[state.FORK] = (run, cycle)
        st.session_state[state.TRAINING_VIEW] = "New run"
        st.rerun()


def fork_arguments(
    run: str,
    cycle: int,
    name: str,
    changes: Sequence[str],
    other: tuple[str, str] | None = None,
) -> list[str]:
    """What follows `python -m ascnet_core train` for a fork; `other`: (manifest, reference)."""
    manifest, reference = ([other[0]], ["--reference", other[1]]) if other else ([], [])
    words = [*manifest, "--fork", run, "--cycle", str(cycle), "--name", name, *reference]
    return words + [word for change in changes for word in ("--set", change)]


def choose_data(run: Run) -> tuple[str, str, bool]:
    """The menus of data; (cohort, reference, whether they are the run's own). Raises UserError."""
    try:
        run.cohort()
        own = str(run.path / MANIFEST), str(reference_of(run.path))
    except UserError:
        st.caption(f"The scans that {run.name} learnt from are not on this machine; choose others.")
        return *form.choose_sets(), False
    chosen = st.segmented_control(
        "Data",
        [OWN, OTHER],
        default=OWN,
        required=True,
        format_func=lambda one: f"as {run.name}" if one == OWN else "other sets",
        key="data of the fork",
    )
    return (*own, True) if chosen == OWN else (*form.choose_sets(), False)


def fork_form() -> None:
    """The form of a new run, filled with the settings of the run to fork. Raises UserError."""
    draft.restore()
    name, cycle = st.session_state[state.FORK]
    parent = Run(run_folder(name))
    settings, moment = parent.settings(), parent.at_cycle(cycle)
    note, leave = st.columns([4, 1.2], vertical_alignment="center")
    note.info(
        f"**Fork of {parent.name}, {moment.label}.** The new run begins with that cycle's network, "
        "and its schedule with cycle 1 of stage 1, or of stage 2 where stage 1 has none. The sizes "
        "of the networks stay.",
        icon=":material/fork_right:",
    )
    leave.button(
        "No fork, a plain new run",
        icon=":material/close:",
        width="stretch",
        on_click=lambda: st.session_state.pop(state.FORK, None),
    )
    cohort, named, own = choose_data(parent)
    changed = st.container()
    prefix = f"{preset_box.FORM} fork of {name}:"
    fields = form.settings_fields(settings, prefix, cohort, sizes(settings))
    rows = preset_box.difference_rows(fields.resolved, settings, settings)
    if rows:
        title = f"{tables.counted(len(rows), 'setting')} unlike {parent.name}"
        table = preset_box.difference_table(rows, parent.name, "this fork")
        changed.expander(title, icon=":material/compare_arrows:").markdown(table)
    else:
        changed.caption(
            f"All settings are those of {parent.name}; change what the fork should try."
        )
    manifest = cohort if own else str(cohorts.manifest_of(cohort))
    other = None if own else (manifest, named)
    if problem := form.sets_problem(manifest, named):
        fields.problems.append(problem)
    form.name_and_start(
        f"{parent.name}-fork",
        fields,
        lambda fork: fork_arguments(name, cycle, fork, fields.changes, other),
    )
    if not problem:
        form.show_looks(fields, str(Path(manifest)), named)


def extend_arguments(run: str, settings: Settings, further: int) -> list[str]:
    """What follows `python -m ascnet_core train` for so many further cycles of the last stage."""
    stage, cycles = last_stage(settings)
    return ["--resume", run, "--set", f"schedule.stage_{stage}={cycles + further}"]


def last_stage(settings: Settings) -> tuple[int, int]:
    """The stage that a schedule ends with, and its number of cycles."""
    schedule = settings.schedule
    return (2, schedule.stage_2) if schedule.stage_2 else (1, schedule.stage_1)


def extend_popover(label: str, run: str, settings: Settings, processes: int) -> None:
    """The box of a finished run: how many cycles more, the command, the button."""
    with st.popover(label, icon=":material/more_time:", width="stretch"):
        stage, now = last_stage(settings)
        further = st.number_input(
            f"Further cycles of stage {stage}",
            min_value=1,
            value=max(1, now // 2),
            step=1,
            key=f"further cycles of {run}",
            help="The run goes on from its last step; what it has kept stays.",
        )
        arguments = extend_arguments(run, settings, further)
        told = f"Stage {stage} has had {now}, and will have {now + further}."
        if settings.schedule.cooling:
            told += (
                " The learning rate had fallen at the end of the schedule (`schedule.cooling`); it "
                "rises again, and falls at the new end."
            )
        st.caption(told)
        st.code(forms.command_line("train", arguments, processes), language="bash", wrap_lines=True)
        pressed = st.button(
            "Go on", type="primary", icon=":material/play_arrow:", key=f"extend {run}"
        )
        form.start(pressed, arguments, run, processes)
