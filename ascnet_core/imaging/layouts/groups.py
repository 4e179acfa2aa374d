"""Files sorted into scans by their folders and names."""

import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ascnet_core.imaging import naming
from ascnet_core.imaging.formats import stem_of
from ascnet_core.imaging.layouts.contents import looks_like_mask

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
    paths = list(paths)
    channels = {**_leading_modalities(paths), **channels}
    versions = _versions(paths)
    read = {path: read_path(folder, path, channels, versions) for path in paths}
    groups: dict[tuple[tuple[str, ...], str], Group] = {}
    for path, said in read.items():
        if said.role == "image":
            key = said.further_key or said.name
            if said.place and key == said.place[-1]:
                key = ""  # patient7/patient7_T1 and patient7/FLAIR are one scan
            group = groups.setdefault((said.place, key), Group(said.place, key, said.name))
            group.images.append((said.modality, path))
    here: dict[tuple[str, ...], list[Group]] = defaultdict(list)
    for group in groups.values():
        here[group.place].append(group)
    for path, said in read.items():
        if said.role != "image":
            group = _group_of(folder, path, said, groups, here)
            (group.masks if said.role == "mask" else group.regions).append(path)
    return list(groups.values())


def _leading_modalities(paths: list[Path]) -> dict[Path, tuple[str, str]]:
    """Return case and modality of names such as "FLAIR_p1".

    "T1_p1", "T2_p1" or "PD_p1" may be a time or a disease unless another modality lies beside.
    """
    said = {path: naming.leading_modality(stem_of(path)) for path in paths}
    count = Counter((path.parent, rest) for path, (modality, rest) in said.items() if modality)
    return {
        path: (rest, modality)
        for path, (modality, rest) in said.items()
        if (modality == "FLAIR" or count[path.parent, rest] > 1)
        and not naming.read_name(stem_of(path)).role
        and naming.role_of_folder(path.parent.name) not in ("mask", "region")
    }


def _versions(paths: list[Path]) -> set[Path]:
    """Return folders "pre" with an "orig" beside: versions of the images there, no times."""
    folders = {parent for path in paths for parent in path.parents}
    return {one for one in folders if one.name == "pre" and one.with_name("orig") in folders}


def _group_of(
    folder: Path,
    path: Path,
    said: Read,
    groups: dict[tuple[tuple[str, ...], str], Group],
    here: Mapping[tuple[str, ...], list[Group]],
) -> Group:
    """Return the scan that a mask or region belongs to, a new one where there is none."""
    bare = naming.split_modality(said.name)[0]  # "x_flair_mask" may be that of the scan "x"
    names = (said.name, bare, said.further_key)
    # T1/p1_mask lies with the images of T1, whose scans are called without that folder.
    of_modality = bool(said.place) and _is_modality(said.place[-1])
    places = (said.place, said.place[:-1]) if of_modality else (said.place,)
    for place, key in itertools.product(places, names):
        if key and (place, key) in groups:
            return groups[place, key]
    beside = here.get(said.place, [])
    alike = [group for group in beside if group.key.lower() == (said.name or bare).lower()]
    if len(alike) == 1:
        return alike[0]
    last = said.place[-1] if said.place else ""
    if said.name in ("", last) or bare in ("", last):
        if (said.place, "") in groups:
            return groups[said.place, ""]
        if len(beside) == 1:
            return beside[0]
        # P1/anat/flair and P1/drawn/mask: the only scan of the folder that holds both
        nearest = next((n for n in range(len(said.place), 0, -1) if _below(said, groups, n)), 0)
        near = _below(said, groups, nearest) if nearest else []
        if len(near) == 1:
            image = near[0].images[0][1]
            text = f"in another folder; taken as that of {image.relative_to(folder).as_posix()}"
            near[0].doubts.append((path, text))
            return near[0]
    elif len(beside) == 1 and not beside[0].key:
        return beside[0]
    return groups.setdefault((said.place, said.name), Group(said.place, said.name, said.name))


def _below(said: Read, groups: dict[tuple[tuple[str, ...], str], Group], depth: int) -> list[Group]:
    """Return the scans below the first folders of a file's place."""
    return [
        one for one in groups.values() if one.images and one.place[:depth] == said.place[:depth]
    ]


def read_path(
    folder: Path, path: Path, channels: Channels, versions: Collection[Path] = ()
) -> Read:
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
        leading, rest = (leading, rest) if leading else naming.leading_modality(stem)
        region = by_folder == "region" or naming.names_region(stem)
        role, modality = "region" if region else "mask", ""
    elif by_folder == "image" and of_parent and not name and role in ("mask", "region"):
        name, role = stem, "image"
    if path in channels:
        name, modality = channels[path]
        role, leading = "image", ""
    elif leading and not role:
        role, name = leading, stem
    if not role and (scan := naming.inner_mask(stem)) is not None and looks_like_mask(path):
        name, role = scan, "mask"
    role = role or "image"
    place = []
    above = folder
    for part, one in zip(parts, places, strict=True):
        above /= part
        if one.role:
            place += [one.split] if one.split else []
        elif above in versions or (part.lower() in _VERSIONS and part is not parts[0]):
            pass  # raw and preprocessed files of one scan
        elif (
            role == "image"
            and part in parts[-1:]
            and _is_modality(part)
            and modality in ("", naming.MODALITIES[part.lower()])
        ):
            modality = naming.MODALITIES[part.lower()]  # T1/p1 and FLAIR/p1_flair
        else:
            place.append(part)
    return Read(tuple(place), name, role, modality, rest if leading else "")


def _is_modality(folder: str) -> bool:
    return folder.lower() in naming.MODALITIES


def version_rank(path: Path) -> int:
    """Rank versions of one image: processed ones, on whose grid masks are drawn, come first."""
    said = " ".join([path.parent.name, path.stem]).lower()
    if re.search(r"(^|[_ .-])(pp|pre|pre-?proc\w*|processed)([_ .-]|$)", said):
        return 0
    return 2 if re.search(r"(^|[_ .-])(raw|orig\w*)([_ .-]|$)", said) else 1
