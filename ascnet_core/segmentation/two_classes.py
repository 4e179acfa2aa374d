"""Where well-known rules part a histogram into a darker and a brighter class.

Each gives the last level of the darker class, as scikit-image's function of its name does. Of those
only the minimum is called: triangle and Li take no counts there, only voxels, and sums in single
precision put Yen's cut at the end of a cohort's histogram of 1e9 voxels.
"""

import numpy as np

from ascnet_core.errors import UserError
from ascnet_core.segmentation.smoothing import Counts


def minimum(counts: Counts) -> int:
    """The lowest level between the two maxima that repeated smoothing leaves (Prewitt)."""
    from skimage.filters import threshold_minimum

    try:
        return int(threshold_minimum(hist=counts))  # type: ignore[no-untyped-call]
    except RuntimeError as error:
        raise UserError(
            "Rule 'minimum' finds no two maxima in the histogram; take another rule, another map, "
            "or give a number."
        ) from error


def triangle(counts: Counts) -> int:
    """The level farthest below a line from the top to the end of the longer tail (Zack)."""
    low, high = np.flatnonzero(counts)[[0, -1]]
    top = int(counts.argmax())
    turned = top - low < high - top  # the longer tail is made the left one
    own = counts[::-1] if turned else counts
    start, end = (255 - high, 255 - top) if turned else (low, top)
    steps = np.arange(end - start)
    farthest = start + int((own[end] * steps - (end - start) * own[start:end]).argmax())
    return int(255 - farthest if turned else farthest)


def li(counts: Counts) -> int:
    """Two classes of least cross-entropy, by Li's iteration from the mean on."""
    levels = np.flatnonzero(counts)
    weights = counts[levels].astype(np.float64)
    value = levels - levels[0]
    before, cut = -1.0, float(np.average(value, weights=weights))
    while abs(cut - before) > 0.5:
        before, bright = cut, value > cut
        fore = np.average(value[bright], weights=weights[bright])
        back = np.average(value[~bright], weights=weights[~bright])
        if back == 0:
            break
        cut = float((back - fore) / (np.log(back) - np.log(fore)))
    return int(levels[0] + cut)


def yen(counts: Counts) -> int:
    """Two classes of largest correlation (Yen)."""
    first, last = np.flatnonzero(counts)[[0, -1]]
    share = counts[first : last + 1] / counts.sum()
    square = share**2
    below, above = np.cumsum(share)[:-1], np.cumsum(share[::-1])[::-1][1:]
    own, others = np.cumsum(square)[:-1], np.cumsum(square[::-1])[::-1][1:]
    return int(first + (2 * np.log(below * above) - np.log(own * others)).argmax())


def isodata(counts: Counts) -> int:
    """The lowest level half way, to within one, between the means of its two classes (Ridler)."""
    levels = np.flatnonzero(counts)
    cut = np.arange(levels[0], levels[-1])
    voxels = np.cumsum(counts, dtype=np.float64)
    moment = np.cumsum(counts * np.arange(counts.size, dtype=np.float64))
    below = moment[cut] / voxels[cut]
    above = (moment[-1] - moment[cut]) / (voxels[-1] - voxels[cut])
    # a level below its middle is never passed by more than one at a step
    return int(cut[((below + above) / 2 - cut < 1).argmax()])


CUTS = {cut.__name__: cut for cut in (minimum, triangle, li, yen, isodata)}


def outer_class(name: str, counts: Counts, dark: bool) -> int:
    """The level at which the brighter class begins or, by the mirrored histogram, the darker ends.

    `name` is one of `CUTS`; the class holds at least one voxel. Raises a UserError if the counts
    (256,) have fewer than two levels, or the rule finds no cut.
    """
    occupied = np.flatnonzero(counts)
    if occupied.size < 2:
        raise UserError(
            f"Rule '{name}' needs at least two grey levels, and the histogram has {occupied.size}: "
            "take another map or give a number."
        )
    own = counts[::-1] if dark else counts
    last = int(np.flatnonzero(own)[-1])
    begins = min(CUTS[name](own) + 1, last)
    return counts.size - 1 - begins if dark else begins
