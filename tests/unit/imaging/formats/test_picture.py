"""Pictures that are damaged."""

from contextlib import suppress

import numpy as np
import pytest
from PIL import Image

from ascnet_core.errors import UserError
from ascnet_core.imaging.formats import load_head, load_stored


@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg"])
def test_any_bytes_may_be_wrong(tmp_path, suffix):
    """Whatever pillow makes of a broken picture, here it is a sentence or a picture."""
    path = tmp_path / f"x{suffix}"
    noise = np.random.default_rng(0).integers(0, 255, (24, 20), np.uint8)
    Image.fromarray(noise).save(path)
    whole, rng = path.read_bytes(), np.random.default_rng(1)
    for _ in range(200):
        content = bytearray(whole)
        places = [*rng.integers(0, len(whole), 4), *rng.integers(0, 160, 2)]
        for place in places:
            content[place] = rng.integers(256)
        path.write_bytes(content)
        for read in (load_head, load_stored):
            with suppress(UserError):
                read(path)


def test_the_entry_of_a_tif_that_pillow_stumbles_over(tmp_path):
    """A tag of the wrong type: pillow raises a TypeError, which is none of a reader's usual."""
    path = tmp_path / "x.tif"
    Image.fromarray(np.zeros((24, 20), np.uint8)).save(path)
    content = bytearray(path.read_bytes())
    first = int.from_bytes(content[4:8], "little")
    for entry in range(int.from_bytes(content[first : first + 2], "little")):
        at = first + 2 + 12 * entry
        content[at + 2 : at + 4] = (2).to_bytes(2, "little")  # all are texts
    path.write_bytes(content)
    with pytest.raises(UserError, match="damaged"):
        load_stored(path)


@pytest.mark.parametrize("pages", [1, 2])
def test_a_tif_whose_strips_end_before_its_last_row_is_refused(tmp_path, pages):
    """Pillow takes 0 for what is missing: black rows, or gigabytes of them."""
    path = tmp_path / "x.tif"
    whole = Image.fromarray(np.full((24, 20), 7, np.uint8))
    whole.save(path, save_all=True, append_images=[whole] * (pages - 1))
    content = bytearray(path.read_bytes())
    rows = content.rindex(b"\1\1\4\0\1\0\0\0") + 8  # of the last page
    content[rows : rows + 4] = (8_000_000).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(UserError, match="strips end at 20 x 24"):
        load_stored(path, frame=pages - 1)


def test_what_would_run_another_program_is_no_picture(tmp_path):
    eps = "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n%%EOF\n"
    (tmp_path / "x.png").write_text(eps)
    for read in (load_head, load_stored):
        with pytest.raises(UserError, match="damaged, cut short or no"):
            read(tmp_path / "x.png")


def test_a_picture_is_read_for_what_it_is(tmp_path):
    Image.fromarray(np.full((4, 5), 7, np.uint8)).save(tmp_path / "x.bmp")
    (tmp_path / "x.bmp").rename(tmp_path / "x.png")
    assert load_stored(tmp_path / "x.png")[0].mean() == 7
