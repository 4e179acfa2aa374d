"""A denoising autoencoder: a U-Net that takes coarse noise out of reference slices.

Kascenas, Pugeault, O'Neil, "Denoising Autoencoders for Unsupervised Anomaly Detection in Brain MRI"
(MIDL 2022). Noise of few cells is enlarged to the slice, shifted at random, and added inside the
tissue; the U-Net learns to give the clean slice back. What it changes in an input is taken for
anomaly. As published are the noise (16 cells, standard deviation 0.2), the squared error inside the
tissue, the absolute residual, and its median over 5 x 5 pixels. Other than published, the U-Net is
ASC-Net's encoder with one decoder, and Adam has no weight decay.
"""

from typing import cast

import torch
import torch.nn.functional as functional
from torch import Tensor

from ascnet_core.network.blocks import Encoder, Network, initialise
from ascnet_core.network.cutting import Decoder
from ascnet_core.settings.methods.denoising_autoencoder import DenoisingAutoencoder
from ascnet_core.settings.tables import Settings
from ascnet_core.training.device import autocast
from ascnet_core.training.gauges import SAMPLE, maps_of, mean_inside, rank_with_input, spread
from ascnet_core.training.learning import learn
from ascnet_core.training.recipe import Losses, Recipe
from ascnet_core.training.sampling import CORRUPT, Sets, draw, own_seed
from ascnet_core.training.state import MODEL, TrainingState
from ascnet_core.training.timetable import Moment

MEDIAN = 5  # pixels of the square whose median is taken of the residual


class DenoisingUNet(Network):
    """ASC-Net's encoder with one decoder; its output is the clean slice.

    `width` is the number of maps of the first level, `dropout` the share dropped after each pooling
    of the encoder; `norm_momentum` and `norm` are as in `normalisation`.
    """

    def __init__(self, width: int, dropout: float, norm_momentum: float, norm: str) -> None:
        super().__init__()
        self.width = width
        self.encoder = Encoder(width, dropout, norm_momentum, norm)
        self.decoder = Decoder(width, (0.0, 0.0, 0.0, 0.0), norm_momentum, norm)
        initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        """Slices (N, 1, H, W), H and W multiples of 16 -> slices without noise, float32."""
        return cast(Tensor, self.decoder(self.encoder(x))).float()

    def maps(self, slices: Tensor) -> dict[str, Tensor]:
        """Slices (N, 1, H, W) in [0, 1] -> `residual` and `reconstruction`, the output.

        The residual is absolute, as published: what is darker than normal is an anomaly as well. It
        is 0 outside the tissue, where nothing was learnt. The median is within each slice.
        """
        made = self(slices).clamp(0, 1)
        residual = (slices.float() - made).abs() * (slices > 0)
        return {"residual": median(residual, MEDIAN), "reconstruction": made}


class Denoising(Recipe):
    """Training on reference slices alone; the gauges look at inputs, too."""

    def build(self, settings: Settings) -> DenoisingUNet:
        """The U-Net."""
        network = settings.network
        return DenoisingUNet(network.width, network.dropout, network.norm_momentum, network.norm)

    def step(self, state: TrainingState, settings: Settings, sets: Sets, moment: Moment) -> Losses:
        """Add noise to a batch of references and learn to take it out."""
        clean = draw(settings, sets.references, moment, settings.schedule.batch_m)
        asked = cast(DenoisingAutoencoder, settings.method)
        seed = own_seed(settings, moment, CORRUPT)
        noisy = clean + coarse_noise(clean, asked.noise, asked.cells, seed)
        model = state.model.train()

        def loss() -> tuple[Tensor, Losses]:
            with autocast(state.device, settings.compute):
                made = model(noisy)
            error = squared_error_inside(made, clean)
            return error, {"denoising": error}

        report = learn(state, MODEL, loss)
        state.count(settings.schedule.batch_m)
        return report

    def gauges(self, state: TrainingState, settings: Settings, sets: Sets) -> dict[str, float]:
        """Whether the residual only follows brightness, and how large it is on both sets."""
        inputs, references = spread(sets.inputs, SAMPLE), spread(sets.references, SAMPLE)
        on_inputs = maps_of(state.kept, inputs, settings)["residual"]
        on_references = maps_of(state.kept, references, settings)["residual"]
        return {
            "rank_correlation": rank_with_input(on_inputs, inputs),
            "residual_input": mean_inside(on_inputs, inputs),
            "residual_reference": mean_inside(on_references, references),
        }


RECIPE = Denoising()


def coarse_noise(slices: Tensor, deviation: float, cells: int, seed: int) -> Tensor:
    """Gaussian noise of few cells, enlarged smoothly and shifted at random, 0 outside the tissue.

    `slices` are (N, 1, H, W) in [0, 1], 0 outside the tissue; `deviation` is a cell's standard
    deviation; there are `cells` along both sides. The draws are made on the CPU on every device.
    """
    count, channels, height, width = slices.shape
    generator = torch.Generator().manual_seed(seed)
    noise = deviation * torch.randn(count, channels, cells, cells, generator=generator)
    down, across = (int(torch.randint(size, (1,), generator=generator)) for size in (height, width))
    large = functional.interpolate(
        noise.to(slices), (height, width), mode="bilinear", align_corners=True
    )
    return large.roll((down, across), (-2, -1)) * (slices > 0)


def squared_error_inside(made: Tensor, clean: Tensor) -> Tensor:
    """Mean squared error over all pixels, of which those outside the tissue count as 0."""
    return ((made - clean).square() * (clean > 0)).mean()


def median(images: Tensor, size: int) -> Tensor:
    """The median of each pixel's square of `size` x `size`; beyond the border are zeros."""
    count, channels, height, width = images.shape
    columns = functional.unfold(images.float(), size, padding=size // 2)
    middle = columns.view(count, channels, size * size, height, width).median(2).values
    return middle
