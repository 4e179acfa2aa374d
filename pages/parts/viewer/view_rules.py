"""What a click or a key does to the view, and which voxel of a scan is shown first."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from ascnet_core.names import SIDES, Side
from ascnet_core.segmentation.pieces import parse_edits
from ascnet_core.segmentation.regions import propose_from_region
from ascnet_core.segmentation.threshold import Threshold
from pages.parts.shared.state import View
from pages.parts.viewer.viewer import Levels, Mask

T = TypeVar("T")

AXES = {"axial": (0, 1, 2), "coronal": (0, 2, 1), "sagittal": (1, 2, 0)}


def apply_told(view: View, told: Mapping[str, Any]) -> View:
    """The view after the viewer's message on where its line and cursor are.

    `rule` names the rule that its level came from; without one the level was set by hand. A level
    by hand leaves the chosen rule as it is: the panel still shows what that proposes. `pieces` are
    the edits of pieces on the screen.
    """
    if "pieces" in told:
        view = replace(view, pieces=parse_edits(told["pieces"]))
    x, y, z = (int(v) for v in told["cursor"])
    view = replace(view, slice=z, at=(x, y), side=_one_of(told["side"], SIDES))
    if rule := told.get("rule"):
        return replace(view, rule=str(rule), t=None, upper=None)
    t, upper = _level(told["t"]), told.get("upper")
    return replace(view, t=t, upper=None if upper is None else max(t, _level(upper)))


def new_acts(told: Mapping[str, Any], heard: int) -> list[Mapping[str, Any]]:
    """The acts that came after message number `heard`; the viewer repeats them until answered."""
    return [act for act in told.get("acts", []) if int(act["seq"]) > heard]


def _level(value: Any) -> int:
    return min(255, max(0, int(value)))


def _one_of(value: Any, allowed: Sequence[T]) -> T:
    return value if value in allowed else allowed[0]


def drawn_region(told: Mapping[str, Any], shape: Sequence[int]) -> tuple[tuple[Any, ...], Mask]:
    """The slice drawn on, as an index into (X, Y, Z), and the drawn pixels there.

    `told` holds the plane, the kind (rectangle or ellipse) and two opposite corners as voxels.
    """
    a, b, fixed = AXES[_one_of(told["plane"], tuple(AXES))]
    corners = np.clip([told["from"], told["to"]], 0, np.array(shape) - 1).astype(int)
    low, high = corners.min(axis=0), corners.max(axis=0)
    index: list[Any] = [slice(None)] * 3
    index[fixed] = int(corners[0, fixed])
    first, second = np.ogrid[: shape[a], : shape[b]]
    if told.get("kind") == "ellipse":
        radius, middle = (high - low) / 2 + 0.5, (high + low) / 2
        across = ((first - middle[a]) / radius[a]) ** 2 + ((second - middle[b]) / radius[b]) ** 2
        return tuple(index), across <= 1
    inside = (first >= low[a]) & (first <= high[a]) & (second >= low[b]) & (second <= high[b])
    return tuple(index), inside


def propose_drawn(told: Mapping[str, Any], map8: Levels, region: Mask, side: Side) -> Threshold:
    """The threshold that tells a drawn region best from the rest of its slice. UserError."""
    index, drawn = drawn_region(told, map8.shape)
    return propose_from_region(map8[index], drawn, region[index], side)


def first_cursor(mask: Mask, region: Mask) -> tuple[int, int, int]:
    """The voxel to show first: the middle of the axial slice that holds most of the mask.

    Without a mask the middle of the region, without a region that of the volume.
    """
    for marked in (mask, region):
        held = np.count_nonzero(marked, axis=(0, 1))
        if held.any():
            z = int(held.argmax()) if marked is mask else int(np.flatnonzero(held).mean())
            places = np.argwhere(marked[:, :, z])
            if len(places) == 0:
                continue
            # A voxel of the mask: the centroid of a ring would lie outside it.
            x, y = places[np.abs(places - places.mean(axis=0)).sum(axis=1).argmin()]
            return int(x), int(y), z
    x, y, z = (n // 2 for n in mask.shape)
    return x, y, z
