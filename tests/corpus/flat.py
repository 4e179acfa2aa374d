"""Stacks of numpy and pictures: what is in them, and damage."""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

from tests.corpus.case import Cases, Evil, adder, put, scan

FLAT: Cases = {}
add = adder(FLAT)
STACK_ML = 0.008
"""Eight voxels of 1 mm, which stacks and pictures are taken to have."""
SLICE_ML = 0.004


def simple(name: str, content: bytes, file: str, **right: object) -> None:
    """Add a case that is one file of these bytes."""
    add(name, **right)(lambda folder: put(folder / file, content))


def npy(array: np.ndarray, **more: object) -> bytes:
    """Return the array as `.npy`."""
    out = io.BytesIO()
    np.save(out, array, **more)
    return out.getvalue()


# --- stacks ----------------------------------------------------------------------------------
stack = scan().transpose(2, 1, 0)
simple("stack", npy(stack), "x.npy", ml=STACK_ML)
simple("stack with its axes turned in memory", npy(np.asfortranarray(stack)), "x.npy", ml=STACK_ML)
simple("stack, big-endian", npy(stack.astype(">i4")), "x.npy", ml=STACK_ML)
for kind in ("f2", "f4", "f8", "u2", "i8"):
    simple(f"stack of {kind}", npy(stack.astype(kind)), "x.npy", ml=STACK_ML)
simple("stack with a last axis of 1", npy(stack[..., None]), "x.npy", ml=STACK_ML)
simple("stack of one slice", npy(stack[2]), "x.npy", ml=SLICE_ML)
simple("stack of channels", npy(np.stack([stack, stack // 2], -1)), "x.npy", says="--channel")
simple("stack of channels, one chosen", npy(np.stack([stack // 2, stack], -1)), "x.npy",
       ml=STACK_ML, how={"channel": 1})  # fmt: skip
simple("stack of complex numbers", npy(stack.astype("c8")), "x.npy", says="real")
simple("stack of words", npy(np.array([["a", "b"]])), "x.npy", says="x.npy")
simple("stack of dates", npy(stack.astype("M8[s]")), "x.npy", says="x.npy")
simple("stack of records", npy(np.zeros((3, 4, 5), [("a", "f4"), ("b", "i2")])), "x.npy",
       says="x.npy")  # fmt: skip
simple("stack of one axis", npy(stack.ravel()), "x.npy", says="shape")
simple("stack of six axes", npy(stack[None, None, None]), "x.npy", says="shape")
simple("stack of nothing", npy(stack[:0]), "x.npy", says="shape")
simple("stack of one number", npy(np.array(3.0)), "x.npy", says="shape")
simple("stack with NaN", npy(np.where(stack == 0, np.nan, stack)), "x.npy", says="nan")
simple("stack that is constant", npy(stack * 0 + 5), "x.npy", says="constant")
simple("stack that is empty", b"", "x.npy", says="x.npy")
simple("stack cut short", npy(stack)[:999], "x.npy", says="damaged|short")
simple("stack cut short in its header", npy(stack)[:40], "x.npy", says="damaged|short")
simple("text called .npy", b"1 2 3\n4 5 6\n", "x.npy", says="x.npy")
simple("an archive called .npy", b"PK\3\4" + bytes(60), "x.npy", says="x.npy")


def header(text: str, rest: bytes = b"") -> bytes:
    """Return a `.npy` file whose header says this."""
    line = text.encode("latin-1") + b"\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(line)) + line + rest


said = "{{'descr': {}, 'fortran_order': False, 'shape': {}, }}"
for name, text in {
    "terabytes": said.format("'<f8'", "(1000000, 1000, 1000)"),
    "a negative axis": said.format("'<f8'", "(3, -4, 5)"),
    "an axis beyond 64 bits": said.format("'<f8'", "(3, 99999999999999999999, 5)"),
    "an axis that is no number": said.format("'<f8'", "(3, 4.5, 'x')"),
    "an unknown type": said.format("'<q99'", "(3, 4, 5)"),
    "a bracket too few": "{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4, 5",
    "a quote too few": "{'descr': '<f8, 'fortran_order': False, 'shape': (3, 4, 5)}",
    "no table": "17",
    "words that are none": "\xff\xfe\x00 \x01",
    "a missing key": "{'descr': '<f8', 'shape': (3, 4, 5)}",
    "a call": f"__import__('pathlib').Path('{'CODE-WAS-RUN'}').touch()",
    "brackets without end": "(" * 5000,
}.items():
    simple(f"stack whose header holds {name}", header(text, bytes(480)), "x.npy", says="x.npy")
objects = npy(np.array([Evil(), Evil()], object), allow_pickle=True)
simple("stack of objects that run code", objects, "x.npy", says="x.npy")
simple("a pickle called .npy", pickle.dumps(Evil()), "x.npy", says="x.npy")


@add("arrays of .npz called .npy", says="x.npy")
def _npz(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "x.npy", "w") as archive:
        archive.writestr("arr_0.npy", objects)
    return folder / "x.npy"


# --- pictures --------------------------------------------------------------------------------
pixels = (scan()[:, :, 2].T // 4).astype(np.uint8)
grey = Image.fromarray(pixels)
colours = Image.fromarray(np.stack([pixels, pixels // 2, pixels // 3], -1))


def saved(picture: Image.Image, kind: str = "PNG", **more: object) -> bytes:
    """Return a picture's file."""
    out = io.BytesIO()
    picture.save(out, kind, **more)
    return out.getvalue()


simple("picture", saved(grey), "x.png", ml=SLICE_ML)
simple("picture of 16 bits", saved(Image.fromarray(pixels.astype(np.uint16) * 200)), "x.png",
       ml=SLICE_ML)  # fmt: skip
simple("picture with a palette of greys", saved(grey.convert("P")), "x.png", ml=SLICE_ML)
simple("picture with a palette of colours", saved(colours.quantize(8)), "x.png", says="--channel")
simple("picture with opacity", saved(grey.convert("LA")), "x.png", ml=SLICE_ML)
simple("picture of grey in colour", saved(grey.convert("RGBA")), "x.png", ml=SLICE_ML)
simple("picture in colour", saved(colours), "x.png", says="--channel")
simple("picture in colour, a channel chosen", saved(colours), "x.png", ml=SLICE_ML,
       how={"channel": 0})  # fmt: skip
simple("picture of two tones", saved(Image.fromarray(pixels > 200)), "x.png")
simple("picture of one pixel", saved(Image.new("L", (1, 1), 9)), "x.png", says="constant")
simple("picture of one tone", saved(Image.new("L", (9, 9), 9)), "x.png", says="constant")
simple("picture of black", saved(Image.new("L", (9, 9))), "x.png", says="constant|empty")
simple("picture that moves", saved(grey, save_all=True, append_images=[grey.rotate(90)]), "x.png",
       says="--frame")  # fmt: skip
simple("picture that moves, a frame chosen",
       saved(grey, save_all=True, append_images=[grey.rotate(90)]), "x.png", ml=SLICE_ML,
       how={"frame": 0})  # fmt: skip
simple("picture in inches", saved(grey, dpi=(300, 300)), "x.png", ml=SLICE_ML)
simple("picture that is empty", b"", "x.png", says="x.png")
simple("picture cut short", saved(grey)[:90], "x.png", says="damaged|short")
simple("picture cut short in its header", saved(grey)[:20], "x.png", says="damaged|short")
simple("a drawing called .png", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "x.png", says="x.png")
simple("a GIF called .png", saved(grey, "GIF"), "x.png")
simple("a PNG called .jpg", saved(grey), "x.jpg")


def chunk(kind: bytes, content: bytes, wrong: int = 0) -> bytes:
    """Return a piece of a PNG."""
    checksum = zlib.crc32(kind + content) ^ wrong
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def png(*chunks: bytes) -> bytes:
    """Return a PNG of these pieces."""
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks) + chunk(b"IEND", b"")


def size(columns: int, height: int, laced: int = 0) -> bytes:
    """Return a PNG's first piece: grey, 8 bits."""
    return chunk(b"IHDR", struct.pack(">IIBBBBB", columns, height, 8, 0, 0, 0, laced))


lines = zlib.compress(b"".join(b"\0" + bytes(row) for row in pixels))
simple("picture by hand", png(size(12, 14), chunk(b"IDAT", lines)), "x.png", ml=SLICE_ML)
passes = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
          (0, 1, 1, 2))  # fmt: skip
laced = b"".join(
    b"\0" + bytes(row) for x, y, dx, dy in passes for row in pixels[y::dy, x::dx] if row.size
)
simple("picture that is interlaced", png(size(12, 14, 1), chunk(b"IDAT", zlib.compress(laced))),
       "x.png", ml=SLICE_ML)  # fmt: skip
simple("picture with a wrong checksum", png(size(12, 14), chunk(b"IDAT", lines, 1)), "x.png")
simple("picture said to be larger", png(size(12, 999), chunk(b"IDAT", lines)), "x.png")
simple("picture said to be of gigabytes", png(size(200000, 200000), chunk(b"IDAT", lines)), "x.png",
       says="x.png")  # fmt: skip
simple("picture of no pixels", png(size(0, 0), chunk(b"IDAT", lines)), "x.png", says="x.png")
simple("picture whose text unfolds without end",
       png(size(12, 14), chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(80_000_000))),
           chunk(b"IDAT", lines)), "x.png")  # fmt: skip

simple("JPEG", saved(grey, "JPEG", quality=98), "x.jpg")
simple("JPEG for print", saved(colours.convert("CMYK"), "JPEG"), "x.jpg", says="--channel")
simple("JPEG turned by its EXIF", saved(grey, "JPEG", exif=b"Exif\0\0II*\0\10\0\0\0\1\0\22\1\3\0\1"
       b"\0\0\0\6\0\0\0\0\0\0\0"), "x.jpg")  # fmt: skip
simple("JPEG cut short", saved(grey.resize((200, 200)), "JPEG")[:700], "x.jpeg",
       says="damaged|short")  # fmt: skip
simple("JPEG that is empty", b"", "x.jpg", says="x.jpg")

for packed in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"):
    simple(f"TIF packed by {packed}", saved(grey, "TIFF", compression=packed), "x.tif", ml=SLICE_ML)
simple("TIF of real numbers", saved(Image.fromarray(pixels.astype("f4") / 7), "TIFF"), "x.tiff",
       ml=SLICE_ML)  # fmt: skip
simple("TIF of 32-bit numbers", saved(Image.fromarray(pixels.astype("i4") * 999), "TIFF"), "x.tif",
       ml=SLICE_ML)  # fmt: skip
simple("TIF of 16 bits", saved(Image.fromarray(pixels.astype("u2") * 99), "TIFF"), "x.tif",
       ml=SLICE_ML)  # fmt: skip
pages = saved(grey, "TIFF", save_all=True, append_images=[grey, grey])
simple("TIF of pages", pages, "x.tif", says="--frame")
simple("TIF of pages, one chosen", pages, "x.tif", ml=SLICE_ML, how={"frame": 2})
simple("TIF of pages, the ninth chosen", pages, "x.tif", says="frame", how={"frame": 8})
simple("TIF of thousands", saved(grey, "TIFF", big_tiff=True), "x.tif", ml=SLICE_ML)
width_at = pages.rindex(b"\0\1\4\0\1\0\0\0")  # the width of the last page
narrow = pages[:width_at] + b"\xff" + pages[width_at + 1 :]
simple("TIF whose last page has no width", narrow, "x.tif", says="x.tif", how={"frame": 2})
whole = saved(grey, "TIFF")
for share in (0.1, 0.5, 0.7, 0.9, 0.97):
    simple(f"TIF of which {share} is there", whole[: int(share * len(whole))], "x.tif")
simple("TIF whose table lies behind the end", b"II*\0" + struct.pack("<I", 10**6), "x.tif",
       says="x.tif")  # fmt: skip
simple("TIF whose table has no entries", b"II*\0" + struct.pack("<IHI", 8, 0, 0), "x.tif",
       says="x.tif")  # fmt: skip
circle = b"II*\0" + struct.pack("<IHHHIII", 8, 1, 256, 3, 1, 12, 8)
simple("TIF whose table goes in a circle", circle, "x.tif", says="x.tif")
simple("TIF that is empty", b"", "x.tif", says="x.tif")
