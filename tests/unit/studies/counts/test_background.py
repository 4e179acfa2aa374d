"""Counts made by the thread beside the pages."""

import shutil
import threading
import time

import pytest

from ascnet_core import places
from ascnet_core.imaging.cohort import read_manifest
from ascnet_core.segmentation.cuts import cut_scan
from ascnet_core.studies.counts import background, gathering, keys
from ascnet_core.studies.facts import Asked, asked_of, look, tables_of
from ascnet_core.studies.folder import new_study, run_sha256


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv(places.OWN_FOLDER, str(tmp_path / "cache"))
    keys.forget()
    yield
    assert background.wait(60)


@pytest.fixture
def cut(monkeypatch) -> list[str]:
    """The scans that are cut, in order."""
    names: list[str] = []

    def noted(network, prepared, **more):
        names.append(prepared.scan.scan)
        return cut_scan(network, prepared, **more)

    monkeypatch.setattr(gathering, "cut_scan", noted)
    return names


def _asked(small_run, small_cohort, scans=slice(None)) -> Asked:
    found = read_manifest(small_cohort).scans[scans]
    return Asked(run_sha256(small_run, None), False, found, "wild")


def test_all_that_is_asked_for_comes_to_the_disk(small_run, small_cohort, cut):
    asked = _asked(small_run, small_cohort)
    assert background.ask(asked, small_run, None) == ""
    assert background.wait(60)
    keys.forget()
    assert len(tables_of(asked, look(asked))) == 4
    background.ask(asked, small_run, None)
    assert background.wait(60)
    assert len(cut) == 4


def test_a_page_goes_first(small_run, small_cohort, cut):
    asked = _asked(small_run, small_cohort)
    with background.first():
        background.ask(asked, small_run, None)
        assert not background.wait(0.5)
        assert cut == []
    assert background.wait(60)
    assert len(cut) == 4


def test_what_was_asked_for_last_goes_first(small_run, small_cohort, cut):
    with background.first():
        background.ask(_asked(small_run, small_cohort, slice(0, 3)), small_run, None)
        background.ask(_asked(small_run, small_cohort, slice(3, 4)), small_run, None)
        background.ask(_asked(small_run, small_cohort, slice(3, 4)), small_run, None)
    assert background.wait(60)
    assert cut[0] == read_manifest(small_cohort).scans[3].scan
    assert len(cut) == 4


def test_it_waits_between_batches_too(small_run, small_cohort, monkeypatch):
    """A page that begins to cut while a scan is cut here waits for a batch, not for the scan."""
    inside, batches = threading.Event(), []

    def slow(network, prepared, **more):
        inside.set()
        for batch in range(20):
            time.sleep(0.02)
            batches.append(batch)
            more["progress"](batch, 20)
        return cut_scan(network, prepared, flip=more["flip"])

    monkeypatch.setattr(gathering, "cut_scan", slow)
    background.ask(_asked(small_run, small_cohort, slice(0, 1)), small_run, None)
    assert inside.wait(60)
    with background.first():
        time.sleep(0.1)
        done = len(batches)
        time.sleep(0.2)
        assert len(batches) == done < 20
    assert background.wait(60)


def test_why_nothing_comes_is_said(small_cohort, tmp_path):
    asked = Asked("0" * 64, False, read_manifest(small_cohort).scans, "wild")
    background.ask(asked, tmp_path / "none", None)
    assert background.wait(60)
    assert "none" in background.ask(asked, tmp_path / "none", None)


def test_of_a_study_what_cannot_be_read_is_not_asked_for_again(
    small_run, small_cohort, tmp_path, runs, cut, monkeypatch
):
    folder = shutil.copytree(small_cohort.parent, tmp_path / "data")
    study = new_study("ms", folder / "manifest.csv", small_run)
    study.cohort().scans[0].image.write_bytes(b"no image")
    known, complete, problem = background.facts_so_far(study)
    assert (known, complete, problem) == ({}, False, "")
    assert background.wait(60)
    assert len(cut) == 3
    known, complete, problem = background.facts_so_far(study)
    assert list(known) == list(study.subjects[1:])
    assert complete
    assert background.wait(0)  # nothing was asked for
    monkeypatch.setattr(gathering, "prepare_scan", lambda *_: pytest.fail("read again"))
    background.ask(asked_of(study), study.run, study.cycle)
    assert background.wait(60)
    assert len(cut) == 3
