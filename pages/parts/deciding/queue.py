"""The queue of a study's subjects: in which order a rater meets them, and how each one stands."""

import random
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from ascnet_core.studies.decisions import Entry, holding
from ascnet_core.studies.folder import Study


def in_order(study: Study, rater: str, shuffled: bool) -> list[str]:
    """The subjects as in the manifest, or shuffled: for one rater always in the same way."""
    subjects = list(study.subjects)
    if shuffled:
        random.Random(f"{study.name}\0{rater}").shuffle(subjects)
    return subjects


def rows(
    study: Study, rater: str, order: Sequence[str], blind: bool
) -> tuple[list[dict[str, Any]], dict[str, Entry]]:
    """A row a subject for the browser, in this order; and the rater's decisions that hold.

    `number` is that of the rater's decision, None while the subject is open. Other raters' levels
    are in `others`; blind, they are told only where the rater's own decision stands.
    """
    mine: dict[str, Entry] = {}
    others = defaultdict[str, list[str]](list)
    for entry in holding(study):
        if entry.rater == rater:
            mine[entry.subject] = entry
        else:
            others[entry.subject].append(f"{entry.rater} {entry.decided.text}")
    found = []
    for subject in order:
        own = mine.get(subject)
        found.append(
            {
                "subject": subject,
                "number": own and own.number,
                "flag": own.decided.flag if own else "",
                "level": own.decided.text if own else "",
                "rating": own.decided.rating if own else None,
                "others": ", ".join(others[subject]) if own or not blind else "",
            }
        )
    return found, mine
