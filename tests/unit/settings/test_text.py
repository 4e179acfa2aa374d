import dataclasses
import re

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from ascnet_core.errors import UserError
from ascnet_core.settings import tables
from ascnet_core.settings.preparation import preparation_of
from ascnet_core.settings.presets import load_preset, preset_names
from ascnet_core.settings.tables import Settings
from ascnet_core.settings.text import about, apply_set, differing, from_toml, keys, to_toml


def test_the_promised_presets_exist():
    wanted = {"paper", "released-code", "teaching", "two-cut-denoising"}
    assert wanted <= set(preset_names())


@pytest.mark.parametrize("name", preset_names())
def test_presets_load_describe_themselves_and_survive_toml(name):
    settings = load_preset(name)
    assert settings.preset == name
    assert len(settings.description) > 40
    assert from_toml(to_toml(settings)) == settings


def test_paper_has_the_papers_numbers():
    paper = load_preset("paper")
    assert paper.schedule.learning_rate == paper.schedule.learning_rate_d == 5e-5
    assert (paper.schedule.stage_1, paper.schedule.stage_2) == (3, 1)
    assert paper.schedule.order == "alternate"
    assert paper.network.width == 32
    assert paper.data.scaling == "min-max"
    assert (paper.adversary.weight, paper.adversary.loss) == (1, "tanh-mae")
    assert (paper.losses.disjointness, paper.losses.reconstruction) == (1, 1)
    assert paper.losses.reconstruction_reduce == "sum"
    assert paper.losses.weight_decay == 0


def test_released_code_has_all_its_oddities():
    code = load_preset("released-code")
    assert code.adversary.mirrored
    assert code.adversary.discarded
    assert code.adversary.frozen_uses_batches
    assert code.schedule.reset_adam
    assert (code.schedule.batch_m, code.schedule.batch_d) == (64, 288)
    assert code.network.decoder_dropout == "asymmetric"
    assert not code.losses.disjointness_in_stage_2
    assert code.losses.disjointness_over == "batch"
    assert code.losses.disjointness_smoothing == 1
    assert code.schedule.inputs_twice
    assert code.losses.reconstruction_reduce == "mean"
    assert code.losses.weight_decay == pytest.approx(2e-4)


def test_every_setting_has_a_sentence():
    assert "schedule.seed" in keys()
    for key in keys():
        assert about(key).help.rstrip().endswith("."), key


def test_set_reaches_every_kind_of_value():
    changed = apply_set(
        Settings(),
        [
            "schedule.seed=7",
            "schedule.learning_rate=1e-3",
            "data.flips=true",
            "data.channel=2",
            "data.label=1,4",
            "segmentation.post=open:3, components:5",
            "segmentation.rule=valley:-1",
        ],
    )
    assert changed.schedule.seed == 7
    assert changed.schedule.learning_rate == pytest.approx(1e-3)
    assert changed.data.flips is True
    assert changed.data.channel == 2
    assert changed.data.label == (1, 4)
    assert preparation_of(changed).label == (1, 4)
    assert changed.segmentation.post == ("open:3", "components:5")
    assert changed.segmentation.rule == "valley:-1"
    assert apply_set(changed, ["data.channel="]).data.channel is None
    assert from_toml(to_toml(changed)) == changed


def test_settings_that_are_not_the_same_in_all_are_named_once():
    one = load_preset("teaching")
    other = apply_set(one, ["schedule.seed=5"])
    third = apply_set(one, ["schedule.seed=5", "data.size=48"])
    assert differing(one, other, third) == ("data.size", "schedule.seed")
    assert differing(one, one) == ()
    assert differing(one) == ()


def test_settings_that_only_fit_together_are_set_together():
    changed = apply_set(Settings(), ["losses.tie=1", "schedule.order=joint"])
    assert changed.losses.tie == 1


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ("schedule.sede=1", "did you mean schedule.seed"),
        ("nonsense", "key=value"),
        ("schedule.seed=x", "whole number"),
        ("data.flips=maybe", "true or false"),
        ("schedule.learning_rate=fast", "a number"),
        ("data.size=100", "multiple of 16"),
        ("network.width=0", "at least 1"),
        ("network.dropout=2", "at most"),
        ("adversary.loss=mse", "choose one of"),
        ("data.low=99.95", "under"),
        ("corruption.area_low=0.9", "above"),
        ("corruption.coarse=64", "more cells"),
        ("losses.identity=1", "order=joint"),
    ],
)
def test_wrong_settings_are_refused_in_words(assignment, words):
    with pytest.raises(UserError, match=words):
        apply_set(Settings(), [assignment])


def test_a_run_without_cycles_is_refused():
    with pytest.raises(UserError, match="ask for a cycle"):
        apply_set(Settings(), ["schedule.stage_1=0", "schedule.stage_2=0"])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[data]\nsize = 'big'", "data.size is 'big'; it must be a whole number."),
        ("[data]\nsize = '96'", "data.size is '96'; it must be a whole number."),
        ("[data]\nsize = 8", "data.size is 8; it must be at least 16."),
        ("[data]\nflips = 1", "data.flips is 1; it must be true or false."),
        ("[data]\nhigh = 1979-05-27", "data.high is '1979-05-27'; it must be a number."),
        ("[data]\nwatched = 4", "data.watched is 4; it must be a list of texts."),
        ("[data]\nwatched = [4]", "data.watched is 4; it must be text."),
        ("[data]\nnan = inf", "data.nan is inf; it must be a finite number."),
        ("[schedule]\nlearning_rate = nan", "schedule.learning_rate is nan; it must be a finite"),
        ("[network]\nnorm = 'layer'", "network.norm is 'layer'; choose one of batch, group."),
        ("[data]\nsise = 96", "no setting 'data.sise'; did you mean data.size?"),
        ("nothing = 1", "mine.toml has 'nothing', which is no table of settings; remove it."),
        ("data = 1", "mine.toml has 'data', which is no table of settings; remove it."),
        ("preset = 1", "mine.toml has 'preset', which is no table of settings; remove it."),
    ],
)
def test_wrong_values_in_toml_are_refused_in_a_sentence(text, sentence):
    with pytest.raises(UserError, match=re.escape(sentence)):
        from_toml(text, "mine.toml")


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_settings_are_finite_numbers(value):
    with pytest.raises(
        UserError, match=r"schedule\.learning_rate is .*; it must be a finite number"
    ):
        apply_set(Settings(), [f"schedule.learning_rate={value}"])


@pytest.mark.parametrize(
    "text",
    ["[data]\nsize = 'big'", "[data]\nsise = 96", "nothing = 1", "[data", "[data]\nflips = 1"],
)
def test_wrong_toml_is_refused(text):
    with pytest.raises(UserError):
        from_toml(text)


def test_an_unknown_preset_is_refused_with_the_names():
    with pytest.raises(UserError, match="teaching"):
        load_preset("papers")


@hypothesis_settings(deadline=None, max_examples=30)
@given(
    text=st.text(max_size=30),  # control characters and line ends of every kind among them
    rate=st.floats(0, 1e3),
    channel=st.none() | st.integers(0, 5),
)
def test_any_settings_survive_toml(text, rate, channel):
    settings = dataclasses.replace(
        Settings(description=text),
        data=tables.Data(channel=channel),
        schedule=tables.Schedule(learning_rate=rate),
        segmentation=tables.Segmentation(post=(text,)),
    )
    assert from_toml(to_toml(settings)) == settings


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("secret words = 'x", r"F is no valid TOML \(at line 1, column 8\); mend"),
        ("a = 1\na = 'secret'", r"F is no valid TOML \(at .*\); mend"),
        ("[data]\nsize = " + "9" * 5000, "F is no valid TOML; mend"),
        ("x = " + "[" * 5000, "nested too deeply"),
        ("a" + ".a" * 20000 + " = 1", "nested too deeply"),
        ("\0", "no valid TOML"),
    ],
)
def test_a_file_that_holds_no_settings_is_refused_and_not_quoted(text, said):
    with pytest.raises(UserError, match=said) as caught:
        from_toml(text, "F")
    assert "secret" not in str(caught.value)
