"""Progress of long work: a bar with the time left on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Callable
from typing import Any, Self

from ascnet_core.commands.surroundings import say

_LINE_SECONDS = 10.0


class Progress:
    """How much of some work is done; a context manager that is called with what is done.

    On a terminal (stderr) it is a bar. Elsewhere it gives `line` a line at most every ten seconds.
    `unit` says what is counted, in the plural; the total may be told later, in a call.
    """

    def __init__(
        self, unit: str, total: int | None = None, line: Callable[[str], None] = say
    ) -> None:
        self.unit = unit
        self.total = total
        self.done = self._before = 0
        self._line = line
        self._started = self._said = time.monotonic()
        self.bar: Any = None

    def __enter__(self) -> Self:
        """Show the bar, on a terminal."""
        if sys.stderr.isatty():
            from tqdm import tqdm

            self.bar = tqdm(total=self.total, unit=f" {self.unit}", dynamic_ncols=True)
        return self

    def __exit__(self, *error: object) -> None:
        """Close the bar, which ends its line."""
        if self.bar is not None:
            self.bar.close()

    def skip_to(self, done: int) -> None:
        """Set how many were done before; they don't count for the time left."""
        self.done = self._before = done
        if self.bar is not None:
            self.bar.initial = self.bar.n = done

    def advance(self, note: str = "") -> None:
        """One more is done."""
        self(self.done + 1, note=note)

    def __call__(self, done: int, total: int | None = None, note: str = "") -> None:
        """Set how many are done; `note` stands behind."""
        step, self.done = done - self.done, done
        self.total = total or self.total
        if self.bar is not None:
            self.bar.total = self.total
            self.bar.set_postfix_str(note, refresh=False)
            self.bar.update(step)
        elif time.monotonic() - self._said >= _LINE_SECONDS:
            self._said = time.monotonic()
            self._line(self.text(note))

    def text(self, note: str = "") -> str:
        """The state in one line, with the time left."""
        parts = [f"{self.done} of {self.total or '?'} {self.unit}"]
        if self.total and self._before < self.done < self.total:
            each = (time.monotonic() - self._started) / (self.done - self._before)
            parts.append(f"{duration(each * (self.total - self.done))} left")
        return ", ".join(parts + ([note] if note else []))


def duration(seconds: float) -> str:
    """Seconds in words, as coarse as people say it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
