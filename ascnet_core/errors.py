"""The one kind of error that a user can mend."""

import re

_LONG = re.compile(r"([^\s/]{80})[^\s/]{126,}([^\s/]{50})")
"""A word longer than any file's name may be: what someone gave as a value, not a path."""


class UserError(Exception):
    """Something the user can put right.

    The message is one sentence that says what is wrong, where, and what to do. The command line
    prints it and exits with status 2; the pages show the same sentence. Names and values from files
    may stand in it as they are: what is no visible text is escaped, and it is `shortened`.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(shortened(printable(sentence)))


def shortened(sentence: str) -> str:
    """Return a sentence without the middle of words that no path can hold."""
    return _LONG.sub(r"\1...\2", sentence)


def printable(text: object) -> str:
    """Return a text for a line of output: what is no visible text is escaped."""
    shown = str(text).encode("utf-8", "backslashreplace").decode()
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in shown)
