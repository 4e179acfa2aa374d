"""The settings that suit the chosen scans: a sentence with its reason, and a button for them."""

import streamlit as st

from ascnet_core.runs.propose import Facts, propose_preset, unsuited
from ascnet_core.settings.presets import load_preset
from ascnet_core.settings.tables import Settings
from ascnet_core.settings.text import about, differing, value_of
from pages.parts.new_run import draft, preset_box
from pages.parts.shared import forms
from pages.parts.shared.feedback import plain


def show_proposal(settings: Settings, facts: Facts) -> None:
    """The proposal in a line, in a warning where the form's settings do not suit the scans."""
    proposal = propose_preset(facts)
    others = set(differing(settings, proposal.settings)) - set(preset_box.OWN)
    if settings.preset == proposal.preset and not others:
        st.caption(f":material/check: {plain(proposal.sentence)} The form holds it.")
        return
    told, take = st.columns([5, 1], vertical_alignment="center")
    if warning := unsuited(settings, facts):
        said = f"{forms.in_labels(warning)} {proposal.sentence}"
        told.warning(plain(said), icon=":material/warning:")
    else:
        told.info(plain(proposal.sentence), icon=":material/lightbulb:")
    take.button(
        "Take it",
        icon=":material/check:",
        width="stretch",
        help="Fills the form: "
        + ", ".join(f"`{one}`" for one in proposal.changes or ["no changes"]),
        on_click=_take,
        args=(proposal.preset, proposal.settings),
    )


def _take(preset: str, settings: Settings) -> None:
    """Fill the form with a preset and what is changed in it."""
    prefix, before = preset_box.widget_prefix(preset), load_preset(preset)
    wanted = {f"{prefix} {key}": _held(value_of(settings, key), key) for key in
              differing(settings, before)}  # fmt: skip
    for key in list(st.session_state):
        if str(key).startswith(prefix):
            del st.session_state[key]
    draft.fill({preset_box.CHOSEN: preset, **wanted})


def _held(value: object, key: str) -> object:
    """A value as its widget holds it: numbers with a point are typed."""
    return value if isinstance(value, bool | int) or about(key).choices else forms.text_of(value)
