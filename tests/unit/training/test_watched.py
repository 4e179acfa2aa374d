"""The watched slices: chosen automatically, or by the user."""

import numpy as np
import pytest

from ascnet_core.errors import UserError
from ascnet_core.settings.presets import load_preset
from ascnet_core.settings.text import apply_set, from_toml, to_toml
from ascnet_core.training.slice_sets import choose_watched, watched_of
from tests.unit.training import tiny


def test_watched_slices_come_from_many_subjects():
    inputs = tiny.slices(12, 5)
    found = choose_watched(inputs, 3)
    assert len(set(inputs.subjects[found])) == 3
    assert np.abs(inputs.positions[found] - 0.5).max() < 0.2
    assert len(choose_watched(tiny.slices(2, 5), 4)) == 2


def test_watched_slices_show_lesions_where_they_are_known():
    inputs = tiny.slices(12, 5)
    inputs.lesion[[1, 5]] = True
    found = set(choose_watched(inputs, 3).tolist())
    assert {1, 5} < found
    assert len(found) == 3


def test_a_number_asks_for_automatic_ones_and_says_where_they_are_from():
    inputs = tiny.slices(12, 5)
    watched = watched_of(("3",), inputs, tiny.REFERENCE)
    assert watched.images.shape == (3, tiny.SIZE, tiny.SIZE)
    for image, name in zip(watched.images, watched.names, strict=True):
        scan, _, z = name.rpartition(":")
        place = np.flatnonzero((inputs.scans == scan) & (inputs.z == int(z)))
        assert np.array_equal(inputs.images[place[0]], image)


def test_chosen_slices_of_inputs_and_reference_come_in_their_order():
    # in `tiny`, scan n % 3 holds slice n
    watched = watched_of(("r1:4", "s0:3", "s2:2"), tiny.INPUTS, tiny.REFERENCE)
    wanted = [tiny.REFERENCE.images[4], tiny.INPUTS.images[3], tiny.INPUTS.images[2]]
    assert np.array_equal(watched.images, np.stack(wanted))
    assert watched.names == ("r1:4", "s0:3", "s2:2")


@pytest.mark.parametrize(
    ("asked", "said"),
    [("s0:4", "slice 4 of s0 is not in this training, which has slices 0 to 9"),
     ("nobody:1", "no scan 'nobody'")],
)  # fmt: skip
def test_a_slice_that_is_not_there_is_refused(asked, said):
    with pytest.raises(UserError, match=said):
        watched_of((asked,), tiny.INPUTS, tiny.REFERENCE)


@pytest.mark.parametrize("value", ["0", "17", "", "4,s0:1", "s0", "s0:", ":3", "s0:-1", "s0:x"])
def test_a_setting_that_names_no_slices_is_refused(value):
    with pytest.raises(UserError, match="give a number from 1 to 16"):
        apply_set(load_preset("teaching"), [f"data.watched={value}"])


def test_the_setting_lasts_and_settings_of_before_have_four():
    settings = apply_set(load_preset("teaching"), ["data.watched=a:b:3,c:0"])
    assert settings.data.watched == ("a:b:3", "c:0")
    assert from_toml(to_toml(settings)) == settings
    old = "".join(line for line in to_toml(settings).splitlines(True) if "watched" not in line)
    assert from_toml(old).data.watched == ("4",)
