"""The pages beside bad and odd inputs: each scan's row or sentence, and never an exception."""

import csv
import re
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.corpus.case import MARK, Case
from tests.corpus.flat import FLAT
from tests.corpus.manifests import MANIFESTS
from tests.corpus.volumes import VOLUMES

PAGES = Path(__file__).resolve().parents[2] / "pages"


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    """A cache folder of the test's own, and no cached results of another test."""
    monkeypatch.setenv("ASCNET_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(PAGES.parent)
    st.cache_resource.clear()
    st.cache_data.clear()
    yield
    st.cache_resource.clear()


def page(name: str, **query: str) -> AppTest:
    at = AppTest.from_file(PAGES / f"{name}.py", default_timeout=300)
    for key, value in query.items():
        at.query_params[key] = value
    at.run()
    # a link to a path asks first
    question = [button for button in at.button if button.label == "Open it"]
    return question[0].click().run() if question else at


def cohort_of(folder: Path, cases: dict[str, Case]) -> Path:
    """A manifest of all cases whose file is there; what a manifest refuses comes another way."""
    rows = []
    for number, (name, case) in enumerate(cases.items()):
        here = folder / str(number)
        here.mkdir(parents=True)
        path = case.make(here)
        if path.is_file() and not case.how:
            rows.append((name, str(path.relative_to(folder))))
    with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([("subject", "image"), *rows])
    return folder / "manifest.csv"


def test_the_data_page_reads_the_good_and_says_what_is_wrong_with_the_others(own_cache, tmp_path):
    cases = VOLUMES | FLAT
    manifest = cohort_of(tmp_path / "cohort", cases)
    at = page("data", cohort=str(manifest))
    assert not at.exception
    next(b for b in at.button if b.label.startswith("Read all")).click().run()
    assert not at.exception
    table = at.dataframe[0].value.set_index("subject")
    assert len(table) > 150
    for name, row in table.iterrows():
        case, note = cases[name], str(row["notes"])
        if case.ml is not None:
            assert "not read" not in note, f"{name}: {note}"
        elif case.says:
            assert re.search(case.says, note, re.IGNORECASE), f"{name}: {note}"
    assert not Path(MARK).exists()


@pytest.mark.parametrize(
    "name",
    ["plain", "constant", "NaN", "gzip cut short", "two frames", "one slice", "slices of 30 mm",
     "stack of objects that run code", "picture in colour", "spacing of a light year"],
)  # fmt: skip
def test_the_threshold_page_opens_the_scan_or_says_why_not(name, own_cache, small_run, tmp_path):
    case = (VOLUMES | FLAT)[name]
    manifest = cohort_of(tmp_path / "cohort", {name: case})
    at = page("threshold", cohort=str(manifest), scan=name, run=str(small_run))
    assert not at.exception
    errors = " ".join(error.value for error in at.error)
    if case.ml is not None:
        assert not errors
    elif case.says:
        assert re.search(case.says, errors, re.IGNORECASE), errors
    assert not Path(MARK).exists()


@pytest.mark.parametrize(
    "name",
    ["a byte order mark", "empty", "a quote too few", "UTF-16", "a path beyond all length",
     "a zero byte in a path", "a scan twice"],
)  # fmt: skip
def test_the_data_page_opens_a_manifest_or_says_why_not(name, own_cache, tmp_path):
    case = MANIFESTS[name]
    (tmp_path / "given").mkdir()
    at = page("data", cohort=str(case.make(tmp_path / "given")))
    assert not at.exception
    errors = " ".join(error.value for error in at.error)
    assert not errors if case.ml else re.search(case.says, errors, re.IGNORECASE)
