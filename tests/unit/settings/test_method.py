"""What every method says of itself, and settings of one method beside those of another."""

import pytest

from ascnet_core.errors import UserError
from ascnet_core.names import RANGES, SIDES
from ascnet_core.segmentation.rules import parse_rule
from ascnet_core.settings.methods import METHODS, method_named
from ascnet_core.settings.methods.asc_net import AscNet
from ascnet_core.settings.presets import load_preset, preset_names
from ascnet_core.settings.tables import Settings
from ascnet_core.settings.text import (
    about,
    apply_set,
    differing,
    from_toml,
    keys,
    to_toml,
    value_of,
    with_method,
)

OTHERS = [name for name in METHODS if name != "asc-net"]


@pytest.mark.parametrize("name", METHODS)
def test_a_method_says_what_pages_and_checks_ask_of_it(name):
    settings = with_method(load_preset("teaching"), name)
    method = settings.method
    assert method.title
    assert method.sentence.endswith(".")
    assert len({one.name for one in method.maps}) == len(method.maps)
    for one in method.maps:
        assert one.label
        assert one.short
        assert (one.side in SIDES, one.range in RANGES) == (True, True)
        assert parse_rule(one.rule).name != "reference-quantile"  # there may be none
    assert method.pictures()[-1] == method.maps[0]
    assert len({one.name for one in method.gauges}) == len(method.gauges)
    learners = {one.name for one in method.learners(settings)}
    for stage in (1, 2):
        phases = method.phases(settings, stage, 30, 20)
        assert len({one.number for one in phases}) == len(phases)
        for phase in phases:
            assert phase.epochs > 0
            assert phase.steps > 0
            assert set(phase.trains) <= learners
            assert set(phase.shows) <= {"input", "reference"}
    for key in method.batches(settings):
        assert value_of(settings, key)
    for one in method.learners(settings):
        assert value_of(settings, one.width)
        assert value_of(settings, one.norm) in ("batch", "group")
        assert value_of(settings, one.rate)


def test_old_settings_are_asc_nets():
    text = to_toml(load_preset("teaching"))
    old = text.replace('[method]\nname = "asc-net"\n', "")
    assert old != text
    assert from_toml(old) == from_toml(text)
    assert isinstance(Settings().method, AscNet)


@pytest.mark.parametrize("name", OTHERS)
def test_settings_of_a_method_come_back_from_their_text(name):
    settings = with_method(load_preset("teaching"), name)
    assert from_toml(to_toml(settings)) == settings
    # the mask is by the method's own first map, also where the file does not say so
    bare = from_toml(f'[method]\nname = "{name}"\n')
    assert bare.segmentation.map == bare.method.maps[0].name


def test_another_method_is_one_assignment_and_has_keys_of_its_own():
    base = load_preset("teaching")
    changed = apply_set(
        base, ["method.cells=8", "method.name=denoising-autoencoder", "segmentation.rule=90"]
    )
    assert changed.method.cells == 8
    assert (changed.segmentation.map, changed.segmentation.rule) == ("residual", "90")
    assert changed.data == base.data
    assert "method.cells" in keys(changed)
    assert "method.cells" not in keys(base)
    assert not any(key.startswith(("losses.", "adversary.")) for key in keys(changed))
    assert value_of(base, "method.cells") is None
    found = differing(base, changed)
    assert {"method.name", "method.noise", "method.cells", "segmentation.map"} <= set(found)
    noisy = apply_set(changed, ["method.noise=0.5"])
    assert differing(changed, noisy) == ("method.noise",)
    assert set(differing(base, changed, noisy)) == set(found)
    assert "cells" in about("method.cells", changed).help.lower()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (["method.name=gan"], "method.name is 'gan'; choose one of asc-net, "),
        (["method.cells=8"], "There is no setting 'method.cells'"),
        (["method.name=denoising-autoencoder", "segmentation.map=wild"],
         "denoising-autoencoder has no map 'wild'; choose among residual, reconstruction"),
        (["method.name=denoising-autoencoder", "schedule.stop_when=separated"],
         "The advisor needs the two cuts of ASC-Net, which denoising-autoencoder does not make"),
    ],
)  # fmt: skip
def test_what_a_method_does_not_have_is_said(changes, said):
    with pytest.raises(UserError) as caught:
        apply_set(load_preset("teaching"), changes)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (["losses.tie_side=dark"], "set losses.tie_side=bright, or network.cuts=free"),
        (["losses.denoise_wild=1", "losses.wild_loss=cross-entropy"],
         "set losses.wild_target=mask, or losses.wild_loss=absolute"),
        (["network.discriminator_pool=least", "adversary.mirrored=true"],
         "network.discriminator_pool=least looks for the patch with the lowest score"),
        (["schedule.order=alternate"], "adversary.steps counts steps of D in joint order"),
    ],
)  # fmt: skip
def test_settings_of_conserved_cuts_that_exclude_each_other_are_refused(changes, said):
    with pytest.raises(UserError) as caught:
        apply_set(load_preset("conserved-cuts"), changes)
    assert said in str(caught.value)


def test_a_file_of_an_unknown_method_is_refused():
    with pytest.raises(UserError, match="choose one of asc-net"):
        from_toml('[method]\nname = "later"\n')
    with pytest.raises(UserError, match="choose one of asc-net"):
        method_named(3)


@pytest.mark.parametrize("name", preset_names())
def test_a_shipped_preset_names_maps_that_its_method_has(name):
    settings = load_preset(name)
    settings.method.map_named(settings.segmentation.map)
