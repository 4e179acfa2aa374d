"""Single settings by dotted key, and settings as TOML text."""

from __future__ import annotations

import dataclasses
import difflib
import tomllib
import types
import typing
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from ascnet_core.errors import UserError
from ascnet_core.settings.tables import Settings


def keys() -> tuple[str, ...]:
    """Every dotted key that `apply_set` takes, such as "schedule.seed"."""
    return tuple(
        f"{table.name}.{one.name}"
        for table in _tables()
        for one in dataclasses.fields(_table_class(table.name))
    )


def value_of(settings: Settings, key: str) -> Any:
    """The value of a dotted key."""
    table, name = _split(key)
    return getattr(getattr(settings, table), name)


def differing(one: Settings, other: Settings) -> tuple[str, ...]:
    """The dotted keys in which two settings differ, in the order of the tables."""
    return tuple(key for key in keys() if value_of(one, key) != value_of(other, key))


def help_of(key: str) -> str:
    """The sentence of a dotted key."""
    table, name = _split(key)
    return str(_fields(table)[name].metadata["help"])


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
        changed.setdefault(table, {})[name] = _parse(table, name, text.strip())
    tables = {
        table: dataclasses.replace(getattr(settings, table), **values)
        for table, values in changed.items()
    }
    return dataclasses.replace(settings, **tables)


def to_toml(settings: Settings) -> str:
    """TOML text of all settings, every default written out; unset ones are left out."""
    lines = [
        f"preset = {_toml(settings.preset)}",
        f"description = {_toml(settings.description)}",
    ]
    for table in _tables():
        lines += ["", f"[{table.name}]"]
        part = getattr(settings, table.name)
        lines += [
            f"{one.name} = {_toml(value)}"
            for one in dataclasses.fields(part)
            if (value := getattr(part, one.name)) is not None
        ]
    return "\n".join(lines) + "\n"


@lru_cache(maxsize=64)  # 25 ms each, and lists of runs read all of them again and again
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
    tables: dict[str, Any] = {}
    for key, value in content.items():
        if key in ("preset", "description") and isinstance(value, str):
            tables[key] = value
        elif isinstance(value, dict):
            parsed = {name: _convert(*_split(f"{key}.{name}"), v) for name, v in value.items()}
            tables[key] = _table_class(key)(**parsed)
        else:
            raise UserError(f"{where} has {key!r}, which is no table of settings; remove it.")
    return Settings(**tables)


def _tables() -> list[dataclasses.Field[Any]]:
    named = ("preset", "description")
    return [one for one in dataclasses.fields(Settings) if one.name not in named]


def _table_class(name: str) -> Any:
    return typing.get_type_hints(Settings)[name]


def _fields(table: str) -> dict[str, dataclasses.Field[Any]]:
    return {one.name: one for one in dataclasses.fields(_table_class(table))}


def _split(key: str) -> tuple[str, str]:
    table, _, name = key.partition(".")
    known = {one.name for one in _tables()}
    if table not in known or name not in _fields(table):
        near = difflib.get_close_matches(key, keys(), n=1, cutoff=0.4)
        hint = f"did you mean {near[0]}?" if near else f"the tables are {', '.join(sorted(known))}."
        raise UserError(f"There is no setting {key!r}; {hint}")
    return table, name


def _kinds(table: str, name: str) -> tuple[Any, ...]:
    hint = typing.get_type_hints(_table_class(table))[name]
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return typing.get_args(hint)
    return (hint,)


def _parse(table: str, name: str, text: str) -> Any:
    kinds = _kinds(table, name)
    if type(None) in kinds and text in ("", "none"):
        return None
    wanted = kinds[0]
    try:
        if wanted is bool:
            return {"true": True, "false": False}[text.lower()]
        if wanted is int:
            return int(text)
        if wanted is float:
            return float(text)
    except (ValueError, KeyError) as error:
        words = {bool: "true or false", int: "a whole number", float: "a number"}[wanted]
        raise UserError(f"{table}.{name} is {text!r}; it must be {words}.") from error
    if wanted is str:
        return text
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _convert(table: str, name: str, value: Any) -> Any:
    wanted = _kinds(table, name)[0]
    if isinstance(value, list) and typing.get_origin(wanted) is tuple:
        return tuple(str(part) for part in value)
    if wanted is float and type(value) is int:
        return float(value)
    if type(value) is not wanted:
        raise UserError(f"{table}.{name} is {value!r}; it must be of type {wanted}.")
    return value


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'"{escaped}"'
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(part) for part in value) + "]"
    if isinstance(value, float):
        return repr(value) if value == value and abs(value) != float("inf") else str(value)
    return str(value)
