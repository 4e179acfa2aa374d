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
from ascnet_core.settings.method import TrainedMethod
from ascnet_core.settings.methods import METHODS, method_named
from ascnet_core.settings.methods.asc_net import AscNet
from ascnet_core.settings.tables import Segmentation, Settings


def keys(settings: Settings | None = None) -> tuple[str, ...]:
    """Every dotted key that counts for a method, such as "schedule.seed"; by default for ASC-Net.

    Left out is what only other methods use.
    """
    method = AscNet if settings is None else type(settings.method)
    foreign = tuple(key for one in METHODS.values() if one is not method for key in one.own)
    return tuple(key for key in _every_key(method) if not key.startswith(foreign))


def value_of(settings: Settings, key: str) -> Any:
    """The value of a dotted key; None where it is a setting of another method."""
    table, name = _split(key, type(settings.method), *METHODS.values())
    return getattr(getattr(settings, table), name, None)


def differing(one: Settings, other: Settings) -> tuple[str, ...]:
    """The dotted keys in which two settings differ, in the order of the tables."""
    every = dict.fromkeys((*keys(one), *keys(other)))
    return tuple(key for key in every if value_of(one, key) != value_of(other, key))


def help_of(key: str, settings: Settings | None = None) -> str:
    """The sentence of a dotted key, as the method of these settings says it if it has it."""
    first = AscNet if settings is None else type(settings.method)
    for method in (first, *METHODS.values()):
        table, name = _split(key, *METHODS.values())
        if name in (known := _fields(_table_class(table, method))):
            return str(known[name].metadata["help"])
    raise AssertionError(key)


def with_method(settings: Settings, name: str) -> Settings:
    """Settings for another method: its own ones as it has them, and the mask from its first map.

    Raises
    ------
    UserError
        If there is no such method.
    """
    if name == settings.method.name:
        return settings
    method = method_named(name)()
    segmentation = dataclasses.replace(settings.segmentation, **method.segmentation())
    return dataclasses.replace(settings, method=method, segmentation=segmentation)


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
    parted = []
    for assignment in assignments:
        key, equals, text = (part.strip() for part in assignment.partition("="))
        if not equals:
            raise UserError(f"--set {assignment}: write it as key=value, e.g. schedule.seed=1.")
        parted.append((key, text))
        if key == "method.name":  # it says which keys there are
            settings = with_method(settings, text)
    method = type(settings.method)
    for key, text in parted:
        table, name = _split(key, method)
        known = _table_class(table, method)
        changed.setdefault(table, {})[name] = _parse(known, name, text)
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
        lines += ["", f"[{table}]"]
        part = getattr(settings, table)
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
    said = content.get("method")
    method = method_named(said.get("name", "asc-net")) if isinstance(said, dict) else AscNet
    tables: dict[str, Any] = {"segmentation": Segmentation(**method.segmentation())}
    for key, value in content.items():
        if key in ("preset", "description") and isinstance(value, str):
            tables[key] = value
        elif isinstance(value, dict):
            for name in value:
                _split(f"{key}.{name}", method)
            known = _table_class(key, method)
            parsed = {name: _convert(known, name, v) for name, v in value.items()}
            default = method.segmentation() if known is Segmentation else {}
            tables[key] = known(**default | parsed)
        else:
            raise UserError(f"{where} has {key!r}, which is no table of settings; remove it.")
    return Settings(**tables)


def _tables() -> list[str]:
    named = ("preset", "description")
    return [one.name for one in dataclasses.fields(Settings) if one.name not in named]


def _every_key(method: type[TrainedMethod]) -> list[str]:
    return [
        f"{table}.{name}" for table in _tables() for name in _fields(_table_class(table, method))
    ]


def _table_class(name: str, method: type[TrainedMethod]) -> Any:
    return method if name == "method" else typing.get_type_hints(Settings)[name]


def _fields(table: Any) -> dict[str, dataclasses.Field[Any]]:
    return {one.name: one for one in dataclasses.fields(table)}


def _split(key: str, *methods: type[TrainedMethod]) -> tuple[str, str]:
    """The table and the name of a key that one of these methods has."""
    table, _, name = key.partition(".")
    if not any(
        table in _tables() and name in _fields(_table_class(table, method)) for method in methods
    ):
        every = [known for method in methods for known in _every_key(method)]
        near = difflib.get_close_matches(key, every, n=1, cutoff=0.4)
        known = ", ".join(sorted(_tables()))
        hint = f"did you mean {near[0]}?" if near else f"the tables are {known}."
        raise UserError(f"There is no setting {key!r}; {hint}")
    return table, name


def _kinds(table: Any, name: str) -> tuple[Any, ...]:
    hint = typing.get_type_hints(table)[name]
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return typing.get_args(hint)
    return (hint,)


def _parse(table: Any, name: str, text: str) -> Any:
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
        raise UserError(f"{table.table}.{name} is {text!r}; it must be {words}.") from error
    if wanted is str:
        return text
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _convert(table: Any, name: str, value: Any) -> Any:
    wanted = _kinds(table, name)[0]
    if isinstance(value, list) and typing.get_origin(wanted) is tuple:
        return tuple(str(part) for part in value)
    if wanted is float and type(value) is int:
        return float(value)
    if type(value) is not wanted:
        raise UserError(f"{table.table}.{name} is {value!r}; it must be of type {wanted}.")
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
