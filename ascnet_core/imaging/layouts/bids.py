"""BIDS: names made of entities such as `sub-01_ses-2_space-orig_label-lesion_mask`."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ascnet_core.imaging import naming
from ascnet_core.imaging.formats import stem_of
from ascnet_core.imaging.layouts.contents import apart, has_grey_values
from ascnet_core.imaging.layouts.groups import Group
from ascnet_core.imaging.layouts.walk import LeftOut

_TREES = ("derivatives", "rawdata", "sourcedata")
_OTHER_DATA = ("func", "fmap", "perf", "beh", "eeg", "meg", "ieeg", "nirs")
_MASKS = ("mask", "msk", "dseg", "seg", "roi", "lesion", "label")
# What an image's name need not share with its mask's.
_OF_DERIVATIVES = {"label", "desc", "res", "den", "hemi"}
_LESION = re.compile(
    r"lesion|tumou?r|wmh|stroke|infarct|metasta|glioma|fcd|manual|consensus|truth", re.IGNORECASE
)
_REGION = re.compile(r"brain|head|liver|body", re.IGNORECASE)


@dataclass(frozen=True)
class Said:
    """What the path of a file with a BIDS name says.

    `dataset` are the folders above `derivatives` or `sub-X`, `tree` those between both.
    """

    path: Path
    dataset: tuple[str, ...]
    tree: tuple[str, ...]
    entities: Mapping[str, str]
    suffix: str
    role: str
    reason: str = ""

    @property
    def session(self) -> tuple[str, str]:
        """Patient and session."""
        return self.entities["sub"], self.entities.get("ses", "")


def is_bids(path: Path) -> bool:
    """Say whether a file's name begins with BIDS' `sub-X_`."""
    return bool(re.match(r"sub-[A-Za-z0-9]+(_|$)", stem_of(path)))


def group_bids(folder: Path, paths: Iterable[Path], left_out: LeftOut) -> list[Group]:
    """Sort files of BIDS names into scans; masks find their images across trees by entities."""
    said = [_read(folder, path) for path in paths]
    left_out += [(one.path, one.reason) for one in said if not one.role]
    groups: dict[tuple[object, ...], tuple[Said, Group]] = {}
    for one in said:
        if one.role == "image":
            rest = tuple(sorted(one.entities.items()))
            name = stem_of(one.path).removesuffix(f"_{one.suffix}")
            new = Group((*one.dataset, *one.tree), name, name, patient=f"sub-{one.session[0]}")
            _, group = groups.setdefault((one.dataset, one.tree, rest), (one, new))
            modality = naming.MODALITIES.get(one.suffix.lower(), one.suffix)
            group.images.append((modality, one.path))
    found = list(groups.values())
    for one in said:
        if one.role in ("mask", "region"):
            owner = _image_of(one, found)
            if owner is None and one.role == "region" and has_grey_values(one.path):
                found.append((one, _alone(one)))  # sub-01_T1w_brain is the brain's image
            elif owner is None:
                left_out.append((one.path, "no image that it belongs to"))
            elif one.role == "mask":
                owner.masks.append(one.path)
                if one.reason:
                    owner.doubts.append((one.path, one.reason))
            else:
                owner.regions.append(one.path)
    _tell_patients_apart(found)
    return _without_copies(found, left_out)


def _alone(one: Said) -> Group:
    scan, modality = naming.split_modality(naming.read_name(stem_of(one.path)).scan)
    patient = f"sub-{one.session[0]}"
    return Group((*one.dataset, *one.tree), scan, scan, [(modality, one.path)], patient=patient)


def _read(folder: Path, path: Path) -> Said:
    parts = path.relative_to(folder).parent.parts
    starts = [i for i, part in enumerate(parts) if part in _TREES or part.startswith("sub-")]
    end = next((i for i, part in enumerate(parts) if part.startswith("sub-")), len(parts))
    begin = starts[0] if starts else len(parts)
    tree = tuple(part for part in parts[begin:end] if part != "rawdata")
    entities, words = {}, []
    for part in stem_of(path).split("_"):
        key, dash, value = part.partition("-")
        if dash and value:
            entities[key] = value
        elif part:
            words.append(part)
    suffix = words[-1] if words else ""
    last = stem_of(path).split("_")[-1].partition("-")[0]
    if last in _MASKS:  # sub-01_FLAIR_lesion-manual
        words, suffix = [*words, last], last
    if parts and parts[-1] in _OTHER_DATA:
        role, reason = "", f"BIDS data of the kind {parts[-1]!r}, no anatomical image"
    else:
        role, reason = _role(entities, words, suffix.lower(), tree)
    return Said(path, parts[:begin], tree, entities, suffix, role, reason)


def _role(
    entities: Mapping[str, str], words: list[str], suffix: str, tree: tuple[str, ...]
) -> tuple[str, str]:
    """Return (role, reason): without a role why it has none, with one what is unsure about it."""
    marked = " ".join(value for key, value in entities.items() if key in ("label", "desc", *_MASKS))
    if suffix == "probseg":
        return "", "a map of probabilities, no mask"
    if suffix not in _MASKS and naming.read_name("_".join(words)).role not in ("mask", "region"):
        return "image", ""
    named = f"{marked} {' '.join(words)}"
    if _LESION.search(named):
        return "mask", ""
    if _REGION.search(named):
        return "region", ""
    if not marked and _LESION.search(" ".join(tree)):
        return "mask", ""
    if suffix == "roi" and not marked:
        return "region", ""  # what it holds decides
    if suffix in ("mask", "msk") and not marked:
        return "mask", "its name does not say of what it is a mask; taken as the lesions'"
    what = f"marks {marked!r}" if marked else f"a {suffix} that does not say of what"
    return "", f"{what}, neither lesions nor a region by its name; list it by hand if it is"


def _image_of(one: Said, found: list[tuple[Said, Group]]) -> Group | None:
    """Return the scan that a mask belongs to: the same patient and no entity that differs."""
    scores: list[tuple[tuple[int, ...], Group]] = []
    there = [image for image, _ in found if image.entities["sub"] == one.entities["sub"]]
    sessions = {image.session for image in there}
    for image, group in found:
        if image.entities["sub"] != one.entities["sub"]:
            continue
        if image.session != one.session and (one.session[1] or len(sessions) > 1):
            continue
        both = (image.entities.keys() & one.entities.keys()) - _OF_DERIVATIVES
        if any(image.entities[key] != one.entities[key] for key in both):
            continue
        named = {path for modality, path in group.images if _names(one.path, modality)}
        here = (image.dataset == one.dataset) + 0
        scores.append(((here, len(both), len(named), image.tree == one.tree), group))
    ranked = [group for _, group in sorted(scores, key=lambda item: item[0], reverse=True)]
    fitting = (g for g in ranked if any(not apart(one.path, path) for _, path in g.images))
    return next(fitting, ranked[0] if ranked else None)


def _names(mask: Path, modality: str) -> bool:
    """Say whether a mask's name holds the modality: sub-01_FLAIR_label-lesion_roi."""
    words = re.split(r"[_-]", stem_of(mask))
    return modality in {naming.MODALITIES.get(word.lower(), word) for word in words}


def _tell_patients_apart(found: list[tuple[Said, Group]]) -> None:
    """Give equal names in several data sets the data set's name: sub-01 of each is a patient."""
    homes: dict[str, set[tuple[str, ...]]] = {}
    for image, group in found:
        homes.setdefault(group.patient, set()).add(image.dataset)
    for image, group in found:
        if len(homes[group.patient]) > 1:
            home = "_".join(image.dataset) or "here"
            text = f"{group.patient} is in several data sets; taken as another patient in each"
            group.doubts.append((group.images[0][1], text))
            group.patient = f"{home}_{group.patient}"


def _without_copies(found: list[tuple[Said, Group]], left_out: LeftOut) -> list[Group]:
    """Keep one of a raw image and its processed copies: that with a mask, else the raw one."""
    kept: dict[tuple[object, ...], Path] = {}
    order = sorted(found, key=lambda item: (not item[1].masks, bool(item[0].tree)))
    for said, group in order:
        images = []
        for modality, path in group.images:
            alike = {k: v for k, v in said.entities.items() if k not in ("space", "res", "desc")}
            key = (said.dataset, modality, tuple(sorted(alike.items())))
            if key in kept and (said.tree or kept[key].parent != path.parent):
                left_out.append((path, f"another version of {kept[key].name}, which is listed"))
            else:
                kept.setdefault(key, path)
                images.append((modality, path))
        group.images = images
    return [group for _, group in found]
