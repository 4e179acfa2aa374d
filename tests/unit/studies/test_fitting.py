"""Which studies a cohort and a run belong to."""

import csv
from pathlib import Path

from ascnet_core.imaging.cohort import read_manifest
from ascnet_core.places import MANIFEST, MODEL
from ascnet_core.studies.fitting import fitting, propose_name
from ascnet_core.studies.folder import Study, new_study


def test_a_study_fits_its_cohort_run_cycle_and_mirroring(study: Study, files: Path) -> None:
    cohort, run = read_manifest(files / MANIFEST), files / "first"
    assert [one.name for one in fitting(cohort, run, None, False)] == ["ms"]
    assert fitting(cohort, run, None, True) == []
    assert fitting(cohort, run, 2, False) == []
    own = read_manifest(study.path / MANIFEST)
    assert [one.name for one in fitting(own, run, None, False)] == ["ms"]
    new_study("again", files / MANIFEST, run)
    assert [one.name for one in fitting(cohort, run, None, False)] == ["again", "ms"]


def test_a_study_at_another_place_fits_the_manifest_in_it(files: Path, tmp_path: Path) -> None:
    study = new_study(tmp_path / "elsewhere", files / MANIFEST, files / "first")
    cohort = read_manifest(study.path / MANIFEST)
    assert [one.path for one in fitting(cohort, files / "first", None, False)] == [study.path]


def test_another_manifest_or_network_does_not_fit(study: Study, files: Path) -> None:
    rows = [("subject", "image"), *((f"P{n}", f"P{n}.nii") for n in range(4))]
    with (files / "fewer.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows(rows)
    assert fitting(read_manifest(files / "fewer.csv"), files / "first", None, False) == []
    cohort = read_manifest(files / MANIFEST)
    (files / "first" / MODEL).write_bytes(b"other weights")
    assert fitting(cohort, files / "first", None, False) == []
    (study.path / "study.sqlite").write_bytes(b"no database")
    assert fitting(cohort, files / "first", None, False) == []


def test_a_name_is_proposed_that_is_free(files: Path, runs: Path) -> None:
    cohort, run = read_manifest(files / MANIFEST), files / "first"
    name = propose_name(cohort, run, None, False)
    assert name == "data-first"
    new_study(name, files / MANIFEST, run)
    assert propose_name(cohort, run, None, False) == "data-first-2"
    assert propose_name(cohort, run, 3, True) == "data-first-cycle-3-mirrored"
    odd = Path(files / "Übung µ" / "x")
    assert propose_name(cohort, odd, None, False) == "data-x"
