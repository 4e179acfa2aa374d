"""What file and folder names say: which scan a file belongs to, its role and its modality."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from ascnet_core.imaging.formats import stem_of

# fmt: off
_MASK_WORDS = {
    "mask", "masks", "seg", "segs", "segmentation", "segmentations", "label", "labels", "labelstr",
    "labelsts", "truth", "gt", "groundtruth", "lesion", "lesions", "consensus", "manual",
    "annotation", "annotations",
}
_REGION_WORDS = {
    "brain", "brains", "brainmask", "liver", "livers", "region", "regions", "roi", "rois",
}
_IMAGE_WORDS = {"image", "images", "imagestr", "imagests", "img", "imgs", "scan", "scans"}
# Words around a role that say no more than it does.
_MASK_FILLER = {"desc", "tumor", "tumour", "wm"}
_IMAGE_FILLER = {"pp", "preprocessed", "bet", "stripped", "n4", "biascorrected"}
# File word -> modality; the order is the preference for a manifest's main image.
MODALITIES = {
    "flair": "FLAIR", "t2f": "FLAIR", "t2flair": "FLAIR",
    "t2": "T2", "t2w": "T2",
    "ct": "CT",
    "t1": "T1", "t1w": "T1", "t1n": "T1",
    "t1ce": "T1CE", "t1c": "T1CE", "t1gd": "T1CE",
    "pd": "PD", "pdw": "PD",
    "dwi": "DWI", "adc": "ADC", "swi": "SWI",
}
# fmt: on
_PREFERENCE = tuple(dict.fromkeys(MODALITIES.values()))
_TIME_POINT = re.compile(r"^(?:t|tp|ses|session|time|visit|v|scan)-?\d+$", re.IGNORECASE)
_WORD = re.compile(r"[^_\-. ]+")


@dataclass
class Group:
    """The files of one scan; `images` with their modality (or ""), `name` is what names share.

    `folder` has parts such as "images" and "masks" as "*".
    """

    folder: str
    name: str
    images: list[tuple[str, Path]] = field(default_factory=list)
    masks: list[Path] = field(default_factory=list)
    regions: list[Path] = field(default_factory=list)


def role_of_folder(name: str) -> str:
    """Return what files of a folder are by its name: "image", "mask", "region" or ""."""
    roles = {"image": _IMAGE_WORDS, "mask": _MASK_WORDS, "region": _REGION_WORDS}
    return next((role for role, words in roles.items() if name.lower() in words), "")


def read_name(stem: str) -> tuple[str, str, str]:
    """Take a name apart into (scan, role, modality), from its last words.

    "P18_T1_FLAIR" is the FLAIR of P18_T1: T1 is a time point there. The role is "image", "mask",
    "region", or "" where no word says it.
    """
    words = _WORD.findall(stem)
    role, modality = "", ""
    while words and not modality:
        word = words[-1].lower()
        bare = word.rstrip("0123456789")  # mask1, mask2: two raters
        if not role and (word in _MASK_WORDS or bare in _MASK_WORDS):
            role = "mask"
        elif role in ("", "mask") and word in _REGION_WORDS:
            role = "region"
        elif role and word in _MASK_WORDS | _MASK_FILLER:
            pass
        elif not role and word in MODALITIES:
            modality = MODALITIES[word]
        elif role or word not in _IMAGE_FILLER:
            break
        words.pop()
    return _first_words(stem, len(words)), "image" if modality else role, modality


def _first_words(stem: str, count: int) -> str:
    """Return the first `count` words of a name with the separators between them."""
    ends = [match.end() for match in _WORD.finditer(stem)]
    return stem[: ends[count - 1]] if count else ""


def _without_modality(name: str) -> str:
    words = _WORD.findall(name)
    if words and words[-1].lower() in MODALITIES:
        return _first_words(name, len(words) - 1)
    return name


def subject_of(scan: str) -> str:
    """Return the patient of a scan: BIDS' sub-X, or its name without a time point at the end."""
    bids = re.match(r"^(sub-[A-Za-z0-9]+)", scan)
    if bids:
        return bids[1]
    words = _WORD.findall(scan)
    if len(words) > 1 and _TIME_POINT.match(words[-1]):
        return _first_words(scan, len(words) - 1)
    return scan


def preference(modality: str) -> int:
    """Rank a modality as a manifest's main image: FLAIR first, unknown ones last."""
    return _PREFERENCE.index(modality) if modality in _PREFERENCE else len(_PREFERENCE)


def group_files(folder: Path, paths: Iterable[Path]) -> list[Group]:
    """Sort files below `folder` into scans by their folders and names."""
    named = [(path, *_parts_of(folder, path)) for path in paths]
    groups: dict[tuple[str, str], Group] = {}
    for path, where, name, role, modality in named:
        if role == "image":
            group = groups.setdefault((where, name), Group(where, name))
            group.images.append((modality, path))
    for path, where, name, role, _ in named:
        if role != "image":
            # "x_flair_mask" belongs to "x" where there is no scan "x_flair".
            key = (where, name)
            bare = (where, _without_modality(name))
            if key not in groups and bare in groups:
                key = bare
            group = groups.setdefault(key, Group(*key))
            (group.masks if role == "mask" else group.regions).append(path)
    return list(groups.values())


def _parts_of(folder: Path, path: Path) -> tuple[str, str, str, str]:
    """Return (folder with roles as "*", scan, role, modality) of a file."""
    parts = list(path.relative_to(folder).parent.parts)
    by_folder = ""
    for index, part in enumerate(parts):
        if role := role_of_folder(part):
            by_folder = role
            parts[index] = "*"  # images/x and masks/x are the same scan
    stem = stem_of(path)
    if by_folder in ("mask", "region"):
        name, role, modality = read_name(stem)[0] or stem, by_folder, ""
    else:
        name, role, modality = read_name(stem)
        role = role or "image"
        if by_folder == "image" and not modality:
            # nnU-Net numbers the modalities: x_0000 belongs to the label x.
            name = name.removesuffix("_0000")
    if not name:
        own = [part for part in parts if part != "*"]
        name = own[-1] if own else stem
    return "/".join(parts), name, role, modality
