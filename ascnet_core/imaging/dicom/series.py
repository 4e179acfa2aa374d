"""Series of a folder or zip: slices that belong together, told apart, put in order and chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ascnet_core.errors import UserError
from ascnet_core.imaging.dicom.planes import Plane, read_planes
from ascnet_core.imaging.dicom.source import files_below, opened, place_of, split_series

# Directions and spacings of one series agree to this; those of a scout differ by far more.
_SAME = 1e-2
# A further orientation of a series with no more slices than this is a scout.
_MOST_OF_A_SCOUT = 3
_MOST_LISTED = 12


class NoImages(UserError):
    """There is no DICOM image in a place."""


@dataclass(frozen=True)
class Series:
    """The slices of one series in the order of their files, and what to call it."""

    planes: tuple[Plane, ...]
    scout: bool

    @property
    def title(self) -> str:
        """Modality, description and slices in words."""
        first, count = self.planes[0], len(self.planes)
        words = [first.modality, first.title, "localizer" if self.scout else ""]
        return f"{' '.join(filter(None, words)) or 'images'}, {count} slice{'s' * (count > 1)}"


def series_of(path: Path) -> tuple[Series, ...]:
    """Return all series below a folder, in a zip or in a file, by their numbers.

    Raises a UserError if a DICOM file in it is damaged, or if it holds no images.
    """
    stamps = tuple(
        (str(file), found.st_mtime_ns, found.st_size)
        for file in files_below(path)
        for found in [file.stat()]
    )
    return _series_of(path, stamps)


@lru_cache(maxsize=4)
def _series_of(path: Path, stamps: tuple[tuple[str, int, int], ...]) -> tuple[Series, ...]:
    """As `series_of`; `stamps` (what lies on the disk) are there for the cache alone."""
    planes: list[Plane] = []
    with opened(path) as (names, open_file):
        for name in names:
            with open_file(name) as stream:
                planes += read_planes(stream, name, place_of(path, name))
    if not planes:
        raise NoImages(
            f"{path} holds no DICOM images (reports, plans and segmentations are none); name the "
            "folder, zip or file that has a series."
        )
    return _told_apart(planes)


def _told_apart(planes: Sequence[Plane]) -> tuple[Series, ...]:
    groups: dict[tuple[object, ...], list[list[Plane]]] = {}
    for plane in planes:
        same = groups.setdefault((plane.series_uid, plane.size, plane.part), [])
        for group in same:
            if _near(group[0].orientation, plane.orientation) and _near(
                group[0].spacing, plane.spacing
            ):
                group.append(plane)
                break
        else:
            same.append([plane])
    largest: dict[str, int] = {}
    for (uid, *_), several in groups.items():
        largest[str(uid)] = max(largest.get(str(uid), 0), *map(len, several))
    found = [
        Series(tuple(group), group[0].scout or _is_scout(group, largest[group[0].series_uid]))
        for several in groups.values()
        for group in several
    ]
    return tuple(
        sorted(found, key=lambda s: (s.planes[0].number, s.planes[0].series_uid, -len(s.planes)))
    )


def _is_scout(group: list[Plane], largest: int) -> bool:
    """A few slices that another orientation or size sets apart from the rest of their series."""
    return len(group) <= _MOST_OF_A_SCOUT and largest > 2 * _MOST_OF_A_SCOUT


def _near(one: tuple[float, ...] | None, other: tuple[float, ...] | None) -> bool:
    if one is None or other is None:
        return one is other
    return all(abs(a - b) <= _SAME for a, b in zip(one, other, strict=True))


def choose_series(path: Path) -> tuple[Series, tuple[str, ...]]:
    """Return the series that a path names (`FOLDER`, `FOLDER#2`), and remarks on the choice.

    Without a number it is the only one beside localizers.

    Raises a UserError that lists the series if a number is needed, or there is none of that number.
    """
    place, number = split_series(path)
    found = series_of(place)
    if number is not None:
        if not 1 <= number <= len(found):
            raise UserError(f"{place} has no series {number}: {_listed(found)}; name another.")
        return found[number - 1], ()
    if len(found) == 1:
        return found[0], ()
    proper = [one for one in found if not one.scout]
    if len(proper) != 1:
        raise UserError(
            f"{place} holds {len(found)} series: {_listed(found)}; name one by its number, such as "
            f"{place}#1."
        )
    left = ", ".join(f"#{i + 1} {one.title}" for i, one in enumerate(found) if one.scout)
    return proper[0], (f"Localizers in the folder were left out ({left}).",)


def _listed(found: Sequence[Series]) -> str:
    lines = [f"#{number} {one.title}" for number, one in enumerate(found[:_MOST_LISTED], start=1)]
    more = len(found) - len(lines)
    return "; ".join(lines) + (f"; and {more} more" if more else "")
