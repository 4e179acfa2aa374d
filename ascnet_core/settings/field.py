"""A field of settings with its sentence and bounds, and tables that check themselves.

The sentence lies in the field's metadata under "help", so that forms and `--help` show it; fields
that stand for a choice among names have these under "choices".
"""

from __future__ import annotations

from dataclasses import Field, field, fields
from typing import Any

from ascnet_core.errors import UserError


def setting(
    default: Any, text: str, *choices: str, low: float | None = None, high: float | None = None
) -> Any:
    """Make a field with its sentence, and what it may be."""
    metadata = {"help": text, "choices": choices, "low": low, "high": high}
    return field(default=default, metadata=metadata)


class Checked:
    """Checks each field against its choices and bounds as soon as a table exists."""

    table = ""

    def __post_init__(self) -> None:
        """Raise UserError where a value is none of the choices or out of bounds."""
        for one in fields(self):  # type: ignore[arg-type]
            self._check(one, getattr(self, one.name))

    def _check(self, one: Field[Any], value: Any) -> None:
        name = f"{self.table}.{one.name}"
        choices = one.metadata.get("choices", ())
        if choices and value not in choices:
            raise UserError(f"{name} is {value!r}; choose one of {', '.join(choices)}.")
        low, high = one.metadata.get("low"), one.metadata.get("high")
        for number in value if isinstance(value, tuple) else (value,):
            if isinstance(number, int | float):
                if low is not None and number < low:
                    raise UserError(f"{name} is {number}; it must be at least {low:g}.")
                if high is not None and number > high:
                    raise UserError(f"{name} is {number}; it must be at most {high:g}.")
