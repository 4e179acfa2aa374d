"""Less of a reference, some levels of it, lesion slices in it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ascnet_core.errors import UserError
from ascnet_core.imaging.reference import SliceSet
from ascnet_core.imaging.reference_draw import Draw, draw_reference


def made(count: int, lesion: bool) -> SliceSet:
    """Slices whose pixel says which they are; lesion slices count from 1000."""
    numbers = np.arange(count) + 1000 * lesion
    images = np.broadcast_to(numbers[:, None, None], (count, 2, 2)).astype(np.float32)
    names = np.full(count, "sick" if lesion else "well")
    flags = np.full(count, lesion)
    return SliceSet(images, np.linspace(0, 1, count), names, names, numbers, flags, flags)


CLEAN, LESIONS = made(40, False), made(15, True)


def z(found: SliceSet) -> set[int]:
    return set(found.z.tolist())


def test_the_whole_reference_is_the_same_object():
    assert draw_reference(CLEAN, LESIONS, Draw()) is CLEAN


@given(share=st.floats(0.001, 1), spoilt=st.floats(0, 0.3), seed=st.integers(0, 99))
def test_counts_are_what_was_asked_for(share, spoilt, seed):
    found = draw_reference(CLEAN, LESIONS, Draw(share, spoilt, seed=seed))
    wanted = max(1, round(share * 40))
    assert len(found) == wanted
    assert found.lesion.sum() == round(spoilt * wanted)
    assert len(z(found)) == wanted  # nothing twice


def test_draws_are_nested_so_that_one_thing_changes_at_a_time():
    some, more = (draw_reference(CLEAN, LESIONS, Draw(share, seed=3)) for share in (0.4, 0.8))
    assert z(some) < z(more)
    little, much = (draw_reference(CLEAN, LESIONS, Draw(1, c, seed=3)) for c in (0.1, 0.3))
    assert {n for n in z(little) if n >= 1000} < {n for n in z(much) if n >= 1000}
    assert {n for n in z(much) if n < 1000} < {n for n in z(little) if n < 1000}


def test_a_draw_is_the_seeds():
    first, again = (draw_reference(CLEAN, LESIONS, Draw(0.5, 0.2, seed=7)) for _ in range(2))
    other = draw_reference(CLEAN, LESIONS, Draw(0.5, 0.2, seed=8))
    assert np.array_equal(first.images, again.images)
    assert z(first) != z(other)


def test_levels_hold_for_clean_and_lesion_slices():
    found = draw_reference(CLEAN, LESIONS, Draw(1, 0.2, 0.25, 0.75))
    assert found.positions.min() >= 0.25
    assert found.positions.max() <= 0.75
    assert found.lesion.sum() == round(0.2 * len(found))
    assert len(found) == ((CLEAN.positions >= 0.25) & (CLEAN.positions <= 0.75)).sum()


def test_what_cannot_be_drawn_is_said_with_what_can():
    with pytest.raises(
        UserError, match=r"asks for 20 slices with lesion, but there are 15 .*0\.37"
    ):
        draw_reference(CLEAN, LESIONS, Draw(1, 0.5))
    # what the sentence advises works
    assert draw_reference(CLEAN, LESIONS, Draw(1, 0.37)).lesion.sum() == 15
    with pytest.raises(UserError, match="none is known by a mask; set it to 0"):
        draw_reference(CLEAN, LESIONS.take(np.zeros(0, np.int64)), Draw(1, 0.1))
    with pytest.raises(UserError, match="widen the levels"):
        draw_reference(CLEAN, LESIONS, Draw(level_low=0.001, level_high=0.002))
