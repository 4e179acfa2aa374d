"""DICOM SEG files hold the very mask, on the slices of their series."""

import highdicom
import numpy as np
import pytest
from pydicom import dcmread

from ascnet_core.errors import UserError
from ascnet_core.imaging.dicom.seg import check_source, write_seg
from ascnet_core.imaging.formats import load_stored
from ascnet_core.imaging.volume import read_volume, to_stored
from tests.dicoms import enhanced, make_series, volume, zipped
from tests.helpers import make_nifti


def made(image, tmp_path, above=3000, frame=None):
    loaded = read_volume(image, frame=frame)
    mask = loaded.data > above
    path = tmp_path / f"seg-{above}.dcm"
    write_seg(path, to_stored(mask, loaded.grid), image, loaded.grid, frame)
    return path, mask, loaded


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("tilt", [0.0, 1.5])
def test_read_back_slice_by_slice(tmp_path, packed, tilt):
    paths = make_series(tmp_path / "s", volume(), step=(0, tilt, 5))
    image = zipped(tmp_path / "s", tmp_path / "s.zip") if packed else tmp_path / "s"
    path, mask, _ = made(image, tmp_path)
    seg = highdicom.seg.segread(path)
    uids = [dcmread(one).SOPInstanceUID for one in paths]
    frames = seg.get_pixels_by_source_instance(uids)[..., 0]
    assert np.array_equal(frames.astype(bool), volume() > 3000)
    assert frames.sum() == mask.sum()
    assert seg.SegmentSequence[0].SegmentLabel == "Anomaly"
    assert seg.StudyInstanceUID == dcmread(paths[0]).StudyInstanceUID
    for name in ("ContentDate", "ContentTime", "PatientID"):
        assert seg[name].value == dcmread(paths[0])[name].value


def test_pixels_read_by_pydicom_alone(tmp_path):
    make_series(tmp_path / "s", volume())
    path, _, _ = made(tmp_path / "s", tmp_path)
    seg = dcmread(path)
    heights = [
        float(one.PlanePositionSequence[0].ImagePositionPatient[2])
        for one in seg.PerFrameFunctionalGroupsSequence
    ]
    expected = volume() > 3000
    assert sorted(heights) == [30, 35, 40, 45, 50]
    for height, pixels in zip(heights, seg.pixel_array, strict=True):
        assert np.array_equal(pixels.astype(bool), expected[int((height - 30) / 5)])


def test_the_same_mask_gives_the_same_bytes(tmp_path):
    make_series(tmp_path / "s", volume())
    first = made(tmp_path / "s", tmp_path)[0].read_bytes()
    assert made(tmp_path / "s", tmp_path)[0].read_bytes() == first
    other = dcmread(made(tmp_path / "s", tmp_path, above=100)[0])
    assert other.SOPInstanceUID != dcmread(tmp_path / "seg-3000.dcm").SOPInstanceUID


def test_an_empty_mask(tmp_path, capfd):
    make_series(tmp_path / "s", volume())
    path, _, _ = made(tmp_path / "s", tmp_path, above=9999)
    assert not dcmread(path).pixel_array.any()
    assert not capfd.readouterr().err


def test_an_enhanced_source(tmp_path):
    source = enhanced(tmp_path / "x.dcm", volume())
    path, mask, loaded = made(source, tmp_path)
    seg = highdicom.seg.segread(path)
    frames = seg.get_pixels_by_source_frame(dcmread(source).SOPInstanceUID, range(1, 6))[..., 0]
    assert frames.sum() == mask.sum()
    stored = to_stored(mask, loaded.grid)
    assert np.array_equal(frames.astype(bool).transpose(2, 1, 0), stored)


def test_a_frame_of_several(tmp_path):
    for time in (1, 2):
        more = {"TemporalPositionIdentifier": time, "name": f"{time}-{{}}"}
        make_series(tmp_path / "s", volume(seed=time), **more)
    path, mask, _ = made(tmp_path / "s", tmp_path, frame=1)
    referred = dcmread(path).ReferencedSeriesSequence[0].ReferencedInstanceSequence
    second = {dcmread(one).SOPInstanceUID for one in (tmp_path / "s").glob("2-*")}
    assert {one.ReferencedSOPInstanceUID for one in referred} == second
    assert dcmread(path).pixel_array.sum() == mask.sum()


def test_what_has_no_seg(tmp_path):
    make_nifti(tmp_path / "x.nii")
    with pytest.raises(UserError, match="is no DICOM, as --dicom-seg needs it"):
        check_source(tmp_path / "x.nii")
    make_series(tmp_path / "s", volume(), FrameOfReferenceUID="")
    with pytest.raises(UserError, match="headers lack FrameOfReferenceUID"):
        made(tmp_path / "s", tmp_path)
    make_series(tmp_path / "t", volume(), PatientSex=None, StudyID=None)
    made(tmp_path / "t", tmp_path)
    assert load_stored(tmp_path / "t")[0].any()
