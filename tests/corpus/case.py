"""A bad or odd input, and what is right: a number, or a sentence that holds these words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tests.corpus import by_hand

Make = Callable[[Path], Path]

SHAPE = (12, 14, 6)
SPACING = (2.0, 2.0, 3.0)
LESION = (slice(3, 5), slice(5, 7), slice(2, 4))
ML = 8 * 12 / 1000
"""Millilitres of the lesion: eight voxels of 2 x 2 x 3 mm."""
MARK = "CODE-WAS-RUN"


EVERYTHING = ["--threshold", "band:0:255", "--post", "none", "--set", "data.size=16"]
"""Options by which `segment` marks the whole region, whatever the network says, quickly."""


class Evil:
    """What leaves a file behind where it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, (f"import pathlib; pathlib.Path({MARK!r}).touch()",)


@dataclass(frozen=True)
class Case:
    """One input.

    Attributes
    ----------
    name : Its title, and the folder's name.
    make : Writes into a folder and gives what is opened.
    ml, region_ml : The right result: millilitres of the lesion (of a mask, where the case is one),
        and of the automatic region within 3 %.
    says : The right sentence holds this (a regular expression, case ignored). With neither a
        number nor words, a result is as right as a sentence.
    how : What is chosen, as `Preparation` calls it.
    """

    name: str
    make: Make
    ml: float | None = None
    region_ml: float | None = None
    says: str = ""
    how: Mapping[str, object] = field(default_factory=dict)

    @property
    def options(self) -> list[str]:
        """The same choices on the command line."""
        return [word for key, value in self.how.items() for word in (f"--{key}", str(value))]


Cases = dict[str, Case]


def adder(cases: Cases) -> Callable[..., Callable[[Make], Make]]:
    """Make the decorator that puts a function that writes a case among `cases`."""

    def add(name: str, **right: object) -> Callable[[Make], Make]:
        def put(make: Make) -> Make:
            assert name not in cases, name
            cases[name] = Case(name, make, **right)
            return make

        return put

    return add


def scan() -> np.ndarray:
    """Whole numbers (12, 14, 6): tissue of 200 to 400, a lesion of 1000, air of 0 around."""
    x, y, _ = np.indices(SHAPE)
    inside = ((x - 5.5) / 5.5) ** 2 + ((y - 6.5) / 6.5) ** 2 < 1
    noise = np.random.default_rng(1).integers(200, 400, SHAPE)
    data = np.where(inside, noise, 0)
    data[LESION] = 1000
    return data


def head() -> np.ndarray:
    """Where the scan is not air; bool."""
    return scan() > 0


def lesion() -> np.ndarray:
    """Where the lesion is; bool."""
    return scan() == 1000


def placed(scale: float = 1.0, **more: object) -> dict[str, object]:
    """Fields that place voxels of 2 x 2 x 3 `scale` mm by both forms; `more` replaces some."""
    rows = np.c_[np.diag(SPACING), [-11, -13, -7.5]] * scale
    fields: dict[str, object] = {"sform_code": 1, "qform_code": 1, "srow": rows}
    fields["pixdim"] = [1, *(np.multiply(SPACING, scale)), 1, 1, 1, 1]
    fields["qoffset"] = rows[:, 3]
    return fields | more


def nifti(data: np.ndarray | None = None, kind: str = "i2", **more: object) -> bytes:
    """Return a NIfTI file of the scan, or of `data`; `more` are fields of the header."""
    version, endian = int(str(more.pop("version", 1))), str(more.pop("endian", "<"))
    raw = (scan() if data is None else data).astype(kind)
    return by_hand.nifti(raw, version=version, endian=endian, fields=placed(**more))


def put(path: Path, content: bytes) -> Path:
    """Write a file and give its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def everything_in(folder: Path) -> dict[str, bytes]:
    """Return the names and contents of what is in a folder, below it too."""
    return {
        str(path): path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        for path in folder.rglob("*")
    }
