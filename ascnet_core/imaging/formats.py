"""Files as they are stored: NIfTI, numpy stacks and pictures, before any orientation is undone."""

import logging
import re
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import numpy.typing as npt
from PIL import Image

from ascnet_core.errors import UserError

NIFTI_SUFFIXES = (".nii", ".nii.gz")
PAIR_SUFFIXES = (".hdr", ".img")
STACK_SUFFIXES = (".npy",)
PICTURE_SUFFIXES = (".png", ".tif", ".tiff", ".jpg", ".jpeg")
LOSSY_SUFFIXES = (".jpg", ".jpeg")

# What the readers of damaged or foreign files raise; anything else is a fault of ours.
_READ_ERRORS = (
    OSError,
    EOFError,
    ValueError,
    KeyError,
    OverflowError,
    zlib.error,
    struct.error,
    nib.filebasedimages.ImageFileError,
    nib.spatialimages.HeaderDataError,
    MemoryError,  # a broken head may ask for terabytes
    Image.DecompressionBombError,
    SyntaxError,  # pillow's word for a broken PNG
)

# Small faults of a header are mended on reading; users are told of those that cannot be.
logging.getLogger("nibabel.global").setLevel(logging.ERROR)

# JPEG stores colour apart from brightness: a grey picture may come back with channels a little off.
_GREY_TOLERANCE = {True: 8, False: 0}


@dataclass(frozen=True, eq=False)
class Grid:
    """Where stored voxels lie, and what is needed to write a file like the one read.

    Attributes
    ----------
    shape
        Three stored axes, in stored order.
    affine
        4 x 4 float64, stored voxel indices to mm (right, anterior, superior). For pictures and
        stacks it is nominal: 1 mm, rows run from anterior to posterior, columns from the
        patient's right to left.
    header
        The NIfTI header as read (units, qform and sform with their codes), None elsewhere.
    kind
        "nifti", "stack" (.npy) or "picture".
    full_shape
        The stored shape with its trailing axes of length 1, which masks get too.
    """

    shape: tuple[int, int, int]
    affine: npt.NDArray[np.float64]
    header: Any = None
    kind: str = "nifti"
    full_shape: tuple[int, ...] = field(default=())


def suffix_of(path: Path) -> str:
    """Return the suffix in lower case; ".nii.gz" counts as one."""
    name = path.name.lower()
    return ".nii.gz" if name.endswith(".nii.gz") else path.suffix.lower()


def stem_of(path: Path) -> str:
    """Return the file name without its suffix (".nii.gz" counts as one)."""
    return path.name[: len(path.name) - len(suffix_of(path))]


def natural_key(text: str) -> list[tuple[int, int | str]]:
    """Sort key that puts "slice_2" before "slice_10"."""
    return [
        (0, int(part)) if part.isdigit() else (1, part.lower())
        for part in re.split(r"(\d+)", text)
        if part
    ]


def is_image(path: Path) -> bool:
    """Say whether the name is that of a format which is read here."""
    return suffix_of(path) in NIFTI_SUFFIXES + PAIR_SUFFIXES + STACK_SUFFIXES + PICTURE_SUFFIXES


def check_file(path: Path) -> None:
    """Raise a UserError unless `path` is a file of a format that is read here."""
    if path.is_dir():
        raise UserError(f"{path} is a folder; name an image file in it.")
    if not path.is_file():
        raise UserError(f"{path} is not there; check the path.")
    if not is_image(path):
        raise UserError(
            f"{path} is of no format read here; give NIfTI (.nii, .nii.gz), a numpy stack (.npy) "
            "or a PNG, TIF or JPEG picture."
        )
    if suffix_of(path) in PAIR_SUFFIXES:
        other = path.with_suffix(".img" if suffix_of(path) == ".hdr" else ".hdr")
        if not other.is_file():
            missing = "image data" if suffix_of(path) == ".hdr" else "header"
            raise UserError(f"{path} lacks its {missing}: put {other.name} beside it.")


def load_stored(
    path: Path, frame: int | None = None, channel: int | None = None
) -> tuple[npt.NDArray[np.float32], Grid]:
    """Read an image file in the order it is stored in.

    Parameters
    ----------
    path
        NIfTI-1/2 (single file or pair), .npy stack (N, H, W[, 1]), or a PNG, TIF or JPEG picture.
    frame
        Which frame (NIfTI's fourth axis, a TIF's page) to take, from 0; needed for several.
    channel
        Which channel to take, from 0; needed where colour channels differ. Grey images have none,
        and the choice is then of no effect.

    Returns
    -------
    array, grid
        float32 with the shape of `grid.shape`, in real units (scale factors applied).

    Raises
    ------
    UserError
        Missing, damaged or unsuitable file, or a choice to be made.
    """
    check_file(path)
    suffix = suffix_of(path)
    try:
        if suffix in STACK_SUFFIXES:
            return _load_stack(path, channel)
        if suffix in PICTURE_SUFFIXES:
            return _load_picture(path, frame, channel)
        return _load_nifti(path, frame, channel)
    except _READ_ERRORS as error:
        raise _damaged(path, error) from error


def load_head(path: Path) -> Grid:
    """Read the grid of a file without its data; `full_shape` is the whole stored shape, frames too.

    Raises
    ------
    UserError
        Missing or damaged file.
    """
    check_file(path)
    suffix = suffix_of(path)
    try:
        if suffix in STACK_SUFFIXES:
            full = np.load(path, mmap_mode="r", allow_pickle=False).shape
            count, rows, columns = _stack_shape(path, full)
            return replace(_nominal("stack", rows, columns, count), full_shape=full)
        if suffix in PICTURE_SUFFIXES:
            with _opened(path) as picture:
                return _nominal("picture", picture.height, picture.width, 1)
        image: Any = nib.load(path)
        return _nifti_grid(path, image)
    except _READ_ERRORS as error:
        raise _damaged(path, error) from error


def colour_channels(path: Path) -> int:
    """Return how many colour channels a picture stores; 1 for a grey one.

    Raises
    ------
    UserError
        Missing or damaged file.
    """
    check_file(path)
    try:
        with _opened(path) as picture:
            return len([band for band in picture.getbands() if band not in ("A", "a")])
    except _READ_ERRORS as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: BaseException) -> UserError:
    if isinstance(error, PermissionError):
        return UserError(f"{path} may not be read: permission denied; change its permissions.")
    detail = " ".join(str(error).split()) or type(error).__name__
    return UserError(
        f"{path} is damaged, cut short or no {suffix_of(path)} file ({detail[:160]}); "
        "copy or download it again."
    )


def _choose(path: Path, what: str, count: int, choice: int | None) -> int:
    """Return `choice` after checking it; one item needs none."""
    if choice is None:
        if count == 1:
            return 0
        raise UserError(
            f"{path} holds {count} {what}s; choose one from 0 to {count - 1} "
            f"(option --{what}, or on the Data page)."
        )
    if not 0 <= choice < count:
        raise UserError(
            f"{path} has no {what} {choice}; choose one from 0 to {count - 1} "
            f"(option --{what}, or on the Data page)."
        )
    return choice


def _nifti_grid(path: Path, image: Any) -> Grid:
    """Return the grid of an image that is a volume; `full_shape` is what is stored."""
    if not isinstance(image, nib.Nifti1Pair):
        raise UserError(f"{path} is not NIfTI but {type(image).__name__}; convert it to NIfTI.")
    stored = tuple(int(n) for n in image.shape)
    if 0 in stored or not 2 <= len(stored) <= 5 or any(n != 1 for n in stored[4:]):
        raise UserError(f"{path} has shape {_by(stored)}; a volume of three axes is needed.")
    x, y, z = (*stored, 1)[:3]
    header: Any = image.header
    affine = _invertible(path, np.array(image.affine, np.float64))
    return Grid((x, y, z), affine, header.copy(), "nifti", stored)


def _load_nifti(
    path: Path, frame: int | None, channel: int | None
) -> tuple[npt.NDArray[np.float32], Grid]:
    image: Any = nib.load(path)
    grid = _nifti_grid(path, image)
    stored = grid.full_shape
    frames = stored[3] if len(stored) > 3 else 1
    # A choice of frame is made for the cohort: images with a single one are not refused for it.
    chosen = 0 if frames == 1 else _choose(path, "frame", frames, frame)
    if len(stored) > 3:
        rest = (0,) * (len(stored) - 4)
        raw = np.asanyarray(image.dataobj[(slice(None),) * 3 + (chosen, *rest)])
    else:
        raw = np.asanyarray(image.dataobj)
    if raw.dtype.names:
        raw = _one_channel(path, np.stack([raw[n] for n in raw.dtype.names], -1), channel, False)
    if np.iscomplexobj(raw):
        raise UserError(f"{path} holds complex numbers; save their magnitude as NIfTI.")
    if frames > 1:
        grid = replace(grid, full_shape=grid.shape)
    return np.array(raw, np.float32).reshape(grid.shape), grid


def _invertible(path: Path, affine: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Give a slice without thickness one of 1 mm; refuse what cannot be mended."""
    axes = affine[:3, :3]
    if np.isfinite(affine).all():
        if not axes[:, 2].any() and axes[:, 0].any() and axes[:, 1].any():
            normal = np.cross(axes[:, 0], axes[:, 1])
            length = float(np.linalg.norm(normal))
            axes[:, 2] = normal / length if length else 0
        lengths = np.linalg.norm(axes, axis=0)
        if lengths.all() and abs(np.linalg.det(axes / lengths)) > 1e-3:
            return affine
    raise UserError(
        f"{path} has an affine that places voxels nowhere (its axes vanish or lie on each other); "
        "repair qform or sform in its header."
    )


def _nominal(kind: str, rows: int, columns: int, slices: int) -> Grid:
    """Place picture rows from anterior down and columns from the patient's right, at 1 mm."""
    if kind == "stack":
        affine = np.array(
            [[0, 0, -1, columns - 1], [0, -1, 0, rows - 1], [1, 0, 0, 0], [0, 0, 0, 1]], np.float64
        )
        return Grid((slices, rows, columns), affine, None, kind)
    affine = np.array(
        [[0, -1, 0, columns - 1], [-1, 0, 0, rows - 1], [0, 0, 1, 0], [0, 0, 0, 1]], np.float64
    )
    return Grid((rows, columns, 1), affine, None, kind, (rows, columns))


def _stack_shape(path: Path, full: tuple[int, ...]) -> tuple[int, int, int]:
    """Return (slices, rows, columns) of a stack's shape; (H, W) is one slice."""
    if 0 in full or len(full) not in (2, 3, 4) or (len(full) == 4 and full[3] > 4):
        raise UserError(f"{path} has shape {_by(full)}; a stack is (N, H, W) or (N, H, W, 1).")
    count, rows, columns = (1, *full) if len(full) == 2 else full[:3]
    return count, rows, columns


def _load_stack(path: Path, channel: int | None) -> tuple[npt.NDArray[np.float32], Grid]:
    stack = np.load(path, mmap_mode="r", allow_pickle=False)
    full = tuple(stack.shape)
    if stack.dtype.kind not in "buif":
        raise UserError(f"{path} holds {stack.dtype} values; save real numbers.")
    count, rows, columns = _stack_shape(path, full)
    if len(full) == 4:
        stack = _one_channel(path, stack, channel, False)
        full = full if full[3] == 1 else full[:3]
    grid = replace(_nominal("stack", rows, columns, count), full_shape=full)
    return np.array(stack, np.float32).reshape(grid.shape), grid


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what matters is raised
        with Image.open(path) as picture:
            yield picture


def _load_picture(
    path: Path, frame: int | None, channel: int | None
) -> tuple[npt.NDArray[np.float32], Grid]:
    with _opened(path) as picture:
        pages = getattr(picture, "n_frames", 1)
        picture.seek(0 if pages == 1 else _choose(path, "frame", pages, frame))
        if picture.mode in ("P", "CMYK", "YCbCr", "LAB", "HSV", "PA"):
            pixels = np.asarray(picture.convert("RGB"))
        elif picture.mode == "1":
            pixels = np.asarray(picture.convert("L"))
        else:
            pixels = np.asarray(picture)
        if picture.mode in ("LA", "La"):
            pixels = pixels[..., 0]
        elif picture.mode in ("RGBA", "RGBa", "RGBX"):
            pixels = pixels[..., :3]
    if pixels.ndim == 3:
        lossy = suffix_of(path) in LOSSY_SUFFIXES
        pixels = _one_channel(path, pixels, channel, lossy)
    rows, columns = pixels.shape
    return np.array(pixels, np.float32)[:, :, np.newaxis], _nominal("picture", rows, columns, 1)


def _one_channel(
    path: Path, array: npt.NDArray[Any], channel: int | None, lossy: bool
) -> npt.NDArray[Any]:
    """Take one channel from the last axis; channels that are all the same need no choice."""
    count = array.shape[-1]
    if channel is None and count > 1:
        first = array[..., :1].astype(np.float32)
        if np.abs(array - first).max() <= _GREY_TOLERANCE[lossy]:
            channel = 0
    chosen = 0 if count == 1 else _choose(path, "channel", count, channel)
    taken: npt.NDArray[Any] = array[..., chosen]
    return taken


def _by(shape: tuple[int, ...]) -> str:
    return " x ".join(str(n) for n in shape)
