"""What a format of image files is, and where the voxels of a file lie.

Imports nothing heavy, so that help texts can be made from the formats.
"""

from __future__ import annotations

import errno
import re
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ascnet_core.errors import UserError
from ascnet_core.files import refused
from ascnet_core.imaging.content import advice_on

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Stored = npt.NDArray[np.float32]


NOMINAL = ("picture", "stack")
"""Formats whose files say nothing about millimetres and sides."""


@dataclass(frozen=True, eq=False)
class Grid:
    """Where stored voxels lie, and what is needed to write a file like the one read.

    `affine` (4 x 4) takes stored voxel indices to mm (right, anterior, superior). For pictures and
    stacks it is nominal: 1 mm, rows from anterior to posterior, columns from the patient's right.
    `header` is that of NIfTI as read, `kind` the name of the file's format, `full_shape` the stored
    shape with its trailing axes of length 1, which masks get too. `remarks`
    are sentences on what the file leaves unsure, such as units that its header does not name.
    """

    shape: tuple[int, int, int]
    affine: npt.NDArray[np.float64]
    header: Any = None
    kind: str = "nifti"
    full_shape: tuple[int, ...] = ()
    frames: int = 1
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Format:
    """One format of image files: a file in `formats/` that ends in `FORMAT = Format(...)`.

    Attributes
    ----------
    name : As `Grid.kind` has it.
    suffixes : Endings of files that are read, in lower case.
    short, long, files : What it is called in lists, in errors ("give ..."), and by `index`.
    output : The ending that masks and maps get on the grid of such a file.
    load, head : (path, frame, channel) -> float32 in stored order and real units, and the grid;
        path -> the grid alone, whose `full_shape` is then the whole stored shape, frames too.
    write : (path, stored array, grid, dtype): writes a whole file or none. None: masks are written
        by the format that `output` names.
    mask_level : (path, stored array) -> the grey value at which a mask of many is cut; 0 where
        the values themselves say what they are.
    flat : Whether a file holds one slice.
    pair : The endings of a header and of the image data where they are two files.
    holds : Says of a folder, or of a file whose name says nothing, whether it is of this format.
    """

    name: str
    suffixes: tuple[str, ...]
    short: str
    long: str
    files: str
    output: str
    load: Callable[[Path, int | None, int | None], tuple[Stored, Grid]]
    head: Callable[[Path], Grid]
    write: Callable[[Path, npt.NDArray[Any], Grid, npt.DTypeLike], None] | None = None
    mask_level: Callable[[Path, Stored], float] = lambda path, stored: 0
    flat: bool = False
    pair: tuple[str, str] = ("", "")
    holds: Callable[[Path], bool] | None = None


class ChoiceNeeded(UserError):
    """Raised where a file holds `count` frames or channels (`what`) and none fitting is chosen."""

    def __init__(self, sentence: str, what: str, count: int) -> None:
        super().__init__(sentence)
        self.what, self.count = what, count


@contextmanager
def damage_told(path: Path, *errors: type[Exception]) -> Iterator[None]:
    """Turn the errors of a reader (`errors`, and common ones) into a sentence on a damaged file.

    All others are faults of this program and pass, but for `Exception` among `errors`: some readers
    raise anything.
    """
    # MemoryError: a broken header may ask for terabytes
    common: tuple[type[Exception], ...] = (OSError, EOFError, ValueError, KeyError, OverflowError)
    common += (MemoryError, zlib.error, struct.error)
    try:
        yield
    except UserError:
        raise
    except common + errors as error:
        # The system takes no seek to a place before the file: its header is wrong.
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise UserError(refused(path, "read", error)) from error
        # What a library quotes is of the file, and is not repeated.
        said = re.split(r"""['"`{\[<]""", " ".join(str(error).split()))[0].rstrip(" :(")
        raise UserError(
            f"{path} is damaged, cut short or no {suffix_of(path)} file "
            f"({said[:160] or type(error).__name__}); "
            f"{advice_on(path, suffix_of(path))}."
        ) from error


@contextmanager
def extra_told(path: Path) -> Iterator[None]:
    """Turn a missing library of the extra `formats` into the command that installs it."""
    try:
        yield
    except ImportError as error:
        raise UserError(
            f"{path} is read by libraries that are not installed ({error.name}); run "
            "`pip install 'ascnet-explorer[formats]'`, or `pip install '.[formats]'` in a checkout."
        ) from error


def quiet_nibabel() -> Any:
    """Import nibabel, whose types do not hold, without its words on headers that it mends."""
    import logging
    import warnings

    import nibabel

    logging.getLogger("nibabel.global").setLevel(logging.CRITICAL)
    warnings.filterwarnings("ignore", module=r"nibabel\.")
    return nibabel


def suffix_of(path: Path) -> str:
    """Return the suffix in lower case; ".nii.gz" counts as one."""
    name = path.name.lower()
    return ".nii.gz" if name.endswith(".nii.gz") else path.suffix.lower()


def choose(path: Path, what: str, count: int, choice: int | None) -> int:
    """Return `choice` (of a frame or channel) after checking it; a single item needs none."""
    if choice is None and count == 1:
        return 0
    if choice is not None and 0 <= choice < count:
        return choice
    found = f"holds {count} {what}s" if choice is None else f"has no {what} {choice}"
    raise ChoiceNeeded(
        f"{path} {found}; choose one from 0 to {count - 1} (option --{what}, or on the Data page).",
        what,
        count,
    )


def one_channel(
    path: Path, array: npt.NDArray[Any], channel: int | None, tolerance: int = 0
) -> npt.NDArray[Any]:
    """Take one channel from the last axis; channels that are all the same need no choice."""
    import numpy as np

    count = array.shape[-1]
    if channel is None and count > 1:
        first = array[..., :1].astype(np.float32)
        if np.abs(array - first).max() <= tolerance:
            channel = 0
    chosen = 0 if count == 1 else choose(path, "channel", count, channel)
    taken: npt.NDArray[Any] = array[..., chosen]
    return taken


UNSIZED = "The file says no sizes; a voxel is taken as 1 x 1 x 1 mm."
BEYOND = "Values beyond 3.4e38, more than 32 bits hold, are taken as infinite."


def to_float32(raw: npt.NDArray[Any], grid: Grid) -> tuple[Stored, Grid]:
    """Return numbers as a new float32 array of the grid's shape; what overflows is remarked."""
    import numpy as np

    try:
        with np.errstate(over="raise"):
            return np.array(raw, np.float32).reshape(grid.shape), grid
    except FloatingPointError:
        grid = replace(grid, remarks=(*grid.remarks, BEYOND))
    with np.errstate(over="ignore"):
        return np.array(raw, np.float32).reshape(grid.shape), grid


def either(words: Iterable[str]) -> str:
    """Write words as a choice: `a, b or c`."""
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last


def sizes(shape: tuple[int, ...]) -> str:
    """Write a shape in words: `2 x 3 x 4`."""
    return " x ".join(map(str, shape))


def size_mm(spacing: Iterable[float]) -> str:
    """Write the size of a voxel in words: `1 x 1 x 2.5 mm`."""
    return f"{' x '.join(f'{length:.4g}' for length in spacing)} mm"
