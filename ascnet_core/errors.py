"""The one kind of error that a user can mend."""

import re

_LONG_WORD = re.compile(r"(\S{150})\S+(\S{50})")
_LONGEST = 1000  # characters


class UserError(Exception):
    """Something the user can put right.

    The message is one sentence that says what is wrong, where, and what to do. The command line
    prints it and exits with status 2; the pages show the same sentence. Names and values from files
    may stand in it as they are: what is no visible text is escaped, and of a word of thousands of
    characters the middle is left out.
    """

    def __init__(self, sentence: str) -> None:
        shown = printable(sentence)
        if len(shown) > _LONGEST:
            shown = _LONG_WORD.sub(r"\1...\2", shown)
        super().__init__(shown)


def printable(text: object) -> str:
    """Return a text for a line of output: what is no visible text is escaped."""
    shown = str(text).encode("utf-8", "backslashreplace").decode()
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in shown)
