"""Rows of a study as CSV."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""Text that begins so may run in a spreadsheet: names and notes come from anybody."""
THRESHOLDS = "thresholds.csv"
"""The table of the decisions that hold, in a study's folder."""


def to_csv(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """Rows as CSV, with these columns; None is an empty cell.

    Text that a spreadsheet would take for a formula gets an apostrophe before it.
    """
    rows = [{name: _harmless(cell) for name, cell in row.items()} for row in rows]
    # The csv module of Python 3.11 leaves a lone carriage return unquoted.
    odd = any("\r" in str(cell) for row in rows for cell in row.values())
    text = io.StringIO(newline="")
    writer = csv.DictWriter(
        text,
        columns,
        extrasaction="ignore",
        lineterminator="\n",
        quoting=csv.QUOTE_ALL if odd else csv.QUOTE_MINIMAL,
    )
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _harmless(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
