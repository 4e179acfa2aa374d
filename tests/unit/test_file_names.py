"""File names made from names that people gave."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ascnet_core.file_names import file_name, file_names, same_file_name


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("sub-01_FLAIR", "sub-01_FLAIR"),
        ("P:1", "P_1"),
        ("visit 2/left", "visit_2_left"),
        ("Müller", "Müller"),
        ("..", "_."),
        (".hidden", "_hidden"),
        ("", "_"),
        ("///", "___"),
        ("CON", "_CON"),
        ("nul.1", "_nul.1"),
        ("console", "console"),
        ("a\udcffb", "a_b"),
    ],
)
def test_a_name_becomes_a_file_name(name, file):
    assert file_name(name) == file


def test_a_long_name_is_cut_and_told_apart():
    one, other = "ü" * 300, "ü" * 299
    assert len(file_name(one).encode()) <= 160
    assert file_name(one) != file_name(other)


def test_names_that_would_be_alike_are_made_distinct():
    found = file_names(["P:1", "P?1", "P2", "A", "a"])
    assert found["P2"] == "P2"
    assert found["P:1"].startswith("P_1-")
    assert found["P?1"].startswith("P_1-")
    assert same_file_name(list(found.values())) is None
    assert file_names(["P?1", "P:1"])["P:1"] == found["P:1"]  # whatever their order
    assert file_names(["P_1", "P:1"])["P_1"] == "P_1"
    taken = found["P:1"]
    assert same_file_name(list(file_names(["P:1", "P?1", taken]).values())) is None
    decomposed = file_names(["M\u00fcller", "Mu\u0308ller"])
    assert same_file_name(list(decomposed.values())) is None


@given(
    st.lists(st.text(max_size=12) | st.sampled_from(["a", "A", "a:", "a?", "ß", "SS"]), unique=True)
)
def test_no_two_names_are_one_file(names):
    found = file_names(names)
    assert list(found) == names
    assert same_file_name([f"{file}_mask.nii.gz" for file in found.values()]) is None
    assert all(len(file.encode()) < 230 and "/" not in file for file in found.values())


def test_names_that_differ_in_case_are_one_file():
    assert same_file_name(["a_mask", "b", "A_mask"]) == ("a_mask", "A_mask")
    assert same_file_name(["a", "a"]) == ("a", "a")
    assert same_file_name(["a", "b"]) is None


def test_a_byte_that_is_no_utf_8_gives_one_name_as_it_is_and_escaped():
    assert file_name("im\udce9ge") == file_name(r"im\udce9ge") == "im_ge"
