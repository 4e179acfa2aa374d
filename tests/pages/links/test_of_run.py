"""A run opens with the data that it was trained on."""

import os
from pathlib import Path

import pytest
import streamlit as st

from ascnet_core.imaging.cohort import read_manifest, write_manifest
from ascnet_core.runs.create import manifest_rows
from pages.parts.links import of_run
from pages.parts.shared import access, cohorts, state


@pytest.fixture(autouse=True)
def session(monkeypatch: pytest.MonkeyPatch, own_cache: Path) -> dict[str, object]:
    values: dict[str, object] = {state.VIEW: state.View()}
    monkeypatch.setattr(st, "session_state", values)
    monkeypatch.setattr(state, "current", lambda: values[state.VIEW])
    return values


@pytest.fixture
def run(tmp_path: Path, small_run: Path, small_cohort: Path) -> Path:
    """A run that was trained on the small cohort, as its manifest says."""
    folder = tmp_path / "runs" / "mine"
    folder.mkdir(parents=True)
    for name in ("settings.toml", "model.safetensors"):
        os.link(small_run / name, folder / name)
    rows = manifest_rows(read_manifest(small_cohort), folder)
    write_manifest(folder / "manifest.csv", rows)
    return folder


def test_the_cohort_that_is_open_is_taken(
    run: Path, small_cohort: Path, session: dict[str, object]
) -> None:
    session[state.OPENED] = [str(small_cohort)]
    assert of_run.cohort_of(str(run)) == str(small_cohort)


def test_else_it_is_the_runs_own_manifest(run: Path) -> None:
    key = of_run.cohort_of(str(run))
    assert key == str(access.real(run / "manifest.csv"))
    assert cohorts.cohort_label(key) == "data of mine"
    assert len(cohorts.load_cohort(key).scans) == 4


@pytest.mark.parametrize(
    ("name", "key"),
    [("demo-flair", "demo"), ("demo-t2", "demo-t2"), ("demo-ct", "demo-ct"), ("gone", None)],
)
def test_a_shipped_run_opens_the_demo_of_its_modality(name: str, key: str | None) -> None:
    assert of_run.cohort_of(name) == key


def test_data_that_is_gone_is_none(run: Path) -> None:
    manifest = run / "manifest.csv"
    manifest.write_text("subject,image\npatient,elsewhere/patient.nii.gz\n")
    assert of_run.cohort_of(str(run)) is None


def test_data_outside_of_what_a_server_opens_is_none(
    run: Path, small_cohort: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{"subject": "patient", "image": str(next(small_cohort.parent.glob("*.nii.gz")))}]
    write_manifest(run / "manifest.csv", rows)
    assert of_run.cohort_of(str(run)) is not None
    monkeypatch.setattr(access, "only_named", lambda: True)
    monkeypatch.setattr(access, "always_open", lambda: (access.real(run.parent),))
    assert of_run.cohort_of(str(run)) is None


def test_the_pages_own_button_opens_the_data_without_a_question(
    run: Path, session: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: dict[str, object] = {}
    monkeypatch.setattr(access, "only_named", lambda: False)
    monkeypatch.setattr(access, "always_open", tuple)
    access.agree_to_run(run)
    monkeypatch.setattr(state, "open_page", lambda page, **view: opened.update(view))
    own = str(access.real(run / "manifest.csv"))
    assert not access.may_open(own)
    of_run.open_run("pages/cuts.py", str(run), 2)
    assert opened == {"run": str(run), "cycle": 2, "cohort": own}
    assert access.may_open(own)
    assert session[state.OPENED] == [own]
    assert session[of_run.NOT_HERE] is None
