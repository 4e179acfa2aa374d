"""Settings by dotted key, and as TOML text."""

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
from ascnet_core.settings.method import TrainedMethod
from ascnet_core.settings.methods import METHODS, method_named
from ascnet_core.settings.methods.asc_net import AscNet
from ascnet_core.settings.tables import Settings

_SETTINGS = TypeAdapter(Settings)
_PLACE = re.compile(r"\(at (line \d+, column \d+|end of document)\)$")
_ARRAY = re.compile(r"\[\n((?:    .*,\n)+)\]")


def _describe(method: type[TrainedMethod]) -> dict[str, About]:
    """What is known of every dotted key, with the method's own settings in the table `method`."""
    tables = {name: whole.annotation for name, whole in fields_of(Settings).items()} | {
        "method": method
    }
    abouts = {
        f"{table}.{name}": about_field(field)
        for table, kind in tables.items()
        if kind is not str
        for name, field in fields_of(kind).items()
    }
    name, of_map = about_field(fields_of(TrainedMethod)["name"]), abouts["segmentation.map"]
    maps = tuple(one.name for one in method.maps)
    return abouts | {
        "method.name": dataclasses.replace(name, choices=tuple(METHODS)),
        "segmentation.map": dataclasses.replace(of_map, choices=maps),
    }


_ABOUTS = {name: _describe(method) for name, method in METHODS.items()}


def keys(settings: Settings | None = None) -> tuple[str, ...]:
    """The dotted keys that a method uses, such as "schedule.seed"; by default those of ASC-Net."""
    method = AscNet.name if settings is None else settings.method.name
    foreign = tuple(key for name, one in METHODS.items() if name != method for key in one.own)
    return tuple(key for key in _ABOUTS[method] if not key.startswith(foreign))


def value_of(settings: Settings, key: str) -> Any:
    """The value of a dotted key; None where it is a setting of another method."""
    table, name = _split(key, settings.method.name, *METHODS)
    return getattr(getattr(settings, table), name, None)


def differing(*several: Settings) -> tuple[str, ...]:
    """The dotted keys that are not the same in all these settings, in the order of the tables."""
    every = dict.fromkeys(key for one in several for key in keys(one))
    return tuple(key for key in every if len({value_of(one, key) for one in several}) > 1)


def about(key: str, settings: Settings | None = None) -> About:
    """Describe a dotted key, as the method of these settings has it if it does; ASC-Net first."""
    first = AscNet.name if settings is None else settings.method.name
    _split(key, first, *METHODS)
    return next(_ABOUTS[name][key] for name in (first, *METHODS) if key in _ABOUTS[name])


def with_method(settings: Settings, name: str) -> Settings:
    """Settings for another method: its own ones at their defaults, the mask from its first map.

    Raises UserError if there is no such method.
    """
    if name == settings.method.name:
        return settings
    method = method_named(name)()
    segmentation = dataclasses.replace(settings.segmentation, **method.segmentation())
    return dataclasses.replace(settings, method=method, segmentation=segmentation)


def apply_set(settings: Settings, assignments: Iterable[str]) -> Settings:
    """Settings changed by texts "table.key=value".

    Truth is `true` or `false`, several words are divided by commas, and an empty value unsets what
    may be unset. Raises UserError if a key does not exist, or a value does not fit it.
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
    for key, text in parted:
        table, name = _split(key, settings.method.name)
        changed.setdefault(table, {})[name] = _parse(about(key, settings), text)
    tables = {}
    for table, values in changed.items():
        try:
            tables[table] = dataclasses.replace(getattr(settings, table), **values)
        except ValidationError as error:
            raise _first_refusal(error, settings.method.name, table) from error
    return dataclasses.replace(settings, **tables)


def to_toml(settings: Settings) -> str:
    """TOML text of all settings, every default written out; unset ones are left out."""
    return _ARRAY.sub(
        _on_one_line, tomli_w.dumps(_SETTINGS.dump_python(settings, exclude_none=True))
    )


def _on_one_line(array: re.Match[str]) -> str:
    """An array on one line: tomli-w writes a line for each value."""
    return "[" + ", ".join(line[4:-1] for line in array[1].split("\n")[:-1]) + "]"


def from_toml(text: str, where: str = "settings") -> Settings:
    """Settings of a TOML text; what it does not name has its default.

    Raises UserError, naming `where`, if it is no TOML or has unknown keys or bad values.
    """
    content = parse_toml(text, where)
    own = content.setdefault("method", {})
    method: type[TrainedMethod] = AscNet
    if isinstance(own, dict):
        method = method_named(own.setdefault("name", AscNet.name))
    asked = content.get("segmentation", {})
    if isinstance(asked, dict):
        content["segmentation"] = method.segmentation() | asked
    try:
        # Strict JSON accepts lists and tables, but no text for a number and no number for a bool.
        return _SETTINGS.validate_json(json.dumps(content, default=str), strict=True)
    except RecursionError as error:
        raise UserError(f"{where} is nested too deeply to be settings; replace it.") from error
    except ValidationError as error:
        path = error.errors()[0]["loc"]
        if len(path) == 1:
            raise UserError(
                f"{where} has {str(path[0])[:80]!r}, which is no table of settings; remove it."
            ) from error
        raise _first_refusal(error, method.name) from error


def parse_toml(text: str, where: str) -> dict[str, Any]:
    """The tables of a TOML text. UserError says where it is wrong, but quotes nothing of it."""
    try:
        return tomllib.loads(text)
    except ValueError as error:  # of tomllib, or of int() for a number of thousands of digits
        place = _PLACE.search(str(error))
        raise UserError(
            f"{where} is no valid TOML{f' {place[0]}' if place else ''}; mend or replace it."
        ) from error
    except RecursionError as error:
        raise UserError(f"{where} is nested too deeply to be settings; replace it.") from error


def _first_refusal(error: ValidationError, method: str, *table: str) -> UserError:
    problem = error.errors()[0]
    # pydantic puts the method's name between its table and the key
    path = [str(part) for part in (*table, *problem["loc"]) if part != method]
    key = ".".join(path[:2])
    _split(key, method)
    return UserError(refusal(key, _ABOUTS[method][key], problem))


def _split(key: str, *methods: str) -> tuple[str, str]:
    """The table and the name of a key that one of these methods has."""
    every = list(dict.fromkeys(known for method in methods for known in _ABOUTS[method]))
    if key not in every:
        near = difflib.get_close_matches(key, every, n=1, cutoff=0.4)
        tables = ", ".join(sorted({known.partition(".")[0] for known in every}))
        hint = f"did you mean {near[0]}?" if near else f"the tables are {tables}."
        raise UserError(f"There is no setting {key!r}; {hint}")
    table, _, name = key.partition(".")
    return table, name


def _parse(setting: About, text: str) -> Any:
    """A text as pydantic can read it: None where it unsets, several words as a tuple."""
    if setting.optional and text in ("", "none"):
        return None
    if setting.kind is tuple:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    return text
