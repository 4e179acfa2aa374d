"""Three exercises on the stops' controls, by the name of the stop's file.

What is right was read off the shipped slices, which do not change; a test reads it off again.
"""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.parts.lessons.stop import Exercise

# The levels of I_ro with which both patients of the stop have Dice .8; the scan has no such level.
GOOD, SERVES_BOTH = 0.8, range(220, 231)
# The levels of the residual whose Dice is within .01 of the best, and the patient.
REBUILT, BEST_RESIDUAL = "demo1-006", range(48, 52)
# The first moment from which the mask of a watched slice of real heads encloses no hole any more;
# of all moments this one has the best Dice.
REAL, SLICE, CLOSED = "lgg-flair", 1, 9


def _state() -> Mapping[str, Any]:
    return {str(key): value for key, value in st.session_state.items()}


def check_both() -> tuple[bool, str]:
    """Whether the level gives both patients a good mask."""
    held = _state()
    if held.get("lesson image of both") != "reconstruction":
        return False, "Not on this image: no level of the scan itself gives both such a Dice."
    if held.get("lesson level of both") in SERVES_BOTH:
        return True, (
            "Right: on I_ro one level serves both. On the scan there is none: at its best level "
            "for both, one of them has 0.65. Dice needs the true masks, so this is an *oracle's* "
            "level; lesson 4 finds one without them."
        )
    return False, f"Right image. At this level, one of the two has a Dice below {GOOD}."


def check_residual() -> tuple[bool, str]:
    """Whether a level of the residual is as good as any for the patient of the exercise."""
    held = _state()
    if held.get("lesson rebuilt") != REBUILT:
        return False, f"Choose patient {REBUILT} first."
    if held.get("lesson residual level") in BEST_RESIDUAL:
        return True, (
            "Right: no level is better by more than .01. You used the true mask to find it, so "
            "this is an oracle's threshold, not a result of the method; and it is still poor."
        )
    return False, "Another level has a Dice that is higher by more than .01."


def check_closed() -> tuple[bool, str]:
    """Whether the moment is the first from which the slice's mask has no hole."""
    held = _state()
    if held.get("lesson run of cycles") != REAL:
        return False, "Choose the run on real heads first."
    if held.get(f"lesson slice {REAL}") != SLICE:
        return False, f"Choose slice {SLICE} first."
    moment = held.get(f"lesson moment {REAL}", 0)
    if moment == CLOSED:
        return True, (
            "Right, and no other cycle has a better Dice in this slice (0.73, *oracle*). Later "
            "masks have no hole either, but grow from 123 to 179 pixels, and Dice falls to 0.64: "
            "that the holes are gone does not show that a mask is good."
        )
    if moment < CLOSED:
        return False, "This mask still has a hole."
    return False, "This mask has no hole, but the one before it has none either."


EXERCISES: dict[str, Exercise] = {
    "no_common_gap": Exercise(
        f"Find an image and one level with which both masks have a Dice of {GOOD} or more. Dice "
        "stands above each mask; it needs the true masks, so this is an *oracle's* task.",
        check_both,
    ),
    "rebuilding": Exercise(
        f"For patient {REBUILT}, find the level of the residual whose Dice is the best, to .01. "
        "This needs the true mask: it is an *oracle*'s task, which shows how good the residual "
        "could be at most.",
        check_residual,
    ),
    "one_cycle_more": Exercise(
        f"When would you have stopped? On real heads, slice {SLICE}, masks have holes at first and "
        "none at the end: move to the first cycle without. No true mask is needed.",
        check_closed,
        {"lesson run of cycles": REAL, f"lesson slice {REAL}": SLICE},
    ),
}
