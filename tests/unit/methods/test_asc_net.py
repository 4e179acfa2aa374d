"""A run as a method: its maps, its rules, and the preparation it was trained with."""

import nibabel as nib
import numpy as np
import pytest
import torch

from ascnet_core.errors import UserError
from ascnet_core.imaging.cohort import Scan
from ascnet_core.imaging.prepare import Preparation, prepare_scan
from ascnet_core.methods import asc_net as module
from ascnet_core.methods.asc_net import asc_net
from ascnet_core.network.cutting import CuttingModule
from ascnet_core.segmentation.cuts import cut_scan
from ascnet_core.settings.methods.asc_net import AscNet
from ascnet_core.settings.presets import load_preset
from ascnet_core.settings.text import apply_set
from ascnet_core.training.checkpoint import load_model, save_model

MAPS = [one.name for one in AscNet.maps]


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    settings = apply_set(
        load_preset("teaching"),
        ["network.width=2", "data.size=32", "data.scaling=min-max", "data.low=1"],
    )
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("model") / "tiny.safetensors"
    save_model(path, CuttingModule(width=2), settings)
    return path


@pytest.fixture(scope="module")
def scan(tmp_path_factory):
    path = tmp_path_factory.mktemp("scan") / "scan.nii"
    image = np.random.default_rng(0).random((20, 24, 3), np.float32)
    image[:4] = 0
    nib.save(nib.Nifti1Image(image, np.eye(4)), path)
    return Scan("s", "s", path)


def test_maps_are_those_of_the_cuts(weights, scan):
    model, _ = load_model(weights)
    prepared = prepare_scan(scan, Preparation(size=32))
    expected = cut_scan(model, prepared)
    for method in asc_net(weights, MAPS):
        grey = method.grey(prepared)
        assert grey.shape == prepared.region.shape
        np.testing.assert_array_equal(grey, expected[method.map])
        assert (method.name, method.run) == ("asc-net", "tiny")


def test_a_scan_is_cut_once_for_all_maps(weights, scan, monkeypatch):
    calls = []

    def counted(model, prepared, **options):
        calls.append(options)
        return dict.fromkeys(MAPS, prepared.scaled)

    monkeypatch.setattr(module, "cut_scan", counted)
    methods = asc_net(weights, MAPS, batch=3, flip=True)
    first, second = (prepare_scan(scan, Preparation(size=32)) for _ in range(2))
    for prepared in (first, second):
        for method in methods:
            method.grey(prepared)
    assert len(calls) == 2
    assert calls[0] == {"batch": 3, "flip": True, "names": MAPS}


def test_it_asks_for_the_scaling_it_was_trained_with(weights):
    (method,) = asc_net(weights)
    own = method.adapt(Preparation(size=160, scaling="percentile", region="auto", frame=1))
    assert own == Preparation(size=32, scaling="min-max", low=1, region="auto", frame=1)


def test_rules(weights):
    by_map = {method.map: method for method in asc_net(weights, MAPS)}
    rebuilt, wild = by_map["reconstruction"], by_map["wild"]
    assert rebuilt.rules("bright", (), False) == ("rightmost-peak",)
    assert rebuilt.rules("dark", (), False) == ("leftmost-peak",)
    assert wild.rules("bright", (), True) == ("otsu", "reference-quantile:0.995")
    assert wild.rules("bright", ("peak:-1", "170", "170"), True) == ("peak:-1", "170")


def test_maps_of_different_cuts_are_told_apart(weights):
    (plain,), (flipped,) = asc_net(weights), asc_net(weights, flip=True)
    assert plain.key != flipped.key


def test_what_is_refused(weights, tmp_path):
    with pytest.raises(UserError, match="reconstruction"):
        asc_net(weights, ["input"])
    with pytest.raises(UserError, match="no run"):
        asc_net(tmp_path / "nothing")
