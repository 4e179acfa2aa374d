"""Damaged and unsuitable files are refused with one sentence."""

import errno
import gzip
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PIL import Image

from ascnet_core.errors import UserError
from ascnet_core.imaging.formats import (
    ENDINGS,
    FORMATS,
    IN_SHORT,
    format_of,
    load_head,
    load_stored,
    natural_key,
    output_suffix,
    stem_of,
)
from ascnet_core.imaging.formats.picture import colour_channels
from ascnet_core.imaging.image_format import UNSIZED, Grid, damage_told, suffix_of
from tests.helpers import make_nifti

ROOT = Path(__file__).parents[4]


def refused(path, *, match, **choices):
    with pytest.raises(UserError, match=match) as caught:
        load_stored(path, **choices)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_folder_and_unknown_format(tmp_path):
    refused(tmp_path / "none.nii.gz", match="is not there")
    refused(tmp_path, match="is a folder")
    (tmp_path / "x.xyz").write_bytes(b"DICM")
    refused(tmp_path / "x.xyz", match="of no format")


@pytest.mark.parametrize("name", ["x.nii.gz", "x.nii"])
@pytest.mark.parametrize("kept", [0.0, 0.05, 0.3, 0.9])
def test_cut_short(tmp_path, name, kept):
    whole = tmp_path / name
    make_nifti(whole, shape=(20, 20, 20))
    content = whole.read_bytes()
    whole.write_bytes(content[: int(len(content) * kept)])
    refused(whole, match="damaged, cut short or no .nii")


def test_other_things_under_an_image_name(tmp_path):
    for name, content in {
        "a.nii.gz": b"not compressed",
        "b.nii.gz": gzip.compress(b"compressed, but no volume" * 100),
        "c.npy": b"no stack",
        "d.png": b"\x89PNG\r\n\x1a\n broken",
        "e.jpg": b"",
        "f.tif": b"II*\x00\xff\xff\xff\xff",
    }.items():
        (tmp_path / name).write_bytes(content)
        refused(tmp_path / name, match="damaged, cut short or no")


def test_a_broken_head_may_not_ask_for_terabytes(tmp_path):
    make_nifti(tmp_path / "x.nii")
    content = bytearray((tmp_path / "x.nii").read_bytes())
    content[42:48] = np.array([30000] * 3, "<i2").tobytes()  # dim[1..3]
    (tmp_path / "x.nii").write_bytes(content)
    refused(tmp_path / "x.nii", match="damaged")
    (tmp_path / "x.nii.gz").write_bytes(gzip.compress(bytes(content)))
    refused(tmp_path / "x.nii.gz", match="damaged")


def test_small_faults_are_mended_in_silence(tmp_path, capfd, caplog):
    make_nifti(tmp_path / "x.nii", codes=(0, 1))
    content = bytearray((tmp_path / "x.nii").read_bytes())
    content[76:80] = np.array([0.5], "<f4").tobytes()  # pixdim[0], which may be 1 or -1
    (tmp_path / "x.nii").write_bytes(content)
    assert load_stored(tmp_path / "x.nii")[0].shape == (5, 7, 4)
    assert not capfd.readouterr().err
    assert not caplog.records


def test_picture_cut_short(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8)
    for name in ("x.png", "x.jpg", "x.tif"):
        Image.fromarray(noise).save(tmp_path / name)
        content = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(content[: len(content) // 2])
        refused(tmp_path / name, match="damaged, cut short or no")


def test_a_damaged_head_is_not_quoted(tmp_path):
    head = b"{'descr': 'SECRET', 'fortran_order': False, 'shape': (2,)}".ljust(117) + b"\n"
    for content in (head, b"SECRET {".ljust(117) + b"\n"):
        (tmp_path / "x.npy").write_bytes(b"\x93NUMPY\x01\x00\x76\x00" + content)
        refused(tmp_path / "x.npy", match="^(?!.*SECRET).*damaged, cut short or no .npy file")


@pytest.mark.parametrize("number", [errno.EMFILE, errno.EACCES, errno.EIO])
def test_a_file_that_the_system_refuses_is_not_called_damaged(number):
    path = Path("x.nii")
    with pytest.raises(UserError, match=r"x\.nii cannot be read: (?!.*damaged)"), damage_told(path):
        raise OSError(number, os.strerror(number))
    with pytest.raises(UserError, match="damaged"), damage_told(path):
        raise OSError(errno.EINVAL, "a seek to before the file")


def test_nothing_is_unpickled(tmp_path):
    np.save(tmp_path / "x.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    refused(tmp_path / "x.npy", match="damaged, cut short or no .npy|holds object")


def test_halves_of_a_pair(tmp_path):
    make_nifti(tmp_path / "x.img")
    assert load_stored(tmp_path / "x.hdr")[0].shape == (5, 7, 4)
    (tmp_path / "x.hdr").rename(tmp_path / "y.hdr")
    refused(tmp_path / "y.hdr", match="lacks its image data: put y.img beside it")
    refused(tmp_path / "x.img", match="lacks its header: put x.hdr beside it")


@pytest.mark.parametrize("shape", [(7,), (2, 3, 4, 5), (2, 3, 4, 1, 1), (0, 4, 4)])
def test_wrong_shape_of_a_stack(tmp_path, shape):
    np.save(tmp_path / "x.npy", np.zeros(shape, np.float32))
    refused(tmp_path / "x.npy", match=r"has shape .*; a stack is \(N, H, W\)")


def test_wrong_shape_of_a_volume(tmp_path):
    nib.save(nib.Nifti1Image(np.zeros((2, 2, 2, 1, 3), np.int16), np.eye(4)), tmp_path / "x.nii")
    refused(tmp_path / "x.nii", match="has shape 2 x 2 x 2 x 1 x 3")


def test_stacks_of_any_number_type(tmp_path):
    for dtype in (bool, np.uint8, np.int64, np.float16, np.float64):
        np.save(tmp_path / "x.npy", np.ones((2, 3, 4), dtype))
        array, grid = load_stored(tmp_path / "x.npy")
        assert array.dtype == np.float32
        assert array.shape == grid.shape == (2, 3, 4)
    np.save(tmp_path / "x.npy", np.ones((3, 4)))
    assert load_stored(tmp_path / "x.npy")[0].shape == (1, 3, 4)
    np.save(tmp_path / "x.npy", np.ones((2, 3, 4), complex))
    refused(tmp_path / "x.npy", match="real numbers")


def test_channels_of_pictures(tmp_path):
    colour = np.random.default_rng(0).integers(0, 255, (4, 5, 3), np.uint8)
    for name in ("x.png", "x.tif"):
        Image.fromarray(colour).save(tmp_path / name)
        refused(tmp_path / name, match="holds 3 channels; choose one from 0 to 2")
        refused(tmp_path / name, match="no channel 3", channel=3)
        array, _ = load_stored(tmp_path / name, channel=1)
        assert np.array_equal(array[:, :, 0], colour[:, :, 1])
        assert colour_channels(tmp_path / name) == 3


def test_grey_pictures_need_no_choice(tmp_path):
    grey = np.random.default_rng(0).integers(0, 255, (16, 16), np.uint8)
    for mode, name in (
        ("RGB", "a.png"), ("RGBA", "b.png"), ("LA", "c.png"), ("P", "d.png"), ("L", "e.tif"),
    ):  # fmt: skip
        Image.fromarray(grey).convert(mode).save(tmp_path / name)
        array, _ = load_stored(tmp_path / name, channel=None)
        assert np.array_equal(array[:, :, 0], grey), mode
    Image.fromarray(grey).convert("RGB").save(tmp_path / "f.jpg")
    assert np.abs(load_stored(tmp_path / "f.jpg")[0][:, :, 0] - grey).max() < 40
    assert colour_channels(tmp_path / "c.png") == 1
    deep = grey.astype(np.uint16) * 200
    Image.fromarray(deep).save(tmp_path / "g.png")
    assert np.array_equal(load_stored(tmp_path / "g.png", channel=2)[0][:, :, 0], deep)
    Image.fromarray(grey > 100).save(tmp_path / "h.png")
    assert np.array_equal(load_stored(tmp_path / "h.png")[0][:, :, 0] > 127, grey > 100)


def test_pages_of_a_tif(tmp_path):
    pages = [Image.fromarray(np.full((4, 5), n, np.uint8)) for n in range(3)]
    pages[0].save(tmp_path / "x.tif", save_all=True, append_images=pages[1:])
    refused(tmp_path / "x.tif", match="3 frames")
    assert load_stored(tmp_path / "x.tif", frame=2)[0].max() == 2


def test_colour_volume(tmp_path):
    rgb = np.zeros((3, 4, 5), [("R", "u1"), ("G", "u1"), ("B", "u1")])
    rgb["G"] = 7
    nib.save(nib.Nifti1Image(rgb, np.eye(4)), tmp_path / "x.nii")
    refused(tmp_path / "x.nii", match="3 channels")
    assert load_stored(tmp_path / "x.nii", channel=1)[0].mean() == 7
    nib.save(nib.Nifti1Image(np.ones((2, 2, 2), np.complex64), np.eye(4)), tmp_path / "y.nii")
    refused(tmp_path / "y.nii", match="complex")


def test_head_agrees_with_the_file(tmp_path):
    make_nifti(tmp_path / "x.nii.gz", shape=(2, 3, 4, 5), axcodes="SPL")
    assert load_head(tmp_path / "x.nii.gz").full_shape == (4, 3, 2, 5)
    np.save(tmp_path / "x.npy", np.zeros((2, 3, 4, 1)))
    Image.new("L", (5, 4)).save(tmp_path / "x.png")
    for name in ("x.npy", "x.png"):
        head, (_, grid) = load_head(tmp_path / name), load_stored(tmp_path / name)
        assert head.shape == grid.shape
        assert head.full_shape == grid.full_shape
        assert np.array_equal(head.affine, grid.affine)


def test_files_without_sizes_say_so(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((2, 3, 4, 1)))
    Image.new("L", (5, 4)).save(tmp_path / "x.png")
    for name in ("x.npy", "x.png"):
        assert load_stored(tmp_path / name)[1].remarks == (UNSIZED,)


def test_names(tmp_path):
    assert suffix_of(tmp_path / "A.B.NII.GZ") == ".nii.gz"
    assert stem_of(tmp_path / "A.B.nii.gz") == "A.B"
    names = ["s_10.tif", "s_9.tif", "10.tif", "s.tif"]
    assert sorted(names, key=natural_key) == ["10.tif", "s.tif", "s_9.tif", "s_10.tif"]


# --- the registry --------------------------------------------------------------------------------


@pytest.mark.parametrize("one", [f for f in FORMATS if f.write], ids=lambda one: one.name)
def test_what_a_format_writes_it_reads(tmp_path, one):
    path = tmp_path / f"x{one.output}"
    assert format_of(path) is one
    grid = Grid((3, 2, 1), np.eye(4), None, one.name)
    values = np.array([[[0], [255]], [[1], [2]], [[3], [4]]], np.uint8)
    one.write(path, values, grid, np.uint8)
    stored, read = load_stored(path)
    assert np.array_equal(stored, values)
    assert read.kind == load_head(path).kind == one.name
    assert output_suffix(read) == one.output


def test_a_format_that_is_not_written_has_masks_in_one_that_is():
    for one in FORMATS:
        written = format_of(Path(f"x{one.output}"))
        assert written.write
        assert one.write is None or written is one


def test_words_for_people_name_every_format(tmp_path):
    (tmp_path / "x.xyz").write_bytes(b"DICM")
    with pytest.raises(UserError) as caught:
        load_stored(tmp_path / "x.xyz")
    for one in FORMATS:
        assert one.long in str(caught.value)
        assert one.short in IN_SHORT
        assert {s.rpartition(".")[2] for s in one.suffixes if s not in one.pair} <= set(ENDINGS)


TOY = '''
"""Grey values as text, a line a row."""
import numpy as np
from ascnet_core.imaging.image_format import Format, Grid, damage_told

def head(path):
    return load(path, None, None)[1]

def load(path, frame, channel):
    with damage_told(path):
        rows = np.loadtxt(path, np.float32, ndmin=2)
    return rows[..., None], Grid((*rows.shape, 1), np.eye(4), None, "toy", rows.shape)

def write(path, stored, grid, dtype):
    np.savetxt(path, stored[:, :, 0].astype(dtype), "%g")

FORMAT = Format("toy", (".toy",), "TOY", "text (.toy)", "texts", ".toy", load, head, write)
'''


def test_a_new_format_is_one_file(tmp_path):
    """A copy of the package with one file more lists, indexes, reads and writes the format."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "ascnet_core", tmp_path / "ascnet_core", ignore=ignored)
    (tmp_path / "ascnet_core" / "imaging" / "formats" / "toy.py").write_text(TOY)
    scans = tmp_path / "scans"
    scans.mkdir()
    (scans / "a.toy").write_text("1 2\n3 4\n")
    (scans / "a_mask.toy").write_text("0 0\n0 1\n")
    program = """
        from pathlib import Path
        from ascnet_core.cli import main
        from ascnet_core.imaging.cohort import read_manifest
        from ascnet_core.imaging.formats import output_suffix
        from ascnet_core.imaging.prepare import prepare_scan
        from ascnet_core.imaging.volume import write_volume
        assert main(["segment", "--help"]) == 0
        assert main(["index", "scans"]) == 0
        made = prepare_scan(read_manifest("scans/manifest.csv").scans[0])
        grid = made.volume.grid
        write_volume(Path("mask" + output_suffix(grid)), made.truth, grid, bool)
        assert main(["segment", "run", "x.bad", "-o", "out"]) == 2
    """
    (tmp_path / "x.bad").write_bytes(b"")
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    assert "TOY" in done.stdout
    assert "text (.toy)" in done.stderr
    assert (tmp_path / "mask.toy").read_text() == "0 0\n0 1\n"
