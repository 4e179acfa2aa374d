"""From tissue shares to a FLAIR or T2 picture: contrast, coil shading and Rician noise."""

import numpy as np
from scipy.ndimage import gaussian_filter

from ascnet_core.imaging.phantom.brain import Brain
from ascnet_core.imaging.phantom.fields import Floats, random_waves
from ascnet_core.imaging.phantom.lesions import Lesions

# Grey values before shading; 1 is about the brightest lesion on FLAIR, fluid on T2.
TISSUE: dict[str, dict[str, float]] = {
    "flair": {
        "csf": 0.10, "cortex": 0.715, "white": 0.55, "callosum": 0.50, "caudate": 0.68,
        "thalamus": 0.65, "pallidum": 0.53, "folia": 0.70, "stem": 0.59, "plexus": 0.78,
        "rim": 0.84,
    },
    "t2": {
        "csf": 0.90, "cortex": 0.57, "white": 0.40, "callosum": 0.36, "caudate": 0.52,
        "thalamus": 0.49, "pallidum": 0.33, "folia": 0.54, "stem": 0.43, "plexus": 0.80,
        "rim": 0.55,
    },
}  # fmt: skip
# What a lesion of strength 1 adds to white matter.
GAIN = {"flair": 0.455, "t2": 0.62}


def mr_picture(
    rng: np.random.Generator,
    brain: Brain,
    lesions: Lesions,
    contrast: str,
    size: tuple[int, int, int],
) -> Floats:
    """Give the (X, Y, Z) picture in scanner units, 0 outside the region.

    The scanner's gain, coil shading, the brightness of each tissue and the noise are drawn.
    """
    points, template = brain.points, brain.template
    values = np.zeros(len(brain.index), np.float32)
    for name, level in TISSUE[contrast].items():
        values += np.float32(level * np.exp(rng.normal(0, 0.018))) * brain.shares[name]
    tissue = 1 - brain.shares["csf"]
    # brightness drifts within a tissue; the limbic cortex and the insula are brighter on FLAIR
    drift = 0.022 * random_waves(rng, 16, 30, 80).at(points)
    drift += 0.012 * random_waves(rng, 24, 7, 16).at(points)
    grey = brain.shares["cortex"] + brain.shares["folia"]
    patches = np.clip(random_waves(rng, 24, 25, 60).at(points), 0, 2)
    if contrast == "flair":
        across, along, up = np.abs(template[:, 0]), template[:, 1], template[:, 2]
        limbic = np.exp(-((across / 9) ** 2)) + np.exp(-(((across - 37) / 7) ** 2)) * (
            np.abs(along) < 28
        ) * (up < 26)
        patches = 0.055 * patches + 0.07 * limbic
        haze = np.exp(-((np.maximum(brain.ventricle, 0) / 8) ** 2)) * (along < -25)
        drift += rng.uniform(0.0, 0.07) * haze * brain.shares["white"]
    else:
        patches = 0.02 * patches
    values += drift * tissue + patches * grey
    target = TISSUE[contrast]["white"] + GAIN[contrast] * lesions.strength
    values += lesions.share * np.maximum(target + 0.5 * drift - values, 0)

    shading = 1 + rng.uniform(0.09, 0.14) * random_waves(rng, 8, 160, 320).at(points)
    shading += rng.uniform(0.03, 0.13) * np.exp(-np.maximum(brain.depth, 0) / 18)
    values *= np.clip(shading, 0.6, 1.6)

    # the scanner's point spread within a slice
    picture = np.zeros(int(np.prod(size)), np.float32)
    picture[brain.index] = values
    sharp = picture.reshape(size)
    values = gaussian_filter(sharp, (0.42, 0.42, 0)).reshape(-1)[brain.index]

    noise = rng.uniform(0.014, 0.030)
    real = values + rng.normal(0, noise, len(values))
    imaginary = rng.normal(0, noise, len(values))
    gain = float(np.exp(rng.uniform(np.log(250), np.log(1600))))
    picture[brain.index] = gain * np.sqrt(real**2 + imaginary**2)
    return picture.reshape(size)
