"""The form of a new run: sets, preset, settings; the command line that does the same."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import streamlit as st

from ascnet_core.errors import UserError
from ascnet_core.training import run_folder, run_start
from ascnet_core.training.launch import check_batches
from ascnet_core.training.presets import Settings, load_preset
from pages.parts import (
    cases,
    forms,
    preset_box,
    processes_box,
    reference_box,
    schedule_box,
    sets,
    state,
)

REFERENCES = {
    "normal": "the cohort's normal group",
    "lesion-free": "lesion-free slices of the same cohort",
    "other": "another cohort",
}
NAME = "name of the new run"
SEEN = 96  # pixels of the preview's slices


def start(arguments: list[str], name: str, processes: int = 1) -> None:
    """Start a training and show it."""
    with cases.show_user_errors(stop=False), st.spinner("Starting the training process"):
        run_start.start_training(arguments, processes)
        state.update(run=name)
        st.session_state[state.TRAINING_VIEW] = "Runs"
        st.rerun()


def choose_sets() -> tuple[str, str]:
    """The menus of both sets; the input cohort's key, and what is normal as `--reference` has it.

    Raises UserError.
    """
    cohorts = cases.known_cohorts()
    wanted, how = st.session_state.get(state.TRAIN_ON, (state.current().cohort, "normal"))
    left, middle, right = st.columns(3)
    with left:
        cohort = st.selectbox(
            "Input cohort",
            cohorts,
            index=cohorts.index(wanted if wanted in cohorts else state.current().cohort),
            format_func=cases.cohort_label,
            help="Scans to learn to cut. Masks are not used in training. Open others on Data.",
        )
    with middle:
        reference = st.selectbox(
            "Reference: what is normal",
            list(REFERENCES),
            index=list(REFERENCES).index(how),
            format_func=REFERENCES.get,
            help="Lesion-free slices that the fence cut should look like (paper, section 3).",
        )
    with right:
        if reference != "other":
            st.text_input("Reference cohort", cases.cohort_label(cohort), disabled=True)
            return cohort, reference
        others = [key for key in cohorts if key != cohort] or cohorts
        other = st.selectbox(
            "Reference cohort",
            others,
            format_func=cases.cohort_label,
            help="Its normal group if it has one, else all of its lesion-free slices.",
        )
        return cohort, str(cases.manifest_of(other))


def preview_of(manifest: str, named: str, settings: Settings) -> sets.Preview | None:
    """Both sets from a sample of scans, or None and the sentence that says why there are none."""
    from ascnet_core.training.run_sets import preparation_of

    # the size changes neither counts nor levels, and small slices are made quickly
    how = dataclasses.replace(preparation_of(settings), size=SEEN)
    try:
        return sets.preview(Path(manifest), how, named)
    except UserError as error:
        st.error(str(error), icon=":material/error:")
        return None


def uneven_batches(settings: Settings, processes: int) -> str:
    """The sentence that says why so many processes cannot share the batches; empty if they can."""
    try:
        check_batches(settings, processes)
    except UserError as error:
        return str(error)
    return ""


def keep() -> None:
    """Hold what the form's widgets say while another view of the page is shown.

    All but the run's name: a started run has it already.
    """
    for key in list(st.session_state):
        if str(key).startswith(preset_box.FORM) or key in (
            preset_box.CHOSEN,
            preset_box.COMPARED,
            processes_box.KEY,
        ):
            st.session_state[key] = st.session_state[key]


def new_run() -> None:
    """The form of a new run. What is chosen changes what is offered, so it is no `st.form`."""
    cohort, named = choose_sets()
    preset, compared, save_place = preset_box.choose_preset()
    settings = load_preset(preset)
    st.caption(settings.description)
    differences = st.container()
    prefix = preset_box.widget_prefix(preset)
    values = forms.fields_grid(forms.FIRST, settings, prefix)
    notices = st.container()
    with st.expander(
        "Reference lab: fewer slices, some levels, lesions left in", icon=":material/science:"
    ):
        values |= reference_box.reference_sliders(settings, prefix)
        looks = st.container()
    with st.expander("All settings", icon=":material/tune:"):
        values |= forms.all_other_fields(settings, prefix, values)
    changes = forms.assignments(settings, values)
    resolved, problem = forms.checked(settings, changes)
    if resolved is None:
        notices.error(problem, icon=":material/error:")
        return
    with differences:
        preset_box.show_differences(resolved, preset, compared)
    preset_box.save_box(save_place, resolved, preset)
    manifest = str(cases.manifest_of(cohort))
    suggestion = forms.free_name(
        f"{cases.cohort_label(cohort)}-{preset}".replace(" ", "-").lower(),
        (path.name for path in run_folder.list_runs()),
    )
    gpus = processes_box.known_gpus()
    left, *middle, right = st.columns(
        [2, 1] if gpus < 2 else [2, 1, 1], vertical_alignment="bottom"
    )
    name = (
        left.text_input(
            "Name of the run",
            placeholder=suggestion,
            key=NAME,
            help=f"A folder of this name is made under {run_folder.RUNS.name}/.",
        )
        or suggestion
    )
    processes = 1
    if middle:
        with middle[0]:
            processes = processes_box.choose_processes(gpus)
    uneven = uneven_batches(resolved, processes)
    if uneven:
        notices.error(uneven, icon=":material/error:")
    started = right.button(
        "Start training",
        type="primary",
        icon=":material/play_arrow:",
        width="stretch",
        disabled=bool(uneven),
    )
    arguments = forms.training_arguments(manifest, name, preset, named, changes)
    st.caption("The same from a terminal; the process is its own and outlives this page:")
    line = forms.command_line("train", arguments, processes)
    st.code(line, language="bash", wrap_lines=True)
    if started:
        start(arguments, name, processes)
    # last, as large scans take some seconds: the form above can be used meanwhile
    with looks:
        seen = preview_of(manifest, named, resolved)
        references = reference_box.reference_preview(resolved, seen) if seen else None
    with notices:
        if seen and references:
            inputs = round(seen.times_inputs * len(seen.pools.inputs))
            schedule_box.show_schedule(resolved, inputs, references)
