"""Three exercises on the stops' controls, by the name of the stop's file.

What is right was read off the shipped slices, which do not change; a test reads it off again.
"""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.parts.lessons.stop import Exercise

# The grey levels at which I_ro of both patients of the stop has next to no voxels: at most a fifth
# more than the emptiest place between its two brightest peaks.
COMMON_GAP = range(200, 208)
# The levels of the residual whose Dice is within .01 of the best, and the patient.
REBUILT, BEST_RESIDUAL = "demo1-006", range(48, 52)
# The first moment from which the mask of a watched slice of real heads encloses no hole any more.
REAL, SLICE, CLOSED = "lgg-flair", 3, 9


def _state() -> Mapping[str, Any]:
    return {str(key): value for key, value in st.session_state.items()}


def check_gap() -> tuple[bool, str]:
    """Whether one level lies in the gap that both patients' I_ro have in common."""
    held = _state()
    if held.get("lesson image of both") != "reconstruction":
        return False, "The image is still the scan itself. In which image is there a common gap?"
    if held.get("lesson level of both") in COMMON_GAP:
        return True, (
            "Right: hardly a voxel of either patient has this level, so the masks would change "
            "little if it moved. You found it from histograms alone, without a mask."
        )
    return False, "At this level at least one of the two histograms is not near its emptiest place."


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
    if held.get(f"lesson moment {REAL}") == CLOSED:
        return True, (
            "Right: from this cycle on no mask of this slice has a hole. No true mask was needed; "
            "that the tumour is found is another question, which only a look answers."
        )
    return False, "There is a hole at this cycle or later, or there was none before it already."


EXERCISES: dict[str, Exercise] = {
    "no_common_gap": Exercise(
        "Without looking at the blue outlines: choose the image in which both histograms have a "
        "gap at the same place, and set the level into it, where both have next to no voxels.",
        check_gap,
    ),
    "rebuilding": Exercise(
        f"For patient {REBUILT}, find the level of the residual whose Dice is the best, to .01. "
        "This needs the true mask: it is an *oracle*'s task, which shows how good the residual "
        "could be at most.",
        check_residual,
    ),
    "one_cycle_more": Exercise(
        f"When would you have stopped? On real heads, slice {SLICE}: move to the first cycle from "
        "which the mask encloses no hole any more, to the end. No true mask is needed.",
        check_closed,
    ),
}
