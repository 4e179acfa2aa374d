"""What `train` says while it works: lines on the terminal and in the run's log, and a bar."""

import os
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from ascnet_core.commands.progress import Progress
from ascnet_core.commands.surroundings import say
from ascnet_core.errors import UserError
from ascnet_core.places import LOG
from ascnet_core.runs.events import memory_in_words

_WORDS = {"pause": "paused", "go": "going on", "resume": "going on from its checkpoint"}


class Log:
    """Says lines on stdout and keeps them, and whatever goes wrong, in the run's log."""

    def __init__(self, run: Path) -> None:
        self._path = run / LOG

    def __enter__(self) -> "Log":
        """Begin a part of the log."""
        self._write(f"--- process {os.getpid()}")
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Keep the trace of an error of ours: the terminal shows one line only."""
        if isinstance(error, UserError):
            self._write(f"error: {error}")
        elif error is not None:
            self._write("".join(traceback.format_exception(error)))

    def say(self, text: str, on_terminal: bool = True) -> None:
        """One line to both."""
        if on_terminal:
            say(text)
        self._write(text)

    def warn(self, text: str) -> None:
        """One line to stderr, and to the log unless stderr goes there already."""
        line = f"warning: {text}"
        say(line, sys.stderr)
        try:
            same = os.path.samestat(os.fstat(sys.stderr.fileno()), self._path.stat())
        except (OSError, ValueError):  # stderr is no file, or the log not there yet
            same = False
        if not same:
            self._write(line)

    def _write(self, text: str) -> None:
        stamp = time.strftime("%Y-%m-%d %H:%M:%S")
        with self._path.open("a", encoding="utf-8", errors="backslashreplace") as stream:
            stream.writelines(f"{stamp} {line}\n" for line in text.splitlines())


class Steps(Progress):
    """Shows a training's events: a bar with losses, a line for each cycle and snapshot."""

    def __init__(self, log: Log) -> None:
        super().__init__("steps", line=log.say)
        self._log = log
        self._losses = ""

    def report(self, event: dict[str, Any]) -> None:
        """Show one event."""
        kind = event["kind"]
        if kind in _WORDS:
            self._say(f"step {event['step']}: {_WORDS[kind]}")
            if kind == "resume":
                self.skip_to(event["step"])
        elif kind == "cycle":
            self._say(f"stage {event['stage']}, cycle {event['cycle']} done: {self._losses}")
        elif kind == "snapshot":
            self._say(f"kept {event['snapshot']}: {event['verdict']}")
        elif kind == "advice":
            self._say(f"advice: {event['sentence']}")
        elif kind == "step":
            where = f"stage {event['stage']}, cycle {event['cycle']}, {event['phase']}"
            where += f", epoch {event['epoch']}, {memory_in_words(event['memory'])}"
            losses = event.get("losses", {}).items()
            shown = [f"{name} {value:.3g}" for name, value in losses if value is not None]
            self._losses = " ".join(shown)
            self(event["step"], event["steps_total"], note=f"{where}, {self._losses}")

    def text(self, note: str = "") -> str:
        """The state in one line, with the rate before the rest."""
        done, seconds = self.done - self._before, time.monotonic() - self._started
        rate = f"{done / seconds:.3g} steps/s, " if done > 0 and seconds > 0 else ""
        return super().text(rate + note)

    def _say(self, text: str) -> None:
        # A printed line would tear the bar: the terminal gets it through the bar.
        if self.bar is not None:
            self.bar.write(text, file=sys.stdout)
        self._log.say(text, on_terminal=self.bar is None)
