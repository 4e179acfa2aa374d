"""Settings by dotted key, and as TOML text."""

from __future__ import annotations

import dataclasses
import difflib
import json
import re
import tomllib
from collections.abc import Iterable
from typing import Any

import tomli_w
from pydantic import TypeAdapter, ValidationError

from ascnet_core.errors import UserError
from ascnet_core.settings.checked import About, about_field, fields_of, refusal
from ascnet_core.settings.tables import Settings

_SETTINGS = TypeAdapter(Settings)
_ARRAY = re.compile(r"\[\n((?:    .*,\n)+)\]")
_ABOUT = {
    table: {name: about_field(field) for name, field in fields_of(whole.annotation).items()}
    for table, whole in fields_of(Settings).items()
    if whole.annotation is not str
}
_KEYS = tuple(f"{table}.{name}" for table, fields in _ABOUT.items() for name in fields)


def keys() -> tuple[str, ...]:
    """Every dotted key that `apply_set` takes, such as "schedule.seed"."""
    return _KEYS


def value_of(settings: Settings, key: str) -> Any:
    """The value of a dotted key."""
    table, name = _split(key)
    return getattr(getattr(settings, table), name)


def differing(one: Settings, other: Settings) -> tuple[str, ...]:
    """The dotted keys in which two settings differ, in the order of the tables."""
    return tuple(key for key in keys() if value_of(one, key) != value_of(other, key))


def about(key: str) -> About:
    """The help text of a dotted key, and what its value may be."""
    table, name = _split(key)
    return _ABOUT[table][name]


def help_of(key: str) -> str:
    """The help text of a dotted key."""
    return about(key).help


def apply_set(settings: Settings, assignments: Iterable[str]) -> Settings:
    """Settings with some keys changed.

    Parameters
    ----------
    settings
        What to start from.
    assignments
        Texts "table.key=value". Truth is `true` or `false`, several words are divided by commas,
        and nothing at all after `=` unsets what may be unset.

    Raises
    ------
    UserError
        If a key does not exist, or a value does not fit it.
    """
    changed: dict[str, dict[str, Any]] = {}
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not equals:
            raise UserError(f"--set {assignment}: write it as key=value, e.g. schedule.seed=1.")
        table, name = _split(key.strip())
        changed.setdefault(table, {})[name] = _parse(_ABOUT[table][name], text.strip())
    tables = {}
    for table, values in changed.items():
        try:
            tables[table] = dataclasses.replace(getattr(settings, table), **values)
        except ValidationError as error:
            raise _first_refusal(error, table) from error
    return dataclasses.replace(settings, **tables)


def to_toml(settings: Settings) -> str:
    """TOML text of all settings, every default written out; unset ones are left out."""
    return _ARRAY.sub(
        _on_one_line, tomli_w.dumps(_SETTINGS.dump_python(settings, exclude_none=True))
    )


def _on_one_line(array: re.Match[str]) -> str:
    """An array as settings files have it: tomli-w writes a line for each value."""
    return "[" + ", ".join(line[4:-1] for line in array[1].split("\n")[:-1]) + "]"


def from_toml(text: str, where: str = "settings") -> Settings:
    """Settings of a TOML text; what it does not name has its default.

    Raises
    ------
    UserError
        If it is no TOML, or has keys or values that don't exist here; `where` names it.
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{where} is no valid TOML ({error}); mend or replace it.") from error
    try:
        # Strict JSON takes lists and tables but no text for a number and no number for a truth.
        return _SETTINGS.validate_json(json.dumps(content, default=str), strict=True)
    except ValidationError as error:
        path = error.errors()[0]["loc"]
        if len(path) == 1:
            raise UserError(
                f"{where} has {path[0]!r}, which is no table of settings; remove it."
            ) from error
        raise _first_refusal(error) from error


def _first_refusal(error: ValidationError, *table: str) -> UserError:
    problem = error.errors()[0]
    key = ".".join(map(str, (*table, *problem["loc"])[:2]))
    return UserError(refusal(key, about(key), problem))


def _split(key: str) -> tuple[str, str]:
    table, _, name = key.partition(".")
    if name not in _ABOUT.get(table, {}):
        near = difflib.get_close_matches(key, keys(), n=1, cutoff=0.4)
        hint = (
            f"did you mean {near[0]}?" if near else f"the tables are {', '.join(sorted(_ABOUT))}."
        )
        raise UserError(f"There is no setting {key!r}; {hint}")
    return table, name


def _parse(setting: About, text: str) -> Any:
    """A text as pydantic can read it: None where it unsets, several words as a tuple."""
    if setting.optional and text in ("", "none"):
        return None
    if setting.kind is tuple:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    return text
