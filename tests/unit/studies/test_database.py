"""Databases of earlier versions are brought to this one, and what is sent twice counts once."""

import sqlite3
from contextlib import closing

from ascnet_core.studies import database
from ascnet_core.studies.decisions import decisions_of, history, record, undo
from ascnet_core.studies.folder import Study
from tests.unit.studies.deciding import decide, decide_often, decision, process


def as_version_1(study: Study) -> None:
    with closing(sqlite3.connect(study.path / database.DATABASE)) as base:
        base.executescript(
            "DROP TABLE preferences; DROP INDEX decisions_by_token;"
            "ALTER TABLE decisions DROP COLUMN token; PRAGMA user_version = 1"
        )


def test_a_study_of_version_1_is_upgraded_and_keeps_its_decisions(study):
    decide(study, "P0", 100)
    as_version_1(study)
    assert decisions_of(Study(study.path), "anna")["P0"].decided.level == 100
    decide(study, "P1", 50)
    assert [entry.decided.level for entry in history(study)] == [100, 50]
    with database.reading(study.path) as base:
        assert base.execute("PRAGMA user_version").fetchone()[0] == database.VERSION
        assert base.execute("SELECT count(*) FROM preferences").fetchone()[0] == 0


def test_several_may_upgrade_at_once(study, tmp_path):
    as_version_1(study)
    writers = [
        process(decide_often, study.path, name, 5, tmp_path / name) for name in ("anna", "ben", "c")
    ]
    for one in writers:
        one.start()
    for one in writers:
        one.join()
        assert one.exitcode == 0
    assert len(history(study)) == 15


def test_what_is_sent_twice_counts_once(study):
    first = record(study, decision("P0", 100), "a")
    record(study, decision("P0", 110), "b")
    assert record(study, decision("P0", 100), "a") == first
    assert decisions_of(study, "anna")["P0"].decided.level == 110
    assert undo(study, "anna", token="c").decided.level == 110
    assert undo(study, "anna", token="c") is None
    assert decisions_of(study, "anna")["P0"].decided.level == 100
