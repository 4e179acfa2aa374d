"""Any grid, type and orientation: volume, mask and millilitres come back exactly.

Files are written and read back by `tests/corpus/by_hand.py`, which shares no code with the readers.
"""

import gzip
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ascnet_core.imaging.volume import read_mask, read_volume, write_volume
from tests.corpus import by_hand
from tests.helpers import rotation

TYPES = ("u1", "i1", "i2", "u2", "i4", "u4", "f4", "f8")
bounded = settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@st.composite
def grids(draw):
    """Fields of a header that place voxels: spacing, turn, shear, hand, forms, unit."""
    spacing = np.array([draw(st.sampled_from([0.2, 0.75, 1, 3.3, 12])) for _ in range(3)])
    turn = rotation(draw(st.sampled_from([0, 0, 5.5, 31, 100])))
    hand = draw(st.sampled_from([1, -1]))
    forms = draw(st.sampled_from(["q", "s", "both"]))
    unit = draw(st.sampled_from([2, 2, 0, 1, 3]))
    shear = np.eye(3)
    order = np.eye(3)
    if forms != "q":  # a quaternion holds neither shear nor a mirror but that of the last axis
        shear[0, 2] = draw(st.sampled_from([0, 0.1, -0.3]))
        order = order[:, list(draw(st.permutations(range(3))))]
        order = order * [draw(st.sampled_from([1, -1])) for _ in range(3)]
    axes = turn @ shear @ order @ np.diag([1, 1, hand])
    origin = np.array([draw(st.sampled_from([-90.5, 0, 17])) for _ in range(3)])
    per_mm = 1 / by_hand.UNITS_MM[unit]
    fields = {"xyzt_units": unit | 8}
    pixdim = [1, *(spacing * per_mm), 1, 1, 1, 1]
    if forms in ("q", "both"):
        pixdim[0] = hand
        fields |= {"qform_code": 1, "quatern": by_hand.quaternion(turn)}
        fields["qoffset"] = origin * per_mm
    if forms in ("s", "both"):
        rows = np.c_[axes * spacing, origin] * per_mm
        fields |= {"sform_code": draw(st.sampled_from([1, 2, 4])), "srow": rows}
    return fields | {"pixdim": pixdim}


@st.composite
def files(draw):
    """Raw numbers and the fields of a header, with version and byte order."""
    shape = tuple(draw(st.integers(1, 5)) for _ in range(3))
    shape += draw(st.sampled_from([(), (1,), (1, 1)]))
    kind = np.dtype(draw(st.sampled_from(TYPES)))
    values = np.random.default_rng(draw(st.integers(0, 99))).integers(0, 100, shape)
    fields = draw(grids())
    slope, inter = draw(st.sampled_from([(1, 0), (0, 0), (0.5, -3), (-2, 7), (1e-3, 0)]))
    fields |= {"scl_slope": slope, "scl_inter": inter}
    version = draw(st.sampled_from([1, 2]))
    endian = draw(st.sampled_from("<>"))
    content = by_hand.nifti(values.astype(kind), version=version, endian=endian, fields=fields)
    zipped = draw(st.booleans())
    return gzip.compress(content, 1) if zipped else content, ".nii.gz" if zipped else ".nii"


def same_place(one: Path, other: Path) -> bool:
    """Whether two files' voxels lie at the same places: the values' order and the affines."""
    values, affine, _ = by_hand.read(one)
    others, other_affine, _ = by_hand.read(other)
    scale = np.abs(affine).max()
    return values.shape == others.shape and bool(
        np.allclose(affine, other_affine, rtol=0, atol=1e-6 * scale)
    )


@bounded
@given(files())
def test_volume_mask_and_millilitres_come_back(tmp_path, made):
    content, suffix = made
    path, mask, copy = tmp_path / f"x{suffix}", tmp_path / "mask.nii.gz", tmp_path / "copy.nii"
    path.write_bytes(content)
    values, affine, _ = by_hand.read(path)
    volume = read_volume(path)
    ml = abs(np.linalg.det(affine[:3, :3])) / 1000
    assert np.isclose(volume.voxel_ml, ml, rtol=1e-5)

    level = float(np.median(values.astype(np.float32)))
    marked = volume.data > level
    write_volume(mask, marked, volume.grid, np.uint8)
    written, _, _ = by_hand.read(mask)
    assert np.array_equal(written, values.astype(np.float32) > level)
    assert same_place(mask, path)
    back = read_volume(mask)
    assert np.array_equal(back.data, marked)
    assert np.isclose(back.voxel_ml * back.data.sum(), ml * marked.sum(), rtol=1e-5)

    write_volume(copy, volume.data, volume.grid)
    again, _, _ = by_hand.read(copy)
    assert np.allclose(again, values, rtol=1e-6, atol=0)
    assert same_place(copy, path)


@bounded
@given(
    grids(),
    st.sampled_from([1, 2]),
    st.sampled_from("<>"),
    st.sampled_from(["u1", "i2", "f4", "f8"]),
    st.sampled_from([(0, 1), (0, 255), (1, 2), (3, 7), (0, 100), (9, 0)]),
    st.sampled_from([(1, 0), (1 / 255, 0), (1, -1024), (-1, 0), (0, 0), (1e-3, 0.5)]),
)
def test_a_mask_of_any_two_values_is_what_is_rarer_at_the_border(
    tmp_path, fields, version, endian, kind, pair, scale
):
    truth = np.zeros((5, 6, 5), bool)
    truth[1:3, 2:5, 1:4] = True
    (tmp_path / "x.nii").write_bytes(
        by_hand.nifti(np.indices(truth.shape).sum(0).astype("i2"), fields=fields)
    )
    raw = np.where(truth, pair[1], pair[0]).astype(kind)
    scaled = fields | {"scl_slope": scale[0], "scl_inter": scale[1]}
    (tmp_path / "mask.nii").write_bytes(
        by_hand.nifti(raw, version=version, endian=endian, fields=scaled)
    )
    volume = read_volume(tmp_path / "x.nii")
    found = read_mask(tmp_path / "mask.nii", volume)
    write_volume(tmp_path / "out.nii", found, volume.grid, np.uint8)
    assert np.array_equal(by_hand.read(tmp_path / "out.nii")[0] > 0, truth)
