"""Settings: how long and how fast, and on what device."""

from __future__ import annotations

from dataclasses import dataclass

from ascnet_core.settings.field import Checked, setting


@dataclass(frozen=True)
class Schedule(Checked):
    """How long, in what order and how fast."""

    table = "schedule"
    seed: int = setting(0, "Seed of every random draw.", low=0)
    order: str = setting(
        "alternate",
        "Epochs of D, then of M (the paper), or joint steps of both.",
        "alternate",
        "joint",
    )
    stage_1: int = setting(3, "Cycles of stage 1.", low=0)
    stage_2: int = setting(1, "Cycles of stage 2.", low=0)
    epochs_d: int = setting(1, "Epochs of D in a cycle.", low=0)
    epochs_m: int = setting(1, "Epochs of M in a cycle (of both in joint order).", low=1)
    steps: int = setting(0, "Steps an epoch has; 0: as many as show every input slice once.", low=0)
    batch_m: int = setting(
        16, "Slices in a batch of M; of all processes together where there are several.", low=1
    )
    batch_d: int = setting(
        32,
        "Slices in a batch of D, fences and references together; of all processes where there are "
        "several.",
        low=2,
    )
    learning_rate: float = setting(5e-5, "Adam's learning rate for M.", low=0)
    learning_rate_d: float = setting(5e-5, "Adam's learning rate for D.", low=0)
    reconstructor_rate: float = setting(
        1.0, "R's three numbers learn this many times faster.", low=0
    )
    cooling: float = setting(
        0.0,
        "Share of the steps, at the end, over which M's learning rate falls to a hundredth.",
        low=0,
        high=1,
    )
    reset_adam: bool = setting(
        False, "Adam forgets its moments at the start of each phase, as in the released code."
    )
    inputs_twice: bool = setting(
        False, "In stage 2 an epoch of M shows the inputs twice, as in the released code."
    )
    average: float = setting(
        0.0,
        "Memory of the moving average of M's weights that is kept as the model; 0: no average.",
        low=0,
        high=0.99999,
    )
    log_every: int = setting(10, "Steps between two lines of losses.", low=1)
    snapshot_epochs: int = setting(0, "Epochs between further snapshots; 0: at cycles only.", low=0)
    checkpoint_seconds: float = setting(
        60.0, "Seconds between two checkpoints to resume from.", low=0
    )
    stop_when: str = setting(
        "never",
        "Stop before the schedule's end once the advisor says so after a cycle: separated, stable "
        "peaks that are more than brightness.",
        "never",
        "separated",
    )
    stop_peaks: int = setting(
        3,
        "Separated peaks that the advisor wants before it says stop: three or four in the paper, "
        "two where a recipe gathers all healthy tissue in one.",
        low=2,
        high=4,
    )


@dataclass(frozen=True)
class Compute(Checked):
    """What of the device is used."""

    table = "compute"
    autocast: str = setting(
        "auto",
        "bfloat16 arithmetic: where the device gains by it, never, or always.",
        "auto",
        "off",
        "on",
    )
    threads: int = setting(
        0,
        "Processor threads of training; 0: as torch chooses. Small networks gain little by a "
        "second one, and on a busy machine two that wait for each other are several times slower.",
        low=0,
    )
    channels_last: str = setting(
        "auto",
        "Memory order of images: where the device gains by channels-last, never, or always.",
        "auto",
        "off",
        "on",
    )
