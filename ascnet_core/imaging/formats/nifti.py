"""NIfTI-1 and NIfTI-2, as one file or as a pair."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ascnet_core import files
from ascnet_core.errors import UserError
from ascnet_core.imaging.image_format import (
    Format,
    Grid,
    choose,
    damage_told,
    one_channel,
    quiet_nibabel,
    sizes,
    suffix_of,
    to_float32,
)
from ascnet_core.imaging.memory import check_memory, check_promise

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from ascnet_core.imaging.image_format import Stored


_LONGEST_HEADER = 100_000_000  # bytes, with extensions


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Any, Any]]:
    """Open a file whose data are not read yet: the image, and the header as the file has it."""
    import numpy as np

    nib = quiet_nibabel()  # users are told of faults that cannot be mended
    errors = (nib.filebasedimages.ImageFileError, nib.spatialimages.HeaderDataError)
    # What is not finite is looked for later.
    with damage_told(path, *errors), np.errstate(all="ignore"):
        header = _stored_header(path)
        image = nib.load(path)
        if not isinstance(image, nib.Nifti1Pair):
            kind = type(image).__name__
            raise UserError(f"{path} is not NIfTI but {kind}; convert it to NIfTI.")
        _check_size(image)
        yield image, header


def _stored_header(path: Path) -> Any:
    """Return the header without nibabel's mending; None if there is none that it knows.

    Raises a ValueError if its extensions, which nibabel reads with it, are too long.
    """
    nib = quiet_nibabel()
    with nib.openers.ImageOpener(path.with_suffix(".hdr") if _is_data(path) else path) as file:
        block = file.read(nib.Nifti2Header.sizeof_hdr)
    for kind in (nib.Nifti2Header, nib.Nifti1Header):
        if len(block) >= kind.sizeof_hdr and kind.may_contain_header(block):
            header = kind(block[: kind.sizeof_hdr], check=False)
            if header["vox_offset"] > _LONGEST_HEADER:
                raise ValueError(f"its data begin at byte {header['vox_offset']:.3g}")
            return header
    return None


def _is_data(path: Path) -> bool:
    return suffix_of(path) == FORMAT.pair[1]


def _check_size(image: Any) -> None:
    """Raise a ValueError if the file is too small for what its header promises."""
    data = Path(image.file_map["image"].filename)
    size = math.prod(image.shape) * image.header.get_data_dtype().itemsize
    promised = int(image.dataobj.offset) + size
    check_promise(promised, data.stat().st_size, compressed=data.suffix.lower() == ".gz")


def _grid(path: Path, image: Any, header: Any) -> Grid:
    from ascnet_core.imaging.nifti_header import affine_mm

    stored = tuple(int(n) for n in image.shape)
    if min(stored, default=0) < 1 or not 2 <= len(stored) <= 5 or any(n != 1 for n in stored[4:]):
        raise UserError(f"{path} has shape {sizes(stored)}; a volume of three axes is needed.")
    x, y, z = (*stored, 1)[:3]
    mended = image.header.copy()
    affine, remarks = affine_mm(mended, header["pixdim"])
    affine = _invertible(path, affine, remarks)
    frames = stored[3] if len(stored) > 3 else 1
    return Grid((x, y, z), affine, mended, "nifti", stored, frames, tuple(remarks))


def _invertible(
    path: Path, affine: npt.NDArray[np.float64], remarks: list[str]
) -> npt.NDArray[np.float64]:
    """Give a slice without thickness one of 1 mm, and remark it; refuse what cannot be mended."""
    import numpy as np

    axes = affine[:3, :3]
    if np.isfinite(affine).all():
        if not axes[:, 2].any() and axes[:, 0].any() and axes[:, 1].any():
            normal = np.cross(axes[:, 0], axes[:, 1])
            length = float(np.linalg.norm(normal))
            axes[:, 2] = normal / length if length else 0
            remarks.append("The header gives the slice no thickness; 1 mm is taken.")
        with np.errstate(over="ignore"):
            lengths = np.linalg.norm(axes, axis=0)
        if lengths.all() and abs(np.linalg.det(axes / lengths)) > 1e-3:
            return affine
    raise UserError(
        f"{path} has an affine that places voxels nowhere (its axes vanish or lie on each other); "
        "repair qform or sform in its header."
    )


def _head(path: Path) -> Grid:
    with _opened(path) as (image, header):
        return _grid(path, image, header)


def _load(path: Path, frame: int | None, channel: int | None) -> tuple[Stored, Grid]:
    import numpy as np

    with _opened(path) as (image, header):
        grid = _grid(path, image, header)
        check_memory(path, grid.shape)
        # A choice of frame is made for the cohort: images with a single one are not refused for it.
        chosen = 0 if grid.frames == 1 else choose(path, "frame", grid.frames, frame)
        further = (chosen, 0)[: max(0, len(grid.full_shape) - 3)]
        raw = np.asanyarray(image.dataobj[(..., *further)] if further else image.dataobj)
    if raw.dtype.names:
        raw = one_channel(path, np.stack([raw[n] for n in raw.dtype.names], -1), channel)
    if np.iscomplexobj(raw):
        raise UserError(f"{path} holds complex numbers; save their magnitude as NIfTI.")
    if grid.frames > 1:
        grid = replace(grid, full_shape=grid.shape)
    return to_float32(raw, grid)


def _write(path: Path, stored: npt.NDArray[Any], grid: Grid, dtype: npt.DTypeLike) -> None:
    """Write shape, affine, qform and sform with their codes as they were read, bit for bit."""
    from ascnet_core.imaging.nifti_header import empty_texts

    nib = quiet_nibabel()
    stored = stored.astype(dtype)
    if grid.header is None:
        image = nib.Nifti1Image(stored, grid.affine)
        image.header.set_xyzt_units("mm")
    else:
        kind = nib.Nifti2Image if isinstance(grid.header, nib.Nifti2Header) else nib.Nifti1Image
        # The header of a pair becomes that of a single file.
        header = kind.header_class.from_header(grid.header)
        header.set_data_dtype(stored.dtype)
        header.set_slope_inter(1, 0)
        header["cal_min"] = header["cal_max"] = 0  # the image's display window is not the map's
        header["intent_code"] = 0
        empty_texts(header)
        # nibabel leaves qform and sform alone when it is given the very affine that they say.
        shape = grid.full_shape or grid.shape
        image = kind(stored.reshape(shape), header.get_best_affine(), header)
        image.header.extensions.clear()
    with files.replacing(path) as temporary:
        nib.save(image, temporary)


FORMAT = Format(
    name="nifti",
    suffixes=(".nii", ".nii.gz", ".hdr", ".img"),
    short="NIfTI",
    long="NIfTI (.nii, .nii.gz)",
    files="NIfTI files",
    output=".nii.gz",
    load=_load,
    head=_head,
    write=_write,
    pair=(".hdr", ".img"),
)
