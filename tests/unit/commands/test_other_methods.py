"""Every method but ASC-Net, through the verbs that a run goes through: all by its name alone."""

import shutil

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import torch
from safetensors import safe_open

from ascnet_core import places
from ascnet_core.runs.folder import Run
from ascnet_core.settings.methods import METHODS
from ascnet_core.training.checkpoint import load_model, load_training
from tests.unit.commands.command_line import TINY, cli, complaint, rows_of

OTHERS = [name for name in METHODS if name != "asc-net"]
CPU = ["--device", "cpu"]


def train(manifest, path, name, *more):
    how = ["--preset", "teaching", "--set", f"method.name={name}"]
    return cli("train", manifest, "--name", path, *how, *TINY, *CPU, *more)


@pytest.fixture(scope="module", params=OTHERS)
def trained(request, demo, tmp_path_factory):
    """A run of a method that has hardly learnt anything."""
    path = tmp_path_factory.mktemp("other") / "runs" / "other"
    assert train(demo / "manifest.csv", path, request.param) == 0
    return Run(path)


def test_it_trains_and_keeps_its_maps_counts_and_gauges(trained):
    assert trained.status() == "finished"
    method = trained.settings().method
    snapshots = trained.snapshots()
    assert [one.total_cycle for one in snapshots] == [0, 1, 2]
    data = trained.load_snapshot(snapshots[-1])
    assert set(data.maps) == {one.name for one in method.pictures()}
    assert all(one.shape == data.watched_input.shape for one in data.maps.values())
    assert data.counts.sum() > 0
    for one in method.maps:
        assert trained.reference_counts(one.name).sum() > 0
    gauges = [event["gauges"] for event in trained.events() if event["kind"] == "epoch"]
    assert set(gauges[-1]) == {one.name for one in method.gauges}
    with safe_open(trained.path / "model.safetensors", "np") as stream:
        assert stream.metadata()["method"] == method.name
    card = (trained.path / "card.md").read_text()
    assert f"| method | {method.name}: " in card
    assert f"| histogram | {method.maps[0].short}: " in card


def test_the_network_comes_back_with_its_maps(trained):
    model, settings = load_model(trained.path)
    with torch.no_grad():
        maps = model.maps(torch.rand(2, 1, 32, 32))
    assert list(maps) == [one.name for one in settings.method.maps]
    for made in maps.values():
        assert (made.shape, made.dtype) == ((2, 1, 32, 32), torch.float32)
        assert 0 <= float(made.min()) <= float(made.max()) <= 1


def test_it_goes_on_for_longer_and_a_fork_begins_with_it(trained, tmp_path):
    longer = trained.path.with_name("longer")  # its paths are relative
    shutil.copytree(trained.path, longer)
    assert cli("train", "--resume", longer, "--set", "schedule.stage_1=3", *CPU) == 0
    assert [one.total_cycle for one in Run(longer).snapshots()] == [0, 1, 2, 3]
    forked = tmp_path / "forked"
    assert cli("train", "--fork", trained.path, "--name", forked, *CPU) == 0
    assert Run(forked).settings().method == trained.settings().method
    begun = load_model(forked, cycle=0)[0].state_dict()
    result = load_model(trained.path)[0].state_dict()
    assert all(torch.equal(value, result[name]) for name, value in begun.items())


def test_a_fork_keeps_its_method(trained, tmp_path, capsys):
    other = ["--set", "method.name=asc-net"]
    assert cli("train", "--fork", trained.path, "--name", tmp_path / "new", *other) == 2
    assert "method.name cannot change in a fork" in complaint(capsys)


def test_masks_are_made_of_each_of_its_maps(trained, demo, tmp_path, capsys):
    method = trained.settings().method
    manifest = demo / "manifest.csv"
    how = ["--save-maps", "--threshold", "otsu", *CPU]
    assert cli("segment", trained.path, manifest, "-o", tmp_path / "first", *how) == 0
    assert {row["map"] for row in rows_of(tmp_path / "first" / "segmentation.csv")} == {
        method.maps[0].name
    }
    for one in method.maps:
        assert len(list((tmp_path / "first").glob(f"*_{one.name}.nii.gz"))) == 4
        out = tmp_path / one.name
        arguments = ["--map", one.name, "--threshold", "reference-quantile:0.9", *CPU]
        assert cli("segment", trained.path, manifest, "-o", out, *arguments) == 0
        mask = nib.load(next(out.glob("*_mask.nii.gz")))
        assert set(np.unique(np.asanyarray(mask.dataobj))) <= {0, 1}
    capsys.readouterr()
    assert cli("segment", trained.path, manifest, "-o", tmp_path / "no", "--map", "soul") == 2
    assert "soul" in complaint(capsys)


def test_its_rows_stand_in_the_table(trained, demo, tmp_path):
    method = trained.settings().method
    maps = [one.name for one in method.maps]
    arguments = ["--run", trained.path, "--map", *maps, "--reference", "normal", "--fast", *CPU]
    assert cli("evaluate", demo / "manifest.csv", *arguments, "-o", tmp_path) == 0
    rows = pd.read_csv(tmp_path / "subjects.csv")
    own = rows[rows["run"] == "other"]
    assert set(own["method"]) == {method.name}
    assert set(own["map"]) == set(maps)
    assert {"mask-free", "oracle"} <= set(own["kind"])


def test_it_is_cross_validated_beside_asc_net(trained, demo, tmp_path):
    name = trained.settings().method.name
    (tmp_path / "plan.toml").write_text(
        'set = ["data.size=32", "network.width=2", "schedule.stage_1=1", "schedule.steps=1",\n'
        '       "schedule.batch_m=4"]\n'
        f'[data.demo]\nmanifests = ["{demo / "manifest.csv"}"]\nfolds = 2\n'
        'reference = "normal"\nbaselines = []\n'
        f'[run.other]\nset = ["method.name={name}"]\ncycles = "all"\n[run.own]\n'
    )
    assert cli("crossval", tmp_path / "plan.toml", "-o", tmp_path / "out", *CPU) == 0
    rows = pd.read_csv(tmp_path / "out" / "rows.csv")
    assert set(rows["method"]) == {name, "asc-net"}
    assert set(rows[rows["method"] == name]["map"]) == {trained.settings().method.maps[0].name}
    stops = pd.read_csv(tmp_path / "out" / "stopping.csv")
    assert set(stops["advice"]) == {"no advice"}


def test_it_travels_as_one_file(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(places, "RUNS", trained.path.parent)
    file = tmp_path / "other.zip"
    assert cli("run", "export", "other", "-o", file) == 0
    monkeypatch.setattr(places, "RUNS", tmp_path / "elsewhere")
    assert cli("run", "import", file) == 0
    arrived = Run(tmp_path / "elsewhere" / "other")
    assert arrived.settings() == trained.settings()
    assert len(arrived.snapshots()) == 3
    one, other = (load_training(run.path / "training.safetensors")[0] for run in (arrived, trained))
    assert all(torch.equal(value, other[name]) for name, value in one.items())


def test_a_plan_or_a_command_that_asks_for_cuts_is_told_so(trained, demo, tmp_path, capsys):
    name = trained.settings().method.name
    path = tmp_path / "asks"
    assert train(demo / "manifest.csv", path, name, "--stop-when", "separated") == 2
    said = complaint(capsys)
    assert f"The advisor needs the two cuts of ASC-Net, which {name} does not make." in said
    assert not path.exists()


def test_the_list_of_settings_is_the_methods(trained, capsys):
    name = trained.settings().method.name
    assert cli("train", "--list-settings", "--set", f"method.name={name}") == 0
    text = capsys.readouterr().out
    assert f"\nmethod.name={name}\n" in text
    assert "\nlosses." not in text
    assert f"method {name}: " in text
