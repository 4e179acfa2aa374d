"""Pictures in colour, outlines of masks, and tables in Markdown."""

import numpy as np

from pages.parts.shared import pictures, tables


def test_grey_pictures_become_rgb_and_rgb_stays() -> None:
    grey = np.arange(6, dtype=np.uint8).reshape(2, 3)
    coloured = pictures.as_rgb(grey)
    assert coloured.shape == (2, 3, 3)
    assert (coloured == grey[..., None]).all()
    assert pictures.as_rgb(coloured) is coloured
    assert pictures.rgb("#D55E00").tolist() == [0xD5, 0x5E, 0x00]


def test_an_outline_is_the_border_also_at_the_edge_of_the_picture() -> None:
    mask = np.zeros((5, 6), bool)
    mask[:4, 1:5] = True
    inside = np.zeros_like(mask)
    inside[1:3, 2:4] = True
    assert (pictures.outline(mask) == mask & ~inside).all()
    assert not pictures.outline(np.zeros((3, 3), bool)).any()


def test_a_markdown_table_escapes_its_cells() -> None:
    table = tables.markdown(("a", "b"), [("x|y", "1")])
    assert table == "| a | b |\n| --- | --- |\n| x\\|y | 1 |"
    assert tables.markdown(("a", "b"), [], (":-:", "--:")) == "| a | b |\n| :-: | --: |"
