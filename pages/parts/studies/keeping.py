"""Where the pages keep decisions: the study of a view, and what its rater decided there."""

import getpass
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import streamlit as st

from ascnet_core import places
from ascnet_core.errors import UserError
from ascnet_core.imaging.cohort import Cohort
from ascnet_core.runs.manage import check_name
from ascnet_core.studies import fitting
from ascnet_core.studies.decisions import Entry, decisions_of
from ascnet_core.studies.export import tables
from ascnet_core.studies.folder import Study, new_study
from ascnet_core.studies.table import THRESHOLDS
from pages.parts.shared import cohorts, disk, runs
from pages.parts.shared.state import View

NEW = "+"
"""In the view: a further study is made at the next decision, though others fit."""


def studies_of(view: View) -> tuple[Study, ...]:
    """The studies that fit a complete view, the newest first. Raises UserError."""
    cohort = cohorts.load_cohort(view.cohort)
    manifests = sorted((places.RUNS / places.STUDIES).glob(f"*/{places.MANIFEST}"))
    stamps = disk.stamp([cohort.manifest, *manifests]), runs.run_stamp(view.run, view.cycle)
    key = f"{cohort.manifest} {stamps} {view.run} {view.cycle} {view.flip}"
    return _fitting(key, cohort, runs.run_folder(view.run), view.cycle, view.flip)


@st.cache_resource(show_spinner=False, max_entries=64)
def _fitting(
    key: str, _cohort: Cohort, _run: Path, _cycle: int | None, _flip: bool
) -> tuple[Study, ...]:
    return tuple(fitting.fitting(_cohort, _run, _cycle, _flip))


def study_view(study: Study) -> View:
    """What all subjects of a study are looked at with: its cohort, run, cycle and mirroring."""
    return View(
        cohort=str((study.path / places.MANIFEST).absolute()),
        run=study.about["run"],
        cycle=study.cycle,
        flip=study.flip,
        scope="subject",
    )


def name_of(study: Study) -> str:
    """What the address calls a study: its name, or its path where it lies elsewhere."""
    own = study.path.parent == places.RUNS / places.STUDIES
    return study.name if own else str(study.path)


def fits(view: View) -> bool:
    """Whether the study that a complete view names, if it does, is one of those that fit."""
    return not view.study or view.study in map(name_of, studies_of(view))


def misfit(view: View) -> str:
    """The sentence on a study that does not fit."""
    return (
        f"Study {view.study} is none of this cohort, run, cycle and mirroring, or its files have "
        "changed; choose another under Kept in."
    )


def study_of(view: View) -> Study | None:
    """The study that a complete view's decisions are kept in; None: one that is still to be made.

    Without one in the view it is the newest that fits. Raises UserError where the view's does not.
    """
    if view.study == NEW:
        return None
    known = {name_of(study): study for study in studies_of(view)}
    if not view.study:
        return next(iter(known.values()), None)
    if view.study not in known:
        raise UserError(misfit(view))
    return known[view.study]


def rater_of(view: View) -> str:
    """Who decides: the view's rater, else the login name of whoever started the server."""
    if view.rater:
        return view.rater
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # A container may know no user.
        return "rater"


def proposed_name(view: View) -> str:
    """A free name for a new study of a complete view."""
    cohort, run = cohorts.load_cohort(view.cohort), runs.run_folder(view.run)
    return fitting.propose_name(cohort, run, view.cycle, view.flip)


def ensure_study(view: View, name: str = "") -> Study:
    """The study of a complete view, made where there is none; `name`: what a new one is called.

    Raises UserError where it cannot be made.
    """
    study = study_of(view)
    if study is not None:
        return study
    manifest, run = cohorts.load_cohort(view.cohort).manifest, runs.run_folder(view.run)
    if name:
        check_name(name)  # At a path, the page would not find it again.
    make = partial(new_study, manifest=manifest, run=run, cycle=view.cycle, flip=view.flip)
    try:
        return make(name or proposed_name(view), raters=[rater_of(view)])
    except UserError:
        # Somebody else may have made it a moment ago.
        if view.study != NEW and (found := studies_of(view)):
            return found[0]
        raise


@dataclass(frozen=True)
class Kept:
    """What is kept of a view's rater: in which study, and the decisions that hold, by subject."""

    study: Study | None
    rater: str
    decisions: dict[str, Entry]

    def on(self, subject: str) -> Entry | None:
        """The decision on a subject."""
        return self.decisions.get(subject)


def kept(view: View) -> Kept:
    """What is on the disk for a complete view. Raises UserError."""
    study, rater = study_of(view), rater_of(view)
    return Kept(study, rater, {} if study is None else decisions_of(study, rater))


def thresholds_csv(study: Study) -> str:
    """The decisions of all raters that hold, as the study's table. Made from the disk alone."""
    return tables(study)[THRESHOLDS]
