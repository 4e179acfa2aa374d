"""Tags of runs: short words by which a person groups them; kept in the run's `tags.txt`."""

from collections.abc import Iterable
from pathlib import Path

from ascnet_core.errors import UserError
from ascnet_core.files import read_text, refused, write_text
from ascnet_core.runs.folder import check_still_there

TAGS = "tags.txt"  # a tag a line
LONGEST = 40


def read_tags(run: Path) -> tuple[str, ...]:
    """The tags of a run, each once, in the order of the alphabet; none if it has no file."""
    return _in_order(read_text(run / TAGS).splitlines())


def write_tags(run: Path, tags: Iterable[str]) -> None:
    """Keep these tags with a run instead of those it has, also while it trains; none: no file.

    Raises UserError for a tag that `check_tag` refuses, or if the run is gone or its folder cannot
    be written.
    """
    check_still_there(run)
    kept = _in_order(check_tag(tag) for tag in tags)
    if kept:
        write_text(run / TAGS, "\n".join(kept) + "\n")
        return
    try:
        (run / TAGS).unlink(missing_ok=True)
    except OSError as error:
        raise UserError(refused(run / TAGS, "removed", error)) from error


def check_tag(text: str) -> str:
    """A tag without spaces around it; UserError where the text cannot be one."""
    tag = text.strip()
    if tag and tag.isprintable() and "," not in tag and len(tag) <= LONGEST:
        return tag
    raise UserError(
        f"{text!r} cannot be a tag; use 1 to {LONGEST} letters, digits or signs other than a comma."
    )


def _in_order(tags: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({tag.strip() for tag in tags if tag.strip()}, key=str.casefold))
