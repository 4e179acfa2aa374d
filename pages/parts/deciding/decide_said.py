"""What the study says of a subject without looking at its truth: proposed levels and warnings."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from ascnet_core.studies.counts import background
from ascnet_core.studies.decisions import Entry
from ascnet_core.studies.facts import Facts
from ascnet_core.studies.folder import Study
from ascnet_core.studies.proposals import Ground, Proposal, ground_of, proposals_for
from ascnet_core.studies.warnings import warnings_in
from pages.parts.deciding.decide_acts import named_rule
from pages.parts.deciding.decide_ahead import Wish

ALONE = "this one alone"
_TITLES = {"own rule": ALONE, "cohort": "one for all", "learned": "as you decide"}
_NEWS = 5.0
"""Seconds after which is looked for what became known."""
_GROWTH = 1.2
"""Warnings are made anew where so much more is known than when they were made."""


@dataclass
class Knowledge:
    """What is known of a study's subjects now; `missing` says why not more, if that failed."""

    study: Study
    rater: str
    known: Mapping[str, Facts]
    ground: Ground
    missing: str

    def proposals(self, subject: str) -> list[dict[str, Any]]:
        """Proposed levels for the browser, each in one sentence with how sure it is."""
        found = proposals_for(self.study, subject, self.rater, self.ground)
        return [_plain(one) for one in found]

    @property
    def cohort_line(self) -> int | None:
        """The level that one rule gives for all that is known."""
        whole = self.ground.one_for_all
        return None if whole is None else whole.level

    def warnings(self, subject: str) -> list[str]:
        """Why the subject is not like the others; nothing while that is not known."""
        made = _made().get((self.study.path, self.rater))
        return list(made[1].get(subject, ())) if made else []

    def wishes(self, mine: Mapping[str, Entry]) -> list[Wish]:
        """What another thread is to do, so that warnings are up to date."""
        key = self.study.path, self.rater
        last = max((entry.number for entry in mine.values()), default=0)
        made = _made().get(key)
        grown = len(self.known) >= _GROWTH * made[0][0] if made else bool(self.known)
        stamp = len(self.known), last
        if not (grown or (made and self.ground.complete and made[0] != stamp)):
            return []

        def work() -> bool:
            found = warnings_in(self.study, self.rater, self.known)
            texts = {name: tuple(o.sentence for o in odd) for name, odd in found.items() if odd}
            _made()[key] = stamp, texts
            return True

        return [(f"warnings {key} {stamp}", work)]


def learn(study: Study, rater: str) -> Knowledge:
    """What is known now; what is not is counted beside, scan by scan."""
    return Knowledge(study, rater, *_known(str(study.path), study))


@st.cache_resource(show_spinner=False, ttl=_NEWS, max_entries=16)
def _known(path: str, _study: Study) -> tuple[Mapping[str, Facts], Ground, str]:
    """What is known of a study, and why not more: asked hundreds of files, but not at each key."""
    known, complete, missing = background.facts_so_far(_study)
    return known, ground_of(_study, known, complete), missing


@st.cache_resource(show_spinner=False)
def _made() -> dict[Any, tuple[tuple[int, int], dict[str, tuple[str, ...]]]]:
    """Warnings by study and rater: of how many subjects and which last decision, and for whom."""
    return {}


def _plain(one: Proposal) -> dict[str, Any]:
    return {
        "rule": named_rule(one.rule, one.scope),
        "name": _TITLES[one.name],
        "level": one.level,
        "upper": one.upper,
        "side": one.side,
        "sentence": f"{one.sentence} Confidence {one.confidence}: {one.sure}.",
        "off": "" if one.off is None else f"off by {one.off:.0f} on {one.decided}",
    }
