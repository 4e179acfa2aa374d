"""Rows of a manifest from the files of scans, and why files did not fit into one."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ascnet_core.imaging import naming
from ascnet_core.imaging.formats import format_of, stem_of
from ascnet_core.imaging.layouts import nnunet
from ascnet_core.imaging.layouts.contents import apart, has_grey_values, readable, share_marked
from ascnet_core.imaging.layouts.groups import Group, version_rank
from ascnet_core.imaging.layouts.walk import LeftOut

Row = dict[str, Any]
_SMALL_SHARE = 0.02
"""A region of interest below this share of the voxels is taken as a lesion, not as an organ."""

_LARGE_SHARE = 0.25
"""Lesions rarely hold more than this share of the voxels; brains do."""


def row_of(
    subject: str, image: Path, mask: Path | None = None, *, notes: Sequence[str] = (), **more: Any
) -> Row:
    """Make a row; its scan is called as the subject until it is named."""
    row = {"subject": subject, "scan": subject, "image": image, "mask": mask, **more}
    return row | ({"notes": "; ".join(notes)} if notes else {})


def rows_of(groups: Sequence[Group], left_out: LeftOut) -> list[tuple[Group, Row]]:
    """Make a row of each scan that has an image, and say what did not fit into it."""
    rows = []
    seen: dict[tuple[int, int], Path] = {}
    starts = {(group.place, group.name) for group in groups}
    for group in groups:
        group = _by_contents(group, left_out)
        if row := _row(group, seen, left_out):
            _doubt_image(group, row, starts)
            rows.append((group, row))
    return rows


def _row(group: Group, seen: dict[tuple[int, int], Path], left_out: LeftOut) -> Row | None:
    images = _images(group, seen, left_out)
    if not images:
        left_out += [
            (path, "no image that it belongs to") for path in [*group.masks, *group.regions]
        ]
        return None
    main = min(_on_masks_grid(images, group.masks), key=naming.preference)
    image = images.pop(main)
    masks = sorted(group.masks, key=_rank)
    before = len(left_out)
    mask = first_fitting(image, masks, "mask", left_out)
    group.notes += [
        f"without {path.name}: {reason}"
        for path, reason in left_out[before:]
        if not (mask and _rank(mask) < _rank(path))  # its name says which one is meant
    ]
    region = first_fitting(image, group.regions, "region", left_out)
    if mask and _is_large(mask):
        share = f"{100 * share_marked(mask):.0f} %"
        text = f"marks {share} of all voxels, as a brain's mask does; taken as the lesions'"
        group.doubts.append((mask, text))
    row = row_of(group.name, image, mask, region=region, modality=main)
    for modality, path in images.items():
        reason = apart(path, image) if modality else "its modality is not in its name"
        if reason:
            left_out.append((path, reason))
        else:
            row[f"image:{modality.lower()}"] = path
    if mask and naming.role_of_folder(mask.parent.name) == "mask":
        group.notes += filter(None, [nnunet.labels_of(mask.parent.parent)])
    return row


def _rank(mask: Path) -> int:
    return naming.mask_rank(stem_of(mask))


def _is_large(mask: Path) -> bool:
    """Say whether a volume's mask may be a region: its name says nothing and it holds much."""
    one = format_of(mask)
    if one is None or one.flat or not naming.is_bare_mask(stem_of(mask)):
        return False
    return share_marked(mask) > _LARGE_SHARE


def _on_masks_grid(images: dict[str, Path], masks: Sequence[Path]) -> Sequence[str]:
    """Return the modalities on whose grid a mask lies; all where there is no such one."""
    if len(images) == 1 or not masks:
        return list(images)
    fit = [name for name, image in images.items() if any(not apart(m, image) for m in masks)]
    return fit or list(images)


def _images(group: Group, seen: dict[tuple[int, int], Path], left_out: LeftOut) -> dict[str, Path]:
    """Choose one image of each modality: of several versions that on whose grid a mask lies."""
    several: dict[str, list[Path]] = {}
    for modality, path in group.images:
        several.setdefault(modality, []).append(path)
    chosen: dict[str, Path] = {}
    for modality, paths in several.items():
        fit = [path for path in paths if readable(path, left_out)]
        fit.sort(key=lambda path: (version_rank(path), len(path.name)))
        if len(fit) > 1 and group.masks:
            fit.sort(key=lambda path: all(apart(mask, path) for mask in group.masks))
        for path in fit:
            status = path.stat()
            same = seen.setdefault((status.st_dev, status.st_ino), path)
            if modality in chosen:
                what = f"{modality} image" if modality else "image"
                left_out.append((path, f"a second {what} beside {chosen[modality].name}"))
            elif same is not path:
                left_out.append((path, f"the same file as {same}, which is listed"))
            else:
                chosen[modality] = path
    return chosen


def _by_contents(group: Group, left_out: LeftOut) -> Group:
    """Tell by their contents what regions are: "x_brain" may as well be the brain's image.

    With grey values it is the group's image where there is no other, else left out.
    """
    images, masks = list(group.images), list(group.masks)
    if not images:
        # lesions/p1_flair: a folder of scans that is called as one of masks would be
        images = [(said, path) for path in masks if (said := _modality_of(path))]
        masks = [path for path in masks if path not in [image for _, image in images]]
    regions: list[Path] = []
    doubts = list(group.doubts)
    for path in group.regions:
        if not has_grey_values(path):
            unclear = naming.is_unclear_region(stem_of(path)) and not group.masks
            small = unclear and share_marked(path) < _SMALL_SHARE
            (masks if small else regions).append(path)
            if unclear:
                what = "lesions' mask, as it is small" if small else "region, as it is large"
                doubts.append((path, f"its name does not say of what it is; taken as the {what}"))
        elif images:
            left_out.append((path, "called a region but holds grey values"))
        else:
            images.append((naming.split_modality(group.name)[1], path))
    return replace(group, images=images, masks=masks, regions=regions, doubts=doubts)


def _modality_of(path: Path) -> str:
    """Return the modality of a file that is an image by its own name and contents, else ""."""
    modality = naming.read_name(stem_of(path)).modality
    return modality if modality and has_grey_values(path) else ""


def _doubt_image(group: Group, row: Row, starts: set[tuple[tuple[str, ...], str]]) -> None:
    """Note an image that may be a mask: named after another scan, and without grey values."""
    words = group.name.split("_")
    longer = any((group.place, "_".join(words[:n])) in starts for n in range(1, len(words)))
    image = row["image"]
    if longer and not row["modality"] and not row["mask"] and not has_grey_values(image):
        group.doubts.append((image, "holds two values like a mask; taken as an image"))


def first_fitting(image: Path, files: list[Path], what: str, left_out: LeftOut) -> Path | None:
    """Return the first file on the image's grid; say why the others are left out."""
    chosen: Path | None = None
    for path in files:
        reason = apart(path, image)
        if not reason and chosen is not None:
            raters = naming.is_consensus(stem_of(chosen)) and naming.says_rater(stem_of(path))
            reason = f"a second {what} beside {chosen.name}"
            if raters:
                reason = f"one person's mask beside {chosen.name}, on which several agreed"
        if reason:
            left_out.append((path, reason))
        else:
            chosen = path
    return chosen
