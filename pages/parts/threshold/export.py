"""What leaves the Threshold page: the mask as a file."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ascnet_core.file_names import file_names
from ascnet_core.imaging.formats import format_of
from ascnet_core.imaging.prepare import Prepared
from ascnet_core.imaging.volume import write_volume


def mask_name(prepared: Prepared, scan: str, others: Sequence[str] = ()) -> str:
    """The download's name: NIfTI, but PNG for a scan that is a picture.

    It is not that of another scan's mask, `others` being the names of all scans of the cohort.
    """
    found = format_of(prepared.scan.image)
    suffix = found.output if found and found.flat else ".nii.gz"
    return f"{file_names([scan, *others])[scan]}_mask{suffix}"


def mask_file(prepared: Prepared, mask: NDArray[np.bool_]) -> bytes:
    """The bytes of a mask on the grid, shape and affine of the scan's own file."""
    name = mask_name(prepared, "scan")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        write_volume(path, mask, prepared.volume.grid, np.uint8)
        return path.read_bytes()
