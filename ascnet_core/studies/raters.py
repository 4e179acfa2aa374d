"""The people who decide in a study. A second pass of one person is a rater of its own."""

import sqlite3
import unicodedata

from ascnet_core.errors import UserError

_LONGEST = 100


def check_rater(name: str) -> str:
    """A rater's name without blanks at its ends; UserError if it cannot be one."""
    name = name.strip()
    if not name or len(name) > _LONGEST or not name.isprintable():
        raise UserError(
            f"{name!r} cannot name a rater; use 1 to {_LONGEST} letters, digits, signs and blanks."
        )
    return name


def _alike(name: str) -> str:
    return unicodedata.normalize("NFKC", name.strip()).casefold()


def add_rater(base: sqlite3.Connection, name: str, when: str) -> None:
    """Add a rater to a study, if it has none of that name.

    Raises a UserError if it has one that differs by capitals or accents' spelling alone: somebody
    would decide twice without knowing.
    """
    known = [row["name"] for row in base.execute("SELECT name FROM raters")]
    same = next((one for one in known if _alike(one) == _alike(name)), None)
    if same is not None and name.strip() not in known:
        raise UserError(
            f"The study knows the rater {same!r}; write the name like that, or take another one."
        )
    base.execute("INSERT OR IGNORE INTO raters VALUES (?, ?)", (check_rater(name), when))
