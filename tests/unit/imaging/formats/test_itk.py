"""NRRD and MetaImage files, written here byte by byte, come to the voxels and mm that they say."""

import bz2
import gzip
import subprocess
import sys
import zlib

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk

from ascnet_core.errors import UserError
from ascnet_core.imaging.formats import load_head, load_stored
from ascnet_core.imaging.image_format import UNSIZED
from ascnet_core.imaging.volume import read_mask, read_volume, write_volume
from tests.dicoms import make_series, volume

VALUES = np.random.default_rng(0).integers(-999, 3000, (5, 4, 3)).astype(np.int16)
# Columns are the steps along the stored axes, then the origin; LPS mm, oblique and sheared.
LPS = np.array([[0.5, 0.1, 0, -7], [-0.1, 0.6, 0.4, 8], [0, 0, 2, 9], [0, 0, 0, 1.0]])
RAS = np.diag([-1.0, -1, 1, 1]) @ LPS


def stored_bytes(values=VALUES):
    return values.tobytes("F")


def nrrd(
    path, values=VALUES, *, data=None, encoding="raw", space="left-posterior-superior", extra=""
):
    """Write an attached header and data, or a header alone that names `data`."""
    turn = {"right-anterior-superior": [-1, -1, 1], "left-anterior-superior": [1, -1, 1]}
    matrix = np.diag([*turn.get(space, [1, 1, 1]), 1]) @ LPS
    vectors = [f"({','.join(map(repr, column.tolist()))})" for column in matrix[:3].T]
    kind = {"int16": "short", "uint8": "uchar", "float32": "float"}[values.dtype.name]
    sizes = " ".join(map(str, values.shape))
    header = (
        f"NRRD0005\n# made by a test\ntype: {kind}\ndimension: 3\nspace: {space}\nsizes: {sizes}\n"
        f"space directions: {' '.join(vectors[:3])}\nkinds: domain domain domain\n"
        f"endian: little\nencoding: {encoding}\nspace origin: {vectors[3]}\n{extra}"
    )
    raw = stored_bytes(values)
    packed = {"gzip": gzip.compress, "bzip2": bz2.compress, "raw": bytes}[encoding](raw)
    if data is None:
        path.write_bytes(header.encode() + b"\n" + packed)
    else:
        path.write_text(f"{header}data file: {data}\n")
    return packed


def meta(path, values=VALUES, *, data="LOCAL", packed=False, extra=""):
    vectors = LPS[:3, :3] / np.linalg.norm(LPS[:3, :3], axis=0)
    spacing = np.linalg.norm(LPS[:3, :3], axis=0)

    def text(numbers):
        return " ".join(map(repr, np.ravel(numbers).tolist()))

    kind = {"int16": "MET_SHORT", "uint8": "MET_UCHAR"}[values.dtype.name]
    content = zlib.compress(stored_bytes(values)) if packed else stored_bytes(values)
    header = (
        f"ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\n"
        f"CompressedData = {packed}\n{extra}TransformMatrix = {text(vectors.T)}\n"
        f"Offset = {text(LPS[:3, 3])}\nElementSpacing = {text(spacing)}\n"
        f"DimSize = {' '.join(map(str, values.shape))}\nElementType = {kind}\n"
        f"ElementDataFile = {data}\n"
    )
    path.write_bytes(header.encode() + (content if data == "LOCAL" else b""))
    return content


def refused(path, *, match, **choices):
    with pytest.raises(UserError, match=match) as caught:
        load_stored(path, **choices)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "root:" not in str(caught.value)


def same(path, affine=RAS, values=VALUES, kind=""):
    stored, grid = load_stored(path)
    assert np.array_equal(stored, values)
    assert np.allclose(grid.affine, affine, atol=1e-6)
    found = load_head(path)
    assert np.array_equal(found.affine, grid.affine)
    assert found.shape == found.full_shape == grid.shape
    assert not kind or grid.kind == kind
    return grid


@pytest.mark.parametrize("encoding", ["raw", "gzip"])
@pytest.mark.parametrize(
    "space", ["left-posterior-superior", "right-anterior-superior", "left-anterior-superior"]
)
def test_nrrd(tmp_path, encoding, space):
    nrrd(tmp_path / "x.nrrd", encoding=encoding, space=space)
    assert not same(tmp_path / "x.nrrd", kind="nrrd").remarks


def test_bzip2_is_refused(tmp_path):
    nrrd(tmp_path / "x.nrrd", encoding="bzip2")
    refused(tmp_path / "x.nrrd", match="encoding that is not read; save it as raw or gzip")


def test_nrrd_with_data_beside_it(tmp_path):
    (tmp_path / "x.raw").write_bytes(nrrd(tmp_path / "x.nhdr", data="x.raw"))
    same(tmp_path / "x.nhdr")
    for number in range(3):
        (tmp_path / f"s{number + 1:02d}.raw").write_bytes(stored_bytes(VALUES[:, :, number]))
    nrrd(tmp_path / "many.nhdr", data="s%02d.raw 1 3 1")
    same(tmp_path / "many.nhdr")
    nrrd(tmp_path / "list.nhdr", data="LIST\ns01.raw\ns02.raw\ns03.raw")
    same(tmp_path / "list.nhdr")


@pytest.mark.parametrize("packed", [False, True])
def test_metaimage(tmp_path, packed):
    meta(tmp_path / "x.mha", packed=packed)
    assert not same(tmp_path / "x.mha", kind="metaimage").remarks
    image = sitk.ReadImage(str(tmp_path / "x.mha")) if not packed else None
    assert image is None or np.array_equal(sitk.GetArrayFromImage(image).T, VALUES)
    (tmp_path / "y.raw").write_bytes(meta(tmp_path / "y.mhd", data="y.raw", packed=packed))
    same(tmp_path / "y.mhd")


def test_as_simpleitk_writes_it(tmp_path):
    image = sitk.GetImageFromArray(VALUES.transpose(2, 1, 0).astype(np.float32) / 7)
    image.SetSpacing((0.5, 0.6, 2))
    for name in ("x.mha", "x.mhd", "x.nrrd", "x.nhdr"):
        sitk.WriteImage(image, str(tmp_path / name), useCompression=True)
        same(tmp_path / name, np.diag([-0.5, -0.6, 2, 1]), VALUES.astype(np.float32) / 7)


@pytest.mark.parametrize(
    "elsewhere",
    ["/etc/passwd", "../secret.raw", "sub/x.raw", "..", "sub\\x.raw", "%s%n.raw 1 3 1", "x%x.raw"],
)
def test_data_elsewhere_are_never_read(tmp_path, elsewhere):
    inner = tmp_path / "in"
    (inner / "sub").mkdir(parents=True)
    (tmp_path / "secret.raw").write_bytes(stored_bytes())
    (inner / "sub" / "x.raw").write_bytes(stored_bytes())
    meta(inner / "x.mhd", data=elsewhere)
    nrrd(inner / "x.nhdr", data=elsewhere)
    nrrd(inner / "y.nrrd", data=elsewhere)
    nrrd(inner / "z.nhdr", data=f"LIST\n{elsewhere}")
    for name in ("x.mhd", "x.nhdr", "y.nrrd", "z.nhdr"):
        refused(inner / name, match="image data in another folder")


def test_data_that_are_not_there(tmp_path):
    meta(tmp_path / "x.mhd", data="x.raw")
    nrrd(tmp_path / "x.nhdr", data="x.raw")
    for name in ("x.mhd", "x.nhdr"):
        refused(tmp_path / name, match="lacks its image data: put x.raw beside it")


@pytest.mark.parametrize("unit", [("um", 1e-3), ("cm", 10), ("m", 1e3)])
def test_units_are_what_the_header_means(tmp_path, unit):
    name, factor = unit
    nrrd(tmp_path / "x.nrrd", extra=f'space units: "{name}" "{name}" "{name}"\n')
    meta(tmp_path / "x.mha", extra=f"DistanceUnits = {name}\n")
    scaled = RAS.copy()
    scaled[:3] *= factor
    for path in (tmp_path / "x.nrrd", tmp_path / "x.mha"):
        assert not same(path, scaled).remarks


def test_what_a_header_leaves_unsure_is_said(tmp_path):
    nrrd(tmp_path / "x.nrrd", extra='space units: "furlong" "furlong" "furlong"\n')
    assert "unit of length is not known" in same(tmp_path / "x.nrrd").remarks[0]
    text = "NRRD0004\ntype: uchar\ndimension: 3\nsizes: 2 2 2\nspacings: 1 2 3\nencoding: raw\n\n"
    (tmp_path / "y.nrrd").write_bytes(text.encode() + bytes(range(8)))
    stored, grid = load_stored(tmp_path / "y.nrrd")
    assert np.allclose(grid.affine, np.diag([-1, -2, 3, 1]))
    assert stored[1, 0, 0] == 1
    assert "does not say where left" in grid.remarks[0]
    assert UNSIZED not in grid.remarks
    (tmp_path / "y.nrrd").write_bytes(text.replace("1 2 3", "nan nan nan").encode() + bytes(8))
    assert UNSIZED in load_head(tmp_path / "y.nrrd").remarks
    meta(tmp_path / "y.mha")
    content = (tmp_path / "y.mha").read_bytes()
    (tmp_path / "y.mha").write_bytes(content.replace(b"TransformMatrix", b"Nothing"))
    (remark,) = load_head(tmp_path / "y.mha").remarks
    assert "does not say where left" in remark
    (tmp_path / "y.mha").write_bytes(content.replace(b"ElementSpacing", b"Nothing"))
    assert load_head(tmp_path / "y.mha").remarks == (UNSIZED,)


@pytest.mark.parametrize("kept", [0.0, 0.05, 0.5, 0.98])
@pytest.mark.parametrize("name", ["x.nrrd", "z.nrrd", "x.mha", "z.mha"])
def test_cut_short(tmp_path, capfd, kept, name):
    path = tmp_path / name
    packed = name.startswith("z")
    if name.endswith("nrrd"):
        nrrd(path, encoding="gzip" if packed else "raw")
    else:
        meta(path, packed=packed)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    refused(path, match="damaged, cut short|is no NRRD|is no MetaImage|encoding that is not read")
    assert not capfd.readouterr().err


def test_a_header_may_not_ask_for_terabytes(tmp_path):
    nrrd(tmp_path / "x.nrrd", encoding="gzip")
    meta(tmp_path / "x.mha", packed=True)
    for name, old in (("x.nrrd", b"sizes: 5 4 3"), ("x.mha", b"DimSize = 5 4 3")):
        content = (tmp_path / name).read_bytes()
        new = old.replace(b"5 4 3", b"30000 30000 30000")
        (tmp_path / name).write_bytes(content.replace(old, new))
        refused(tmp_path / name, match="damaged, cut short")


def test_frames_and_colours(tmp_path):
    text = (
        "NRRD0004\ntype: short\ndimension: 4\nspace: left-posterior-superior\nsizes: 2 5 4 3\n"
        "space directions: none (1,0,0) (0,1,0) (0,0,1)\nkinds: list domain domain domain\n"
        "endian: little\nencoding: raw\nspace origin: (0,0,0)\n\n"
    )
    both = np.stack([VALUES, VALUES + 1])
    (tmp_path / "x.nrrd").write_bytes(text.encode() + both.tobytes("F"))
    refused(tmp_path / "x.nrrd", match="holds 2 frames")
    assert load_head(tmp_path / "x.nrrd").full_shape == (5, 4, 3, 2)
    assert np.array_equal(load_stored(tmp_path / "x.nrrd", frame=1)[0], VALUES + 1)
    colour = np.random.default_rng(1).integers(0, 255, (3, 5, 4, 2)).astype(np.uint8)
    header = (
        "ObjectType = Image\nNDims = 3\nDimSize = 5 4 2\nElementNumberOfChannels = 3\n"
        "ElementType = MET_UCHAR\nElementDataFile = LOCAL\n"
    )
    (tmp_path / "x.mha").write_bytes(header.encode() + colour.tobytes("F"))
    refused(tmp_path / "x.mha", match="holds 3 channels")
    assert np.array_equal(load_stored(tmp_path / "x.mha", channel=2)[0], colour[2])


def test_masks_are_read_in_them_and_written_as_nifti(tmp_path):
    nrrd(tmp_path / "x.nrrd")
    truth = (VALUES > 1000).astype(np.uint8)
    meta(tmp_path / "mask.mha", truth, packed=True)
    image = read_volume(tmp_path / "x.nrrd")
    mask = read_mask(tmp_path / "mask.mha", image)
    assert mask.sum() == truth.sum()
    write_volume(tmp_path / "out.nii.gz", mask, image.grid, bool)
    written = nib.load(tmp_path / "out.nii.gz")
    assert np.array_equal(np.asarray(written.dataobj), truth)
    assert np.allclose(written.affine, RAS, atol=1e-6)
    assert written.header.get_xyzt_units()[0] == "mm"
    assert np.array_equal(read_mask(tmp_path / "out.nii.gz", image), mask)
    with pytest.raises(UserError, match=r"name it \.nii\.gz, \.png or \.npy|cannot be written"):
        write_volume(tmp_path / "out.nrrd", mask, image.grid, bool)


@pytest.mark.parametrize("missing", ["SimpleITK", "pydicom"])
def test_without_the_extra_the_sentence_names_the_command(tmp_path, monkeypatch, missing):
    nrrd(tmp_path / "x.nrrd")
    make_series(tmp_path / "series", volume())
    monkeypatch.setitem(sys.modules, missing, None)
    path = tmp_path / ("x.nrrd" if missing == "SimpleITK" else "series")
    refused(path, match=r"pip install '\.\[formats\]'")
    with pytest.raises(UserError, match=missing):
        load_head(path)


def test_nothing_of_it_is_imported_for_help_or_nifti():
    program = (
        "import sys\nfrom ascnet_core.imaging import formats\n"
        "print([m for m in ('SimpleITK', 'pydicom', 'highdicom', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
