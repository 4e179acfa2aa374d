"""What tests of `index` share: tiny files of a layout, and rows as plain dictionaries."""

import numpy as np

from ascnet_core.imaging.index import index_folder
from tests.helpers import make_nifti


def by_scan(found, folder):
    """Rows as {scan: {column: relative file or text}}, empty cells left out."""
    return {
        row["scan"]: {
            column: cell.relative_to(folder).as_posix() if hasattr(cell, "parts") else cell
            for column, cell in row.items()
            if cell not in (None, "") and column != "scan"
        }
        for row in found.rows
    }


def reasons(found, folder):
    return {path.relative_to(folder).as_posix(): reason for path, reason in found.left_out}


def touch_volumes(folder, *names, **options):
    for name in names:
        make_nifti(folder / f"{name}.nii.gz", **options)


def touch_masks(folder, *names):
    """Masks of 0 and 1, each with its own voxels marked."""
    for number, name in enumerate(names):
        mask = np.zeros((5, 7, 4), np.uint8)
        mask.ravel()[number : number + 3] = 1
        make_nifti(folder / f"{name}.nii.gz", mask, dtype=np.uint8)


def patients(folder):
    """{image: (subject, scan)} of an indexed folder."""
    return {
        row["image"].relative_to(folder).as_posix().removesuffix(".nii.gz"): (
            row["subject"],
            row["scan"],
        )
        for row in index_folder(folder).rows
    }


def doubts(found):
    return " ".join(text for _, text in found.unsure)
