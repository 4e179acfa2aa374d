"""The schedule in a line, and warnings where it does not fit the data."""

import os
from functools import cache
from pathlib import Path

import streamlit as st

from ascnet_core.files import read_text
from ascnet_core.runs.folder import Run
from ascnet_core.runs.launch import processes_of
from ascnet_core.settings.tables import Settings
from ascnet_core.training.schedule_check import (
    check_schedule,
    check_time,
    seconds_of,
    time_in_words,
    times_seen,
)
from ascnet_core.training.timetable import segments_of
from pages.parts.shared import forms, tables
from pages.parts.shared.device import find_device

KEY = "processes of the new run"


@cache
def this_processor() -> tuple[int, bool, bool]:
    """Threads, whether bfloat16 is native, whether there is a GPU; without importing torch."""
    flags = read_text(Path("/proc/cpuinfo"))
    native = "avx512_bf16" in flags or "amx_bf16" in flags
    return os.cpu_count() or 1, native, Path("/proc/driver/nvidia/version").is_file()


def show_schedule(settings: Settings, inputs: int, references: int) -> None:
    """Cycles, steps, how often a slice is seen, about what time; under it what does not fit."""
    threads, native, gpu = this_processor()
    segments = segments_of(settings, inputs, references)
    cycles = len({(one.stage, one.cycle) for one in segments})
    steps = sum(len(one) for one in segments if one.phase.shows)
    parts = [
        tables.counted(cycles, "cycle"),
        f"{steps} steps of M, {settings.schedule.batch_m} slices each",
    ]
    seen = times_seen(settings, inputs, references)
    if seen:
        each = (
            f"each {name} slice about {times:.{int(times < 10)}f} times"
            for name, times in seen.items()
        )
        parts.append("M sees " + ", ".join(each))
    seconds = seconds_of(settings, inputs, references, threads, native)
    parts.append(f"{time_in_words(seconds)} on an idle processor like this one")
    if gpu:
        parts[-1] += ", far less on this machine's GPU"
    st.caption(" · ".join(parts))
    found = check_schedule(settings, inputs, references)
    if not gpu:
        found += check_time(seconds)
    sentences = [forms.in_labels(one.sentence) for one in found]
    if sentences:
        lines = sentences if len(sentences) == 1 else [f"- {sentence}" for sentence in sentences]
        st.warning("\n".join(lines), icon=":material/warning:")


def processes_as_before(run: Run) -> int:
    """As many as the run was last trained by, if there are GPUs for them; else 1."""
    wanted = processes_of(run.command().rpartition("\n")[2])
    return wanted if 1 < wanted <= find_device()[1] else 1
