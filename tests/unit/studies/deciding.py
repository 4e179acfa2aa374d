"""Decisions for tests, in this process and in others."""

import multiprocessing
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ascnet_core.studies.decisions import Decision, record
from ascnet_core.studies.folder import Study


def decision(subject: str = "P0", level: int | None = 100, rater: str = "anna", **more: Any):
    rule = str(more.pop("rule", level))
    return Decision(rater, subject, "reconstruction", "bright", "raw", rule, level, **more)


def decide(study: Study, subject: str = "P0", level: int | None = 100, **more: Any) -> int:
    return record(study, decision(subject, level, **more))


def process(target: Callable[..., None], *arguments: object) -> multiprocessing.Process:
    return multiprocessing.get_context("fork").Process(target=target, args=arguments)


def decide_often(folder: Path, rater: str, number: int, accepted: Path) -> None:
    """Record decisions; the number of each goes to a file once it is accepted."""
    with accepted.open("a", buffering=1) as told:
        for count in range(number):
            made = decide(Study(folder), f"P{count % 5}", count % 256, rater=rater)
            told.write(f"{made} {count}\n")
