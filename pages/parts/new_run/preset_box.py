"""Presets in the form: choosing one, what it changes, saving and deleting one's own."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ascnet_core.settings.presets import (
    delete_preset,
    load_preset,
    preset_names,
    save_preset,
    user_preset_names,
)
from ascnet_core.settings.tables import Settings
from ascnet_core.settings.text import about, differing, value_of
from pages.parts.shared import feedback, forms, tables

FORM = "new run"  # what the keys of all widgets of settings begin with
CHOSEN = "preset of the new run"
WANTED = "preset to choose next"  # set before the menu of presets is drawn again
COMPARED = "preset to compare with"
NAME = "name of the preset to save"
ABOUT = "what the preset to save is for"
TOLD = "what became of a preset"
NAMED = 6  # changed settings that are named beside the preset's description
OWN = ("data.watched", "schedule.seed")
"""Settings that everybody chooses for themselves; they do not make settings other ones."""
HIGH = 300  # pixels of the table of differences before it scrolls


def widget_prefix(preset: str) -> str:
    """What the keys of a form's widgets begin with; each preset has its own."""
    return f"{FORM} {preset}:"


def choose_preset() -> tuple[str, str, DeltaGenerator]:
    """The menus: the preset, what to compare it with, and a container for `save_box`."""
    own = user_preset_names()
    names = [*preset_names(), *own]
    wanted = st.session_state.pop(WANTED, None)
    if wanted in names:
        st.session_state[CHOSEN] = wanted
    if st.session_state.get(CHOSEN) not in names:
        st.session_state[CHOSEN] = "teaching"
    if st.session_state.get(COMPARED) not in names:
        st.session_state[COMPARED] = "paper"
    left, middle, right = st.columns(3, vertical_alignment="bottom")
    preset = left.selectbox(
        "Preset",
        names,
        key=CHOSEN,
        format_func=lambda name: f"{name} (yours)" if name in own else name,
        help="A named set of settings; everything can be changed below.",
    )
    compared = middle.selectbox(
        "Compare with",
        names,
        key=COMPARED,
        help="The table below says in what the form differs from that preset. Choose the preset "
        "itself to see only what you changed.",
    )
    return preset, compared, right.container(horizontal=True)


def difference_rows(
    resolved: Settings, base: Settings, preset: Settings
) -> list[tuple[str, str, str, str]]:
    """What differs from `base`: key, value there, value here (✎: not `preset`'s), help."""
    mine = set(differing(resolved, preset))
    rows = []
    for key in differing(resolved, base):
        before, here = (forms.text_of(value_of(one, key)) for one in (base, resolved))
        hand = " ✎" if key in mine else ""
        rows.append(
            (key, before or "not set", (here or "not set") + hand, about(key, resolved).help)
        )
    return rows


def changes_sentence(resolved: Settings, preset: str) -> str:
    """What the form changes in a preset, whose description does not know of it; empty for nothing.

    Seed and watched slices are everybody's own.
    """
    keys = [key for key in differing(resolved, load_preset(preset)) if key not in OWN]
    said = [f"{forms.label_of(key)} {forms.text_of(value_of(resolved, key)) or 'not set'}"
            for key in keys[:NAMED]]  # fmt: skip
    more = [f"{len(keys) - NAMED} more"] if len(keys) > NAMED else []
    return f"This form changes the preset: {'; '.join([*said, *more])}." if said else ""


def difference_table(rows: list[tuple[str, str, str, str]], compared: str, preset: str) -> str:
    """The rows as a table in Markdown."""
    cells = ((f"`{key}`", before, f"**{here}**", about) for key, before, here, about in rows)
    return tables.markdown(("setting", compared, preset, "what it is"), cells)


def show_differences(resolved: Settings, preset: str, compared: str) -> None:
    """The settings in which the form differs from another preset."""
    chosen = load_preset(preset)
    rows = difference_rows(resolved, load_preset(compared), chosen)
    mine = len(differing(resolved, chosen))
    here = f"this form ({preset})" if mine else preset
    if not rows:
        st.caption(f"Nothing differs from {compared}.")
        return
    title = f"{tables.counted(len(rows), 'setting')} unlike {compared}"
    if mine:
        title += f", {mine} changed in this form (✎)"
    with (
        st.expander(title, icon=":material/compare_arrows:"),
        st.container(height=HIGH if len(rows) > 6 else "content", border=False),
    ):
        st.markdown(difference_table(rows, compared, here))


def _save(resolved: Settings, suggestion: str, overwrite: bool) -> None:
    name = st.session_state[NAME].strip() or suggestion
    with feedback.show_user_errors(stop=False):
        save_preset(name, resolved, st.session_state[ABOUT], overwrite)
        # widgets that hold values of an older preset of this name must not hide the new ones
        for key in list(st.session_state):
            if str(key).startswith(widget_prefix(name)):
                del st.session_state[key]
        st.session_state[WANTED] = name
        st.session_state[TOLD] = f"Saved: `train --preset {name}` does the same."
        st.session_state[NAME] = st.session_state[ABOUT] = ""


def _delete(name: str) -> None:
    with feedback.show_user_errors(stop=False):
        delete_preset(name)
        st.session_state[WANTED] = "teaching"
        st.session_state[TOLD] = f"Deleted the preset {name}."


def save_box(box: DeltaGenerator, resolved: Settings, preset: str) -> None:
    """Buttons that save the form as a preset, and delete the chosen one; both ask first."""
    own = user_preset_names()
    with box:
        with st.popover("Save as preset", icon=":material/save:"):
            suggestion = preset if preset in own else f"my-{preset}"
            typed = st.text_input(
                "Name of the preset",
                key=NAME,
                placeholder=suggestion,
                help="Letters, digits, '.', '_' and '-'. `train --preset NAME` finds it, too.",
            )
            name = typed.strip() or suggestion
            st.text_input(
                "What it is for",
                key=ABOUT,
                placeholder="a sentence for the list of presets",
                help="Shown under the menu of presets, and in the card of each run made with it.",
            )
            there = name in own
            if there:
                st.warning(f"There is a preset {name} already.", icon=":material/warning:")
            st.button(
                f"Overwrite {name}" if there else "Save",
                type="primary",
                on_click=_save,
                args=(resolved, suggestion, there),
            )
        if preset in own:
            with st.popover("Delete", icon=":material/delete:"):
                st.write(f"The preset {preset} is deleted; runs made with it stay.")
                st.button(f"Delete {preset}", type="primary", on_click=_delete, args=(preset,))
    told = st.session_state.pop(TOLD, None)
    if told:
        st.toast(told, icon=":material/check:")
