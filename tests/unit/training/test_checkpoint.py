import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from ascnet_core.errors import UserError
from ascnet_core.network.cutting import CuttingModule
from ascnet_core.settings.text import to_toml
from ascnet_core.training.checkpoint import (
    load_model,
    load_model_file,
    load_training,
    save_model,
    save_training,
)
from tests.unit.training import tiny


@pytest.fixture
def model():
    torch.manual_seed(3)
    made = CuttingModule(width=2)
    with torch.no_grad():  # running statistics that are not the initial ones
        made.train()(torch.rand(4, 1, 16, 16))
    return made


def write_run(folder, model):
    folder.mkdir(parents=True)
    (folder / "settings.toml").write_text(to_toml(tiny.settings()))
    save_model(folder / "model.safetensors", model, tiny.settings())
    return folder


def test_a_loaded_model_cuts_like_the_saved_one(tmp_path, model):
    path = tmp_path / "model.safetensors"
    save_model(path, model, tiny.settings(), {"stage": 1, "cycle": 2, "step": 30})
    loaded, settings = load_model(path)
    assert settings == tiny.settings()
    assert not loaded.training
    assert not any(parameter.requires_grad for parameter in loaded.parameters())
    images = torch.rand(3, 1, 32, 32)
    model.eval()
    with torch.no_grad():
        for one, other in zip(loaded(images), model(images), strict=True):
            assert torch.equal(one, other)


def test_files_can_be_read_by_whom_the_system_lets(tmp_path, model):
    (tmp_path / "plain").write_bytes(b"")
    save_model(tmp_path / "m.safetensors", model, tiny.settings())
    assert (tmp_path / "m.safetensors").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_channels_last_weights_are_saved_as_they_are(tmp_path, model):
    last = model.to(memory_format=torch.channels_last)
    save_model(tmp_path / "m.safetensors", last, tiny.settings())
    loaded, _ = load_model(tmp_path / "m.safetensors")
    for name, value in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value), name


def test_the_header_explains_the_file(tmp_path, model):
    save_model(tmp_path / "m.safetensors", model, tiny.settings(), {"cycle": 2})
    with safe_open(tmp_path / "m.safetensors", "np") as stream:
        header = stream.metadata()
    assert header["format"] == "ascnet-explorer model"
    assert header["version"] == "1"
    assert (header["width"], header["size"]) == ("2", "16")
    assert json.loads(header["position"]) == {"cycle": 2}


def test_a_run_gives_its_result_or_a_cycle(tmp_path, model):
    run = write_run(tmp_path / "run", model)
    kept = run / "snapshots" / "000-s1-c0"
    kept.mkdir(parents=True)
    info = {"stage": 1, "cycle": 0, "total_cycle": 0, "step": 0}
    (kept / "info.json").write_text(json.dumps(info))
    other = CuttingModule(width=2)
    save_model(kept / "model.safetensors", other, tiny.settings())
    first = "encoder.levels.0.conv1.weight"
    assert torch.equal(load_model(run)[0].state_dict()[first], model.state_dict()[first])
    assert torch.equal(load_model(str(run), 0)[0].state_dict()[first], other.state_dict()[first])
    with pytest.raises(UserError, match="no cycle 5; there are: 0"):
        load_model(run, cycle=5)


def test_a_cycle_kept_without_weights_is_said(tmp_path, model):
    run = write_run(tmp_path / "run", model)
    for index in (0, 1):
        kept = run / "snapshots" / f"{index:03d}-s1-c{index}"
        kept.mkdir(parents=True)
        info = {"stage": 1, "cycle": index, "total_cycle": index, "step": index}
        (kept / "info.json").write_text(json.dumps(info))
    save_model(kept / "model.safetensors", model, tiny.settings())
    with pytest.raises(UserError, match="no weights of cycle 0; it has those of: 1"):
        load_model(run, cycle=0)
    load_model(run, cycle=1)


def test_settings_of_a_run_win_over_the_header(tmp_path, model):
    run = write_run(tmp_path / "run", model)
    changed = tiny.settings("segmentation.rule=otsu")
    (run / "settings.toml").write_text(to_toml(changed))
    assert load_model(run)[1].segmentation.rule == "otsu"


def test_what_is_missing_is_said(tmp_path, model):
    with pytest.raises(UserError, match="no run"):
        load_model(tmp_path / "nothing")
    run = write_run(tmp_path / "run", model)
    (run / "model.safetensors").unlink()
    with pytest.raises(UserError, match="has no model"):
        load_model(run)
    save_model(tmp_path / "m.safetensors", model, tiny.settings())
    with pytest.raises(UserError, match="no cycles"):
        load_model(tmp_path / "m.safetensors", cycle=1)


def whole(path, model):
    save_model(path, model, tiny.settings())
    return path.read_bytes()


def foreign_files(tmp_path, model):
    path = tmp_path / "w.safetensors"
    content = whole(path, model)
    yield "cut off", content[: len(content) // 2]
    yield "empty", b""
    yield "noise", np.random.default_rng(0).bytes(2000)
    yield "pickle", b"\x80\x04\x95\x00\x00\x00\x00\x00\x00\x00\x00}\x94."
    save_file({"x": torch.zeros(3)}, path)
    yield "another program's", path.read_bytes()
    save_file({"x": torch.zeros(3)}, path, metadata={"format": "pt"})
    yield "another format", path.read_bytes()
    header = {"format": "ascnet-explorer model", "version": "1", "width": "2", "size": "16"}
    save_file({"x": torch.zeros(3)}, path, metadata=header)
    yield "without settings", path.read_bytes()
    header["settings"] = to_toml(tiny.settings())
    save_file({"x": torch.zeros(3)}, path, metadata=header)
    yield "other tensors", path.read_bytes()
    save_file(dict(model.state_dict()), path, metadata=header | {"width": "3"})
    yield "another width", path.read_bytes()
    save_file(dict(model.state_dict()), path, metadata=header | {"version": "99"})
    yield "from the future", path.read_bytes()


def test_foreign_and_damaged_files_are_refused_in_one_sentence(tmp_path, model):
    for what, content in foreign_files(tmp_path, model):
        path = tmp_path / "given.safetensors"
        path.write_bytes(content)
        with pytest.raises(UserError) as caught:
            load_model_file(path)
        message = str(caught.value)
        assert "given.safetensors" in message, what
        assert "\n" not in message, what
        assert message.endswith("."), what


def test_a_training_checkpoint_comes_back_whole(tmp_path):
    path = tmp_path / "t.safetensors"
    tensors = {
        "a": torch.arange(6.0).view(2, 3).t(),
        "b": torch.tensor(3),
        "c": torch.tensor([True]),
    }
    meta = {"events_bytes": 12, "state": {"step": 3, "name": "ä"}}
    save_training(path, tensors, meta)
    loaded, again = load_training(path)
    assert again == meta
    assert loaded.keys() == tensors.keys()
    assert all(torch.equal(loaded[name], tensors[name]) for name in tensors)
    with pytest.raises(UserError, match="not an ascnet-explorer model"):
        load_model_file(path)


def test_saving_leaves_no_half_file(tmp_path, model, monkeypatch):
    path = tmp_path / "m.safetensors"
    before = whole(path, model)

    def fails(self, content):
        with self.open("wb") as stream:
            stream.write(content[:100])
        raise OSError("disk full")

    monkeypatch.setattr(Path, "write_bytes", fails)
    with pytest.raises(OSError, match="disk full"):
        save_model(path, model, tiny.settings())
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["m.safetensors"]


@pytest.mark.gpu
def test_weights_go_to_a_gpu_and_back(tmp_path, model):
    save_model(tmp_path / "m.safetensors", model, tiny.settings())
    loaded, _ = load_model(tmp_path / "m.safetensors", device="cuda")
    assert next(loaded.parameters()).is_cuda
    save_model(tmp_path / "again.safetensors", loaded, tiny.settings())
    again, _ = load_model(tmp_path / "again.safetensors")
    for name, value in model.state_dict().items():
        assert torch.equal(again.state_dict()[name], value), name
