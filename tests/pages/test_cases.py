"""Counts of a cohort on pages: from the disk where they are known, beside where they are not."""

from dataclasses import replace

import numpy as np
import pytest
import streamlit as st

from ascnet_core import places
from ascnet_core.studies.counts import background, gathering, keys, store
from pages.parts.shared import cases
from pages.parts.shared.state import View


@pytest.fixture
def view(own_cache, small_cohort, small_run) -> View:
    keys.forget()
    return View(str(small_cohort), str(small_run), map="reconstruction", range="raw")


def _restart() -> None:
    st.cache_resource.clear()
    keys.forget()


@pytest.fixture
def cut(monkeypatch) -> list[str]:
    """The scans that the page itself cuts."""
    names: list[str] = []
    real = cases._cut

    def noted(source):
        names.append(source.scan.scan)
        return real(source)

    monkeypatch.setattr(cases, "_cut", noted)
    return names


@pytest.mark.parametrize("range_", ["raw", "subject", "cohort"])
def test_after_a_restart_nothing_is_cut(view, cut, range_):
    view = replace(view, range=range_)
    before = cases.cohort_tables(view)
    assert set(cut)
    _restart()
    cut.clear()
    after = cases.cohort_tables(view)
    assert cut == []
    assert len(before) == len(after) == 4
    for one, other in zip(before, after, strict=True):
        assert np.array_equal(one.levels, other.levels)
        assert np.array_equal(one.lesion, other.lesion)


def test_one_cut_counts_all_maps(view, cut):
    cases.cohort_tables(view)
    st.cache_resource.clear()
    cut.clear()
    cases.cohort_tables(replace(view, map="input"))
    cases.cohort_tables(replace(view, map="wild"))
    assert cut == []


def test_so_far_does_not_wait(view, cut):
    subject = cases.load_cohort(view.cohort).subjects[0]
    cases.cohort_tables(view, subject=subject)
    cut.clear()
    with background.first():
        found = cases.tables_so_far(view)
        assert len(found.tables) == 1
        assert (found.total, found.problem, found.complete) == (4, "", False)
    assert background.wait(60)
    assert cut == []
    found = cases.tables_so_far(view)
    assert found.complete
    assert [one.levels.sum() for one in found.tables] == [
        one.levels.sum() for one in cases.cohort_tables(view)
    ]


def test_so_far_is_what_the_page_would_count(view, monkeypatch):
    """The thread and the page count alike, on every range."""
    for range_ in ("subject", "cohort"):
        ranged = replace(view, range=range_)
        cases.tables_so_far(ranged)
        assert background.wait(60)
        beside = cases.tables_so_far(ranged)
        assert beside.complete
        _restart()
        (places.cache_folder() / store.FOLDER / store.FILE).unlink()
        for one, other in zip(beside.tables, cases.cohort_tables(ranged), strict=True):
            assert np.array_equal(one.levels, other.levels)


def test_gathering_is_not_imported_to_look(view, monkeypatch):
    cases.cohort_tables(view)
    _restart()
    monkeypatch.setattr(gathering, "count_missing", lambda *_: pytest.fail("asked the thread"))
    assert cases.tables_so_far(view).complete
