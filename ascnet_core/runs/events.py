"""Events of a run, read while another process appends them."""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_TAIL = 1 << 16
_RATE_WINDOW = 60.0


@dataclass(frozen=True)
class RunProgress:
    """How far a run is. Rate and time left are None until two steps of one process are known.

    `memory` is the process's peak memory in bytes, on the GPU if it trains there; older runs did
    not record it (None).
    """

    stage: int
    cycle: int
    phase: str
    epoch: int
    step: int
    steps_total: int
    steps_per_second: float | None
    seconds_left: float | None
    memory: int | None = None
    device: str = ""

    @property
    def share(self) -> float:
        """The part that is done, 0 to 1."""
        return min(self.step / self.steps_total, 1.0) if self.steps_total else 0.0


def read_events(path: Path, offset: int = 0) -> tuple[list[dict[str, Any]], int]:
    """Events from a byte offset on, and the offset for the next call.

    A last line without its line break is still being written: it is left for the next call.
    """
    try:
        with path.open("rb") as stream:
            stream.seek(offset)
            content = stream.read()
    except OSError:
        return [], offset
    end = content.rfind(b"\n") + 1
    events = []
    for line in content[:end].splitlines():
        with suppress(ValueError):
            events.append(json.loads(line))
    return [event for event in events if isinstance(event, dict)], offset + end


def tail_events(path: Path) -> list[dict[str, Any]]:
    """The events of the last 64 KiB; enough for state and speed, whatever the file's length."""
    try:
        start = max(path.stat().st_size - _TAIL, 0)
    except OSError:
        return []
    # The first line may be cut in half: then it is skipped.
    return read_events(path, start)[0]


def last_event(path: Path) -> dict[str, Any] | None:
    """The newest event, None if there is none."""
    events = tail_events(path)
    return events[-1] if events else None


def progress_of(events: Sequence[dict[str, Any]]) -> RunProgress | None:
    """How far a run is by its newest events, None if they hold no step."""
    steps: list[dict[str, Any]] = []
    for event in events:
        if event.get("kind") in ("resume", "go"):
            steps = steps[-1:] and [{**steps[-1], "time": event.get("time", 0.0)}]
        elif event.get("steps_total"):
            steps.append(event)
    if not steps:
        return None
    last = steps[-1]
    recent = [s for s in steps if last["time"] - s["time"] <= _RATE_WINDOW]
    first = recent[0]
    rate = None
    if last["time"] > first["time"] and last["step"] > first["step"]:
        rate = (last["step"] - first["step"]) / (last["time"] - first["time"])
    return RunProgress(
        stage=int(last.get("stage", 1)),
        cycle=int(last.get("cycle", 0)),
        phase=str(last.get("phase", "")),
        epoch=int(last.get("epoch", 0)),
        step=int(last["step"]),
        steps_total=int(last["steps_total"]),
        steps_per_second=rate,
        seconds_left=(last["steps_total"] - last["step"]) / rate if rate else None,
        memory=next((int(s["memory"]) for s in reversed(steps) if s.get("memory")), None),
        device=next((str(s["device"]) for s in reversed(steps) if s.get("device")), ""),
    )


def memory_in_words(size: int) -> str:
    """Bytes as people read them: `812 MB`, `3.1 GB`."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"
