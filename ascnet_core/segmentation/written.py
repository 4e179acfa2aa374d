"""Rules and steps are written as `name:argument:argument`: how both are read and written back.

Imports nothing heavy, since `--help` lists both.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ascnet_core.errors import UserError

Values = tuple[Any, ...]
"""Numbers and words."""


def nothing(texts: Sequence[str]) -> Values:
    """Read the arguments of an entry that takes none."""
    if texts:
        raise ValueError("nothing follows its name")
    return ()


def number(text: str) -> float:
    """Read one number; NaN where the text is none, which no check lets pass."""
    try:
        return float(text)
    except ValueError:
        return float("nan")


def only(texts: Sequence[str]) -> float:
    """Read the one number that an entry takes; NaN where there are more or fewer."""
    return number(texts[0]) if len(texts) == 1 else float("nan")


@dataclass(frozen=True)
class Entry:
    """One kind of rule or step.

    Attributes
    ----------
    form : Name and arguments, capitals for what the user puts in: `peak:K`, `multi-otsu[:N]`.
    sentence : What it does, without a capital at the start or a full stop at the end.
    read : The arguments as written -> their values; a ValueError says what to write instead.
    examples : What menus offer; without arguments the name itself.
    """

    form: str
    sentence: str
    read: Callable[[Sequence[str]], Values] = nothing
    examples: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.read is nothing:
            object.__setattr__(self, "examples", (self.form,))

    @property
    def name(self) -> str:
        """What is written before the arguments."""
        return re.split(r"\[?:", self.form)[0].lower()


@dataclass(frozen=True)
class Written:
    """The name of an entry with the values of its arguments; `str()` gives the text back."""

    name: str
    values: Values = ()

    def __str__(self) -> str:
        values = [value if isinstance(value, str) else f"{value:.15g}" for value in self.values]
        return ":".join([self.name, *values])


def read(
    text: str, entries: Mapping[str, Entry], what: str, unnamed: str = ""
) -> tuple[str, Values]:
    """Read one text: the entry's name and the values of its arguments.

    `unnamed` is the entry that reads a whole text without any known name.

    Raises a UserError if it can't be read, with what is possible.
    """
    name, *texts = text.strip().split(":")
    if name.lower() not in entries:
        name, texts = unnamed, [text.strip()]
    try:
        if name.lower() not in entries:
            raise ValueError(f"it is not among the {what}s")
        return name.lower(), entries[name.lower()].read(texts)
    except ValueError as error:
        forms = ", ".join(entry.form for entry in entries.values())
        kind = {"rule": "Threshold rule", "step": "Post-processing step"}[what]
        raise UserError(
            f"{kind} '{text}' cannot be used: {error}. {what.capitalize()}s: {forms}."
        ) from None


def table(entries: Mapping[str, Entry], width: int = 20) -> str:
    """The entries in two columns, for help texts."""
    return "\n".join(f"  {entry.form:<{width}}  {entry.sentence}" for entry in entries.values())
