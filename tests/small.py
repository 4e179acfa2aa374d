"""A cohort and a run small enough to open in a test."""

import dataclasses
from pathlib import Path


def make_small_cohort(
    folder: Path, subjects: int = 4, size: tuple[int, int, int] = (32, 32, 12)
) -> Path:
    """Phantom subjects, every other one with lesions; gives the manifest."""
    from ascnet_core.imaging.phantom.demo import make_demo

    return make_demo(folder, subjects=subjects, size=size)


def make_small_run(run: Path, cohort: Path, size: int = 32) -> Path:
    """A run folder with an untrained network of width 2; its own rule is Otsu's, per subject."""
    import torch

    from ascnet_core.network.cutting import CuttingModule
    from ascnet_core.settings.presets import load_preset
    from ascnet_core.settings.text import to_toml
    from ascnet_core.training.checkpoint import save_model

    preset = load_preset("teaching")
    settings = dataclasses.replace(
        preset,
        data=dataclasses.replace(preset.data, size=size),
        network=dataclasses.replace(preset.network, width=2),
        segmentation=dataclasses.replace(
            preset.segmentation, map="reconstruction", rule="otsu", scope="subject", post=()
        ),
    )
    torch.manual_seed(0)
    run.mkdir(parents=True)
    (run / "settings.toml").write_text(to_toml(settings), encoding="utf-8")
    (run / "manifest.csv").write_text(cohort.read_text(encoding="utf-8"), encoding="utf-8")
    save_model(run / "model.safetensors", CuttingModule(width=2).eval(), settings)
    return run
