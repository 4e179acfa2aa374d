"""Stacks that are damaged, or whose head says what is not so."""

import numpy as np
import pytest

from ascnet_core.errors import UserError
from ascnet_core.imaging.formats import load_head, load_stored


def npy(head):
    """A file with this text for its head, and 96 bytes of data."""
    text = head.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + b"\0" * 96


@pytest.mark.parametrize(
    "head",
    [
        "{'descr': '<f4', 'fortran_order': False, 'shape': (900000, 900000, 9), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-2, 3, 4), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3, 5), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': 'abc', }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3, 4)",
        "{'descr': '<f4', 'fortran_order': False}",
        "{'descr': 'nonsense', 'fortran_order': False, 'shape': (2, 3, 4), }",
        "{'descr': [], 'fortran_order': False, 'shape': (2, 3, 4), }",
        "{'descr': '|O', 'fortran_order': False, 'shape': (2, 3, 4), }",
        "{'descr': '<U4', 'fortran_order': False, 'shape': (2, 3), }",
        "__import__('os').abort()",
        "(" * 100,
        "\0\1",
        "'" * 3,
    ],
)
def test_a_head_that_is_wrong(tmp_path, head):
    (tmp_path / "x.npy").write_bytes(npy(head))
    with pytest.raises(UserError, match=r"x\.npy (is damaged|holds)"):
        load_stored(tmp_path / "x.npy")


def test_a_head_that_is_right(tmp_path):
    head = "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3, 4), }"
    (tmp_path / "x.npy").write_bytes(npy(head))
    assert load_stored(tmp_path / "x.npy")[0].shape == (2, 3, 4)


@pytest.mark.parametrize("kept", [0, 3, 8, 9, 40, 100, 150])
def test_cut_short(tmp_path, kept):
    np.save(tmp_path / "x.npy", np.ones((2, 3, 4), np.float32))
    (tmp_path / "x.npy").write_bytes((tmp_path / "x.npy").read_bytes()[:kept])
    for read in (load_head, load_stored):
        with pytest.raises(UserError, match="damaged, cut short"):
            read(tmp_path / "x.npy")
