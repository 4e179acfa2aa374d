"""Settings: how long and how fast, and on what device."""

from typing import Literal

from pydantic import Field

from ascnet_core.settings.checked import table


@table
class Schedule:
    """How long, in what order and how fast."""

    seed: int = Field(0, ge=0, le=2**32 - 1)
    """Seed of every random draw."""
    order: Literal["alternate", "joint"] = "alternate"
    """Epochs of D, then of M (the paper), or joint steps of both."""
    stage_1: int = Field(3, ge=0, le=10_000)
    """Cycles of stage 1."""
    stage_2: int = Field(1, ge=0, le=10_000)
    """Cycles of stage 2."""
    epochs_d: int = Field(1, ge=0, le=10_000)
    """Epochs of D in a cycle."""
    epochs_m: int = Field(1, ge=1, le=10_000)
    """Epochs of M in a cycle (of both in joint order)."""
    steps: int = Field(0, ge=0, le=1_000_000)
    """Steps an epoch has; 0: as many as show every input slice once."""
    batch_m: int = Field(16, ge=1, le=65536)
    """Slices in a batch of M; of all processes together where there are several."""
    batch_d: int = Field(32, ge=2, le=65536)
    """Slices in a batch of D, fences and references together; of all processes where there are
    several."""
    learning_rate: float = Field(5e-5, ge=0, le=1000)
    """Adam's learning rate for M."""
    learning_rate_d: float = Field(5e-5, ge=0, le=1000)
    """Adam's learning rate for D."""
    adam_beta: float = Field(0.9, ge=0, le=0.9999)
    """Memory of Adam's mean of gradients; 0.5 is usual where two networks play against each
    other."""
    reconstructor_rate: float = Field(1.0, ge=0, le=1e6)
    """R's three numbers learn this many times faster."""
    cooling: float = Field(0.0, ge=0, le=1)
    """Share of the steps, at the end, over which M's learning rate falls to a hundredth."""
    reset_adam: bool = False
    """Adam forgets its moments at the start of each phase, as in the released code."""
    inputs_twice: bool = False
    """In stage 2 an epoch of M shows the inputs twice, as in the released code."""
    average: float = Field(0.0, ge=0, le=0.99999)
    """Memory of the moving average of M's weights that is kept as the model; 0: no average."""
    average_from: int = Field(0, ge=0, le=10_000_000)
    """Steps of M before the average begins; until then it is M itself."""
    log_every: int = Field(10, ge=1, le=1_000_000)
    """Steps between two lines of losses."""
    snapshot_epochs: int = Field(0, ge=0, le=10_000)
    """Epochs between further snapshots; 0: at cycles only."""
    checkpoint_seconds: float = Field(60.0, ge=0, le=1e9)
    """Seconds between two checkpoints to resume from."""
    stop_when: Literal["never", "separated"] = "never"
    """Stop before the schedule's end once the advisor says so after a cycle: separated, stable
    peaks that are more than brightness."""
    stop_peaks: int = Field(3, ge=2, le=4)
    """Separated peaks that the advisor wants before it says stop: three or four in the paper, two
    where a recipe gathers all healthy tissue in one."""


@table
class Compute:
    """How the device is used."""

    autocast: Literal["auto", "off", "on"] = "auto"
    """bfloat16 arithmetic: where the device gains by it, never, or always."""
    threads: int = Field(0, ge=0, le=1024)
    """Processor threads of training; 0: as torch chooses. Small networks gain little by a second
    one, and on a busy machine two that wait for each other are several times slower."""
    channels_last: Literal["auto", "off", "on"] = "auto"
    """Memory order of images: where the device gains by channels-last, never, or always."""
