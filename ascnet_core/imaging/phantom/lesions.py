"""Lesions of the synthetic brain: many small ones in white matter, or a large irregular one."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ascnet_core.imaging.phantom.brain import Brain, Mass
from ascnet_core.imaging.phantom.fields import (
    Floats,
    as_floats,
    inside,
    length,
    random_waves,
    within,
)


@dataclass(frozen=True)
class Lesions:
    """How much of each voxel (P,) is lesion, 0 to 1, and how far that changes the grey value.

    A strength of 1 is typical.
    """

    share: Floats
    strength: Floats

    @property
    def mask(self) -> NDArray[np.bool_]:
        """The exact truth (P,): at least half of the voxel is lesion, and not fluid."""
        return self.share >= 0.5


def draw_mass(rng: np.random.Generator) -> Mass:
    """Draw the centre and size of a large lesion, in template coordinates."""
    side = rng.choice([-1.0, 1.0])
    centre = (float(side * rng.uniform(20, 40)), rng.uniform(-62, 34), rng.uniform(0, 42))
    return Mass(centre, radius=rng.uniform(14, 25), strength=rng.uniform(0.1, 0.35))


def no_lesions(brain: Brain) -> Lesions:
    """Give the lesions of a normal subject: none."""
    zeros = np.zeros(len(brain.index), np.float32)
    return Lesions(zeros, zeros)


def _fluid(brain: Brain) -> Floats:
    return brain.shares["csf"] + brain.shares["plexus"]


def small_lesions(rng: np.random.Generator, brain: Brain) -> Lesions:
    """Scatter 12 to 39 small lesions, most of them around the ventricles and some at the cortex."""
    white = brain.shares["white"] + brain.shares["callosum"]
    above = brain.template[:, 2] > -12
    allowed = (white > 0.85) & above & (brain.depth > 2.5)
    fluid = _fluid(brain)
    share = np.zeros(len(brain.index), np.float32)
    strength = np.zeros_like(share)
    irregular = random_waves(rng, 24, 7, 20).at(brain.points)
    columns = np.ascontiguousarray(brain.points.T)
    base = rng.uniform(0.75, 1.05)
    for _ in range(int(rng.integers(12, 40))):
        where = rng.random()
        if where < 0.62:
            weight = np.exp(-np.maximum(brain.ventricle, 0) / 5)
        elif where < 0.82:
            weight = np.exp(-(((brain.depth - 6) / 2.5) ** 2))
        else:
            weight = np.ones_like(share)
        weight = weight * allowed
        chance = np.cumsum(weight, dtype=np.float64)
        centre = brain.points[int(np.searchsorted(chance, rng.random() * chance[-1]))]
        radius = float(np.clip(rng.lognormal(np.log(4.4), 0.36), 2.6, 10.0))
        stretch = np.exp(rng.normal(0, 0.25, 3))
        strong = base * float(np.exp(rng.normal(0, 0.22)))
        near = within(columns, centre, 2.6 * radius + 4)
        offset = (brain.points[near] - centre) / stretch.astype(np.float32)
        distance = length(offset) - radius + 0.24 * radius * irregular[near]
        part = inside(distance, float(rng.uniform(1.3, 2.4)))
        strength[near] = np.where(part > share[near], strong, strength[near])
        share[near] = np.maximum(share[near], part)
    share *= 1 - fluid
    return Lesions(share, strength)


def large_lesion(rng: np.random.Generator, brain: Brain, mass: Mass) -> Lesions:
    """Put one irregular lesion at `mass`: a mottled core, and oedema along white matter."""
    offset = brain.template - np.asarray(mass.centre, np.float32)
    stretch = np.exp(rng.normal(0, 0.14, 3)).astype(np.float32)
    distance = length(offset / stretch)
    coarse = random_waves(rng, 24, 1.1 * mass.radius, 2.4 * mass.radius).at(brain.points)
    fine = random_waves(rng, 32, 12, 26).at(brain.points)
    edge = distance - mass.radius * (0.85 + 0.16 * coarse + 0.05 * fine)
    core = inside(edge, float(rng.uniform(1.5, 3.0)))
    # oedema runs along white matter and stops at cortex and deep grey matter
    white = brain.shares["white"] + brain.shares["callosum"]
    reach = mass.radius * float(rng.uniform(0.25, 0.7))
    spread = edge - reach * (0.8 + 0.35 * fine) * np.clip(1.6 * white - 0.35, -0.2, 1)
    oedema = inside(spread, float(rng.uniform(2.0, 3.5)))
    share = as_floats(np.maximum(core, oedema) * (1 - _fluid(brain)))
    texture = random_waves(rng, 40, 6, 16).at(brain.points)
    level = rng.uniform(0.8, 1.15)
    strength = level * (0.78 + core * (0.14 * texture + 0.10 * coarse + rng.uniform(0.0, 0.3)))
    return Lesions(share, as_floats(np.clip(strength, 0.3, 1.6)))
