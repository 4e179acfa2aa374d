"""The sentences of errors that a user can mend."""

import pytest

from ascnet_core.errors import UserError
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
