"""The smallest trainings that still have everything: both stages, D, an average, snapshots."""

import numpy as np

from ascnet_core.imaging.reference import SliceSet
from ascnet_core.settings.presets import load_preset
from ascnet_core.settings.tables import Settings
from ascnet_core.settings.text import apply_set

SIZE = 16


def slices(count: int, seed: int, subject: str = "s") -> SliceSet:
    """Random slices, dark at their rim."""
    images = np.random.default_rng(seed).random((count, SIZE, SIZE)).astype(np.float32)
    images[:, :2] = 0
    no = np.zeros(count, bool)
    names = np.array([f"{subject}{n % 3}" for n in range(count)])
    z = np.arange(count, dtype=np.int64)
    return SliceSet(images, np.linspace(0, 1, count), names, names, z, no, no)


def settings(*changes: str, preset: str = "paper") -> Settings:
    """A preset made tiny; further `changes` as in `--set`."""
    small = [
        f"data.size={SIZE}",
        "data.flips=true",
        "network.width=2",
        "network.discriminator_width=2",
        "schedule.stage_1=2",
        "schedule.stage_2=" + ("1" if preset == "paper" else "0"),
        "schedule.epochs_m=1",
        "schedule.batch_m=4",
        "schedule.batch_d=4",
        "schedule.steps=4",
        "schedule.average=0.9",
        "schedule.log_every=2",
        "schedule.learning_rate=1e-3",
        "compute.threads=1",  # two that wait for each other are slow where other tests run beside
    ]
    return apply_set(load_preset(preset), [*small, *changes])


INPUTS = slices(10, 1)
REFERENCE = slices(7, 2, "r")
WATCHED = INPUTS.images[:2]
