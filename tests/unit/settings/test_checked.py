"""Numbers are numbers: every numeric setting refuses what is none, in a sentence of its own."""

import dataclasses

import pytest

from ascnet_core.errors import UserError
from ascnet_core.settings.methods import METHODS
from ascnet_core.settings.tables import Settings
from ascnet_core.settings.text import about, apply_set, from_toml, keys, with_method

NUMBERS = [
    (name, key)
    for name in METHODS
    for key in keys(with_method(Settings(), name))
    if about(key, with_method(Settings(), name)).kind in (int, float)
]
BAD = ("nan", "inf", "-inf", "1e400", "-1e30", "1e30", "9" * 5000, "abc", "true", "1,5", "0x10")


@pytest.mark.parametrize(("method", "key"), NUMBERS)
def test_a_numeric_setting_takes_finite_numbers_within_its_limits(method, key):
    settings = with_method(Settings(), method)
    setting = about(key, settings)
    assert setting.low is not None
    assert setting.high is not None
    for text in BAD:
        with pytest.raises(UserError) as caught:
            apply_set(settings, [f"{key}={text}"])
        said = str(caught.value)
        assert said.startswith(f"{key} is {text[:40]}") or said.startswith(f"{key} is '{text[:40]}")
        assert "; it must be " in said
        assert len(said) < 250


@pytest.mark.parametrize(("method", "key"), NUMBERS)
@pytest.mark.parametrize("text", ["nan", "+inf", "-inf", "1e400", "1e30", "true", '"3"', "[1]"])
def test_a_numeric_setting_of_a_file_takes_finite_numbers_alone(method, key, text):
    table, _, name = key.partition(".")
    head = f'[method]\nname = "{method}"\n' + (f"[{table}]\n" if table != "method" else "")
    with pytest.raises(UserError, match=rf"^{key} is .*; it must be "):
        from_toml(f"{head}{name} = {text}\n")


@pytest.mark.parametrize(("method", "key"), NUMBERS)
def test_a_numeric_setting_cannot_be_made_nan_by_the_program_either(method, key):
    settings = with_method(Settings(), method)
    table, _, name = key.partition(".")
    for value in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match=r"finite|int"):
            dataclasses.replace(getattr(settings, table), **{name: value})


def test_a_refused_value_is_shown_shortened():
    with pytest.raises(UserError) as caught:
        from_toml("[data]\nsize = '" + "word " * 10_000 + "'")
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize("kind", ["batch_m=100000000000", "learning_rate=1e9", "stage_1=1000000"])
def test_absurd_sizes_are_refused(kind):
    with pytest.raises(UserError, match="it must be at most"):
        apply_set(Settings(), [f"schedule.{kind}"])
