"""A study's folder: whole or not at all, and true to its cohort and run."""

import sqlite3
from contextlib import closing

import pytest

from ascnet_core.cli import main
from ascnet_core.errors import UserError
from ascnet_core.outputs import sha256_of
from ascnet_core.places import MANIFEST, MODEL
from ascnet_core.studies.database import DATABASE
from ascnet_core.studies.decisions import decisions_of
from ascnet_core.studies.folder import find_study, list_studies, new_study
from tests.unit.studies.conftest import SUBJECTS
from tests.unit.studies.deciding import decide


def test_a_study_is_found_again_by_name_and_path(study, runs, files):
    assert study.path == runs / "studies" / "ms"
    assert find_study("ms") == find_study(study.path) == list_studies()[0] == study
    assert sorted(p.name for p in study.path.iterdir()) == [MANIFEST, DATABASE]
    assert study.subjects == tuple(SUBJECTS)
    assert [scan.image.resolve() for scan in study.cohort().scans] == [
        (files / f"{subject}.nii").resolve() for subject in SUBJECTS
    ]
    assert study.about["manifest_sha256"] == sha256_of(study.path / MANIFEST)
    assert (study.run, study.cycle, study.flip) == (files / "first", None, False)
    with pytest.raises(UserError, match=r"no study 'other'.*\(ms\)"):
        find_study("other")


def test_a_study_at_any_path(files, runs, tmp_path):
    study = new_study(tmp_path / "x" / "own", files / "manifest.csv", files / "first", flip=True)
    assert find_study(str(study.path)).flip
    assert list_studies() == []


@pytest.mark.parametrize("name", ["", "a/../..", "-x", ".hidden", "plans"])
def test_awkward_names_are_refused(files, runs, name):
    with pytest.raises(UserError):
        new_study(name, files / "manifest.csv", files / "first")


def test_what_is_refused_leaves_nothing(study, files, runs):
    for name, manifest, run, rater in (
        ("ms", "manifest.csv", "first", "anna"),
        ("a", "none.csv", "first", "anna"),
        ("a", "manifest.csv", "second", "anna"),
        ("a", "manifest.csv", "first", " "),
    ):
        with pytest.raises(UserError):
            new_study(name, files / manifest, files / run, [rater])
    assert [path.name for path in study.path.parent.iterdir()] == ["ms"]


def test_one_damaged_study_does_not_hide_the_others(study, files, capsys):
    new_study("bad", files / "manifest.csv", files / "first")
    (study.path.parent / "bad" / DATABASE).write_text("no database")
    assert main(["study", "list"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert "cannot be used" in said[0]
    assert said[1].startswith("ms: data, run ")


def test_decisions_on_another_run_or_manifest_are_refused(study, files):
    decide(study)
    (files / "first" / MODEL).write_bytes(b"others")
    with pytest.raises(UserError, match="has changed since study ms was made"):
        decide(study)
    (files / "first" / MODEL).write_bytes(b"weights")
    decide(study)
    manifest = study.path / MANIFEST
    manifest.write_text(manifest.read_text() + "\n")
    with pytest.raises(UserError, match=r"manifest\.csv has changed since the study was made"):
        decide(study)


def test_the_hash_of_a_scan_is_that_of_its_file(study, files):
    decide(study, "P3")
    assert decisions_of(study, "anna")["P3"].scan_sha256 == sha256_of(files / "P3.nii")


def test_damaged_foreign_and_newer_databases_are_said(study):
    path = study.path / DATABASE
    whole = path.read_bytes()
    path.write_bytes(whole[:100] + b"x" * 5000)
    with pytest.raises(UserError, match=r"study\.sqlite cannot be used"):
        decide(find_study("ms"))
    path.unlink()
    with closing(sqlite3.connect(path)) as base:
        base.execute("CREATE TABLE t (a)")
    with pytest.raises(UserError, match="no study's database"):
        decide(find_study("ms"))
    path.write_bytes(whole)
    with closing(sqlite3.connect(path)) as base:
        base.execute("PRAGMA user_version = 99")
    with pytest.raises(UserError, match="another version"):
        decide(find_study("ms"))
