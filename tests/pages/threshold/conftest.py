"""The Threshold page at a view of the small cohort, with a folder of studies of its own."""

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from ascnet_core import places
from ascnet_core.studies.counts import background, store
from pages.parts.shared import state

PAGE = str(Path(__file__).resolve().parents[3] / "pages" / "threshold.py")
_NUMBERS = itertools.count(1)


@pytest.fixture
def studies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of studies, of the test's own."""
    monkeypatch.setattr(places, "RUNS", tmp_path / "checkpoints")
    return tmp_path / "checkpoints" / places.STUDIES


@pytest.fixture
def open_page(
    own_cache: Path, studies: Path, small_cohort: Path, small_run: Path
) -> Callable[..., AppTest]:
    """Runs the page at a view of the small cohort, each time in a session of its own.

    It waits until the cohort is counted, where the view needs that.
    """
    store.forget()

    def run(wait: bool = True, **keys: str) -> AppTest:
        app = AppTest.from_file(PAGE, default_timeout=120)
        view = {"cohort": str(small_cohort), "run": str(small_run), "map": "input"} | keys
        for key, value in view.items():
            app.query_params[key] = value
        app.run()
        assert not app.exception
        if wait and not app.error and sent(app)["proposal"]["kind"] == "not known yet":
            assert background.wait(60)
            app.run()
        return app

    return run


def sent(app: AppTest) -> dict[str, Any]:
    """What the viewer was sent."""
    for element in app.main:
        proto = getattr(element, "proto", None)
        found = getattr(getattr(proto, "bidi_component", proto), "json", "")
        if found and "counts" in found:
            return json.loads(found)
    raise AssertionError("the viewer was sent nothing")


def view_of(app: AppTest) -> state.View:
    return app.session_state[state.VIEW]


def tell(app: AppTest, *acts: dict[str, Any], **line: Any) -> dict[str, Any]:
    """The viewer's message: its acts, and the line where it is or at these values."""
    data = sent(app)
    told = {name: data["live"][name] for name in ("t", "upper", "side", "rule")} | line
    numbered = [{"seq": next(_NUMBERS)} | act for act in acts]
    last = numbered[-1]["seq"] if numbered else next(_NUMBERS)
    message = {"seq": last, "key": data["key"], "cursor": data["cursor"], "acts": numbered}
    app.session_state[state.TOLD] = message | told
    app.run()
    assert not app.exception
    return sent(app)


def acceptance(app: AppTest, **line: Any) -> dict[str, Any]:
    """The act that the viewer sends for Enter."""
    data = sent(app)
    live = {name: data["live"][name] for name in ("t", "upper", "side", "rule")} | line
    return {
        "accept": True,
        "token": f"token {next(_NUMBERS)}",
        "on": data["on"],
        "key": data["key"],
    } | live


def accept(app: AppTest, **line: Any) -> dict[str, Any]:
    """Accept the line where it is, or at these values."""
    return tell(app, acceptance(app, **line), **line)
