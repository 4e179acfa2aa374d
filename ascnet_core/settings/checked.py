"""What all tables of settings share: they check their values and describe their fields."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, cast, dataclass_transform, get_args, get_origin

from annotated_types import Ge, Le
from pydantic import ConfigDict
from pydantic.dataclasses import dataclass as checked_dataclass
from pydantic.fields import FieldInfo

_CONFIG = ConfigDict(extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)
_KINDS = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "finite": "a finite number",
    "string": "text",
    "tuple": "a list of texts",
}
"""What a value has to be, by the first word of pydantic's name for what is wrong with it."""

_LONGEST = 100
"""Characters of a refused value that a sentence shows."""

T = TypeVar("T")


@dataclass_transform(frozen_default=True)
def table(cls: type[T]) -> type[T]:
    """Make a class a frozen dataclass that checks its values.

    The docstring under a field is its help text. `Literal` lists choices, `Field(ge=, le=)` sets
    bounds.
    """
    return cast(type[T], checked_dataclass(cls, frozen=True, config=_CONFIG))


@dataclass(frozen=True)
class About:
    """A setting's help text and allowed values; `kind` is its type, without None."""

    help: str
    kind: Any
    optional: bool
    choices: tuple[str, ...]
    low: float | None
    high: float | None


def fields_of(cls: Any) -> dict[str, FieldInfo]:
    """The fields of a table by name, in order."""
    return dict(cls.__pydantic_fields__)


def about_field(field: FieldInfo) -> About:
    """Describe a field of a table."""
    parts = get_args(field.annotation)
    optional = type(None) in parts
    kind = parts[0] if optional else field.annotation
    return About(
        help=" ".join((field.description or "").split()),
        kind=get_origin(kind) or kind,
        optional=optional,
        choices=parts if get_origin(kind) is Literal else (),
        low=_bound(field, Ge, "ge"),
        high=_bound(field, Le, "le"),
    )


def _bound(field: FieldInfo, kind: type[Ge] | type[Le], name: str) -> float | None:
    return next((getattr(one, name) for one in field.metadata if isinstance(one, kind)), None)


def refusal(key: str, about: About, problem: Mapping[str, Any]) -> str:
    """Say in a sentence why pydantic refused the value of a setting."""
    value, limits = problem["input"], problem.get("ctx", {})
    shown = str(value) if {"ge", "le"} & limits.keys() else repr(value)
    said = f"{key} is {shown if len(shown) <= _LONGEST else shown[:_LONGEST] + ' ...'}"
    if about.choices:
        return f"{said}; choose one of {', '.join(about.choices)}."
    if "ge" in limits:
        return f"{said}; it must be at least {_number(limits['ge'])}."
    if "le" in limits:
        return f"{said}; it must be at most {_number(limits['le'])}."
    return f"{said}; it must be {_KINDS[problem['type'].partition('_')[0]]}."


def _number(limit: float) -> str:
    return str(limit) if isinstance(limit, int) else f"{limit:g}"
