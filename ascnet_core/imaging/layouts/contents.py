"""What the files themselves say, where names do not: grids, grey values, how much a mask holds."""

from pathlib import Path

import numpy as np

from ascnet_core.errors import UserError
from ascnet_core.imaging import formats
from ascnet_core.imaging.layouts.walk import LeftOut
from ascnet_core.imaging.volume import grid_difference


def readable(path: Path, left_out: LeftOut) -> bool:
    """Say whether a file can be a row; where not, note why."""
    try:
        frames = formats.load_head(path).frames
    except Exception as error:  # whatever a reader meets in one file, the folder goes on
        left_out.append((path, reason_of(error, path)))
        return False
    if frames > 1:
        reason = f"holds {frames} frames; list it by hand and choose one by --frame"
        left_out.append((path, reason))
    return frames <= 1


def apart(path: Path, image: Path) -> str:
    """Say in what the grids of two files differ, by their heads alone; empty where they agree."""
    try:
        reason = grid_difference(formats.load_head(path), formats.load_head(image))
    except Exception as error:  # as above
        return reason_of(error, path)
    return f"on another grid than {image.name} ({reason})" if reason else ""


def reason_of(error: Exception, path: Path) -> str:
    """Return why a file cannot be read, without its name, which is listed beside it."""
    if isinstance(error, UserError):
        return str(error).removeprefix(f"{path} ").removesuffix(".")
    detail = " ".join(str(error).split()) or type(error).__name__
    return f"cannot be read ({detail[:160]}); copy or download it again"


def has_grey_values(path: Path) -> bool:
    """Say whether a file holds an image rather than a mask; False where it cannot be read.

    Soft edges of a JPEG are no grey values: nearly all of a mask is near its two ends.
    """
    sample = _sample(path)
    if not sample.size:
        return False
    share = (sample - sample.min()) / (float(sample.max() - sample.min()) or 1.0)
    return float(np.mean((share > 0.1) & (share < 0.9))) > 0.05


def looks_like_mask(path: Path) -> bool:
    """Say whether a file can be read and holds no grey values."""
    return bool(_sample(path).size) and not has_grey_values(path)


def share_marked(path: Path) -> float:
    """Return the share of voxels that a mask marks, from 0 to 1; 0 where it cannot be read."""
    sample = _sample(path)
    return float(np.mean(sample > sample.min())) if sample.size else 0.0


def _sample(path: Path) -> np.ndarray:
    """Take up to 100 000 of a file's values, without NaN and infinity."""
    try:
        stored, _ = formats.load_stored(path)
    except Exception:  # as above
        return np.zeros(0, np.float32)
    sample = stored.ravel()[:: max(1, stored.size // 100_000)]
    return sample[np.isfinite(sample)]
