"""What is sent to the browser, unpacked here the way the browser does it."""

import base64
import gzip
import json
import struct

import numpy as np
import pytest

from pages.parts.viewer import viewer


def unpack(blob: bytes) -> tuple[dict, dict[str, np.ndarray]]:
    (length,) = struct.unpack("<I", blob[:4])
    header = json.loads(blob[4 : 4 + length])
    at, volumes = 4 + length, {}
    x, y, z = header["shape"]
    for name, size in header["parts"]:
        plain = np.frombuffer(gzip.decompress(blob[at : at + size]), np.uint8)
        volumes[name] = plain.reshape(z, y, x).transpose(2, 1, 0)
        at += size
    assert at == len(blob)
    return header, volumes


def test_volumes_arrive_as_they_were_cropped_to_region_and_truth() -> None:
    rng = np.random.default_rng(0)
    map8 = rng.integers(0, 256, (20, 18, 12)).astype(np.uint8)
    region, truth = np.zeros(map8.shape, bool), np.zeros(map8.shape, bool)
    region[5:9, 4:10, 3:6] = True
    truth[8:12, 5, 5] = True
    blob = viewer.pack_volumes("k", {"input": map8}, region, truth, (1.0, 1.5, 3.0))
    header, volumes = unpack(blob)
    box = tuple(slice(o, o + n) for o, n in zip(header["offset"], header["shape"], strict=True))
    assert header["offset"] == [3, 2, 1]
    assert header["shape"] == [11, 10, 7]
    assert header["full"] == [20, 18, 12]
    assert header["spacing"] == [1.0, 1.5, 3.0]
    assert np.array_equal(volumes["input"], map8[box])
    assert np.array_equal(volumes["labels"] & 1, region[box])
    assert np.array_equal(volumes["labels"] >> 1, truth[box])
    assert volumes["labels"].sum() == region.sum() + 2 * truth.sum()


def test_without_region_or_truth_everything_is_sent() -> None:
    map8 = np.ones((4, 3, 2), np.uint8)
    header, volumes = unpack(
        viewer.pack_volumes("k", {"wild": map8}, np.zeros(map8.shape, bool), None, (1, 1, 1))
    )
    assert header["shape"] == [4, 3, 2]
    assert np.array_equal(volumes["wild"], map8)


@pytest.mark.parametrize("small", [0, 10**6])
def test_a_mask_arrives_bit_for_bit(small: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(viewer, "SMALL", small)
    rng = np.random.default_rng(1)
    mask = np.zeros((13, 11, 7), bool)
    mask[2:9, 3:8, 1:6] = rng.random((7, 5, 5)) < 0.5
    packed = viewer.pack_mask(mask)
    block = base64.b64decode(packed["bits"])
    bits = np.unpackbits(np.frombuffer(gzip.decompress(block) if small == 0 else block, np.uint8))
    x, y, z = packed["shape"]
    inner = bits[: x * y * z].reshape(z, y, x).transpose(2, 1, 0)
    back = np.zeros_like(mask)
    back[tuple(slice(o, o + n) for o, n in zip(packed["offset"], (x, y, z), strict=True))] = inner
    assert np.array_equal(back, mask)
    assert viewer.pack_mask(np.zeros_like(mask))["shape"] == [0, 0, 0]


def test_a_residual_is_sent_only_while_it_is_looked_at() -> None:
    known = ("input", "fence", "wild", "reconstruction", "residual")
    assert viewer.maps_to_send(1000, "wild", known) == ("input", "fence", "wild", "reconstruction")
    assert viewer.maps_to_send(1000, "residual", known)[-1] == "residual"
    assert viewer.maps_to_send(10**8, "wild", known) == ("input", "wild")


def test_undefined_numbers_become_null() -> None:
    assert viewer.rounded([0.123456, float("nan"), 1.0]) == [0.1235, None, 1.0]
