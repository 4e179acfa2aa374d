"""Rows of a study as CSV."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

THRESHOLDS = "thresholds.csv"
"""The table of the decisions that hold, in a study's folder."""


def to_csv(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """Rows as CSV, with these columns; None is an empty cell."""
    rows = list(rows)
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
