"""The form of a new run: sets, preset, settings; the command line that does the same."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from ascnet_core import places
from ascnet_core.errors import UserError
from ascnet_core.runs import folder as run_folder
from ascnet_core.runs import start as run_start
from ascnet_core.runs.launch import check_processes
from ascnet_core.settings.presets import load_preset
from ascnet_core.settings.tables import Settings
from ascnet_core.settings.text import with_method
from pages.parts.data import sets
from pages.parts.new_run import preset_box, reference_box, schedule_box, watched_box
from pages.parts.shared import cases, forms, state

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

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
        st.session_state.pop(state.FORK, None)
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
    from ascnet_core.settings.preparation import preparation_of

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
        check_processes(settings, processes, on_gpus=True)
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
            schedule_box.KEY,
        ):
            st.session_state[key] = st.session_state[key]


@dataclasses.dataclass(frozen=True)
class Fields:
    """What the widgets of settings hold, and places of the form that are filled last."""

    values: dict[str, Any]
    notices: DeltaGenerator
    looks: DeltaGenerator


def settings_fields(
    settings: Settings,
    prefix: str,
    cohort: str,
    fixed: Collection[str] = (),
    shown: Mapping[str, Any] | None = None,
) -> Fields:
    """The widgets of all settings; `cohort` is where to pick slices.

    `fixed` keys cannot be changed; `shown` are values of widgets that stand elsewhere. Raises
    UserError.
    """
    values = dict(shown or {}) | forms.fields_grid(forms.FIRST, settings, prefix, fixed)
    left, middle, right = st.columns(3, vertical_alignment="bottom")
    with left:
        values["schedule.snapshot_epochs"] = forms.field_widget(
            "schedule.snapshot_epochs", settings, prefix
        )
    with middle:
        values[watched_box.KEY] = watched_box.watched_field(settings, prefix)
    picking = right.toggle(
        "Pick watched slices on the scans",
        key=watched_box.PICKING,
        help="Every snapshot keeps the cuts of the watched slices. They are only looked at.",
    )
    if picking:
        from ascnet_core.settings.preparation import preparation_of

        # places of slices don't depend on their size, and small ones are made quickly
        how = dataclasses.replace(preparation_of(settings), size=SEEN)
        watched_box.show_picker(cohort, how, prefix)
    notices = st.container()
    with st.expander(
        "Reference lab: fewer slices, some levels, lesions left in", icon=":material/science:"
    ):
        values |= reference_box.reference_sliders(settings, prefix)
        looks = st.container()
    with st.expander("All settings", icon=":material/tune:"):
        values |= forms.all_other_fields(settings, prefix, values, fixed)
    return Fields(values, notices, looks)


def name_and_start(
    wanted: str, fields: Fields, resolved: Settings, arguments_of: Callable[[str], list[str]]
) -> None:
    """The run's name, the button, and the command line that does the same."""
    suggestion = forms.free_name(wanted, (path.name for path in run_folder.list_runs()))
    gpus = schedule_box.known_gpus()
    left, *middle, right = st.columns(
        [2, 1] if gpus < 2 else [2, 1, 1], vertical_alignment="bottom"
    )
    name = (
        left.text_input(
            "Name of the run",
            placeholder=suggestion,
            key=NAME,
            help=f"A folder of this name is made under {places.RUNS.name}/.",
        )
        or suggestion
    )
    processes = 1
    if middle:
        with middle[0]:
            processes = schedule_box.choose_processes(gpus)
    uneven = uneven_batches(resolved, processes)
    if uneven:
        fields.notices.error(uneven, icon=":material/error:")
    started = right.button(
        "Start training",
        type="primary",
        icon=":material/play_arrow:",
        width="stretch",
        disabled=bool(uneven),
    )
    arguments = arguments_of(name)
    st.caption("The same from a terminal; the process is its own and outlives this page:")
    line = forms.command_line("train", arguments, processes)
    st.code(line, language="bash", wrap_lines=True)
    if started:
        start(arguments, name, processes)


def show_looks(fields: Fields, manifest: str, named: str, resolved: Settings) -> None:
    """What both sets would be, and what does not fit.

    Last, as large scans take some seconds: the form above can be used meanwhile.
    """
    with fields.looks:
        seen = preview_of(manifest, named, resolved)
        references = reference_box.reference_preview(resolved, seen) if seen else None
    with fields.notices:
        if seen and references:
            inputs = round(seen.times_inputs * len(seen.pools.inputs))
            schedule_box.show_schedule(resolved, inputs, references)


def new_run() -> None:
    """The form of a new run. What is chosen changes what is offered, so it is no `st.form`."""
    cohort, named = choose_sets()
    preset, compared, save_place = preset_box.choose_preset()
    settings = load_preset(preset)
    prefix = preset_box.widget_prefix(preset)
    left, right = st.columns([1, 2], vertical_alignment="center")
    with left:
        method = forms.field_widget(forms.METHOD, settings, prefix)
    right.caption(settings.description)
    chosen = with_method(settings, method)
    if chosen is not settings:
        prefix += method
        st.caption(chosen.method.sentence)
    differences = st.container()
    fields = settings_fields(chosen, prefix, cohort, shown={forms.METHOD: method})
    changes = forms.assignments(settings, fields.values)
    resolved, problem = forms.checked(settings, changes)
    if resolved is None:
        fields.notices.error(problem, icon=":material/error:")
        return
    with differences:
        preset_box.show_differences(resolved, preset, compared)
    preset_box.save_box(save_place, resolved, preset)
    manifest = str(cases.manifest_of(cohort))
    name_and_start(
        f"{cases.cohort_label(cohort)}-{preset}".replace(" ", "-").lower(),
        fields,
        resolved,
        lambda name: forms.training_arguments(manifest, name, preset, named, changes),
    )
    show_looks(fields, manifest, named, resolved)
