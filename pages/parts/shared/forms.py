"""Forms made of settings: a widget for every field, with the field's sentence as its help.

What the widgets hold becomes `--set key=value` assignments and a command line.
"""

import itertools
import math
import re
import shlex
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import streamlit as st

from ascnet_core.errors import UserError
from ascnet_core.runs.launch import launch_words
from ascnet_core.segmentation.rules import parse_rule
from ascnet_core.segmentation.steps import parse_steps
from ascnet_core.settings.tables import Settings
from ascnet_core.settings.text import about, apply_set, keys, value_of, with_method
from pages.parts.shared.feedback import plain
from pages.parts.shared.jobs import safe_name

# What most people change; everything else is under "All settings".
FIRST = (
    "data.size",
    "network.width",
    "schedule.seed",
    "schedule.stage_1",
    "schedule.stage_2",
    "schedule.stop_when",
    "schedule.epochs_m",
    "schedule.steps",
    "schedule.batch_m",
    "schedule.order",
    "schedule.learning_rate",
    "schedule.learning_rate_d",
)
METHOD = "method.name"
LABELS = {
    METHOD: "Method",
    "data.size": "Slice size, pixels",
    "network.width": "Width of M, feature maps",
    "schedule.stage_1": "Cycles of stage 1",
    "schedule.stage_2": "Cycles of stage 2",
    "schedule.stop_when": "When to stop",
    "schedule.epochs_m": "Epochs of M in a cycle",
    "schedule.steps": "Steps in an epoch (0: all slices)",
    "schedule.batch_m": "Batch of M, slices",
    "schedule.order": "Order of D and M",
    "schedule.learning_rate": "Learning rate of M",
    "schedule.learning_rate_d": "Learning rate of D",
    "schedule.seed": "Seed",
    "schedule.snapshot_epochs": "Epochs between snapshots (0: cycles)",
    "data.watched": "Watched slices",
}
WORDS = {
    "schedule.stop_when": {
        "never": "at the schedule's end",
        "separated": "as soon as the peaks separate",
    },
    "schedule.order": {
        "alternate": "in turns (the paper)",
        "joint": "both in each step",
    },
}
"""What choices are called in the form; others keep their names in the settings."""


def text_of(value: Any) -> str:
    """A value as `--set` takes it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple | list):
        return ",".join(map(str, value))
    return str(value)


def assignments(settings: Settings, values: Mapping[str, Any]) -> list[str]:
    """The "key=value" texts for what differs from the settings that a form started from."""
    changed = []
    method = values.get(METHOD, settings.method.name)
    if method != settings.method.name:  # The rest is compared with that method's defaults.
        changed.append(f"{METHOD}={method}")
        settings = with_method(settings, method)
    for key, value in values.items():
        if text_of(value) != text_of(value_of(settings, key)):
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
    words = [manifest, "--name", name, "--preset", preset, "--reference", reference]
    return words + [word for change in changes for word in ("--set", change)]


def evaluation_arguments(
    manifest: str,
    run: str,
    cycle: int | None,
    maps: list[str],
    rules: list[str],
    side: str,
    scope: str,
    post: list[str],
    reference: str,
    fast: bool,
    flip: bool = False,
) -> list[str]:
    """What follows `python -m ascnet_core evaluate` for a form's content."""
    options: dict[str, list[str]] = {
        "--threshold": rules,
        "--side": [side],
        "--scope": [scope],
        "--post": post,
        "--cycle": [] if cycle is None else [str(cycle)],
        "--reference": [reference] if reference else [],
    }
    arguments = [manifest, "--run", run, "--map", *maps]
    for option, values in options.items():
        arguments += [option, *values] if values else []
    return arguments + ["--fast"] * fast + ["--flip"] * flip


def command_line(verb: str, arguments: Sequence[str], processes: int = 1) -> str:
    """The command a user could type instead."""
    launch = launch_words(processes)
    return shlex.join(["python", *launch, "-m", "ascnet_core", verb, *arguments])


def free_name(wanted: str, taken: Iterable[str]) -> str:
    """`wanted` as a folder's name, with the first number behind it that makes it new if need be."""
    safe = safe_name(wanted).strip("-._") or "run"
    numbered = (f"{safe}-{number}" for number in itertools.count(2))
    names = set(taken)
    return next(name for name in itertools.chain([safe], numbered) if name not in names)


_KEY = re.compile(r"`?\b([a-z]+\.[a-z0-9_]+)(=[\w.:,-]*\w)?`?")


def in_labels(sentence: str) -> str:
    """A sentence with each setting called by its field's label, its key in brackets as code."""

    def called(found: re.Match[str]) -> str:
        key, value = found[1], found[2] or ""
        try:
            about(key)
        except UserError:
            return found[0]
        return f"“{label_of(key)}” (`{key}{value}`)"

    return _KEY.sub(called, sentence)


def problem_of(key: str, value: Any, settings: Settings) -> str:
    """Why a field's value is refused, whatever the other fields hold; empty if it is not."""
    try:
        found = apply_set(settings, [f"{key}={text_of(value)}"]).segmentation
        if key == "segmentation.rule":
            parse_rule(found.rule)
        elif key == "segmentation.post":
            parse_steps(found.post)
    except UserError as error:
        said = str(error)
        # what is said of two settings together is said once, of both
        return said if said.startswith(f"{key} is ") or key.startswith("segmentation.") else ""
    return ""


def refused(settings: Settings, values: Mapping[str, Any]) -> dict[str, str]:
    """The fields whose values are refused, each with the sentence that says why."""
    changed = {
        key: value
        for key, value in values.items()
        if key != METHOD and text_of(value) != text_of(value_of(settings, key))
    }
    found = {key: problem_of(key, value, settings) for key, value in changed.items()}
    return {key: problem for key, problem in found.items() if problem}


def label_of(key: str) -> str:
    """A field's label: one of ours, or its name in words."""
    return LABELS.get(key, key.split(".")[1].replace("_", " "))


def field_widget(key: str, settings: Settings, prefix: str, fixed: bool = False) -> Any:
    """The widget of a dotted key; returns its value. `prefix` tells forms and presets apart.

    Where the value is refused, the reason stands under the widget.
    """
    value = _widget(key, settings, prefix, fixed)
    show_problem(key, value, settings)
    return value


def show_problem(key: str, value: Any, settings: Settings) -> None:
    """Say under a field why its value is refused, if it is."""
    for problem in refused(settings, {key: value}).values():
        # the value stands above; what it must be is news
        said = problem.partition("; ")[2] or problem
        st.markdown(f":red[:material/error: {plain(said[:1].upper() + said[1:])}]")


def _widget(key: str, settings: Settings, prefix: str, fixed: bool) -> Any:
    value, setting = value_of(settings, key), about(key, settings)
    common: dict[str, Any] = {
        "label": label_of(key),
        "key": f"{prefix} {key}",
        "help": f"{setting.help} (`{key}`)",
        "disabled": fixed,
    }
    if setting.choices:
        words = WORDS.get(key, {})
        return st.selectbox(
            options=setting.choices,
            index=setting.choices.index(value),
            format_func=lambda choice: words.get(choice, choice),
            **common,
        )
    if isinstance(value, bool):
        return st.checkbox(value=value, **common)
    if isinstance(value, int):
        # No bounds here: a browser keeps what it refuses to itself, and training would begin with
        # the value before. `field_widget` says it instead.
        return st.number_input(value=value, step=16 if key == "data.size" else 1, **common)
    # Small and unset numbers are typed: a number field would round 5e-5 away.
    return st.text_input(value=text_of(value), placeholder="not set", **common)


def fields_grid(
    wanted: Sequence[str], settings: Settings, prefix: str, fixed: Collection[str] = ()
) -> dict[str, Any]:
    """Widgets of the wanted settings that the method has, in rows of three; their values by key."""
    values: dict[str, Any] = {}
    known = keys(settings)
    for index, key in enumerate(key for key in wanted if key in known):
        if index % 3 == 0:
            columns = st.columns(3)
        with columns[index % 3]:
            values[key] = field_widget(key, settings, prefix, key in fixed)
    return values


def all_other_fields(
    settings: Settings, prefix: str, shown: Collection[str], fixed: Collection[str] = ()
) -> dict[str, Any]:
    """A tab for each table with the widgets of what is not `shown` elsewhere; values by key."""
    values: dict[str, Any] = {}
    others = [key for key in keys(settings) if key not in shown]
    by_table = itertools.groupby(others, lambda key: key.split(".")[0])
    tables = {table: list(group) for table, group in by_table}
    for tab, (table, left) in zip(st.tabs(list(tables)), tables.items(), strict=True):
        with tab:
            st.caption((type(getattr(settings, table)).__doc__ or "").splitlines()[0])
            values |= fields_grid(left, settings, prefix, fixed)
    return values


def whole(name: str, text: str) -> int | None:
    """A field that may be empty as a whole number. Raises UserError."""
    if not text.strip():
        return None
    if not text.strip().isdecimal() or len(text) > 9:
        raise UserError(
            f"{name} is {text[:40]!r}; write a whole number from 0 to 999999999, or leave it empty."
        )
    return int(text)


def whole_numbers(name: str, text: str) -> tuple[int, ...]:
    """A field that may be empty as whole numbers, divided by commas or spaces. Raises UserError."""
    try:
        return tuple(int(part) for part in text.replace(",", " ").replace(";", " ").split())
    except ValueError:
        raise UserError(f"{name} is {text!r}; write whole numbers, or leave it empty.") from None


def number(name: str, text: str) -> float | None:
    """A field that may be empty as a number. Raises UserError."""
    if not text.strip():
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise UserError(f"{name} is {text[:40]!r}; write a number, or leave it empty.")
    return value
