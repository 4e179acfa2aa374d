"""ASC-Net without torch: its maps, gauges, phases and networks. Its steps: `recipes.asc_net`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ascnet_core.errors import UserError
from ascnet_core.settings.checked import table
from ascnet_core.settings.losses import KINDS, NEEDS, weight_of
from ascnet_core.settings.method import Gauge, Learner, Map, Phase, TrainedMethod

if TYPE_CHECKING:
    from ascnet_core.settings.tables import Settings


@table
class AscNet(TrainedMethod):
    """ASC-Net (Dey et al. 2021): two cuts, an adversary, and a histogram whose peak is clicked."""

    title = "ASC-Net"
    sentence = (
        "Cuts a slice in a fence, which looks like the reference, and a wild cut, which holds the "
        "rest; from both it makes I_ro, in whose histogram a peak is the anomaly."
    )
    maps = (
        Map("reconstruction", "reconstruction I_ro", "I_ro", "rightmost-peak"),
        Map("wild", "wild cut I_wc", "wild"),
        Map("residual", "residual I_in - I_fc", "residual", kept=False),
        Map("fence", "fence cut I_fc", "fence"),
    )
    gauges = (
        Gauge(
            "rank_correlation",
            "Rank correlation of I_ro with I_in",
            "Spearman's, inside the region, -1 to 1. Near 1 tissue lies in the order of the input: "
            "a warning of a quantiser of brightness, no proof, as a lesion is little of it.",
        ),
        Gauge(
            "wild_input",
            "Mean wild cut on inputs",
            "0 to 1, inside the region. Near 0: the wild cut starves; rising steadily: it fills "
            "up.",
        ),
        Gauge(
            "wild_reference",
            "Mean wild cut on references",
            "0 to 1, inside the region; nothing is wrong there, so it should stay near 0.",
        ),
        Gauge(
            "fence_differs",
            "Share of the fence that differs from I_in",
            "Share, 0 to 1, of the region's pixels whose fence is off the input by over a tenth of "
            "the scale. A cut takes out lesions: a few per cent; near 1 the fence shows other "
            "images.",
        ),
        Gauge(
            "gap",
            "Gap between D's scores of references and fences",
            "Before tanh. At 0 D can't tell them apart: M has won, or D never learnt; above 2 a "
            "hinge loss teaches D no more.",
        ),
        Gauge(
            "score",
            "Mean abs(s) of D before tanh",
            "Above 3 the slope that D gives M is under 0.01: a sure D teaches nothing.",
        ),
        Gauge(
            "saturated",
            "Images with abs(tanh) above 0.999",
            "Share, 0 to 1, of images from which no gradient comes.",
        ),
        Gauge(
            "gradient",
            "Gradient of the adversary at I_fc",
            "Norm, mean over images; 0 means that D no longer teaches M.",
        ),
        Gauge(
            "accuracy_fence",
            "Fences that D tells",
            "Share, 0 to 1, of fences D takes for fences.",
        ),
        Gauge(
            "accuracy_reference",
            "References that D tells",
            "Share, 0 to 1, of references D accepts.",
        ),
    )
    own = (
        "adversary.",
        "losses.",
        "corruption.",
        "network.cuts",
        "network.discriminator",
        "network.decoder_dropout",
        "schedule.order",
        "schedule.epochs_d",
        "schedule.batch_d",
        "schedule.learning_rate_d",
        "schedule.reconstructor_rate",
        "schedule.reset_adam",
        "schedule.inputs_twice",
        "schedule.stop_",
        "data.match",
    )
    two_cuts = True

    name: Literal["asc-net"] = "asc-net"

    def phases(
        self, settings: Settings, stage: int, inputs: int, references: int
    ) -> tuple[Phase, ...]:
        """D, then M (the paper's order), or joint steps of both.

        An epoch shows every slice of the larger set once, the smaller being filled up by
        duplication (D: fences of the inputs against references, in stage 2 also against fences of
        references).
        """
        schedule, adversary = settings.schedule, settings.adversary
        if schedule.order == "joint":
            shows = sets_shown(settings, stage)
            trains = {"M": len(shows) * schedule.batch_m}
            if adversary.weight:
                trains["D"] = 2 * schedule.batch_m * adversary.steps
            steps = schedule.steps or _ceil(inputs, schedule.batch_m)
            return (Phase("joint", 2, schedule.epochs_m, steps, trains, shows),)
        found = []
        if schedule.epochs_d and adversary.weight:
            steps = schedule.steps or _ceil(max(inputs, stage * references), schedule.batch_d // 2)
            found.append(Phase("D", 0, schedule.epochs_d, steps, {"D": schedule.batch_d}))
        passes = 2 if stage == 2 and schedule.inputs_twice else 1
        steps = schedule.steps or _ceil(passes * inputs, schedule.batch_m)
        trains = {"M": schedule.batch_m}
        found.append(Phase("M", 1, schedule.epochs_m, steps, trains, sets_shown(settings, stage)))
        return tuple(found)

    def learners(self, settings: Settings) -> tuple[Learner, ...]:
        """M, and D where there is an adversary."""
        cutting, network = Learner("M"), settings.network
        if not settings.adversary.weight:
            return (cutting,)
        discriminator = Learner(
            "D",
            "network.discriminator_width",
            "network.discriminator_norm",
            "schedule.learning_rate_d",
            cost=0.35,  # its fence included
            running=network.discriminator == "dense" and not settings.adversary.frozen_uses_batches,
            derived_twice=bool(settings.adversary.r1),
        )
        return cutting, discriminator

    def batches(self, settings: Settings) -> dict[str, int]:
        """M's batch, and D's, half fences and half references, where D has a phase of its own."""
        schedule = settings.schedule
        alone = schedule.order == "alternate" and settings.adversary.weight and schedule.epochs_d
        return {"schedule.batch_m": 1} | ({"schedule.batch_d": 2} if alone else {})

    def check(self, settings: Settings) -> None:
        """Refuse what excludes each other, and losses that order or stages leave without slices."""
        super().check(settings)
        if settings.network.cuts == "conserved":
            _check_conserved(settings)
        _check_adversary(settings)
        schedule = settings.schedule
        on = [needs for weight, needs in NEEDS.items() if weight_of(settings, weight)]
        if schedule.order == "alternate" and not all(needs.inputs_suffice for needs in on):
            raise UserError(
                "losses on reference slices need schedule.order=joint, since the paper's order "
                "shows M the inputs only; set it or set those losses to 0."
            )
        if settings.losses.self_training and not (schedule.average and schedule.stage_2):
            raise UserError(
                "losses.self_training learns in stage 2 from the moving average of M; set "
                "schedule.average and schedule.stage_2 above 0."
            )


def _check_conserved(settings: Settings) -> None:
    """Refuse what conserved cuts cannot do."""
    wanted = settings.losses
    if wanted.tie_side == "dark":
        raise UserError(
            "network.cuts=conserved takes what is bright out of a slice; set "
            "losses.tie_side=bright, or network.cuts=free for dark lesions."
        )
    crossed = wanted.denoise_wild and wanted.wild_loss == "cross-entropy"
    if crossed and wanted.wild_target == "excess":
        raise UserError(
            "network.cuts=conserved with losses.wild_loss=cross-entropy looks at the share "
            "that is taken out; set losses.wild_target=mask, or losses.wild_loss=absolute."
        )


def _check_adversary(settings: Settings) -> None:
    """Refuse a D whose scores or steps mean something else in the game that is set."""
    network, adversary = settings.network, settings.adversary
    least = network.discriminator == "patches" and network.discriminator_pool == "least"
    if least and adversary.mirrored:
        raise UserError(
            "network.discriminator_pool=least looks for the patch with the lowest score, which "
            "is the least normal one unless adversary.mirrored; set one of them otherwise."
        )
    if adversary.steps > 1 and settings.schedule.order == "alternate":
        raise UserError(
            "adversary.steps counts steps of D in joint order; set schedule.order=joint, or "
            "schedule.epochs_d for the paper's order."
        )


def is_on(settings: Settings, weight: str, stage: int) -> bool:
    """Whether the term of M with this weight (a key) is on in a stage."""
    return weight_of(settings, weight) > 0 and stage in NEEDS[weight].stages


def kinds_shown(settings: Settings, stage: int) -> tuple[str, ...]:
    """The kinds of slices in a batch of M, in their order there: those that its terms need."""
    if settings.schedule.order == "alternate":
        return ("inputs",)
    needed = {
        kind
        for weight, needs in NEEDS.items()
        if is_on(settings, weight, stage)
        for kind in needs.kinds
    }
    return tuple(kind for kind in KINDS if kind in needed)


def sets_shown(settings: Settings, stage: int) -> tuple[str, ...]:
    """For each kind of slices in a batch of M, the set that it is drawn from."""
    shown = kinds_shown(settings, stage)
    return tuple("input" if kind == "inputs" else "reference" for kind in shown)


def _ceil(number: int, by: int) -> int:
    return max(1, -(-number // by))
