"""Masks as surfaces in space, in mm and in the patient's own directions."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from ascnet_core.errors import UserError
from ascnet_core.figures.basics import COLOURS
from ascnet_core.imaging.slices import box_of

Mask = NDArray[np.bool_]

TRIANGLES = 60_000
"""At most so many make a surface; the mask is averaged over blocks until it has no more."""
SHELL = 12_000
"""At most so many make the faint shell of the head."""
THIN = 3
"""Fewer slices along an axis have no surface worth a look: pictures, single slices."""
_CAMERA = {"eye": {"x": -1.3, "y": 1.4, "z": 0.75}, "center": {"x": 0, "y": 0, "z": -0.17}}
"""One looks from the patient's left, from the front and above."""


class Mesh(NamedTuple):
    """A closed surface.

    `points` (n, 3) lie in mm from the volume's first voxel along R, A and S: x grows to the
    patient's right. `triangles` (m, 3) are rows of `points`. Before, `block` voxels along each axis
    were averaged.
    """

    points: NDArray[np.float32]
    triangles: NDArray[np.int32]
    block: int

    @property
    def volume_ml(self) -> float:
        """What the surface encloses, in ml."""
        first, second, third = (self.points[self.triangles[:, n]] for n in range(3))
        return float(abs(np.einsum("ij,ij->i", first, np.cross(second, third)).sum()) / 6e3)


def surface_of(mask: Mask, spacing: Sequence[float], most: int = TRIANGLES) -> Mesh:
    """The surface of a mask (X, Y, Z) in RAS order with voxels of `spacing` mm.

    It has at most `most` triangles. Raises a UserError if the mask is empty, or has too few slices.
    """
    if min(mask.shape) < THIN:
        raise UserError(
            "A picture or a single slice has no surface; take a scan of three slices or more."
        )
    if not mask.any():
        raise UserError("The mask is empty, so there is no surface; set another level.")
    from skimage import measure

    cut: Any = measure.marching_cubes  # it has no types
    box = box_of(mask)
    inner, start = mask[box], np.array([one.start for one in box])
    block = max(1, math.ceil(math.sqrt(_expected(inner) / most)))
    while True:
        # a rim of nothing closes the surface where the mask reaches the volume's edge
        blocks = np.pad(_averaged(inner, block), 1)
        level = min(0.5, float(blocks.max()) / 2)
        points, triangles, *_ = cut(blocks, level)
        if len(triangles) <= most:
            break
        block += 1
    voxels = start + (points - 1) * block + (block - 1) / 2
    return Mesh((voxels * spacing).astype(np.float32), triangles.astype(np.int32), block)


def _expected(mask: Mask) -> int:
    """About how many triangles a mask's surface has: two for each face between in and out."""
    return 2 * sum(int(np.count_nonzero(np.diff(np.pad(mask, 1), axis=axis))) for axis in range(3))


def _averaged(mask: Mask, block: int) -> NDArray[np.float32]:
    """The share of each block of voxels that a mask holds; the last blocks reach beyond it."""
    if block == 1:
        return mask.astype(np.float32)
    parts = [-(-n // block) for n in mask.shape]
    ends = [(0, n * block - held) for n, held in zip(parts, mask.shape, strict=True)]
    split = np.pad(mask, ends).reshape([size for n in parts for size in (n, block)])
    averaged: NDArray[np.float32] = split.mean(axis=(1, 3, 5), dtype=np.float32)
    return averaged


def surfaces(
    mask: Mask, region: Mask, spacing: Sequence[float], truth: Mask | None = None
) -> go.Figure:
    """Draw the surface of a mask, that of the truth where it may be shown, and the head's shell.

    All are (X, Y, Z) in RAS order with voxels of `spacing` mm. Raises a UserError if the mask has
    no surface.
    """
    found = [("mask", surface_of(mask, spacing), COLOURS["mask"], 1.0 if truth is None else 0.8)]
    if truth is not None and truth.any():
        found.append(("truth", surface_of(truth, spacing), COLOURS["truth"], 0.3))
    if region.any() and not region.all():
        found.append(("region", surface_of(region, spacing, SHELL), "#999999", 0.1))
    figure = go.Figure()
    for name, mesh, colour, opacity in found:
        if mesh.block > 1 and name != "region":
            name += f", blocks of {mesh.block} voxels"
        (x, y, z), (i, j, k) = mesh.points.T, mesh.triangles.T
        figure.add_mesh3d(
            x=x, y=y, z=z, i=i, j=j, k=k, name=name, showlegend=True, hoverinfo="skip",
            color=colour, opacity=opacity, flatshading=name.startswith("mask"),
        )  # fmt: skip
    axes = {"x": "L to R, mm", "y": "P to A, mm", "z": "I to S, mm"}
    plain = {"backgroundcolor": "rgba(0,0,0,0)", "gridcolor": "rgba(127,127,127,0.25)"}
    figure.update_layout(
        height=600,
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        legend={"orientation": "h", "y": 1, "x": 0, "itemsizing": "constant"},
        scene={
            "aspectmode": "data",
            "camera": _CAMERA,
            **{f"{axis}axis": {"title": {"text": text}, **plain} for axis, text in axes.items()},
        },
        uirevision="surface",
    )
    return figure
