"""Files sorted into scans by their folders and names."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ascnet_core.imaging import naming
from ascnet_core.imaging.formats import stem_of

_VERSIONS = {
    "raw", "rawdata", "raw_data", "orig", "original", "originals", "preprocessed",
    "preprocessed_data", "preproc", "processed",
}  # fmt: skip
Channels = Mapping[Path, tuple[str, str]]
"""Image file -> its case and modality, where a layout numbers modalities (nnU-Net)."""


@dataclass
class Group:
    """The files of one scan.

    Attributes
    ----------
    place : The folders below the one looked through, without those that say a role.
    key : What the names of its files share, "" where they say nothing.
    name : What the scan is called after its files, "" where they say nothing.
    images : With their modality, or "".
    doubts : Files, each with what was unsure about it and how it was decided.
    patient : Whose scan it is where the layout says it, such as BIDS.
    """

    place: tuple[str, ...]
    key: str
    name: str
    images: list[tuple[str, Path]] = field(default_factory=list)
    masks: list[Path] = field(default_factory=list)
    regions: list[Path] = field(default_factory=list)
    doubts: list[tuple[Path, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    patient: str = ""

    @property
    def files(self) -> list[Path]:
        """All its files."""
        return [*(path for _, path in self.images), *self.masks, *self.regions]


@dataclass(frozen=True)
class Read:
    """What a file's path says."""

    place: tuple[str, ...]
    name: str
    role: str
    modality: str
    further_key: str = ""


def group_files(folder: Path, paths: Iterable[Path], channels: Channels) -> list[Group]:
    """Sort files below `folder` into scans by their folders and names."""
    read = {path: read_path(folder, path, channels) for path in paths}
    groups: dict[tuple[tuple[str, ...], str], Group] = {}
    for path, said in read.items():
        if said.role == "image":
            key = said.further_key or said.name
            if said.place and key == said.place[-1]:
                key = ""  # patient7/patient7_T1 and patient7/FLAIR are one scan
            group = groups.setdefault((said.place, key), Group(said.place, key, said.name))
            group.images.append((said.modality, path))
    for path, said in read.items():
        if said.role != "image":
            group = _group_of(said, groups)
            (group.masks if said.role == "mask" else group.regions).append(path)
    return list(groups.values())


def _group_of(said: Read, groups: dict[tuple[tuple[str, ...], str], Group]) -> Group:
    """Return the scan that a mask or region belongs to, a new one where there is none."""
    bare = naming.without_modality(said.name)  # "x_flair_mask" may be that of the scan "x"
    for key in (said.name, bare, said.further_key):
        if key and (said.place, key) in groups:
            return groups[said.place, key]
    here = [group for (place, _), group in groups.items() if place == said.place and group.images]
    last = said.place[-1] if said.place else ""
    if said.name in ("", last) or bare in ("", last):
        if (said.place, "") in groups:
            return groups[said.place, ""]
        if len(here) == 1:
            return here[0]
    elif len(here) == 1 and not here[0].key:
        return here[0]
    return groups.setdefault((said.place, said.name), Group(said.place, said.name, said.name))


def read_path(folder: Path, path: Path, channels: Channels) -> Read:
    """Read the role, scan and modality of a file from its folders and its name."""
    parts = path.relative_to(folder).parent.parts
    stem = stem_of(path)
    said = naming.read_name(stem)
    places = [naming.place_of(part) for part in parts]
    by_folder = next((place.role for place in reversed(places) if place.role), "")
    of_parent = bool(places) and bool(places[-1].role)
    name, role, modality = said
    leading, rest = naming.leading_role(stem)
    if by_folder in ("mask", "region"):
        region = by_folder == "region" or naming.names_region(stem)
        role, modality = "region" if region else "mask", ""
    elif by_folder == "image" and of_parent and not name and role in ("mask", "region"):
        name, role = stem, "image"
    if path in channels:
        name, modality = channels[path]
        role, leading = "image", ""
    elif leading and not role:
        role, name = leading, stem
    role = role or "image"
    place = []
    for part, one in zip(parts, places, strict=True):
        if one.role:
            place += [one.split] if one.split else []
        elif part.lower() in _VERSIONS and part is not parts[0]:
            pass  # raw and preprocessed files of one scan
        elif role == "image" and not modality and part in parts[-1:] and _is_modality(part):
            modality = naming.MODALITIES[part.lower()]  # T1/p1 and FLAIR/p1
        else:
            place.append(part)
    return Read(tuple(place), name, role, modality, rest if leading else "")


def _is_modality(folder: str) -> bool:
    return folder.lower() in naming.MODALITIES


def is_version(folder: str) -> bool:
    """Say whether a folder holds one of several versions of the same images."""
    return folder.lower() in _VERSIONS


def version_rank(path: Path) -> int:
    """Rank versions of one image: processed ones, on whose grid masks are drawn, come first."""
    said = " ".join([path.parent.name, path.stem]).lower()
    if re.search(r"(^|[_ .-])(pp|pre-?proc\w*|processed)([_ .-]|$)", said):
        return 0
    return 2 if re.search(r"(^|[_ .-])(raw|orig\w*)([_ .-]|$)", said) else 1
