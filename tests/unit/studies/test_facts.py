"""Counts of a study's subjects: as everybody else counts them, made once, made again if damaged."""

import csv
import os
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from ascnet_core import places
from ascnet_core.errors import UserError
from ascnet_core.imaging.prepare import prepare_scan
from ascnet_core.segmentation.cuts import cut_scan
from ascnet_core.segmentation.levels import keep, settle_ranges
from ascnet_core.settings.preparation import preparation_of
from ascnet_core.studies import facts
from ascnet_core.studies.counts import gathering, keys, store
from ascnet_core.studies.counts.gathering import gather
from ascnet_core.studies.facts import Asked, facts_from, known_facts, look
from ascnet_core.studies.folder import find_study, new_study, scans_sha256
from ascnet_core.training.checkpoint import load_model


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv(places.OWN_FOLDER, str(tmp_path / "cache"))
    keys.forget()


@pytest.fixture
def study(tmp_path, small_cohort, small_run, runs):
    """Of two subjects with a scan each and one with two."""
    folder = shutil.copytree(small_cohort.parent, tmp_path / "data")
    with (folder / "manifest.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    rows[3]["subject"] = rows[2]["subject"]
    with (folder / "manifest.csv").open("w", newline="") as stream:
        table = csv.DictWriter(stream, rows[0])
        table.writeheader()
        table.writerows(rows)
    return new_study("ms", folder / "manifest.csv", small_run, ["anna"])


def _tables(study, name, kind):
    """Each scan's table, counted as `evaluate` does: by `levels.keep` and `settle_ranges`."""
    model, settings = load_model(study.run)
    how = preparation_of(settings)
    several = []
    for scan in study.cohort().scans:
        prepared = prepare_scan(scan, how)
        several.append(keep(prepared, cut_scan(model, prepared).items(), {}, kind))
    settle_ranges(several, kind, lambda scan: scan.subject)
    return {one.scan.scan: one.table(name) for one in several}


def _same(one, other) -> bool:
    return (
        np.array_equal(one.levels, other.levels)
        and np.array_equal(one.lesion, other.lesion)
        and (one.outside, one.background) == (other.outside, other.background)
    )


def test_counts_are_those_of_evaluate(study):
    assert known_facts(study) == {}
    assert gather(study) == {}
    keys.forget()
    found = known_facts(study)
    assert list(found) == list(study.subjects)
    maps = _tables(study, "reconstruction", "raw")
    plain = _tables(study, "input", "raw")
    made = {scan.scan: scan for one in found.values() for scan in one.scans}
    assert made.keys() == maps.keys()
    for name, one in made.items():
        assert _same(one.table, maps[name])
        assert _same(one.plain, plain[name])
    several = found[study.subjects[2]]
    assert len(several.scans) == 2
    assert several.counts.sum() == sum(int(one.table.levels.sum()) for one in several.scans)


@pytest.mark.parametrize("kind", ["raw", "subject", "cohort"])
def test_every_range_is_counted(study, kind):
    asked = Asked(study.run_sha256(), False, study.cohort().scans, "wild", kind)
    load = gathering.loader(study.run, None, "cpu")
    assert gathering.count_missing(asked, load, study.subjects) == {}
    expected = _tables(study, "wild", kind)
    for facts_ in facts_from(asked, look(asked)).values():
        for one in facts_.scans:
            assert _same(one.table, expected[one.scan])


def test_ends_that_are_known_do_not_hide_missing_counts(study):
    load = gathering.loader(study.run, None, "cpu")
    raw = Asked(study.run_sha256(), False, study.cohort().scans, "wild", "raw")
    gathering.count_missing(raw, load, study.subjects)
    cohort = replace(raw, range="cohort")
    assert facts_from(cohort, look(cohort)) == {}
    gathering.count_missing(cohort, load, study.subjects)
    assert len(facts_from(cohort, look(cohort))) == 3


def test_what_is_known_is_not_cut_again(study, monkeypatch):
    gather(study)
    keys.forget()
    monkeypatch.setattr(gathering, "cut_scan", lambda *_, **__: pytest.fail("cut again"))
    told = []
    assert gather(study, lambda *done: told.append(done)) == {}
    assert told == []


def test_one_subject_alone(study, monkeypatch):
    cut = []
    real = cut_scan

    def counting(network, prepared, **more):
        cut.append(prepared.scan.scan)
        return real(network, prepared, **more)

    monkeypatch.setattr(gathering, "cut_scan", counting)
    subject, load = study.subjects[1], gathering.loader(study.run, None, "cpu")
    assert gathering.count_missing(facts.asked_of(study), load, [subject]) == {}
    assert len(cut) == 1
    (one,) = known_facts(study).values()
    assert one.subject == subject
    assert one.scan_sha256 == scans_sha256(study.cohort().scans_of(subject))


def test_interrupted_work_stays(study):
    def stop(done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        gather(study, stop)
    keys.forget()
    assert list(known_facts(study)) == list(study.subjects[:2])


def test_a_killed_process_leaves_what_it_made_and_no_halves(study, tmp_path):
    code = (
        "import os, signal\n"
        "from ascnet_core.studies import folder\n"
        "from ascnet_core.studies.counts import gathering\n"
        f"study = folder.find_study({str(study.path)!r})\n"
        "kill = lambda done, total: done == 2 and os.kill(os.getpid(), signal.SIGKILL)\n"
        "gathering.gather(study, kill)"
    )
    (tmp_path / "tmp").mkdir()
    env = os.environ | {"TMPDIR": str(tmp_path / "tmp")}
    assert subprocess.run([sys.executable, "-c", code], env=env, check=False).returncode == -9
    assert list(known_facts(study)) == list(study.subjects[:2])
    files = {path.name.partition("-")[0] for path in places.cache_folder().rglob("*.*")}
    assert files == {store.FILE}
    assert [path for path in (tmp_path / "tmp").iterdir() if "ascnet" in path.name] == []


def test_a_changed_scan_or_truth_is_counted_anew(study):
    gather(study)
    first = study.cohort().scans[0]
    assert first.mask is not None
    shutil.copy(study.cohort().scans[1].mask, first.mask)
    # The truths of others say how a truth without a lesion is read, so all are counted anew.
    assert study.subjects[0] not in known_facts(study)
    gather(study)
    shutil.copy(study.cohort().scans[1].image, first.image)
    assert list(known_facts(study)) == list(study.subjects[1:])
    first.image.unlink()
    assert study.subjects[0] in gather(study)
    assert list(known_facts(study)) == list(study.subjects[1:])


def test_a_moved_cohort_is_known(study, tmp_path, small_run):
    gather(study)
    folder = study.cohort().scans[0].image.parent
    shutil.copytree(folder, tmp_path / "elsewhere")
    other = new_study("other", tmp_path / "elsewhere" / "manifest.csv", small_run)
    assert known_facts(other) == {}  # nothing is read to find out
    gather(other)
    counted = known_facts(other)[other.subjects[0]].counts
    assert np.array_equal(counted, known_facts(study)[other.subjects[0]].counts)


def test_a_scan_that_cannot_be_read_is_said_and_left_out(study):
    scan = study.cohort().scans[0]
    scan.image.write_bytes(b"no image")
    assert scan.image.name in gather(study)[study.subjects[0]]
    assert list(known_facts(study)) == list(study.subjects[1:])


def test_a_run_without_network_is_no_fault_of_the_scans(study, tmp_path):
    load = gathering.loader(tmp_path / "none", None, "cpu")
    asked = facts.asked_of(study)
    with pytest.raises(UserError, match="no run"):
        gathering.count_missing(asked, load, study.subjects)
    assert all(seen.known is None for seen in look(asked).values())


def test_a_damaged_store_is_made_anew(study):
    gather(study)
    path = places.cache_folder() / store.FOLDER / store.FILE
    path.write_bytes(b"x" * 5000)
    keys.forget()
    assert known_facts(study) == {}
    gather(study)
    keys.forget()
    assert len(known_facts(study)) == 3


def test_a_damaged_row_is_made_anew(study):
    gather(study)
    path = places.cache_folder() / store.FOLDER / store.FILE
    with sqlite3.connect(path) as base:
        base.execute("UPDATE counts SET levels = substr(levels, 1, 40) WHERE map = 'input'")
    base.close()
    keys.forget()
    assert known_facts(study) == {}
    gather(study)
    assert len(known_facts(study)) == 3


def test_a_folder_that_cannot_be_written_costs_time_alone(study, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(places.OWN_FOLDER, str(tmp_path / "file"))
    assert gather(study) == {}
    assert len(known_facts(study)) == 3


def test_the_store_is_bounded(study, monkeypatch):
    monkeypatch.setattr(store, "MOST_SCANS", 2)
    gather(study)
    keys.forget()
    assert list(known_facts(study)) == [study.subjects[2]]  # the last, which has two scans


def test_reading_needs_no_torch(study):
    gather(study)
    code = (
        "import sys\n"
        "from ascnet_core.studies import facts, folder\n"
        f"study = folder.find_study({str(study.path)!r})\n"
        "print(len(facts.known_facts(study)), 'torch' in sys.modules)"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert out.stdout.split() == ["3", "False"]
    assert find_study(study.path).subjects == study.subjects
