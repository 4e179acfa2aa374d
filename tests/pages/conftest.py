"""Pages open the tests' own folders, away from the user's."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st

from ascnet_core import places
from ascnet_core.studies.folder import Study, new_study
from pages.parts.shared import access

ALWAYS_OPEN = access.always_open
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def open_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the tests' own folders open without a question; `test_access.py` tests the others."""
    base = access.real(tmp_path_factory.getbasetemp())
    monkeypatch.delenv(places.OPEN_FOLDERS, raising=False)
    monkeypatch.setattr(access, "always_open", lambda: (*ALWAYS_OPEN(), base))


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A cache folder of the test's own, and no cached results of another test."""
    monkeypatch.setenv("ASCNET_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(ROOT)
    st.cache_resource.clear()
    st.cache_data.clear()
    yield tmp_path / "cache"
    st.cache_resource.clear()


@pytest.fixture
def study(tmp_path: Path, small_cohort: Path, small_run: Path) -> Study:
    """Of four subjects; nothing is decided."""
    return new_study(tmp_path / "study", small_cohort, small_run)
