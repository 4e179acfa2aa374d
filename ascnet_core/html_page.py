"""HTML pages that need nothing but themselves: how templates are read, and the frame of all."""

import math
import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup


def templates(folder: Path) -> Environment:
    """The templates of a folder, which may extend the common `page.html`.

    All that is put into one is escaped. The filter `number` writes a number with three digits after
    the point (or as many as it is told), None and NaN as nothing; `joined` puts what stands in it
    on one line.
    """
    found = Environment(
        loader=FileSystemLoader([folder, Path(__file__).parent / "templates"]),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
    )
    found.filters |= {"number": _number, "joined": _joined}
    return found


def _number(value: float | None, digits: int = 3) -> str:
    return "" if value is None or math.isnan(value) else f"{value:.{digits}f}"


def _joined(text: str) -> Markup:
    return Markup(re.sub(r"\n *", "", text))
