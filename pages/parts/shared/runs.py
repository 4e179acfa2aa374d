"""Runs that pages open: their settings, cycles and networks, each read once and kept.

What needs torch or SciPy is imported inside the functions: a page that shows no scan must not wait
for it.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from ascnet_core.errors import UserError
from ascnet_core.places import COUNTS, MODEL, SETTINGS
from ascnet_core.runs.folder import Run, list_runs, resolve_run
from ascnet_core.settings.method import INPUT, Map, TrainedMethod
from ascnet_core.settings.methods.asc_net import AscNet
from pages.parts.shared import access, disk
from pages.parts.shared.cohorts import find_scan, load_cohort
from pages.parts.shared.state import View

if TYPE_CHECKING:
    from ascnet_core.imaging.prepare import Preparation
    from ascnet_core.segmentation.cuts import Ready
    from ascnet_core.settings.tables import Settings


def known_runs() -> list[str]:
    """Names of the runs under `checkpoints/` that have a model, shipped ones first."""
    names = [path.name for path in list_runs() if (path / MODEL).is_file()]
    return sorted(names, key=lambda name: (not name.startswith("demo-"), name))


def run_folder(name: str) -> Path:
    """The folder of a run, by name or path. UserError where there is none, or it may not open."""
    access.check(name, is_run=True)
    return resolve_run(name)


def run_settings(name: str) -> Settings:
    """A run's settings."""
    return Run(run_folder(name)).settings()


def method_of(run: Run) -> TrainedMethod:
    """What a run trains; ASC-Net where its settings cannot be read."""
    try:
        return run.settings().method
    except UserError:
        return AscNet()


def run_maps(name: str) -> dict[str, Map]:
    """The maps of a run by name, in the order of menus; the input comes last."""
    return {one.name: one for one in (*run_settings(name).method.maps, INPUT)}


def run_stamp(name: str, cycle: int | None = None) -> str:
    """Another text once the settings of a run, its network or its counts of the reference change.

    With a `cycle`, those of its snapshot. Raises UserError where there is no such run or cycle.
    """
    run = Run(run_folder(name))
    folder = run.path if cycle is None else run.at_cycle(cycle).path
    return disk.stamp([run.path / SETTINGS, folder / MODEL, folder / COUNTS])


def run_cycles(name: str) -> dict[int, str]:
    """Cycles of a run whose network was kept, counted over both stages, with their labels."""
    snapshots = Run(run_folder(name)).snapshots()
    return {s.total_cycle: s.label for s in snapshots if (s.path / MODEL).is_file()}


def preparation_of(name: str) -> Preparation:
    """How a run wants its scans: size, scaling, region."""
    from ascnet_core.settings import preparation

    return preparation.preparation_of(run_settings(name))


def complete(view: View) -> View:
    """A view with everything named: the run's own map, rule, side, scope and steps, the subject."""
    advised, maps = run_settings(view.run).segmentation, run_maps(view.run)
    chosen = view.map if view.map in maps else advised.map
    return dataclasses.replace(
        view,
        scan=find_scan(load_cohort(view.cohort), view.scan).scan,
        map=chosen,
        range=view.range or maps[chosen].range,
        rule=view.rule or advised.rule,
        side=view.side or advised.side,
        scope=view.scope or advised.scope,
        post=tuple(advised.post) if view.post is None else view.post,
    )


@st.cache_resource(show_spinner="Loading the network", max_entries=4)
def _load_model(run: Path, cycle: int | None, changed: str) -> Ready:
    from ascnet_core.segmentation.cuts import ready
    from ascnet_core.training.checkpoint import load_model

    return ready(load_model(run, cycle)[0], "auto")


def load_model(name: str, cycle: int | None = None) -> Ready:
    """A run's network, ready to cut scans on this machine's best device. Raises UserError."""
    return _load_model(run_folder(name), cycle, run_stamp(name, cycle))
