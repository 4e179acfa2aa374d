"""Which study a cohort and a run belong to, and what a new one of them may be called."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from ascnet_core import places
from ascnet_core.errors import UserError
from ascnet_core.file_names import file_name
from ascnet_core.imaging.cohort import Cohort, manifest_text
from ascnet_core.runs.create import manifest_rows
from ascnet_core.studies import database
from ascnet_core.studies.folder import Study, list_studies, run_sha256

_LONGEST = 60


def fitting(cohort: Cohort, run: Path, cycle: int | None, flip: bool) -> list[Study]:
    """The studies of a cohort, run, cycle and mirroring, the one that was made last first.

    They are those under `checkpoints/studies/`, and the one that the cohort's manifest lies in. A
    study fits where the manifest it keeps says the same and the run has not changed since.
    """
    own = Study(cohort.manifest.parent)
    known = {study.path.resolve(): study for study in (own, *list_studies())}
    found = [study for study in known.values() if _fits(study, cohort, run, cycle, flip)]
    return sorted(found, key=lambda study: study.about["made"], reverse=True)


def _fits(study: Study, cohort: Cohort, run: Path, cycle: int | None, flip: bool) -> bool:
    if not (study.path / database.DATABASE).is_file():
        return False
    try:
        return (
            (study.cycle, study.flip) == (cycle, flip)
            and study.run.resolve() == run.resolve()
            and study.about["run_sha256"] == run_sha256(run, cycle)
            and study.about["manifest_sha256"] == _manifest_sha256(cohort, study.path)
        )
    except UserError:  # It is damaged, or its run is gone.
        return False


def _manifest_sha256(cohort: Cohort, folder: Path) -> str:
    """The hash of the manifest that a study in a folder would keep of a cohort."""
    text = manifest_text(manifest_rows(cohort, folder), folder)
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()


def propose_name(cohort: Cohort, run: Path, cycle: int | None, flip: bool) -> str:
    """A name that is free under `checkpoints/studies/`, after cohort and run."""
    parts = [cohort.name, run.name]
    parts += [] if cycle is None else [f"cycle-{cycle}"]
    parts += ["mirrored"] if flip else []
    name = _plain("-".join(map(file_name, parts)))
    return next(one for one in _numbered(name) if not _place(one).exists())


def _plain(name: str) -> str:
    """A name with nothing that is awkward in a folder's."""
    safe = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "-" for c in name)
    return safe.strip("._-")[:_LONGEST] or "study"


def _place(name: str) -> Path:
    return places.RUNS / places.STUDIES / name


def _numbered(name: str) -> Iterable[str]:
    yield name
    number = 2
    while True:
        yield f"{name}-{number}"
        number += 1
