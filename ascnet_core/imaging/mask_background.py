"""What the other masks of a cohort use as background, for a mask that does not tell itself."""

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from ascnet_core.errors import UserError
from ascnet_core.imaging.formats import check_file, load_stored
from ascnet_core.imaging.image_format import ChoiceNeeded
from ascnet_core.imaging.mask import colours_as_labels, meant

# So many masks are asked at most.
_MOST = 64


def usual_background(groups: Sequence[Sequence[Path]], frame: int | None) -> float | None:
    """Return what most masks of the first of `groups` that tells have outside lesions, or None."""
    for others in groups:
        changed = ((one, one.stat().st_mtime_ns) for one in others[:_MOST] if one.is_file())
        found = [_background(one, time, frame) for one, time in changed]
        votes = Counter(value for value in found if value is not None)
        if votes:
            return votes.most_common(1)[0][0]
    return None


@lru_cache(maxsize=4096)
def _background(path: Path, changed: int, frame: int | None) -> float | None:
    """Return a mask's background; None if it has none, cannot be read, or a colour is it.

    `changed`, the file's time, is there for the cache alone.
    """
    try:
        stored, _ = load_stored(path, frame)
        mask, _ = meant(stored, path, level=check_file(path).mask_level(path, stored))
    except ChoiceNeeded as error:
        if error.what == "frame":
            return None
        try:
            stored = np.stack(
                [load_stored(path, frame, channel)[0] for channel in range(error.count)], axis=-1
            )
            numbers, _ = colours_as_labels(stored, path, ())
        except UserError:
            return None
        grey = np.unique(stored[numbers == 0])
        return float(grey[0]) if len(grey) == 1 else None
    except UserError:
        return None
    return None if mask.all() else float(np.median(stored[~mask]))
