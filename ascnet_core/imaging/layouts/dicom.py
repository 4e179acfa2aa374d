"""DICOM series, whose files mostly have no suffix, and the masks beside them."""

from pathlib import Path

from ascnet_core.imaging import formats
from ascnet_core.imaging.dicom.indexing import find_series, masks_beside
from ascnet_core.imaging.layouts.contents import readable
from ascnet_core.imaging.layouts.predictions import Doubts
from ascnet_core.imaging.layouts.rows import Row, first_fitting, row_of
from ascnet_core.imaging.layouts.walk import UNKNOWN, LeftOut


def dicom_series(
    folder: Path, files: list[Path], left_out: LeftOut, doubts: Doubts
) -> tuple[list[Row], set[Path]]:
    """Make a row of each series, told apart and named by `find_series`."""
    mine = [path for path in files if (kind := formats.format_of(path)) and kind.name == "dicom"]
    unknown = [path for path, reason in left_out if reason == UNKNOWN]
    found, used = find_series(folder, [*mine, *unknown], left_out)
    left_out[:] = [one for one in left_out if one[0] not in used or one[1] != UNKNOWN]
    rows: list[Row] = []
    for one in found:
        if not readable(one.image, left_out):
            continue
        mask = first_fitting(one.image, masks_beside(one, found, files), "mask", left_out)
        used |= {mask} if mask else set()
        row = row_of(one.subject, one.image, mask, modality=one.modality)
        rows.append(row | {"scan": one.scan})
        if one.doubt:
            doubts.append((one.image, one.doubt))
    return rows, used
