"""The form of a new run: sets, preset, settings; the command line that does the same."""

from __future__ import annotations

import streamlit as st

from ascnet_core.training import run_folder
from ascnet_core.training.presets import load_preset, preset_names
from pages.parts import cases, forms, state

REFERENCES = {
    "normal": "the cohort's normal group",
    "lesion-free": "lesion-free slices of the same cohort",
    "other": "another cohort",
}
NAME = "name of the new run"


def start(arguments: list[str], name: str) -> None:
    """Start a training and show it."""
    with cases.show_user_errors(stop=False), st.spinner("Starting the training process"):
        run_folder.start_training(arguments)
        state.update(run=name)
        st.session_state[state.TRAINING_VIEW] = "Runs"
        st.rerun()


def new_run() -> None:
    """The form of a new run. What is chosen changes what is offered, so it is no `st.form`."""
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
        if reference == "other":
            others = [key for key in cohorts if key != cohort] or cohorts
            other = st.selectbox(
                "Reference cohort",
                others,
                format_func=cases.cohort_label,
                help="Its normal group if it has one, else all of its lesion-free slices.",
            )
        else:
            st.text_input("Reference cohort", cases.cohort_label(cohort), disabled=True)
    names = list(preset_names())
    preset = st.selectbox(
        "Preset",
        names,
        index=names.index("teaching"),
        help="A named set of settings; everything can be changed below.",
    )
    settings = load_preset(preset)
    st.caption(settings.description)
    changes = forms.settings_form(settings, f"new run {preset}")
    resolved, problem = forms.checked(settings, changes)
    if problem:
        st.error(problem, icon=":material/error:")
        return
    st.caption(forms.steps_sentence(resolved, None))
    suggestion = forms.free_name(
        f"{cases.cohort_label(cohort)}-{preset}".replace(" ", "-").lower(),
        (path.name for path in run_folder.list_runs()),
    )
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    name = (
        left.text_input(
            "Name of the run",
            placeholder=suggestion,
            key=NAME,
            help=f"A folder of this name is made under {run_folder.RUNS.name}/.",
        )
        or suggestion
    )
    started = right.button(
        "Start training", type="primary", icon=":material/play_arrow:", width="stretch"
    )
    with cases.show_user_errors(stop=False):
        manifest = str(cases.manifest_of(cohort))
        named = str(cases.manifest_of(other)) if reference == "other" else reference
        arguments = forms.training_arguments(manifest, name, preset, named, changes)
        st.caption("The same from a terminal; the process is its own and outlives this page:")
        st.code(forms.command_line("train", arguments), language="bash", wrap_lines=True)
        if started:
            start(arguments, name)
