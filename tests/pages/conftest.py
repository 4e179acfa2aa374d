"""A small cohort and a small untrained run that pages can open, away from the user's own."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def small_cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The manifest of four phantom subjects of 32 x 32 x 12 voxels, two of them with lesions."""
    from ascnet_core.imaging.phantom import make_demo

    return make_demo(tmp_path_factory.mktemp("cohort") / "small", subjects=4, size=(32, 32, 12))


@pytest.fixture(scope="session")
def small_run(tmp_path_factory: pytest.TempPathFactory, small_cohort: Path) -> Path:
    """A run whose network passes the input on: I_ro has the input's brightness and its peaks."""
    import torch

    from ascnet_core.network.cutting import CuttingModule
    from ascnet_core.training.checkpoint import save_model
    from ascnet_core.training.presets import load_preset, to_toml

    preset = load_preset("teaching")
    settings = dataclasses.replace(
        preset,
        data=dataclasses.replace(preset.data, size=32),
        network=dataclasses.replace(preset.network, width=2),
        segmentation=dataclasses.replace(
            preset.segmentation, map="reconstruction", rule="otsu", scope="subject", post=()
        ),
    )
    torch.manual_seed(0)
    run = tmp_path_factory.mktemp("runs") / "small-run"
    run.mkdir()
    (run / "settings.toml").write_text(to_toml(settings), encoding="utf-8")
    (run / "manifest.csv").write_text(small_cohort.read_text(encoding="utf-8"), encoding="utf-8")
    save_model(run / "model.safetensors", CuttingModule(width=2).eval(), settings)
    return run


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A cache folder of the test's own, and no cached results of another test."""
    monkeypatch.setenv("ASCNET_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(ROOT)
    st.cache_resource.clear()
    st.cache_data.clear()
    yield tmp_path / "cache"
    st.cache_resource.clear()
