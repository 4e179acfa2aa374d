"""The anatomy of a synthetic brain: tissue shares of each voxel, different in every subject.

The outer surface is a handful of blended shapes under a smooth random warp. Sulci are the zero
lines of a band-pass random field on that surface, carried inwards along its normal; the cortex
lines the surface and the sulci, and white matter is what is left. Coordinates are millimetres in
RAS, with the anterior commissure near (0, 0, 0).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ascnet_core.imaging.phantom.fields import (
    Floats,
    Triple,
    as_floats,
    blend,
    carve,
    ellipsoid,
    grid_points,
    inside,
    length,
    random_waves,
    tube,
)

FIELD_OF_VIEW = (200.0, 200.0, 148.0)
CENTRE = (0.0, -17.0, 5.0)


@dataclass(frozen=True)
class Brain:
    """Tissue of the P voxels inside the brain region, whose flat indices are `index`.

    `points` (P, 3) are their positions in mm, `template` the same in the symmetric template without
    the mass effect. The tissues' `shares` add up to 1 in each voxel. `depth` is that below the
    surface of the cortex (fissures count, sulci don't), `ventricle` the signed distance to one.
    """

    index: NDArray[np.int64]
    points: Floats
    template: Floats
    shares: dict[str, Floats]
    depth: Floats
    ventricle: Floats


def _turn(axis: int, angle: float) -> NDArray[np.float64]:
    """Give the matrix of a rotation about an axis, by the right hand."""
    turn = np.eye(3)
    after, last = (axis + 1) % 3, (axis + 2) % 3
    turn[after, after] = turn[last, last] = np.cos(angle)
    turn[last, after] = np.sin(angle)
    turn[after, last] = -np.sin(angle)
    return turn


class _Build:
    """The numbers that make one subject's brain differ from the next."""

    def __init__(self, rng: np.random.Generator) -> None:
        pitch, yaw, roll = rng.normal(0, np.deg2rad([3.0, 1.6, 1.6]))
        self.rotation = as_floats(_turn(0, pitch) @ _turn(1, roll) @ _turn(2, yaw))
        self.atrophy = float(rng.beta(1.5, 2.5))
        scale = np.clip(rng.normal(1.0, 0.03) + rng.normal(0, 0.025, 3), 0.92, 1.07)
        self.scale = as_floats(scale)
        self.shift = as_floats(rng.normal(0, 1.5, 3))
        self.warp = [random_waves(rng, 8, 90, 220) for _ in range(3)]
        self.fine_warp = [random_waves(rng, 10, 24, 60) for _ in range(3)]
        self.folds = random_waves(rng, 56, 18, 27)
        self.fold_depth = random_waves(rng, 16, 30, 80)
        self.fold_gap = random_waves(rng, 16, 25, 70)
        self.surface = random_waves(rng, 16, 25, 60)
        wide = 0.75 + 0.9 * self.atrophy + rng.normal(0, 0.12)
        self.ventricles = float(np.clip(wide, 0.6, 1.9))
        self.cortex = float(rng.normal(3.5, 0.2))
        self.asymmetry = float(rng.normal(0, 0.12))


def _cerebellum(points: Floats) -> Floats:
    """Signed distance (mm) to the cerebellum."""
    folded = np.column_stack([np.abs(points[:, 0]), points[:, 1], points[:, 2]])
    half = ellipsoid(folded, (22, -60, -37), (31, 29, 24), 2.2)
    vermis = ellipsoid(points, (0, -56, -30), (11, 20, 25))
    return blend(half, vermis, 8)


def _cerebrum(points: Floats) -> Floats:
    """Signed distance (mm) to both hemispheres with the temporal lobes, fissures ignored."""
    x, y, z = points.T
    across = np.abs(x)
    # narrower in front than behind, and a flatter temple
    narrowing = 1 - 0.0006 * (y + 17)
    egg = np.column_stack([across / narrowing, y, z])
    main = ellipsoid(egg, (0, -17, 8), (67, 87, 64), 2.35)
    floor = -(z + 26 - 6 * np.exp(-(((y + 62) / 32) ** 2)))
    upper = carve(main, floor.astype(np.float32), 16)
    folded = np.column_stack([across, y, z])
    tilted = folded.copy()
    tilted[:, 2] += 0.22 * (y + 8)  # the temporal pole points down
    temporal = ellipsoid(tilted, (44, -6, -22), (21, 43, 21), 2.2)
    whole = blend(upper, temporal, 8)
    # the tentorium: the hemispheres rest on the cerebellum with a thin gap between
    return as_floats(np.maximum(whole, 0.2 - _cerebellum(points)))


def _sheets(points: Floats) -> tuple[Floats, Floats]:
    """Distance (mm) to the fissure between the hemispheres, and to the lateral fissures."""
    x, y, z = points.T
    across = np.abs(x)
    bridge = ellipsoid(points, (0, -14, 6), (70, 38, 20))
    middle = np.sqrt(across**2 + np.maximum(-bridge, 0) ** 2)
    # the lateral fissure: an opening between temporal and frontal lobe that climbs backwards ...
    height = -8 + 0.55 * np.maximum(12 - y, -14)
    opening = np.sqrt(
        (0.87 * (z - height)) ** 2
        + np.maximum(38 - across, 0) ** 2
        + np.maximum(y - 24, 0) ** 2
        + np.maximum(-42 - y, 0) ** 2
    )
    # ... and behind it the cleft over the insula
    cleft = np.sqrt(
        (0.95 * (across - 40 - 0.05 * y + 0.012 * (y - 2) ** 2)) ** 2
        + np.maximum(np.abs(y - 2) - 16, 0) ** 2
        + np.maximum(np.abs(z - 4) - 10, 0) ** 2
    )
    return as_floats(middle), as_floats(np.minimum(opening, cleft))


def _depth(points: Floats, build: _Build) -> Floats:
    """Depth (mm, positive inside) below the cortex's surface, fissures counted, sulci not."""
    middle, side = _sheets(points)
    depth = np.minimum(-_cerebrum(points), middle - np.float32(0.9 * build.atrophy - 0.5))
    return as_floats(np.minimum(depth, side - np.float32(1.6 * build.atrophy - 0.8)))


def _ventricles(points: Floats, build: _Build) -> Floats:
    """Signed distance (mm) to the ventricles; they grow with age and differ between the sides."""
    x, y, z = points.T
    size = build.ventricles * (1 + build.asymmetry * np.tanh(x / 10)).astype(np.float32)
    folded = np.column_stack([np.abs(x), y, z])
    lateral = tube(
        folded,
        [
            ((13, 33, 4), 1.6),
            ((8.5, 24, 8), 3.6),
            ((6.5, 8, 14), 3.6),
            ((9, -10, 20), 4.0),
            ((14, -28, 20), 4.6),
            ((23, -42, 11), 6.0),
            ((24, -58, 7), 3.4),
            ((22, -70, 5), 1.2),
        ],
    )
    temporal = tube(folded, [((23, -42, 11), 4.5), ((33, -32, -6), 2.4), ((33, -10, -17), 1.6)])
    # a wider ventricle has its wall further out, not its axis elsewhere
    lateral = np.minimum(lateral, temporal) - (size - 1) * 3.2 - 0.5
    lateral = np.maximum(lateral, 1.1 - np.abs(x))  # the septum
    third = ellipsoid(points, (0, -14, -1), (1.2, 15, 9)) - (size - 1) * 1.5
    fourth = ellipsoid(points, (0, -46, -33), (5, 5, 8)) - (size - 1)
    return as_floats(np.minimum(np.minimum(lateral, third), fourth))


def _folded_cortex(points: Floats, depth: Floats, build: _Build) -> Floats:
    """Distance (mm) to the nearest surface of the cortex, sulci counted."""
    step = np.float32(1.0)
    slopes = []
    for axis in range(3):
        moved = points.copy()
        moved[:, axis] += step
        slopes.append((_depth(moved, build) - depth) / step)
    normal = np.column_stack(slopes)
    normal /= np.maximum(length(normal), np.float32(0.3))[:, None]
    # The foot of each point on the surface; a part of the depth is kept so that sulci bend.
    foot = points - np.clip(depth, 0, 30)[:, None] * normal * np.float32(0.7)
    field, gradient = build.folds.with_gradient(foot.astype(np.float32))
    gradient -= np.einsum("ij,ij->i", gradient, normal)[:, None] * normal
    steepness = np.sqrt(length(gradient) ** 2 + np.float32(0.17**2))
    shrink = np.clip(1 - depth / 70, 0.6, 1)
    across = np.abs(field) / steepness * shrink
    reach = 18 + 6 * build.fold_depth.at(points)
    sulcus = np.sqrt(across**2 + np.maximum(depth - reach, 0) ** 2)
    # no folds in the middle of the brain, where the deep grey matter lies
    core = ellipsoid(points, (0, -14, 8), (33, 52, 26))
    sulcus = sulcus + np.maximum(4 - core, 0) * 0.8
    return as_floats(np.minimum(depth, sulcus))


@dataclass(frozen=True)
class Mass:
    """What pushes the brain aside: template centre (mm), radius (mm), strength 0 to 0.5."""

    centre: Triple
    radius: float
    strength: float


def brain_anatomy(
    rng: np.random.Generator, size: tuple[int, int, int], mass: Mass | None = None
) -> Brain:
    """Make the tissue shares of one brain on a grid of `size` (X, Y, Z) voxels.

    Tissues: csf, cortex, white, callosum (compact, darker white matter), caudate (and putamen),
    thalamus, pallidum, folia (cerebellar cortex), stem, plexus (in the ventricles) and rim (the
    thin bright lining of the ventricles).
    """
    build = _Build(rng)
    grid = grid_points(size, FIELD_OF_VIEW, CENTRE)
    near = ellipsoid(grid, (0, -18, 0), (82, 102, 86)) < 0
    index = np.flatnonzero(near)
    points = grid[index]
    template = (points - np.asarray(CENTRE, np.float32) - build.shift) @ build.rotation
    template = template / build.scale + np.asarray(CENTRE, np.float32)
    template = template + 2.6 * np.column_stack([wave.at(points) for wave in build.warp])
    bumps = np.column_stack([wave.at(points) for wave in build.fine_warp])
    template = (template + bumps * np.array([0.9, 1.5, 1.5], np.float32)).astype(np.float32)
    undisturbed = template
    if mass is not None:
        offset = template - np.asarray(mass.centre, np.float32)
        reach = (length(offset)[:, None] / np.float32(1.5 * mass.radius)) ** 2
        template = template - np.float32(mass.strength) * np.exp(-reach) * offset

    cerebellum = _cerebellum(template)
    stem = tube(template, [((0, -18, -9), 12.0), ((0, -22, -18), 13.0), ((0, -34, -75), 9.0)])
    stem = blend(stem, ellipsoid(template, (0, -23, -30), (17, 14, 15)), 5)
    envelope = blend(blend(_cerebrum(template), cerebellum, 8), stem, 10)
    rough = envelope + 0.6 * build.surface.at(points) < 0.6
    index, points, template = index[rough], points[rough], template[rough]
    undisturbed, cerebellum, stem = undisturbed[rough], cerebellum[rough], stem[rough]

    spacing = np.asarray(FIELD_OF_VIEW) / np.asarray(size)
    softness = float(0.62 * np.sqrt(spacing[0] * spacing[1]))
    depth = _depth(template, build)
    surface = _folded_cortex(template, depth, build)
    ventricle = _ventricles(template, build)
    x, y, z = template.T
    folded = np.column_stack([np.abs(x), y, z])

    # sulci open towards the surface and are nearly closed further down, some more than others
    opening = 0.25 + 0.75 * np.exp(-np.maximum(depth, 0) / 5)
    uneven = np.clip(1 + 0.5 * build.fold_gap.at(points), 0.2, 2)
    gap = opening * (0.55 + 1.1 * build.atrophy) * uneven
    gap += 0.9 * np.exp(-np.maximum(depth, 0) / 2.2)
    shares: dict[str, Floats] = {}
    left = np.ones(len(index), np.float32)

    def take(name: str, share: Floats) -> None:
        """Give `share` of what is left of each voxel to tissue `name`."""
        nonlocal left
        part = (left * share).astype(np.float32)
        shares[name] = shares[name] + part if name in shares else part
        left = left - part

    plexus = tube(folded, [((22, -41, 10), 2.6), ((14, -27, 17), 1.4), ((8, -8, 17), 0.9)])
    take("plexus", inside(np.maximum(plexus, ventricle + 0.6), softness))
    take("csf", inside(ventricle, softness))
    rim = inside(np.abs(ventricle) - 0.7, softness)
    tips = np.exp(-(((y - 34) / 9) ** 2)) + np.exp(-(((y + 66) / 13) ** 2))
    take("rim", rim * np.clip(0.35 + tips, 0, 1) * (np.abs(x) > 3))
    take("stem", inside(stem, softness))
    cerebellar = inside(cerebellum, softness)
    rings = np.sqrt((y + 38) ** 2 + 1.6 * (z + 30) ** 2) + 1.3 * build.surface.at(points)
    folia = np.sin(2 * np.pi / 5.2 * rings)
    leaf = inside(-cerebellum - 8 - 3 * build.fold_depth.at(points), 3.0)
    take("folia", cerebellar * leaf * (0.72 + 0.28 * folia))
    take("csf", cerebellar * leaf * 0.55 * (folia < -0.6))
    take("white", cerebellar)

    wall = ventricle - 1.0
    head = ellipsoid(folded, (14, 14, 8), (6, 13, 10))
    body = tube(folded, [((15, 8, 16), 3.5), ((20, -22, 22), 2.0)])
    thalamus = ellipsoid(folded, (11, -19, 6), (9.5, 15, 10))
    for name, nucleus in (("caudate", head), ("caudate", body), ("thalamus", thalamus)):
        take(name, inside(np.maximum(nucleus, -wall), softness))
    slanted = folded.copy()
    slanted[:, 0] += 0.22 * (y - 2)
    take("pallidum", inside(ellipsoid(slanted, (19.5, -1, 1), (4.5, 10, 7)), softness))
    take("caudate", inside(ellipsoid(slanted, (27, 1, 3), (5.5, 18, 11)), softness))
    arch = np.abs(np.sqrt(((y + 10) / 1.9) ** 2 + (z - 2) ** 2) - 21) - 3.2
    callosum = np.maximum(np.maximum(arch, np.abs(x) - 15), 2 - z)
    take("callosum", inside(callosum.astype(np.float32), 1.5 * softness))
    take("csf", inside(surface - gap, softness))
    take("cortex", inside(surface - 0.5 * gap - np.float32(build.cortex), 1.1 * softness))
    insula = ellipsoid(folded, (35, 0, 4), (6, 22, 12))
    take("cortex", 0.8 * inside(np.maximum(np.abs(np.abs(x) - 35.5) - 0.5, insula), softness))
    take("white", np.ones_like(left))
    return Brain(index, points, undisturbed, shares, depth, ventricle)
