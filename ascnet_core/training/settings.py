"""Everything a run depends on, as dataclasses with a sentence for every field.

The sentence lies in the field's metadata under "help", so that forms and `--help` show it; fields
that stand for a choice among names have these under "choices". Values are checked when a table is
made, so no invalid settings exist.
"""

from __future__ import annotations

from dataclasses import Field, dataclass, field, fields
from typing import Any

from ascnet_core.errors import UserError


def setting(
    default: Any, text: str, *choices: str, low: float | None = None, high: float | None = None
) -> Any:
    """Make a field with its sentence, and what it may be."""
    metadata = {"help": text, "choices": choices, "low": low, "high": high}
    return field(default=default, metadata=metadata)


class Checked:
    """Checks each field against its choices and bounds as soon as a table exists."""

    table = ""

    def __post_init__(self) -> None:
        """Raise UserError where a value is none of the choices or out of bounds."""
        for one in fields(self):  # type: ignore[arg-type]
            self._check(one, getattr(self, one.name))

    def _check(self, one: Field[Any], value: Any) -> None:
        name = f"{self.table}.{one.name}"
        choices = one.metadata.get("choices", ())
        if choices and value not in choices:
            raise UserError(f"{name} is {value!r}; choose one of {', '.join(choices)}.")
        low, high = one.metadata.get("low"), one.metadata.get("high")
        for number in value if isinstance(value, tuple) else (value,):
            if isinstance(number, int | float):
                if low is not None and number < low:
                    raise UserError(f"{name} is {number}; it must be at least {low:g}.")
                if high is not None and number > high:
                    raise UserError(f"{name} is {number}; it must be at most {high:g}.")


@dataclass(frozen=True)
class Data(Checked):
    """How a volume becomes slices, and how inputs and reference slices are drawn."""

    table = "data"
    size: int = setting(96, "Slices are S x S pixels; a multiple of 16.", low=16, high=1024)
    scaling: str = setting(
        "percentile", "How a volume's intensities are brought to [0, 1].", "percentile", "min-max"
    )
    low: float = setting(0.1, "Percentile that becomes 0.", low=0, high=100)
    high: float = setting(99.9, "Percentile that becomes 1.", low=0, high=100)
    region: str = setting(
        "file",
        "What is looked at: the manifest's region file (else automatic), "
        "always automatic, or everything; outside it slices are 0.",
        "file",
        "auto",
        "none",
    )
    channel: int | None = setting(
        None, "Channel of colour pictures; not set: refuse those of differing channels.", low=0
    )
    frame: int | None = setting(None, "Frame of 4-D files; not set: refuse several frames.", low=0)
    nan: float | None = setting(None, "What NaN and infinity become; not set: refuse them.")
    match: str = setting(
        "none",
        "Draw reference slices at random, or for each input one of about "
        "the same position in the head, so that D can't go by the level.",
        "none",
        "position",
    )
    flips: bool = setting(False, "Mirror training slices left-right at random.")
    brightness: float = setting(
        0.0,
        "Training slices are multiplied by 1 plus or minus up to this share, at random.",
        low=0,
        high=0.9,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.size % 16:
            raise UserError(f"data.size is {self.size}; it must be a multiple of 16.")
        if self.low >= self.high:
            raise UserError("data.low must be under data.high.")


@dataclass(frozen=True)
class Network(Checked):
    """Sizes of M and D."""

    table = "network"
    width: int = setting(32, "Feature maps of M's first level (32 in the paper).", low=1, high=256)
    discriminator_width: int = setting(32, "Feature maps of D's first level.", low=1, high=256)
    dropout: float = setting(0.3, "Share dropped after each pooling.", low=0, high=0.95)
    decoder_dropout: str = setting(
        "none",
        "Dropout after concatenations: none (the paper), or as "
        "in the released code, all but the fence decoder's last.",
        "none",
        "asymmetric",
    )
    norm: str = setting(
        "batch",
        "Normalisation in M: over the batch (the paper), or over groups of maps of each slice by "
        "itself, which leaves no running statistics to fit badly.",
        "batch",
        "group",
    )
    norm_momentum: float = setting(
        0.01,
        "Weight of the newest batch in batch norm's running statistics (0.01 is Keras' 0.99).",
        low=0.0001,
        high=1,
    )


@dataclass(frozen=True)
class Adversary(Checked):
    """The game between D and M."""

    table = "adversary"
    weight: float = setting(
        1.0, "Weight of the adversarial term in M; 0 leaves D out altogether.", low=0
    )
    loss: str = setting(
        "tanh-mae",
        "The paper's mean absolute error through a tanh, or one that "
        "keeps its slope where D is sure.",
        "tanh-mae",
        "hinge",
        "least-squares",
    )
    mirrored: bool = setting(
        False,
        "References are -1 and fences +1, as in the released code; the "
        "same game with its signs swapped.",
    )
    discarded: bool = setting(
        False,
        "M trains against a fresh, never trained D, as in the "
        "released code, where the trained one is thrown away.",
    )
    frozen_uses_batches: bool = setting(
        False,
        "While M trains, D normalises by the batch and "
        "keeps its dropout on, as in the released code.",
    )
    r1: float = setting(
        0.0, "Weight of the R1 penalty (squared gradient of D at references).", low=0
    )


@dataclass(frozen=True)
class Losses(Checked):
    """Terms of M besides the adversary's. The first four are the method's, the rest are extra."""

    table = "losses"
    disjointness: float = setting(1.0, "Weight of the overlap of fence and wild cut.", low=0)
    disjointness_smoothing: float = setting(
        0.0, "Added above and below the overlap's fraction (1 in the released code).", low=0
    )
    disjointness_over: str = setting(
        "image",
        "Whether the overlap is one fraction an image, or "
        "one over the flattened batch, as in the released code.",
        "image",
        "batch",
    )
    disjointness_in_stage_2: bool = setting(
        True, "Off in the released code, where an inverted comparison makes the term a constant 1."
    )
    reconstruction: float = setting(1.0, "Weight of the squared error of I_ro.", low=0)
    reconstruction_reduce: str = setting(
        "sum",
        "Squared error summed over an image's pixels (the "
        "paper) or their mean (the released code).",
        "sum",
        "mean",
    )
    weight_decay: float = setting(
        0.0,
        "Factor of the summed squares of every 3x3 kernel of M and "
        "of D (2e-4 in the released code).",
        low=0,
    )
    denoise_fence: float = setting(
        0.0, "Weight of abs(fence - clean slice) on corrupted reference slices.", low=0
    )
    denoise_wild: float = setting(
        0.0, "Weight of abs(wild - what was added) on corrupted reference slices.", low=0
    )
    wild_target: str = setting(
        "excess",
        "What the wild cut is to hold: the positive part of the "
        "corruption, or the mask of where it lies.",
        "excess",
        "mask",
    )
    wild_loss: str = setting(
        "absolute",
        "Error of the wild cut against its target: absolute, or cross-entropy, which keeps its "
        "slope where the cut is sure and wrong.",
        "absolute",
        "cross-entropy",
    )
    focus: float = setting(
        1.0,
        "Pixels under corruption count this many times in the denoising terms and the tie.",
        low=0,
    )
    tie: float = setting(
        0.0,
        "Weight of the squared error between I_ro and the tie's target on "
        "corrupted reference slices; it trains R alone.",
        low=0,
    )
    tie_side: str = setting(
        "bright",
        "Corruption is to make the brightest values of I_ro, or the darkest.",
        "bright",
        "dark",
    )
    tie_to: str = setting(
        "lifted",
        "Inside the corruption I_ro is to be the slice moved by the mask's share, or the very end "
        "of the scale, which makes one narrow peak of all anomalies.",
        "lifted",
        "end",
    )
    tie_share: float = setting(
        0.5,
        "Share of I_ro's range kept for the corruption; the slice has the rest.",
        low=0,
        high=1,
    )
    identity: float = setting(
        0.0, "Weight of abs(fence - slice) on uncorrupted reference slices.", low=0
    )
    wild_reference: float = setting(
        0.0,
        "Weight of the wild cut on uncorrupted reference slices, where it should be empty.",
        low=0,
    )


@dataclass(frozen=True)
class Corruption(Checked):
    """Smooth random blobs laid over reference slices (denoising recipes only)."""

    table = "corruption"
    share: float = setting(
        1.0, "Share of the reference slices in a batch that are corrupted.", low=0, high=1
    )
    coarse: int = setting(
        4, "Cells across the slice of the coarsest noise field: large blobs.", low=2, high=64
    )
    fine: int = setting(
        16, "Cells across the slice of the finest noise field: small blobs.", low=2, high=64
    )
    roughness: float = setting(
        0.0,
        "Height of four times finer noise on the field: ragged borders and holes.",
        low=0,
        high=2,
    )
    area_low: float = setting(0.002, "Least share of the tissue that blobs cover.", low=0, high=1)
    area_high: float = setting(0.3, "Largest share of the tissue that blobs cover.", low=0, high=1)
    shift_low: float = setting(0.1, "Least change of brightness.", low=0, high=1)
    shift_high: float = setting(0.7, "Largest change of brightness.", low=0, high=1)
    dark: float = setting(0.0, "Share of the blobs that darken instead.", low=0, high=1)
    dark_counts: bool = setting(
        False,
        "Whether what darkens is anomaly too (wild cut and tie) or "
        "only something to be repaired in the fence.",
    )
    multiply: float = setting(
        0.0,
        "Share of the blobs that scale the tissue instead of shifting it, so that what is dark "
        "inside them stays dark and is no anomaly.",
        low=0,
        high=1,
    )
    texture: float = setting(0.05, "Standard deviation of the grain inside blobs.", low=0, high=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("area", "shift"):
            if getattr(self, f"{name}_low") > getattr(self, f"{name}_high"):
                raise UserError(f"corruption.{name}_low is above corruption.{name}_high.")
        if self.coarse > self.fine:
            raise UserError("corruption.coarse has more cells than corruption.fine.")


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
    batch_m: int = setting(16, "Slices in a batch of M.", low=1)
    batch_d: int = setting(32, "Slices in a batch of D, fences and references together.", low=2)
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


@dataclass(frozen=True)
class Segmentation(Checked):
    """How I_ro becomes a mask unless someone says otherwise: the run's stated default."""

    table = "segmentation"
    map: str = setting(
        "reconstruction",
        "The map that is thresholded.",
        "reconstruction",
        "wild",
        "residual",
        "fence",
    )
    rule: str = setting("rightmost-peak", "Rule of the threshold.")
    side: str = setting(
        "bright", "Whether the anomaly is bright or dark on that map.", "bright", "dark"
    )
    scope: str = setting(
        "cohort", "One threshold for the cohort, or one a subject.", "cohort", "subject"
    )
    post: tuple[str, ...] = setting((), "Post-processing steps, in order.")


@dataclass(frozen=True)
class Settings:
    """All tables of a run, and the preset they came from."""

    preset: str = field(default="", metadata={"help": "The preset these settings started from."})
    description: str = field(default="", metadata={"help": "What the preset is for."})
    data: Data = field(default_factory=Data)
    network: Network = field(default_factory=Network)
    adversary: Adversary = field(default_factory=Adversary)
    losses: Losses = field(default_factory=Losses)
    corruption: Corruption = field(default_factory=Corruption)
    schedule: Schedule = field(default_factory=Schedule)
    compute: Compute = field(default_factory=Compute)
    segmentation: Segmentation = field(default_factory=Segmentation)

    def __post_init__(self) -> None:
        """Refuse tables that fit each by itself but not together."""
        if self.schedule.stage_1 + self.schedule.stage_2 == 0:
            raise UserError("schedule.stage_1 and schedule.stage_2 are both 0; ask for a cycle.")
        extra = self.losses
        if self.schedule.order == "alternate" and (
            extra.denoise_fence
            or extra.denoise_wild
            or extra.tie
            or extra.identity
            or extra.wild_reference
        ):
            raise UserError(
                "losses on reference slices need schedule.order=joint, since the paper's order "
                "shows M the inputs only; set it or set those losses to 0."
            )
