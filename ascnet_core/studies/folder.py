"""The folder of a study: where it is, how it is made, what it speaks of.

====================  ==========================================================================
`study.sqlite`        subjects, raters, every decision ever made: `studies/database.py`
`manifest.csv`        the cohort as it was when the study was made, paths relative to the folder
`thresholds.csv`      the decisions that hold, written anew after each: `studies/table.py`
====================  ==========================================================================
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from itertools import chain
from pathlib import Path

from ascnet_core import places
from ascnet_core.errors import UserError
from ascnet_core.imaging.cohort import Cohort, Scan, read_manifest, write_manifest
from ascnet_core.imaging.formats import files_of
from ascnet_core.runs.create import known_sha256, manifest_rows
from ascnet_core.runs.folder import Run, new_run_path, resolve_run, short_name
from ascnet_core.runs.manage import arriving
from ascnet_core.settings.method import INPUT, Map
from ascnet_core.studies import database
from ascnet_core.studies.raters import add_rater


@dataclass(frozen=True)
class Study:
    """One study's folder. Its cohort, run, cycle and mirroring never change."""

    path: Path

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.path.name

    @property
    def identity(self) -> str:
        """What browsers call it: a study made later at the same place is another one."""
        return f"{self.path.resolve()} {self.about['made']}"

    @cached_property
    def about(self) -> dict[str, str]:
        """What the study speaks of: `cohort`, `manifest`, `run`, their SHA-256, `cycle`, `flip`."""
        with database.reading(self.path) as base:
            return {row["name"]: row["value"] for row in base.execute("SELECT * FROM about")}

    @cached_property
    def subjects(self) -> tuple[str, ...]:
        """All subjects, in the manifest's order."""
        with database.reading(self.path) as base:
            rows = base.execute("SELECT name FROM subjects ORDER BY place").fetchall()
            return tuple(row["name"] for row in rows)

    def cohort(self) -> Cohort:
        """The cohort; UserError if the manifest was changed, or names a file that is gone."""
        manifest, expected = self.path / places.MANIFEST, self.about["manifest_sha256"]
        if known_sha256(manifest) != expected:
            raise UserError(
                f"{manifest} has changed since the study was made; restore it, or make a new study."
            )
        return _cohort(manifest.absolute(), expected)

    @property
    def run(self) -> Path:
        """The folder of the run; UserError if it is not there."""
        return resolve_run(self.about["run"])

    @property
    def cycle(self) -> int | None:
        """The cycle whose network makes the maps; None for the run's result."""
        return int(self.about["cycle"]) if self.about["cycle"] else None

    @property
    def flip(self) -> bool:
        """Whether maps are averaged over the image and its mirror image."""
        return self.about["flip"] == "1"

    def map_named(self, name: str) -> Map:
        """The run's map of that name, or the scans' input; UserError if there is none."""
        return INPUT if name == INPUT.name else Run(self.run).settings().method.map_named(name)

    def run_sha256(self) -> str:
        """The run's hash; UserError if it is another network than when the study was made."""
        found = run_sha256(self.run, self.cycle)
        if found != self.about["run_sha256"]:
            raise UserError(
                f"Run {self.run} has changed since study {self.name} was made; restore it, or make "
                "a new study."
            )
        return found


# Hundreds of rows are not read anew for each decision.
_cohort = lru_cache(maxsize=8)(lambda manifest, sha256: read_manifest(manifest))


def new_study(
    name: str | Path,
    manifest: Path,
    run: str | Path,
    raters: Sequence[str] = (),
    cycle: int | None = None,
    flip: bool = False,
) -> Study:
    """Make a study of a cohort and a run, whole or not at all.

    `name` is one under `checkpoints/studies/`, or a path. Raises a UserError if it is taken or
    cannot be a folder, or the manifest or run cannot be used.
    """
    path = new_run_path(str(name), "study")
    if len(Path(name).parts) == 1:
        path = places.RUNS / places.STUDIES / path.name
    cohort, folder = read_manifest(manifest), resolve_run(run)
    about = {
        "made": now(),
        "cohort": cohort.name,
        "manifest": str(cohort.manifest.resolve()),
        "run": short_name(folder) if short_name(folder) == folder.name else str(folder.resolve()),
        "run_sha256": run_sha256(folder, cycle),
        "cycle": "" if cycle is None else str(cycle),
        "flip": str(int(flip)),
    }
    with arriving(path) as aside:
        # The hidden folder lies beside the study's: relative paths are the same.
        write_manifest(aside / places.MANIFEST, manifest_rows(cohort, aside))
        about["manifest_sha256"] = known_sha256(aside / places.MANIFEST)
        database.make(aside)
        with database.writing(aside) as base:
            base.executemany("INSERT INTO about VALUES (?, ?)", about.items())
            base.executemany("INSERT INTO subjects VALUES (?, ?)", enumerate(cohort.subjects, 1))
            for rater in raters:
                add_rater(base, rater, about["made"])
    return Study(path)


def find_study(name_or_path: str | Path) -> Study:
    """The study of that name under `checkpoints/studies/`, or at that path; UserError if none."""
    for path in (places.RUNS / places.STUDIES / name_or_path, Path(name_or_path)):
        if (path / database.DATABASE).is_file():
            return Study(path)
    raise no_study(name_or_path)


def no_study(name: str | Path) -> UserError:
    """The sentence on a study that is not there."""
    known = ", ".join(study.name for study in list_studies()) or "none yet"
    return UserError(
        f"There is no study {str(name)!r}; give a study's folder or a name under "
        f"{places.RUNS / places.STUDIES} ({known})."
    )


def list_studies() -> list[Study]:
    """All studies under `checkpoints/studies/`, by name."""
    found = (places.RUNS / places.STUDIES).glob(f"*/{database.DATABASE}")
    return [Study(path.parent) for path in sorted(found) if not path.parent.name.startswith(".")]


def now() -> str:
    """The time, UTC, as ISO 8601 with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def run_sha256(run: Path, cycle: int | None) -> str:
    """A hash of what makes a run's maps: its network and its settings."""
    folder = run if cycle is None else Run(run).at_cycle(cycle).path
    return _together([folder / places.MODEL, run / places.SETTINGS])


def scans_sha256(scans: Sequence[Scan]) -> str:
    """A hash of what the masks of a subject depend on: its images and regions, not its truth.

    Of a single file it is the file's own SHA-256. A file that has not changed is read once.
    """
    named = [path for scan in scans for path in images_of(scan)]
    return _together([file for path in dict.fromkeys(named) for file in files_of(path)])


def images_of(scan: Scan) -> list[Path]:
    """The images and regions of a scan, which its masks depend on; not its truth."""
    further = (scan.image, scan.region, *scan.further.values(), *chain(*scan.series))
    return [path for path in further if path is not None]


def _together(files: Sequence[Path]) -> str:
    return together([known_sha256(file) for file in dict.fromkeys(files)])


def together(hashes: Sequence[str]) -> str:
    """One hash of several files' hashes; that of a single file is its own."""
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("\n".join(hashes).encode()).hexdigest()
