"""The queue of a study's subjects: in which order a rater meets them, and how each one stands."""

import random
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from ascnet_core.studies.decisions import NOTHING, Entry, holding
from ascnet_core.studies.folder import Study


def in_order(study: Study, rater: str, shuffled: bool) -> list[str]:
    """The subjects as in the manifest, or shuffled: for one rater always in the same way."""
    subjects = list(study.subjects)
    if shuffled:
        random.Random(f"{study.name}\0{rater}").shuffle(subjects)
    return subjects


def kept_text(entry: Entry) -> str:
    """What a decision keeps, in short."""
    threshold = entry.decided.threshold
    if entry.decided.rule == NOTHING:
        return "no lesion"
    return "no mask" if threshold is None else threshold.text()


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
            others[entry.subject].append(f"{entry.rater} {kept_text(entry)}")
    found = []
    for subject in order:
        own = mine.get(subject)
        found.append(
            {
                "subject": subject,
                "number": own and own.number,
                "flag": own.decided.flag if own else "",
                "level": kept_text(own) if own else "",
                "rating": own.decided.rating if own else None,
                "others": ", ".join(others[subject]) if own or not blind else "",
            }
        )
    return found, mine
