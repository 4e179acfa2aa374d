"""Who is trained on and who is scored: cohorts joined, and divided by patient."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ascnet_core.errors import UserError
from ascnet_core.file_names import file_names, same_file_name
from ascnet_core.imaging.cohort import Cohort, read_manifest

LEAVE_ONE_OUT = "leave-one-patient-out"
BY_MANIFEST = "manifest"


class Fold(NamedTuple):
    """Two groups of patients that share nobody; `name` is short and fit for a folder."""

    name: str
    train: Cohort
    test: Cohort


def join(manifests: Sequence[Path]) -> Cohort:
    """Read several manifests as one cohort, in their order; one subject in two of them is one.

    Where two scans have the same name, all names begin with their manifest's. Raises `UserError`
    if a manifest can't be read, or names an image that another one names too.
    """
    cohorts = [read_manifest(path) for path in manifests]
    if len(cohorts) == 1:
        return cohorts[0]
    every = [scan for cohort in cohorts for scan in cohort.scans]
    images = Counter((scan.image.resolve(), scan.channel) for scan in every)
    for (image, _), times in images.items():
        if times > 1:
            known = " and ".join(path.name for path in manifests)
            raise UserError(f"{image} is listed {times} times in {known}; keep one.")
    twice = len({scan.scan for scan in every}) < len(every)
    scans = [
        replace(scan, scan=f"{cohort.name}_{scan.scan}") if twice else scan
        for cohort in cohorts
        for scan in cohort.scans
    ]
    return Cohort("+".join(cohort.name for cohort in cohorts), manifests[0], tuple(scans))


def split(
    cohort: Cohort, how: int | str, seed: int = 0, always_train: Sequence[str] = ()
) -> tuple[Fold, ...]:
    """Divide a cohort by patient so that everyone who is scored is scored once.

    `how` is a number of folds of nearly equal size, drawn by `seed` from the sorted subjects (those
    of group normal apart from the others, so that every fold has its share);
    "leave-one-patient-out", where subjects of group normal are always trained on; or "manifest":
    by the column `fold`, each of whose values is scored once. Subjects in `always_train` are never
    scored. Raises `UserError` if there are too few subjects, or the column puts a patient into
    several folds.
    """
    every = set(cohort.subjects)
    for subject in always_train:
        if subject not in every:
            raise UserError(f"always_train names {subject}, who is not in {cohort.manifest}.")
    scored = subset(cohort, every - set(always_train))
    if how == BY_MANIFEST:
        parts = _by_column(scored)
    elif how == LEAVE_ONE_OUT:
        parts = {s: [s] for s in sorted(set(scored.subjects) - _normal(scored))}
    elif type(how) is int and how >= 2:
        parts = _drawn(scored, how, seed)
    else:
        raise UserError(
            f"folds is {how!r}; write a number from 2, {LEAVE_ONE_OUT!r} or {BY_MANIFEST!r}."
        )
    if len(parts) < 2:
        raise UserError(f"{cohort.manifest} has too few subjects to be divided into folds.")
    names = {name: re.sub(r"[^\w.]", "_", name) for name in parts}
    if same_file_name(list(names.values())):
        names = file_names(list(parts))
    return tuple(
        Fold(names[name], subset(cohort, every - set(held)), subset(cohort, held))
        for name, held in parts.items()
    )


def apart(train: Cohort, test: Cohort) -> Fold:
    """Return the one fold of two cohorts; `UserError` if a patient or image is in both."""
    both = sorted(set(train.subjects) & set(test.subjects))
    both += sorted(map(str, _images(train) & _images(test)))
    if both:
        raise UserError(
            f"{both[0]} is in {train.manifest} and in {test.manifest}: nobody may be scored who "
            "was trained on; remove it from one of them."
        )
    return Fold("test", train, test)


def subset(cohort: Cohort, subjects: Iterable[str]) -> Cohort:
    """Return the scans of some subjects, in the cohort's order."""
    wanted = set(subjects)
    return replace(cohort, scans=tuple(scan for scan in cohort.scans if scan.subject in wanted))


def without(reference: Cohort, test: Cohort) -> Cohort:
    """Return a reference without what is scored; `UserError` if nothing of it remains."""
    subjects, images = set(test.subjects), _images(test)
    scans = tuple(
        scan
        for scan in reference.scans
        if scan.subject not in subjects and scan.image.resolve() not in images
    )
    if not scans:
        raise UserError(f"{reference.manifest} holds only patients that are scored; name another.")
    return replace(reference, scans=scans)


def _images(cohort: Cohort) -> set[Path]:
    return {scan.image.resolve() for scan in cohort.scans}


def _normal(cohort: Cohort) -> set[str]:
    """Return the subjects all of whose scans are of group normal."""
    return {
        subject
        for subject in cohort.subjects
        if all(scan.group == "normal" for scan in cohort.scans_of(subject))
    }


def _drawn(cohort: Cohort, number: int, seed: int) -> dict[str, list[str]]:
    normal = _normal(cohort)
    groups = [sorted(set(cohort.subjects) - normal), sorted(normal)]
    if len(groups[0]) < number:
        raise UserError(
            f"{cohort.manifest} has {len(groups[0])} subjects to score, too few for {number} folds."
        )
    rng = np.random.default_rng(seed)
    held: dict[str, list[str]] = {f"fold{n}": [] for n in range(1, number + 1)}
    for group in groups:
        order = rng.permutation(len(group))
        for part, drawn in zip(held.values(), np.array_split(order, number), strict=True):
            part += [group[index] for index in drawn]
    return held


def _by_column(cohort: Cohort) -> dict[str, list[str]]:
    held: dict[str, list[str]] = {}
    for subject in sorted(set(cohort.subjects)):
        folds = {scan.fold or "" for scan in cohort.scans_of(subject)}
        if len(folds) > 1:
            raise UserError(
                f"{cohort.manifest} has subject {subject} in folds {', '.join(sorted(folds))}; "
                "a patient belongs to one fold."
            )
        fold = folds.pop()
        if fold:  # who has no fold is trained on and never scored
            held.setdefault(fold, []).append(subject)
    return dict(sorted(held.items()))
