"""A synthetic abdomen on CT: a liver with bright vessels and dark lesions, in Hounsfield units.

Coordinates are millimetres in RAS with the middle of the trunk at (0, 0, 0): the liver lies at
positive x, the spine at negative y.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from ascnet_core.imaging.phantom.fields import (
    Floats,
    Triple,
    Waves,
    as_floats,
    blend,
    carve,
    ellipsoid,
    grid_points,
    inside,
    length,
    random_waves,
    tube,
    within,
)

FIELD_OF_VIEW = (300.0, 300.0, 160.0)
CENTRE = (0.0, 0.0, 0.0)
AIR = -1000.0

Branch = tuple[tuple[Triple, float], tuple[Triple, float]]


@dataclass(frozen=True)
class Abdomen:
    """One synthetic CT (X, Y, Z) in HU; the region is the liver with its lesions and vessels."""

    picture: Floats
    region: NDArray[np.bool_]
    mask: NDArray[np.bool_]


def _tree(rng: np.random.Generator, trunk: list[Branch], levels: int) -> list[Branch]:
    """Let every branch of `trunk` split in two, `levels` times, each thinner and shorter."""
    tips = list(trunk)
    tree = list(trunk)
    for _ in range(levels):
        following = []
        for (start, _), (end, radius) in tips:
            along = np.subtract(end, start)
            size = float(np.linalg.norm(along))
            side = rng.normal(size=3)
            side -= along * (side @ along) / size**2
            side *= size / np.linalg.norm(side)
            for sign in (-1.0, 1.0):
                turn = np.deg2rad(rng.uniform(22, 48))
                way = (np.cos(turn) * along + sign * np.sin(turn) * side) * rng.uniform(0.55, 0.85)
                x, y, z = (np.asarray(end) + way).tolist()
                following.append(((end, radius), ((x, y, z), max(radius * 0.74, 1.5))))
        tree += following
        tips = following
    return tree


def _vessels(points: Floats, tree: list[Branch], wiggle: Floats) -> Floats:
    """Signed distance (P,) mm to a tree of vessels, bent by `wiggle` (P, 3) mm."""
    bent = points + wiggle
    columns = np.ascontiguousarray(bent.T)
    nearest = np.full(len(points), 99, np.float32)
    for (start, radius), (end, tip) in tree:
        middle = np.add(start, end) / 2
        reach = float(np.linalg.norm(np.subtract(end, start))) / 2 + radius + 6
        near = within(columns, middle, reach)
        branch = tube(bent[near], [(start, radius), (end, tip)])
        nearest[near] = np.minimum(nearest[near], branch)
    return nearest


def _liver(points: Floats) -> Floats:
    """Signed distance (mm) to the liver."""
    right = ellipsoid(points, (62, -6, -6), (56, 70, 66), 2.2)
    tilted = points.copy()
    tilted[:, 1] += 0.10 * points[:, 0]
    left = ellipsoid(tilted, (4, 44, 14), (62, 27, 36), 2.1)
    both = blend(right, left, 26)
    hilum = ellipsoid(points, (8, -8, -28), (30, 34, 34))
    bladder = ellipsoid(points, (38, 34, -52), (17, 24, 26))
    return carve(carve(both, -hilum, 14), -bladder, 8)


def _column(points: Floats, x: float, y: float, axes: tuple[float, float]) -> Floats:
    """Signed distance (mm) to an upright cylinder with an elliptic cross-section."""
    flat = points * np.array([1, 1, 0], np.float32)
    return ellipsoid(flat, (x, y, 0), (axes[0], axes[1], 60))


def _trunk(points: Floats) -> Floats:
    """Signed distance (mm) to the skin."""
    flat = points * np.array([1, 1, 0], np.float32)
    return ellipsoid(flat, (0, -2, 0), (142, 104, 90), 2.4)


def _organs(
    points: Floats, skin: Floats, liver: Floats, waves: tuple[Waves, ...], rng: np.random.Generator
) -> Floats:
    """HU of everything but the liver's inside, at points in and near the body."""
    x, y, z = points.T
    values = np.full(len(points), AIR, np.float32)

    def paint(
        distance: NDArray[np.floating], level: float | NDArray[np.floating], softness: float = 2.0
    ) -> None:
        nonlocal values
        share = inside(distance, softness)
        values = as_floats(values + share * (level - values))

    texture = 8 * waves[2].at(points)
    fat = rng.uniform(9, 20)
    paint(skin, -102 + texture)
    wall = skin + np.float32(fat) + 2 * waves[1].at(points)
    paint(wall, 55 + texture)
    cavity = wall + 13
    paint(cavity, -95 + texture)
    # ribs: rods in the wall that run downwards to the front
    around = np.arctan2(y + 2, np.abs(x))
    rib = np.cos(2 * np.pi / 32 * (z + 30 * around) + rng.uniform(0, 6))
    behind = np.maximum(np.abs(wall + 6.5) - 4, y - 70)
    paint(np.maximum(behind, 2.0 - 9 * (rib - 0.35)), 380.0)
    paint(np.maximum(np.abs(wall + 6.5) - 2, np.maximum(y - 70, 5 - 9 * (rib - 0.35))), 140.0)
    # bowel low down, lungs on top around the domes of the diaphragm
    loops = 16 * (waves[3].at(points) - 0.1) + np.maximum(z + 18 - 0.2 * y, 0)
    paint(np.maximum(2 - loops, np.maximum(cavity + 6, z + 22)), 38 + texture)
    paint(np.maximum(np.abs(loops - 14) - 4, np.maximum(cavity + 10, z + 30)), -500.0)
    stretch = np.array([1.15, 1, 1], np.float32)
    dome = length(as_floats((points - np.array([0, -10, -38], np.float32)) / stretch))
    paint(np.maximum(102 - dome, np.maximum(cavity + 2, 22 - z + 0.35 * y)), -850 + 3 * texture)
    # stomach with air in front, spleen, kidneys, muscles of the back
    paint(np.maximum(ellipsoid(points, (-52, 20, 18), (44, 36, 42)), cavity + 3), 32 + texture)
    paint(np.maximum(ellipsoid(points, (-52, 36, 22), (32, 15, 28)), cavity + 6), -700.0)
    paint(np.maximum(ellipsoid(points, (-94, -34, 14), (28, 44, 44)), cavity + 3), 122 + texture)
    for side in (-1.0, 1.0):
        kidney = ellipsoid(points, (side * 60, -58, -48), (25, 27, 46))
        paint(kidney, 175 + 2 * texture - 45 * inside(kidney + 13, 4))
        paint(_column(points, side * 36, -78, (26, 19)), 58 + texture)
        paint(_column(points, side * 26, -48, (11, 14)) + 0.2 * (z + 30), 60 + texture)
    # spine and the great vessels before it
    bone = _column(points, 0, -58, (22, 17))
    disc = np.cos(2 * np.pi / 34 * (z + 4)) < -0.75
    shell = 260 * inside(np.abs(bone + 1.5) - 1.5, 1.5)
    paint(bone, 190 + 2 * texture + shell - 110 * disc)
    paint(_column(points, 0, -84, (16, 14)), 330 + texture)
    paint(_column(points, 0, -82, (10, 8.5)), 25.0)
    paint(tube(points, [((-9, -30, -90), 9.5), ((-6, -32, 90), 11.5)]), 165.0)
    cava: list[tuple[Triple, float]] = [
        ((20, -34, -90), 11.0), ((20, -26, 60), 13.0), ((14, -18, 90), 13.0)
    ]  # fmt: skip
    paint(tube(points, cava), 128.0)
    paint(ellipsoid(points, (38, 34, -52), (14, 21, 23)), 8.0)
    # the liver clears a thin layer of fat around itself
    paint(liver - 2.5, -80 + texture, 2.5)
    return values


def _lesions(
    rng: np.random.Generator, points: Floats, liver: Floats, vessel: Floats, kind: str
) -> tuple[Floats, Floats]:
    """Share (P,) and depth of contrast (P,) in HU of the lesions, 0 for a normal liver."""
    share = np.zeros(len(points), np.float32)
    drop = np.zeros_like(share)
    if kind == "none":
        return share, drop
    irregular = random_waves(rng, 24, 14, 36).at(points)
    mottled = random_waves(rng, 32, 9, 22).at(points)
    count = int(rng.integers(5, 16)) if kind == "small" else int(rng.integers(1, 3))
    for number in range(count):
        if kind == "small":
            radius = float(np.clip(rng.lognormal(np.log(10), 0.35), 6, 18))
        else:
            radius = float(rng.uniform(22, 38)) if number == 0 else float(rng.uniform(8, 14))
        chance = np.cumsum((liver < -0.55 * radius) & (vessel > 1), dtype=np.float64)
        centre = points[int(np.searchsorted(chance, rng.random() * chance[-1]))]
        stretch = np.exp(rng.normal(0, 0.15, 3)).astype(np.float32)
        distance = length((points - centre) / stretch) - radius * (1 + 0.16 * irregular)
        part = inside(distance, float(rng.uniform(2.0, 4.5)))
        depth = rng.uniform(36, 64) + 3.5 * mottled
        if radius > 14:  # the middle of a large one is necrotic, unevenly
            depth = depth + rng.uniform(6, 22) * inside(distance + 0.45 * radius + 5 * mottled, 4)
        drop = as_floats(np.where(part > share, depth, drop))
        share = np.maximum(share, part)
    return share, drop


def liver_scan(
    anatomy: np.random.Generator,
    lesion: np.random.Generator,
    scanner: np.random.Generator,
    kind: str,
    size: tuple[int, int, int],
) -> Abdomen:
    """Make one abdomen; `kind` is "none", "small" (many metastases) or "large" (one big lesion)."""
    grid = grid_points(size, FIELD_OF_VIEW, CENTRE)
    scale = np.clip(anatomy.normal(1, 0.035, 3), 0.92, 1.07).astype(np.float32)
    warp = [random_waves(anatomy, 10, 90, 260) for _ in range(3)]
    waves = (
        random_waves(anatomy, 8, 120, 300),
        random_waves(anatomy, 10, 60, 160),
        random_waves(anatomy, 24, 10, 30),
        random_waves(anatomy, 24, 32, 60),
    )
    body = np.flatnonzero(_trunk(as_floats(grid / scale)) < 16)
    points = grid[body]
    bent = np.column_stack([wave.at(points) for wave in warp])
    template = as_floats(points / scale + 3.5 * bent)
    skin = as_floats(_trunk(template) + 2 * waves[0].at(points))
    liver = carve(_liver(template) + 2.5 * waves[1].at(points), skin + 34, 10)
    values = _organs(template, skin, liver, waves, anatomy)

    organ = np.flatnonzero(liver < 6)
    own, edge = template[organ], liver[organ]
    wiggle = 3.0 * np.column_stack([random_waves(anatomy, 8, 40, 90).at(own) for _ in range(3)])
    jitter = anatomy.normal(0, 6, (9, 3))

    def jittered(x: float, y: float, z: float, number: int) -> Triple:
        along_x, along_y, along_z = jitter[number].tolist()
        return (x + along_x, y + along_y, z + along_z)

    hilum, right = jittered(24, 2, -14, 0), jittered(54, 2, -8, 1)
    portal: list[Branch] = [
        ((hilum, 8.0), (right, 7.0)),
        ((right, 6.4), (jittered(84, -26, -16, 2), 4.4)),
        ((right, 6.4), (jittered(78, 26, 2, 3), 4.4)),
        ((hilum, 6.2), (jittered(14, 40, 10, 4), 4.2)),
    ]
    cava: Triple = (20.0, -22.0, 46.0)
    hepatic: list[Branch] = [
        ((cava, 6.0), (jittered(72, -28, 20, 5), 4.6)),
        ((cava, 5.6), (jittered(52, 24, 24, 6), 4.4)),
        ((cava, 5.2), (jittered(6, 30, 30, 7), 4.0)),
    ]
    portal_tree = _vessels(own, _tree(anatomy, portal[1:], 3) + portal[:1], as_floats(wiggle))
    hepatic_tree = _vessels(own, _tree(anatomy, hepatic, 2), as_floats(wiggle))
    vessel = np.minimum(portal_tree, hepatic_tree)

    # In an early phase the hepatic veins are still darker than the liver, later as bright as the
    # portal ones.
    base = scanner.uniform(88, 122)
    early = scanner.random() < 0.4
    portal_level = scanner.uniform(50, 80)
    hepatic_level = scanner.uniform(-26, -14) if early else scanner.uniform(40, 70)
    inner = base + 5 * random_waves(scanner, 24, 14, 40).at(own)
    inner = inner + scanner.uniform(4, 10) * random_waves(scanner, 8, 120, 300).at(own)
    # fat beside the falciform ligament, and other patches of steatosis: dark but normal
    patch = random_waves(scanner, 16, 50, 110).at(own)
    inner = inner - scanner.uniform(4, 16) * np.clip(patch - 0.7, 0, 1.2)
    ligament = tube(own, [((18, 60, 30), 2.5), ((22, 30, -2), 2.5), (hilum, 3.0)])
    inner = inner + inside(hepatic_tree, 2.0) * hepatic_level
    inner = inner + inside(portal_tree, 2.0) * (1 - inside(hepatic_tree, 2.0)) * portal_level
    inner = inner + inside(ligament, 2.0) * (-70 - inner)
    share, drop = _lesions(lesion, own, edge, vessel, kind)
    inner = inner + share * (np.minimum(base - drop, inner) - inner)
    cover = inside(edge, 2.2)
    values[organ] += cover * (inner - values[organ])

    picture = np.full(len(grid), AIR, np.float32)
    picture[body] = values
    picture = gaussian_filter(picture.reshape(size), (0.5, 0.5, 0))
    sigma = scanner.uniform(8, 14)
    grain = gaussian_filter(scanner.normal(size=size).astype(np.float32), (0.6, 0.6, 0))
    picture = np.maximum(picture + sigma * grain / grain.std(), AIR - 20)
    region, mask = np.zeros(size, bool), np.zeros(size, bool)
    region.reshape(-1)[body] = liver < 0
    mask.reshape(-1)[body[organ]] = (share >= 0.5) & (edge < 0)
    return Abdomen(as_floats(picture), region, mask)
