"""What a person writes about a run: `note.md` in its folder, free text."""

from pathlib import Path

from ascnet_core.errors import UserError
from ascnet_core.files import write_text

NOTE = "note.md"


def read_note(run: Path) -> str:
    """The note of a run, without white space around it; empty if there is none."""
    try:
        return (run / NOTE).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def write_note(run: Path, text: str) -> None:
    """Write a run's note, also while it trains; an empty text takes the note away.

    Raises
    ------
    UserError
        If the text is no Unicode, or the folder cannot be written.
    """
    text = "\n".join(text.splitlines()).strip()
    if not text:
        (run / NOTE).unlink(missing_ok=True)
        return
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise UserError(
            f"The note for {run.name} holds bytes that are no UTF-8 text; type it anew."
        ) from error
    write_text(run / NOTE, text + "\n")


def first_line(run: Path) -> str:
    """The note's first line, without the marks of a Markdown heading; for tables."""
    return read_note(run).partition("\n")[0].lstrip("# ").rstrip()
