"""The form of a new run: sets, preset, settings; the command line that does the same."""

import dataclasses
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ascnet_core import places
from ascnet_core.errors import UserError
from ascnet_core.files import mendable
from ascnet_core.imaging.cohort import read_manifest
from ascnet_core.imaging.prepare import Preparation
from ascnet_core.imaging.reference import check_reference, proposed_reference
from ascnet_core.runs import folder as run_folder
from ascnet_core.runs import start as run_start
from ascnet_core.runs.create import check_new
from ascnet_core.runs.launch import check_processes
from ascnet_core.runs.room import check_room
from ascnet_core.settings.preparation import preparation_of
from ascnet_core.settings.presets import load_preset
from ascnet_core.settings.tables import Settings
from ascnet_core.settings.text import with_method
from pages.parts.data import sets
from pages.parts.new_run import (
    draft,
    preset_box,
    proposal_box,
    reference_box,
    schedule_box,
    watched_box,
)
from pages.parts.shared import access, cohorts, device, feedback, forms, state

REFERENCES = {
    "normal": "the cohort's normal group",
    "lesion-free": "lesion-free slices of the same cohort",
    "other": "another cohort",
}
REFUSED = "the training that did not start, and why"
SEEN = 96  # pixels of the preview's slices


def start(
    pressed: bool,
    arguments: list[str],
    name: str,
    processes: int = 1,
    said: DeltaGenerator | None = None,
) -> None:
    """Start a training where its button was `pressed`, and show it.

    Why it did not start is written where `said` is; it stays while the same would be started.
    """
    asked = (*arguments, processes)
    if pressed:
        with st.spinner("Reading the scans and starting the training"):
            try:
                run_start.start_training(arguments, processes)
                problem = ""
            except (UserError, OSError) as error:
                problem = mendable(error) or str(error)
        st.session_state[REFUSED] = (asked, problem)
    refused, problem = st.session_state.get(REFUSED, (None, ""))
    if problem and refused == asked:
        with said or st.container():
            st.error(feedback.plain(forms.in_labels(problem)), icon=":material/error:")
    if problem or not pressed:
        return
    access.agree_to_run(name)  # whoever typed the path need not agree to it once more
    state.update(run=name)
    st.session_state.pop(state.FORK, None)
    draft.forget_name()
    st.session_state[state.TRAINING_VIEW] = "Runs"
    st.rerun()


def choose_sets() -> tuple[str, str]:
    """The menus of both sets; the input's key, the value of `--reference`. Raises UserError."""
    known, viewed = cohorts.known_cohorts(), state.current().cohort
    wanted, how = st.session_state.pop(state.TRAIN_ON, (None, None))
    held = st.session_state.get(draft.COHORT)
    if wanted in known:
        st.session_state[draft.COHORT] = wanted
    elif held not in known or st.session_state.get(draft.FOLLOWED) != viewed:
        st.session_state[draft.COHORT] = viewed
    st.session_state[draft.FOLLOWED] = viewed
    left, middle, right = st.columns(3)
    cohort = left.selectbox(
        "Input cohort",
        known,
        key=draft.COHORT,
        format_func=cohorts.cohort_label,
        help="Scans to learn to cut. Masks are not used in training. Open others on Data.",
    )
    of_cohort = f"{draft.REFERENCE} on {cohort}"
    if how in REFERENCES and wanted == cohort:
        st.session_state[of_cohort] = how
    elif st.session_state.get(of_cohort) not in REFERENCES:
        fitting = proposed_reference(cohorts.load_cohort(cohort))
        st.session_state[of_cohort] = fitting or "other"
    reference = middle.selectbox(
        "Reference: what is normal",
        list(REFERENCES),
        key=of_cohort,
        format_func=REFERENCES.__getitem__,
        help="Lesion-free slices that the fence cut should look like (paper, section 3).",
    )
    if reference != "other":
        right.text_input("Reference cohort", cohorts.cohort_label(cohort), disabled=True)
        return cohort, reference
    others = [key for key in known if key != cohort]
    key = f"{draft.REFERENCE} from elsewhere for {cohort}"
    if st.session_state.get(key) not in others:
        st.session_state.pop(key, None)
    other = right.selectbox(
        "Reference cohort",
        others,
        key=key,
        format_func=cohorts.cohort_label,
        help="Its normal group if it has one, else all of its lesion-free slices.",
    )
    return cohort, str(cohorts.manifest_of(other)) if other else ""


def sets_problem(manifest: str, named: str) -> str:
    """Why training would refuse these sets, by their manifests alone; empty if it would not."""
    if not named:
        return (
            "There is no other cohort to take as reference; open one of normal images on Data, or "
            "choose another reference."
        )
    try:
        check_reference(read_manifest(Path(manifest)), named)
    except UserError as error:
        return str(error)
    return ""


def small_slices(settings: Settings) -> Preparation:
    """How scans are prepared for previews: small, so quickly made; counts and levels stay."""
    return dataclasses.replace(preparation_of(settings), size=SEEN)


def keep() -> None:
    """Keep the form's values while another view of the page is shown."""
    for key in draft.values():
        st.session_state[key] = st.session_state[key]


class Fields(NamedTuple):
    """What the widgets of settings make up, and containers of the form that are filled last."""

    resolved: Settings
    changes: list[str]
    problems: list[str]
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

    `fixed` keys cannot be changed; `method` was chosen elsewhere. Of values that are refused, or
    do not fit together, the form says so; its other fields stay as they are.
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
    with st.expander(
        "Reference lab: fewer slices, some levels, lesions left in", icon=":material/science:"
    ):
        values |= reference_box.reference_sliders(settings, prefix)
        looks = st.container()
    with st.expander("All settings", icon=":material/tune:"):
        values |= forms.all_other_fields(settings, prefix, values, fixed)
    notices = st.container()
    wrong = forms.refused(settings, values)
    good = {key: value for key, value in values.items() if key not in wrong}
    changes = forms.assignments(start, good)
    resolved, together = forms.checked(start, changes)
    problems = [*wrong.values(), *filter(None, [together])]
    return Fields(resolved or settings, changes, problems, notices, looks)


def name_and_start(wanted: str, fields: Fields, arguments_of: Callable[[str], list[str]]) -> None:
    """The run's name, the button, and the command line that does the same.

    What hinders the start stands right above the button.
    """
    suggestion = forms.free_name(wanted, (path.name for path in run_folder.list_runs()))
    gpus = device.known_device()[1]
    said = st.container()
    left, *middle, right = st.columns(
        [2, 1] if gpus < 2 else [2, 1, 1], vertical_alignment="bottom"
    )
    typed = left.text_input(
        "Name of the run",
        placeholder=suggestion,
        key=draft.NAME,
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
    problems = list(fields.problems)
    if not problems:
        problems = [*_refusals(fields.resolved, name, processes)]
    with said:
        for problem in problems:
            st.error(feedback.plain(forms.in_labels(problem)), icon=":material/error:")
    started = right.button(
        "Start training",
        type="primary",
        icon=":material/play_arrow:",
        width="stretch",
        disabled=bool(problems),
    )
    arguments = arguments_of(name)
    st.caption("The same from a terminal; the process is its own and outlives this page:")
    line = forms.command_line("train", arguments, processes)
    st.code(line, language="bash", wrap_lines=True)
    draft.remember()
    start(started, arguments, name, processes, said)


def _refusals(settings: Settings, name: str, processes: int) -> Iterator[str]:
    """What `train` would refuse before it reads a scan, but for its sets."""
    try:
        check_processes(settings, processes, on_gpus=True)
        run = run_folder.new_run_path(name)
        access.check_new_run(name)
        if run_folder.is_run(run):
            raise UserError(f"There is a run {run.name} already; choose another name.")
        check_new(run)
        check_room(run, settings)
    except UserError as error:
        yield str(error)


def show_looks(
    fields: Fields, manifest: str, named: str, proposed: DeltaGenerator | None = None
) -> None:
    """What both sets would be, and where the schedule does not fit; call it last: it takes time.

    Where `proposed` is, the settings that suit the scans are told.
    """
    inputs = references = 0
    seen = None
    with fields.notices, feedback.show_user_errors(stop=False):
        seen = sets.preview(Path(manifest), small_slices(fields.resolved), named)
    if seen is None:
        return
    with fields.looks, feedback.show_user_errors(stop=False):
        inputs = round(seen.times_inputs * len(seen.pools.inputs))
        references = reference_box.reference_preview(fields.resolved, seen)
    if references:
        with fields.notices:
            schedule_box.show_schedule(fields.resolved, inputs, references)
    if proposed is not None:
        with proposed:
            proposal_box.show_proposal(fields.resolved, seen.facts)


def new_run() -> None:
    """The form of a new run. It is no `st.form`, as each choice changes what else is offered."""
    draft.restore()
    cohort, named = choose_sets()
    proposed = st.container()
    preset, compared, save_place = preset_box.choose_preset()
    settings = load_preset(preset)
    prefix = preset_box.widget_prefix(preset)
    left, right = st.columns([1, 2], vertical_alignment="center")
    with left:
        method = forms.field_widget(forms.METHOD, settings, prefix)
    about = right.container()
    about.caption(settings.description)
    chosen = with_method(settings, method)
    if chosen is not settings:
        prefix += method
        st.caption(chosen.method.sentence)
    differences = st.container()
    fields = settings_fields(settings, prefix, cohort, method=method)
    with differences:
        preset_box.show_differences(fields.resolved, preset, compared)
    if changed := preset_box.changes_sentence(fields.resolved, preset):
        about.caption(f":material/edit: {feedback.plain(changed)}")
    preset_box.save_box(save_place, fields.resolved, preset)
    manifest = str(cohorts.manifest_of(cohort))
    if problem := sets_problem(manifest, named):
        fields.problems.append(problem)
    name_and_start(
        f"{cohorts.cohort_label(cohort)}-{preset}".replace(" ", "-").lower(),
        fields,
        lambda name: forms.training_arguments(manifest, name, preset, named, fields.changes),
    )
    if not problem:
        show_looks(fields, manifest, named, proposed)
