"""The form of a new run: sets, preset, settings; the command line that does the same."""

import dataclasses
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ascnet_core import places
from ascnet_core.imaging.prepare import Preparation
from ascnet_core.runs import folder as run_folder
from ascnet_core.runs import start as run_start
from ascnet_core.runs.launch import check_processes
from ascnet_core.settings.preparation import preparation_of
from ascnet_core.settings.presets import load_preset
from ascnet_core.settings.tables import Settings
from ascnet_core.settings.text import with_method
from pages.parts.data import sets
from pages.parts.new_run import preset_box, reference_box, schedule_box, watched_box
from pages.parts.shared import cohorts, device, feedback, forms, state

REFERENCES = {
    "normal": "the cohort's normal group",
    "lesion-free": "lesion-free slices of the same cohort",
    "other": "another cohort",
}
NAME = "name of the new run"
SEEN = 96  # pixels of the preview's slices


def start(arguments: list[str], name: str, processes: int = 1) -> None:
    """Start a training and show it."""
    with feedback.show_user_errors(stop=False), st.spinner("Starting the training process"):
        run_start.start_training(arguments, processes)
        state.update(run=name)
        st.session_state.pop(state.FORK, None)
        st.session_state[state.TRAINING_VIEW] = "Runs"
        st.rerun()


def choose_sets() -> tuple[str, str]:
    """The menus of both sets; the input's key, the value of `--reference`. Raises UserError."""
    known = cohorts.known_cohorts()
    wanted, how = st.session_state.get(state.TRAIN_ON, (state.current().cohort, "normal"))
    left, middle, right = st.columns(3)
    cohort = left.selectbox(
        "Input cohort",
        known,
        index=known.index(wanted if wanted in known else state.current().cohort),
        format_func=cohorts.cohort_label,
        help="Scans to learn to cut. Masks are not used in training. Open others on Data.",
    )
    reference = middle.selectbox(
        "Reference: what is normal",
        list(REFERENCES),
        index=list(REFERENCES).index(how),
        format_func=REFERENCES.__getitem__,
        help="Lesion-free slices that the fence cut should look like (paper, section 3).",
    )
    if reference != "other":
        right.text_input("Reference cohort", cohorts.cohort_label(cohort), disabled=True)
        return cohort, reference
    other = right.selectbox(
        "Reference cohort",
        [key for key in known if key != cohort] or known,
        format_func=cohorts.cohort_label,
        help="Its normal group if it has one, else all of its lesion-free slices.",
    )
    return cohort, str(cohorts.manifest_of(other))


def small_slices(settings: Settings) -> Preparation:
    """How scans are prepared for previews: small, so quickly made; counts and levels stay."""
    return dataclasses.replace(preparation_of(settings), size=SEEN)


def keep() -> None:
    """Keep the form's values, but for the run's name, while another view of the page is shown."""
    kept = (preset_box.CHOSEN, preset_box.COMPARED, schedule_box.KEY)
    for key in list(st.session_state):
        if str(key).startswith(preset_box.FORM) or key in kept:
            st.session_state[key] = st.session_state[key]


class Fields(NamedTuple):
    """What the widgets of settings make up, and containers of the form that are filled last."""

    resolved: Settings
    changes: list[str]
    notices: DeltaGenerator
    looks: DeltaGenerator


def settings_fields(
    settings: Settings,
    prefix: str,
    cohort: str,
    fixed: Collection[str] = (),
    method: str | None = None,
) -> Fields:
    """The widgets of all settings; watched slices are picked from `cohort`. Raises UserError.

    `fixed` keys cannot be changed; `method` was chosen elsewhere. Where the values do not fit
    together, the form says so and the page ends.
    """
    start, values = settings, dict[str, Any]()
    if method is not None:
        settings, values[forms.METHOD] = with_method(settings, method), method
    values |= forms.fields_grid(forms.FIRST, settings, prefix, fixed)
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
        watched_box.show_picker(cohort, small_slices(settings), prefix)
    notices = st.container()
    with st.expander(
        "Reference lab: fewer slices, some levels, lesions left in", icon=":material/science:"
    ):
        values |= reference_box.reference_sliders(settings, prefix)
        looks = st.container()
    with st.expander("All settings", icon=":material/tune:"):
        values |= forms.all_other_fields(settings, prefix, values, fixed)
    changes = forms.assignments(start, values)
    resolved, problem = forms.checked(start, changes)
    if resolved is None:
        notices.error(problem, icon=":material/error:")
        st.stop()
    return Fields(resolved, changes, notices, looks)


def name_and_start(wanted: str, fields: Fields, arguments_of: Callable[[str], list[str]]) -> None:
    """The run's name, the button, and the command line that does the same."""
    suggestion = forms.free_name(wanted, (path.name for path in run_folder.list_runs()))
    gpus = device.known_device()[1]
    left, *middle, right = st.columns(
        [2, 1] if gpus < 2 else [2, 1, 1], vertical_alignment="bottom"
    )
    typed = left.text_input(
        "Name of the run",
        placeholder=suggestion,
        key=NAME,
        help=f"A folder of this name is made under {places.RUNS.name}/.",
    )
    name, processes = typed or suggestion, 1
    if middle:
        processes = middle[0].number_input(
            "Processes (GPUs)",
            min_value=1,
            max_value=gpus,
            value=1,
            key=schedule_box.KEY,
            help=f"One process a GPU, of {gpus}. They share each batch equally; batch norm is over "
            "the whole batch.",
        )
    fits = False
    with fields.notices, feedback.show_user_errors(stop=False):
        check_processes(fields.resolved, processes, on_gpus=True)
        fits = True
    started = right.button(
        "Start training",
        type="primary",
        icon=":material/play_arrow:",
        width="stretch",
        disabled=not fits,
    )
    arguments = arguments_of(name)
    st.caption("The same from a terminal; the process is its own and outlives this page:")
    line = forms.command_line("train", arguments, processes)
    st.code(line, language="bash", wrap_lines=True)
    if started:
        start(arguments, name, processes)


def show_looks(fields: Fields, manifest: str, named: str) -> None:
    """What both sets would be, and where the schedule does not fit; call it last: it takes time."""
    inputs = references = 0
    with fields.looks, feedback.show_user_errors(stop=False):
        seen = sets.preview(Path(manifest), small_slices(fields.resolved), named)
        inputs = round(seen.times_inputs * len(seen.pools.inputs))
        references = reference_box.reference_preview(fields.resolved, seen)
    if references:
        with fields.notices:
            schedule_box.show_schedule(fields.resolved, inputs, references)


def new_run() -> None:
    """The form of a new run. It is no `st.form`, as each choice changes what else is offered."""
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
    fields = settings_fields(settings, prefix, cohort, method=method)
    with differences:
        preset_box.show_differences(fields.resolved, preset, compared)
    preset_box.save_box(save_place, fields.resolved, preset)
    manifest = str(cohorts.manifest_of(cohort))
    name_and_start(
        f"{cohorts.cohort_label(cohort)}-{preset}".replace(" ", "-").lower(),
        fields,
        lambda name: forms.training_arguments(manifest, name, preset, named, fields.changes),
    )
    show_looks(fields, manifest, named)
