"""The five stops of the tour: links to real views of the demo cohort."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from pages.parts.shared import state


class Stop(NamedTuple):
    """A page, what there is to see, and what of the view differs from its default."""

    page: str
    title: str
    sentence: str
    changes: Mapping[str, Any] = MappingProxyType({})


STOPS = (
    Stop("pages/cuts.py", "1 · Two cuts", "One slice as input, fence and wild cut, and as I_ro."),
    Stop(
        "pages/threshold.py",
        "2 · Click the peak",
        "The brightest peak of I_ro is the lesion: click it, drag the line.",
    ),
    Stop(
        "pages/threshold.py",
        "3 · When it fails",
        "The plain input under Otsu's rule, on the same subject.",
        {"map": "input", "rule": "otsu"},
    ),
    Stop(
        "pages/training.py",
        "4 · Peaks part",
        "The shipped run by cycles: when would you have stopped?",
    ),
    Stop(
        "pages/evaluation.py",
        "5 · Is it any good?",
        "Subjects it never saw, beside baselines without training.",
        {"scope": "cohort"},
    ),
)


def query_of(changes: Mapping[str, Any], run: str) -> dict[str, str]:
    """The query of a stop. It names the demo, so that it also leads there from another cohort."""
    view = state.change(state.View(run=run), **changes)
    return {"cohort": "demo", "run": run} | state.to_query(view)
