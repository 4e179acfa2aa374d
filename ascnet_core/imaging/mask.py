"""Which voxels of a mask file are meant: two values, labels, soft edges, colours."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ascnet_core.errors import UserError

Mask = npt.NDArray[np.bool_]
Numbers = npt.NDArray[Any]
Meant = tuple[Mask, list[str]]

# So many different whole numbers, or scaled ones, may be labels without being asked for by name.
MOST_LABELS, _MOST_SCALED = 64, 16
# More colours than these come from soft edges.
MOST_COLOURS = 8
# No lesion fills so much of the border: the mask is inverted.
_INVERTED = 0.9
_CHOOSE = "option --label, column label, or on the Data page"


def meant(
    stored: Numbers,
    path: Path,
    labels: Sequence[int] = (),
    level: float = 0,
    lesion: bool = True,
    usual: Callable[[bool], float | None] = lambda _: None,
) -> Meant:
    """Return which voxels of a mask are meant, and remarks where that was not plain.

    Of two values the background is 0, else the commoner at the border; of several labels all but
    the background are meant, or only `labels`; fractions are cut at 0.5, soft edges in the middle.
    `stored` (three axes) holds finite values; `level` is where a mask of grey values is cut, 0 if
    its format has none. The mask of a `lesion` that fills the border is taken as inverted; a
    region may well reach it. A mask of one value, and a slice that seems inverted, are read as the
    background of other masks says, which `usual` returns (None: unknown), of the cohort's or, if
    given True, of the subject's alone.

    Raises a UserError if a volume has none of the labels, or the values are those of an image.
    """
    low, high = float(stored.min()) + 0.0, float(stored.max()) + 0.0  # no "-0" in remarks
    if labels:
        return _chosen(stored, path, labels)
    if low == high:
        return _constant(stored, path, low, level, usual)
    # a lossy picture of an empty mask is nearly black all over
    black = level > 0 and high <= level
    if not black and bool(((stored == low) | (stored == high)).all()):
        if low != 0:
            return _of_two(stored, path, low, high, lesion)
        mask, remarks = stored > 0, list[str]()
    elif level:
        mask, remarks = stored > level, _of_greys(stored, path, level)
    else:
        middle, remarks = _middle(stored, path, low, high, lesion)
        if middle is None:
            return _merged(stored, path)
        mask = stored > middle
    if lesion and mask.mean() > 0.5 and _border(mask).mean() > _INVERTED:
        background = usual(True) if min(stored.shape) == 1 else None
        if background is not None and background - low < high - background:
            remarks.append(f"{path.name} fills its border; it is not turned, as others are not.")
            return mask, remarks
        remarks.append(f"{path.name} is inverted: what fills its border is taken as background.")
        return ~mask, remarks
    return mask, remarks


def _chosen(stored: Numbers, path: Path, labels: Sequence[int]) -> Meant:
    # scale factors may leave 2.9999998 of a 3
    voxels = {label: np.abs(stored - label) < 1e-3 for label in dict.fromkeys(labels)}
    missing = [label for label, mask in voxels.items() if not mask.any()]
    remarks = []
    if missing:
        values, _ = _values(stored)
        there = f"has no label {_listed(missing)}; it holds {_listed(values)}"
        # an empty mask has none to choose from, and one slice need not show every label
        if len(missing) == len(voxels) and len(values) > 1 and min(stored.shape) > 1:
            raise UserError(f"{path} {there}: choose among these ({_CHOOSE}).")
        remarks.append(f"{path.name} {there}.")
    return np.any(list(voxels.values()), axis=0), remarks


def _constant(
    stored: Numbers, path: Path, value: float, level: float, usual: Callable[[bool], float | None]
) -> Meant:
    full = value > level
    background = usual(False) if full else None
    remarks = []
    if background is not None and (background == value or 0 < level < background):
        full = False
        remarks.append(
            f"{path.name} holds {value:g} everywhere, the background of the other masks; it is "
            "taken as empty."
        )
    elif full:
        remarks.append(f"{path.name} holds {value:g} everywhere: every voxel is in it.")
    elif value < 0:
        remarks.append(f"{path.name} holds {value:g} everywhere; it is taken as empty.")
    return np.full(stored.shape, full), remarks


def _of_two(stored: Numbers, path: Path, low: float, high: float, lesion: bool) -> Meant:
    # a region may fill half of the border and more
    share = 0.5 if lesion else _INVERTED
    background = high if np.mean(_border(stored) == high) > share else low
    return stored != background, [
        f"{path.name} holds {low:g} and {high:g}; {background:g}"
        f"{', the commoner at its border,' * lesion} is taken as background."
    ]


def _of_greys(stored: Numbers, path: Path, level: float) -> list[str]:
    """Say how a picture is cut that has no white, or more greys than soft edges have."""
    values, counts = _values(stored)
    if values[-1] <= level:
        return [f"{path.name} holds nothing above {level:g}; it is taken as empty."]
    between = (values > 0.2 * level) & (values < 1.8 * level)
    white = counts[values >= 1.8 * level].sum()
    few = len(values) <= _MOST_SCALED
    if counts[between].sum() <= (0.1 if few else 5) * white:
        return []
    listed = f" ({_listed(values)})" if few else ""
    return [
        f"{path.name} holds {len(values)} grey values{listed}; those above {level:g} are taken."
    ]


def _middle(
    stored: Numbers, path: Path, low: float, high: float, lesion: bool
) -> tuple[float | None, list[str]]:
    """Return where fractions or soft edges are cut, and a remark; None of labels."""
    values, counts = _values(stored)
    whole = bool((values == np.rint(values)).all())
    # many values up to 255 are rather odds in bytes, or parts of a brain, than labels of lesions
    many = whole and not (lesion and high > 127)
    most = MOST_LABELS if many else _MOST_SCALED
    scaled = low == 0 and high < 0.5 and len(values) <= most
    if not whole and not scaled and low >= -0.5 and high <= 1.5:
        near = bool((np.abs(values - np.rint(values)) < 1e-3).all())
        return 0.5, [] if near else [f"{path.name} holds fractions; those above 0.5 are taken."]
    if _soft(values, counts, most):
        middle = (low + high) / 2
        return middle, [
            f"{path.name} holds {len(values)} values from {low:g} to {high:g}; those above "
            f"{middle:g} are taken."
        ]
    if len(values) <= most:
        return None, []
    raise UserError(
        f"{path} is to be a mask but holds {len(values)} different values from {low:g} to "
        f"{high:g}; save it with 0 and 1, or choose its labels ({_CHOOSE})."
    )


def _soft(values: Numbers, counts: Numbers, most: int) -> bool:
    """Say whether values are two whose edges were smoothed: most of what is not low is high."""
    if len(values) <= most and (len(values) <= 8 or values[-1] <= 127):
        return False
    share = (values - values[0]) / (values[-1] - values[0])
    return bool(counts[share > 0.9].sum() >= 0.5 * counts[share > 0.1].sum())


def _merged(stored: Numbers, path: Path) -> Meant:
    """Take several labels together: all above 0, or all but the commonest at the border."""
    values, counts = _values(stored)
    if 0 in values:
        background, mask = 0.0, stored > 0
        note = "those above 0 are taken together" if values[0] < 0 else "all are taken together"
    else:
        at_border, how_often = _values(_border(stored))
        background = float(at_border[np.argmax(how_often)])
        mask = stored != background
        note = f"all but {background:g}, the commonest at its border, are taken together"
    named = [
        f"{value:g} ({count} voxels)"
        for value, count in zip(values, counts, strict=True)
        if value != background
    ]
    return mask, [f"{path.name} holds labels {', '.join(named)}; {note}."]


def colours_as_labels(
    channels: Numbers, path: Path, labels: Sequence[int]
) -> tuple[Numbers, list[str]]:
    """Number the colours of a mask (..., C): 0 the commonest at the border, others from 1 on.

    Raises a UserError if there are too many to be told apart.
    """
    flat = channels.reshape(-1, channels.shape[-1])
    colours, index, counts = np.unique(flat, axis=0, return_inverse=True, return_counts=True)
    if len(colours) > MOST_COLOURS:
        raise UserError(
            f"{path} is to be a mask but holds {len(colours)} colours; save it in black and white, "
            "or with a colour for each label and no soft edges (PNG)."
        )
    index = index.reshape(channels.shape[:-1])
    background = int(np.argmax(np.bincount(_border(index).ravel())))
    others = [number for number in range(len(colours)) if number != background]
    number_of = np.zeros(len(colours), np.int64)
    number_of[others] = np.arange(1, len(colours))
    named = ", ".join(
        f"{number_of[one]} is {_colour(colours[one])} ({counts[one]} voxels)" for one in others
    )
    note = "" if labels or len(others) == 1 else "; all are taken together"
    return number_of[index], [
        f"{path.name} is in colour: background is {_colour(colours[background])}, {named}{note}."
    ]


def _values(stored: Numbers) -> tuple[Numbers, Numbers]:
    """Return the different values, rising, and how often each is there."""
    low, high = float(stored.min()), float(stored.max())
    if high - low < 1 << 16 and bool((stored == np.rint(stored)).all()):
        counts = np.bincount((stored - low).astype(np.int64).ravel())
        there = np.flatnonzero(counts)
        return there + low, counts[there]
    return np.unique(stored, return_counts=True)


def _border(stored: Numbers) -> Numbers:
    """Return the values on the faces of a volume, or along the edges of one slice or two."""
    inner = tuple(slice(1, -1) if length > 2 else slice(None) for length in stored.shape)
    outside = np.ones(stored.shape, np.bool_)
    if max(stored.shape) > 2:
        outside[inner] = False
    border: Numbers = stored[outside]
    return border


def _colour(channels: Numbers) -> str:
    return "#" + "".join(f"{int(value):02x}" for value in channels)


def _listed(values: Sequence[float] | Numbers, most: int = 20) -> str:
    words = [f"{value:g}" for value in values]
    return ", ".join(words if len(words) <= most else [*words[:most], "..."])
