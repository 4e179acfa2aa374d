"""Forms made of settings: a widget for every field, with the field's sentence as its help.

What the widgets hold becomes `--set key=value` assignments and a command line; those functions are
pure.
"""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import streamlit as st

from ascnet_core.errors import UserError
from ascnet_core.training.presets import Settings, apply_set

# What most people change; everything else is under "All settings".
FIRST = (
    "data.size",
    "network.width",
    "schedule.stage_1",
    "schedule.stage_2",
    "schedule.epochs_m",
    "schedule.steps",
    "schedule.batch_m",
    "schedule.learning_rate",
    "schedule.seed",
)
LABELS = {
    "data.size": "Slice size, pixels",
    "network.width": "Width of M, feature maps",
    "schedule.stage_1": "Cycles of stage 1",
    "schedule.stage_2": "Cycles of stage 2",
    "schedule.epochs_m": "Epochs of M in a cycle",
    "schedule.steps": "Steps in an epoch (0: all slices)",
    "schedule.batch_m": "Batch of M, slices",
    "schedule.learning_rate": "Learning rate of M",
    "schedule.seed": "Seed",
}
TABLES = (
    "data",
    "reference",
    "network",
    "adversary",
    "losses",
    "corruption",
    "schedule",
    "compute",
    "segmentation",
)


def text_of(value: Any) -> str:
    """A value as `--set` takes it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple | list):
        return ",".join(map(str, value))
    if isinstance(value, float):
        return repr(value)
    return str(value)


def assignments(settings: Settings, values: Mapping[str, Any]) -> list[str]:
    """The "key=value" texts for what differs from the settings a form started from."""
    changed = []
    for key, value in values.items():
        table, name = key.split(".")
        before = getattr(getattr(settings, table), name)
        if text_of(value) != text_of(before):
            changed.append(f"{key}={text_of(value)}")
    return changed


def checked(settings: Settings, changes: Iterable[str]) -> tuple[Settings | None, str]:
    """The settings after the changes, or None and the sentence that says what does not fit."""
    try:
        return apply_set(settings, changes), ""
    except UserError as error:
        return None, str(error)


def training_arguments(
    manifest: str, name: str, preset: str, reference: str, changes: Sequence[str]
) -> list[str]:
    """What follows `python -m ascnet_core train` for a form's content."""
    arguments = [manifest, "--name", name, "--preset", preset, "--reference", reference]
    for change in changes:
        arguments += ["--set", change]
    return arguments


def command_line(verb: str, arguments: Sequence[str]) -> str:
    """The command a user could type instead."""
    return shlex.join(["python", "-m", "ascnet_core", verb, *arguments])


def free_name(wanted: str, taken: Iterable[str]) -> str:
    """`wanted`, or with the first number behind it that makes it new; letters a folder can have."""
    safe = "".join(c if c.isalnum() or c in "._-" else "-" for c in wanted).strip("-._") or "run"
    names = set(taken)
    if safe not in names:
        return safe
    number = 2
    while f"{safe}-{number}" in names:
        number += 1
    return f"{safe}-{number}"


def steps_sentence(settings: Settings, slices: int | None) -> str:
    """How long a schedule is, in cycles and steps of M."""
    plan = settings.schedule
    cycles = plan.stage_1 + plan.stage_2
    if plan.steps:
        total = cycles * plan.epochs_m * plan.steps
        return f"{cycles} cycles, {total} steps of M in all, {plan.batch_m} slices each."
    if slices is None:
        return f"{cycles} cycles of {plan.epochs_m} epochs of M over all input slices."
    total = cycles * plan.epochs_m * -(-slices // plan.batch_m)
    return f"{cycles} cycles, about {total} steps of M in all, {plan.batch_m} slices each."


def label_of(key: str) -> str:
    """A field's label: one of ours, or its name in words."""
    return LABELS.get(key, key.split(".")[1].replace("_", " "))


def field_widget(key: str, settings: Settings, prefix: str) -> Any:
    """The widget of a dotted key; returns its value. `prefix` tells forms (and presets) apart."""
    table, name = key.split(".")
    part = getattr(settings, table)
    field = next(one for one in dataclasses.fields(part) if one.name == name)
    value, about = getattr(part, name), field.metadata
    common: dict[str, Any] = {
        "label": label_of(key),
        "key": f"{prefix} {key}",
        "help": f"{about['help']} (`{key}`)",
    }
    if about.get("choices"):
        choices = list(about["choices"])
        return st.selectbox(options=choices, index=choices.index(value), **common)
    if isinstance(value, bool):
        return st.checkbox(value=value, **common)
    if isinstance(value, int) and not isinstance(value, bool):
        low, high = about.get("low"), about.get("high")
        return st.number_input(
            value=value,
            step=16 if key == "data.size" else 1,
            min_value=None if low is None else int(low),
            max_value=None if high is None else int(high),
            **common,
        )
    # Small and unset numbers are typed: a number field would round 5e-5 away.
    text = st.text_input(value=text_of(value), placeholder="not set", **common)
    return text


def settings_form(settings: Settings, prefix: str) -> list[str]:
    """Widgets of all settings, the usual ones first; the "key=value" texts of what was changed."""
    values: dict[str, Any] = {}
    columns = st.columns(3)
    for place, key in enumerate(FIRST):
        with columns[place % 3]:
            values[key] = field_widget(key, settings, prefix)
    with st.expander("All settings"):
        for tab, table in zip(st.tabs(list(TABLES)), TABLES, strict=True):
            with tab:
                st.caption((type(getattr(settings, table)).__doc__ or "").splitlines()[0])
                columns = st.columns(3)
                place = 0
                for field in dataclasses.fields(getattr(settings, table)):
                    key = f"{table}.{field.name}"
                    if key in FIRST:
                        continue
                    with columns[place % 3]:
                        values[key] = field_widget(key, settings, prefix)
                    place += 1
    return assignments(settings, values)


def whole(name: str, text: str) -> int | None:
    """A field that may be empty as a whole number. Raises UserError."""
    if not text.strip():
        return None
    if not text.strip().isdecimal():
        raise UserError(f"{name} is {text!r}; write a whole number from 0, or leave it empty.")
    return int(text)


def number(name: str, text: str) -> float | None:
    """A field that may be empty as a number. Raises UserError."""
    if not text.strip():
        return None
    try:
        return float(text)
    except ValueError:
        raise UserError(f"{name} is {text!r}; write a number, or leave it empty.") from None


def progress_reporter(text: str) -> tuple[Callable[..., None], Callable[[], None]]:
    """A progress bar's (report, close); report takes (done, total) or (done, total, name)."""
    bar = st.progress(0.0, text=text)

    def report(*done: Any) -> None:
        count, total = (done[0], done[1]) if len(done) > 1 else (done[0], 1.0)
        name = f" {done[2]}" if len(done) > 2 else ""
        bar.progress(min(1.0, float(count) / max(1e-9, float(total))), text=f"{text}{name}")

    return report, bar.empty
