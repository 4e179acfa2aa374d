"""Counts made beside the pages: one thread, one scan at a time, never before what a page cuts.

A page that needs the counts of a whole cohort asks for them here and shows what is known so far.
What is made goes to the disk scan by scan (`store`), so nothing is lost where it is killed.
"""

import atexit
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ascnet_core.files import mendable
from ascnet_core.studies.facts import Asked, Facts, asked_of, facts_from, look, to_count
from ascnet_core.studies.folder import Study

_LOW = 5
"""How much the thread steps back, as of `nice`, where threads can (on Linux).

More would starve it on a busy machine; a page's own cut goes `first` in any case.
"""

_AGAIN = 60.0
"""Seconds before what failed is tried again."""


@dataclass(frozen=True, eq=False)
class _Job:
    key: tuple[Any, ...]
    asked: Asked
    run: Path
    cycle: int | None


class _Ends(Exception):
    """The work is to end here, for good or for something more urgent."""


_changed = threading.Condition()
_jobs: list[_Job] = []
"""What is asked for; the last goes first."""
_problems: dict[tuple[Any, ...], tuple[float, str]] = {}
_first = 0
_stopped = False
_thread: threading.Thread | None = None


def ask(asked: Asked, run: Path, cycle: int | None) -> str:
    """Ask for counts of these scans, before what was asked for earlier; returns at once.

    What is known already is not made again. Returned is why they could not be made, if that was
    tried a moment ago.
    """
    global _thread
    about = (asked.run_sha256, asked.flip, asked.map, asked.range, cycle)
    key = (*about, *(str(scan.image) for scan in asked.scans))
    with _changed:
        when, problem = _problems.get(key, (0.0, ""))
        if _stopped or (problem and time.monotonic() - when < _AGAIN):
            return problem
        job = next((job for job in _jobs if job.key == key), None)
        if job is None or _jobs[-1] is not job:
            if job is not None:
                _jobs.remove(job)
            _jobs.append(job or _Job(key, asked, run, cycle))
            _changed.notify_all()
        if _thread is None:
            _thread = threading.Thread(target=_work, name="counts", daemon=True)
            _thread.start()
    return ""


def facts_so_far(study: Study) -> tuple[dict[str, Facts], bool, str]:
    """As `known_facts`, and ask for the rest; whether that is all; and why the rest cannot be made.

    Scans that cannot be read are not asked for again.
    """
    asked = asked_of(study)
    seen = look(asked)
    complete = not to_count(asked, seen)
    problem = "" if complete else ask(asked, study.run, study.cycle)
    return facts_from(asked, seen), complete, problem


@contextmanager
def first() -> Iterator[None]:
    """Let the block's cut go first: the thread waits at its next batch of slices."""
    global _first
    with _changed:
        _first += 1
    try:
        yield
    finally:
        with _changed:
            _first -= 1
            _changed.notify_all()


def wait(seconds: float) -> bool:
    """Wait until nothing is left to do; say whether that came in time."""
    with _changed:
        return _changed.wait_for(lambda: not _jobs, seconds)


def _work() -> None:
    if hasattr(os, "setpriority"):
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LOW)
    while True:
        with _changed:
            _changed.wait_for(lambda: _stopped or _jobs)
            if _stopped:
                return
            job = _jobs[-1]
        problem = ""
        try:
            _count(job)
        except _Ends:
            continue
        except Exception as error:  # a fault of ours must not end the thread
            problem = mendable(error) or repr(error)
        with _changed:
            if problem:
                _problems[job.key] = time.monotonic(), problem
            if job in _jobs:
                _jobs.remove(job)
            _changed.notify_all()


def _count(job: _Job) -> None:
    from ascnet_core.studies.counts.gathering import count_missing, loader

    def between() -> None:
        with _changed:
            _changed.wait_for(lambda: _stopped or not _first)
            if _stopped or _jobs[-1] is not job:
                raise _Ends

    subjects = tuple(dict.fromkeys(scan.subject for scan in job.asked.scans))
    load = loader(job.run, job.cycle, "auto")
    count_missing(job.asked, load, subjects, between=between, again=False)


def _stop() -> None:
    """End the thread at its next batch: Python must not end while it is inside torch."""
    global _stopped
    with _changed:
        _stopped = True
        _changed.notify_all()
    if _thread is not None:
        _thread.join(10)


_at_end: Callable[[], None] = atexit.register(_stop)
