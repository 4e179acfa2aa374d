"""MGH and MGZ files, written here byte by byte, come to the voxels and mm that they say."""

import gzip
import struct

import numpy as np
import pytest

from ascnet_core.errors import UserError
from ascnet_core.imaging.formats import load_head, load_stored

VALUES = np.random.default_rng(0).integers(-999, 3000, (5, 4, 3)).astype(np.int16)


def mgh(path, values=VALUES, good=1):
    """FreeSurfer's header: sizes, zooms, directions, centre; then big-endian voxels."""
    x, y, z, frames = (*values.shape, 1)[:4]
    header = struct.pack(">7i", 1, x, y, z, frames, 4, 0) + struct.pack(">h", good)
    # columns are the directions of the axes: to the left, to inferior, to anterior
    directions = np.array([[-1, 0, 0], [0, 0, 1], [0, -1, 0.0]])
    centre = np.array([3.0, -4, 5])
    header += struct.pack(">3f", 0.5, 2, 3) + struct.pack(">9f", *directions.T.ravel())
    header += struct.pack(">3f", *centre)
    content = header.ljust(284, b"\0") + values.astype(">i2").tobytes("F")
    path.write_bytes(gzip.compress(content) if path.suffix == ".mgz" else content)
    affine = np.eye(4)
    affine[:3, :3] = directions * [0.5, 2, 3]
    affine[:3, 3] = centre - affine[:3, :3] @ (np.array([x, y, z]) / 2)
    return affine


@pytest.mark.parametrize("name", ["x.mgh", "x.mgz"])
def test_voxels_and_affine(tmp_path, name):
    affine = mgh(tmp_path / name)
    stored, grid = load_stored(tmp_path / name)
    assert np.array_equal(stored, VALUES)
    assert np.allclose(grid.affine, affine)
    assert grid.kind == "mgh"
    assert load_head(tmp_path / name).full_shape == (5, 4, 3)
    assert not grid.remarks


def test_frames(tmp_path):
    mgh(tmp_path / "x.mgz", np.stack([VALUES, VALUES + 1], -1))
    with pytest.raises(UserError, match="2 frames"):
        load_stored(tmp_path / "x.mgz")
    stored, grid = load_stored(tmp_path / "x.mgz", frame=1)
    assert np.array_equal(stored, VALUES + 1)
    assert grid.full_shape == (5, 4, 3)


def test_no_orientation_is_said(tmp_path):
    mgh(tmp_path / "x.mgz", good=0)
    assert "does not say how the head lies" in load_head(tmp_path / "x.mgz").remarks[0]


@pytest.mark.parametrize("kept", [0.0, 0.3, 0.8])
@pytest.mark.parametrize("name", ["x.mgh", "x.mgz"])
def test_cut_short(tmp_path, name, kept):
    mgh(tmp_path / name)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(UserError, match="damaged, cut short"):
        load_stored(tmp_path / name)


def test_a_header_may_not_ask_for_terabytes(tmp_path):
    mgh(tmp_path / "x.mgh")
    content = bytearray((tmp_path / "x.mgh").read_bytes())
    content[4:16] = struct.pack(">3i", 30000, 30000, 30000)
    for name, packed in (("x.mgh", bytes(content)), ("x.mgz", gzip.compress(bytes(content)))):
        (tmp_path / name).write_bytes(packed)
        with pytest.raises(UserError, match="damaged"):
            load_stored(tmp_path / name)


def test_enormous_sizes_are_refused_without_a_warning(tmp_path, recwarn):
    mgh(tmp_path / "x.mgh")
    content = bytearray((tmp_path / "x.mgh").read_bytes())
    content[30:54] = np.full(6, 3e38, ">f4").tobytes()
    (tmp_path / "x.mgh").write_bytes(content)
    with pytest.raises(UserError, match="places voxels nowhere"):
        load_head(tmp_path / "x.mgh")
    assert not recwarn.list
