"""The one kind of error that a user can mend."""

import re

_LONG = re.compile(r"([^\s/]{80})[^\s/]{176,}")
"""A word longer than any file's name may be: what someone gave as a value, not a path."""


class UserError(Exception):
    """Something the user can put right.

    The message is one sentence that says what is wrong, where, and what to do. The command line
    prints it and exits with status 2; the pages show the same sentence. It is `shortened`.
    """

    def __str__(self) -> str:
        return shortened(super().__str__())


def shortened(sentence: str) -> str:
    """Return a sentence with only the beginning of words that no path can hold."""
    return _LONG.sub(r"\1...", sentence)
