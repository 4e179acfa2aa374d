"""The schedule in a line, and warnings where it does not fit the data."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from ascnet_core.training.plan import plan
from ascnet_core.training.schedule_check import (
    check_schedule,
    check_time,
    seconds_of,
    time_in_words,
    times_seen,
)

if TYPE_CHECKING:
    from ascnet_core.training.settings import Settings


@cache
def this_processor() -> tuple[int, bool, bool]:
    """Threads, whether bfloat16 is native, whether there is a GPU; without waiting for torch."""
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        flags = ""
    native = "avx512_bf16" in flags or "amx_bf16" in flags
    threads = os.cpu_count() or 1
    return threads, native, Path("/proc/driver/nvidia/version").is_file()


def schedule_sentence(
    settings: Settings, inputs: int, references: int, threads: int, native: bool, gpu: bool
) -> str:
    """How long a schedule is: cycles, steps, how often a slice is seen, and about what time."""
    segments = plan(settings, inputs, references)
    cycles = len({(one.stage, one.cycle) for one in segments})
    steps = sum(one.epochs * one.steps for one in segments if one.phase != "D")
    parts = [
        f"{cycles} cycle" + ("" if cycles == 1 else "s"),
        f"{steps} steps of M, {settings.schedule.batch_m} slices each",
    ]
    seen = times_seen(settings, inputs, references)
    if seen:
        each = (f"each {name} slice about {_times(times)}" for name, times in seen.items())
        parts.append("M sees " + ", ".join(each))
    seconds = seconds_of(settings, inputs, references, threads, native)
    parts.append(f"{time_in_words(seconds)} or so on an idle processor like this one")
    if gpu:
        parts[-1] += ", far less on this machine's GPU"
    return " · ".join(parts)


def show_schedule(settings: Settings, inputs: int, references: int) -> None:
    """The line, and under it what does not fit."""
    threads, native, gpu = this_processor()
    st.caption(schedule_sentence(settings, inputs, references, threads, native, gpu))
    found = check_schedule(settings, inputs, references)
    if not gpu:
        found += check_time(seconds_of(settings, inputs, references, threads, native))
    sentences = [one.sentence for one in found]
    if sentences:
        lines = sentences if len(sentences) == 1 else [f"- {sentence}" for sentence in sentences]
        st.warning("\n".join(lines), icon=":material/warning:")


def _times(times: float) -> str:
    return f"{times:.1f} times" if times < 10 else f"{times:.0f} times"
