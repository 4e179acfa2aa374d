"""Thumbnails of a slice: which one, which way up, in which proportion."""

import io

import numpy as np
from PIL import Image

from ascnet_core.studies.report.thumbnail import HEIGHT, OUTLINE, slice_to_show, thumbnail


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def test_the_slice_that_holds_most_of_the_masks():
    region = np.zeros((4, 4, 3), bool)
    region[:, :, 1] = True
    region[0, 0, :] = True
    one, other = np.zeros_like(region), np.zeros_like(region)
    assert slice_to_show([one, None], region) == (1, 0)
    one[:2, 0, 2] = other[:2, 0, 2] = True
    one[:3, 0, 0] = True
    assert slice_to_show([one, other], region) == (2, 4)


def test_anterior_is_up_and_the_patients_right_on_the_left_in_true_proportion():
    """Volumes are RAS: +x is the patient's right, +y anterior. Voxels here are 1 x 2 mm."""
    region = np.ones((40, 40, 2), bool)
    values = np.zeros(region.shape, np.uint8)
    values[30:, 30:, 1] = 255
    picture = pixels(thumbnail(values, None, region, (1.0, 2.0, 3.0), 1))
    assert picture.shape[:2] == (HEIGHT, HEIGHT // 2)
    assert picture[5, 5].min() > 200
    assert [int(picture[y, x].max()) for y, x in ((5, -5), (-5, 5), (-5, -5))] == [0, 0, 0]


def test_the_masks_outline_lies_inside_it():
    region = np.ones((50, 50, 1), bool)
    mask = np.zeros_like(region)
    mask[10:30, 20:40, 0] = True
    picture = pixels(thumbnail(np.full(region.shape, 100, np.uint8), mask, region, (1, 1, 1), 0))
    drawn = (picture == OUTLINE).all(axis=2)
    rows, columns = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
    # y 20 to 40 of 50 lies 10 below the upper edge, x 10 to 30 as many left of the right one
    assert (rows[0], rows[-1]) == (30, 89)
    assert (columns[0], columns[-1]) == (60, 119)
    assert drawn.sum() == 4 * 60 - 4
    assert len(set(map(tuple, picture[~drawn]))) == 1


def test_a_mask_outside_the_region_is_shown_and_nothing_at_all_is_a_picture():
    region = np.zeros((20, 20, 1), bool)
    region[:5, :5] = True
    mask = np.zeros_like(region)
    mask[15:18, 15:18] = True
    drawn = pixels(thumbnail(np.zeros(region.shape, np.uint8), mask, region, (1, 1, 1), 0))
    assert (drawn == OUTLINE).all(axis=2).any()
    none = np.zeros_like(region)
    assert pixels(thumbnail(np.zeros(region.shape, np.uint8), None, none, (1, 1, 1), 0)).size
