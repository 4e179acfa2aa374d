"""The mask as a file on the scan's grid."""

from pathlib import Path

import nibabel as nib
import numpy as np

from ascnet_core.imaging.cohort import read_manifest
from ascnet_core.imaging.prepare import Preparation, prepare_scan
from pages.parts.threshold import export


def test_the_mask_file_has_the_grid_of_the_scan(small_cohort: Path, tmp_path: Path) -> None:
    prepared = prepare_scan(read_manifest(small_cohort).scans[0], Preparation(size=32))
    mask = np.zeros(prepared.region.shape, bool)
    mask[3:6, 4:9, 2] = True
    file = tmp_path / export.mask_name(prepared, "s1")
    file.write_bytes(export.mask_file(prepared, mask))
    written, image = nib.load(file), nib.load(prepared.scan.image)
    assert file.name == "s1_mask.nii.gz"
    assert written.shape == image.shape
    assert np.array_equal(written.affine, image.affine)
    back = nib.as_closest_canonical(written)
    assert np.array_equal(np.asanyarray(back.dataobj) > 0, mask)


def test_masks_of_two_scans_are_not_called_the_same(small_cohort: Path) -> None:
    prepared = prepare_scan(read_manifest(small_cohort).scans[0], Preparation(size=32))
    names = ["P:1", "P?1", "../P"]
    files = {export.mask_name(prepared, name, names) for name in names}
    assert len({file.casefold() for file in files}) == 3
    assert not any(sign in file for file in files for sign in ":?/")
