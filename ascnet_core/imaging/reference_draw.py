"""Taking a share of the reference or some of its levels, or spoiling it, to see the effect.

Every draw is nested for one seed: a smaller share lies within a larger one, and with more
contamination the same lesion slices stay and others join them. So two runs differ by what was
asked for and by nothing else.
"""

from dataclasses import dataclass

import numpy as np

from ascnet_core.errors import UserError
from ascnet_core.imaging.reference import SliceSet, join

_CLEAN, _LESION = 1, 2  # what a random order is for: the two must not be the same


@dataclass(frozen=True)
class Draw:
    """What of the reference is taken: a `share` of the slices between two levels.

    Levels are positions in the head, 0 (the lowest slice with tissue) to 1, ends included.
    `contamination` is the share of the result that is lesion slices; they replace clean ones, so
    that the number of slices stays. `seed` is that of both random orders.
    """

    share: float = 1.0
    contamination: float = 0.0
    level_low: float = 0.0
    level_high: float = 1.0
    seed: int = 0

    @property
    def takes_all(self) -> bool:
        """Whether the reference stays as it is."""
        every_level = self.level_low <= 0 and self.level_high >= 1
        return self.share >= 1 and not self.contamination and every_level


def draw_reference(clean: SliceSet, lesions: SliceSet, draw: Draw) -> SliceSet:
    """Draw the reference that is trained on from all `clean` slices.

    `lesions` are slices that may be left in by mistake. The result holds clean slices in their
    order, then those with lesion; `lesion` tells them apart.

    Raises a UserError if no slice lies between the levels, or there are too few with lesion.
    """
    if draw.takes_all:
        return clean
    between = f"between reference.level_low={draw.level_low:g} and level_high={draw.level_high:g}"
    clean = _at_levels(clean, draw)
    if not len(clean):
        raise UserError(f"No reference slices lie {between}; widen the levels.")
    count = max(1, round(draw.share * len(clean)))
    spoilt = round(draw.contamination * count)
    kept = _order(len(clean), draw.seed, _CLEAN)[: count - spoilt]
    drawn = clean.take(np.sort(kept))
    if not spoilt:
        return drawn
    lesions = _at_levels(lesions, draw)
    if len(lesions) < spoilt:
        most = int(100 * len(lesions) / count)
        found = f"there are {len(lesions)} {between}" if len(lesions) else "none is known by a mask"
        mend = f"take {most / 100:g} or less" if most else "set it to 0"
        raise UserError(
            f"reference.contamination={draw.contamination:g} asks for {spoilt} slices with lesion, "
            f"but {found}; {mend}."
        )
    return join([drawn, lesions.take(np.sort(_order(len(lesions), draw.seed, _LESION)[:spoilt]))])


def _at_levels(found: SliceSet, draw: Draw) -> SliceSet:
    return found.take((found.positions >= draw.level_low) & (found.positions <= draw.level_high))


def _order(count: int, seed: int, purpose: int) -> np.ndarray:
    return np.random.default_rng([seed, purpose]).permutation(count)
