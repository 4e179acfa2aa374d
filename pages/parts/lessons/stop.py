"""What a stop of the lessons is made of."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple


class Question(NamedTuple):
    """What students ask at a stop, and the answer (Markdown), one click away."""

    asked: str
    answer: str


class Exercise(NamedTuple):
    """A task with a check that never gives the answer away.

    `check` looks at the stop's controls and says whether it is done, and a sentence why or why not.
    `opens` are the controls (by their session key) that are set for who begins it.
    """

    task: str
    check: Callable[[], tuple[bool, str]]
    opens: Mapping[str, Any] = MappingProxyType({})


class Stop(NamedTuple):
    """One lesson. `view` draws what is looked at and gives the sentence of what to notice.

    `text` is the paragraph of the page; `short` the one or two sentences of it that stand beside
    the view in Present. `notes` are the speaker's (Markdown), shown in the second window and on the
    printed sheet. `outlined` says that the view draws the true lesion's outline in blue.
    """

    title: str
    text: str
    view: Callable[[], str]
    short: str = ""
    notes: str = ""
    questions: tuple[Question, ...] = ()
    exercise: Exercise | None = None
    outlined: bool = True
