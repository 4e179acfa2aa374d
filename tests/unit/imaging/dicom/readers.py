"""SimpleITK's reading of a series, to compare with; and what a refusal must be like."""

import numpy as np
import pytest
import SimpleITK as sitk

from ascnet_core.errors import UserError
from ascnet_core.imaging.formats import load_stored
from tests.dicoms import (
    IDENTITY,
)


def by_simpleitk(folder):
    """Voxels (column, row, slice) and affine to RAS, as SimpleITK reads a series."""
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    return of_image(reader.Execute())


def of_image(image):
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    affine[:3, 3] = image.GetOrigin()
    return sitk.GetArrayFromImage(image).transpose(2, 1, 0), np.diag([-1, -1, 1, 1]) @ affine


def refused(path, *, match, **choices):
    with pytest.raises(UserError, match=match) as caught:
        load_stored(path, **choices)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert not [word for word in IDENTITY if word.lower() in sentence.lower()]
    return sentence
