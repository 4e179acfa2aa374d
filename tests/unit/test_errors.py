"""The sentences of errors that a user can mend."""

import pytest

from ascnet_core.errors import UserError, printable
from ascnet_core.settings.presets import load_preset
from ascnet_core.settings.text import from_toml


def test_of_a_value_without_end_only_the_beginning_is_shown():
    with pytest.raises(UserError) as refusal:
        from_toml(f"[data]\n{'x' * 5000} = 1\n")
    said = str(refusal.value)
    assert said.startswith(f"There is no setting 'data.{'x' * 70}")
    assert "the tables are" in said
    assert len(said) < 400


def test_paths_are_shown_whole():
    path = "/".join(["f" * 250] * 8)
    assert str(UserError(f"{path} is not there; check the path.")).startswith(f"{path} is")


def test_names_are_shown_on_one_line_that_any_terminal_can_show():
    assert printable("a\nb\x1b[2J\udce9") == r"a\nb\x1b[2J\udce9"
    assert printable("Müller 7") == "Müller 7"


def test_a_sentence_shows_no_control_characters_of_what_it_names():
    said = str(UserError("the rule 'otsu\ufeff' of a\x1b[2J\udce9.nii is none."))
    assert said == r"the rule 'otsu\ufeff' of a\x1b[2J\udce9.nii is none."


def test_of_a_word_of_thousands_of_characters_the_middle_is_left_out():
    with pytest.raises(UserError) as refused:
        load_preset("first" + "A" * 5000 + "last")
    said = str(refused.value)
    assert len(said) < 1000
    assert "first" in said
    assert "last'; choose one of" in said


def test_long_paths_are_shown_whole():
    path = "/data" + "/folder" * 100
    assert path in str(UserError(f"{path} is not there; check the path."))
