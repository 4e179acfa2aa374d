"""Uploaded files as a cohort of their own in the app's cache."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ascnet_core.errors import UserError
from ascnet_core.imaging import formats
from ascnet_core.imaging.cohort import write_manifest
from ascnet_core.places import MANIFEST
from pages.parts.shared import access


def write_uploads(images: Sequence[Any], masks: Sequence[Any]) -> Path:
    """Keep uploads in the app's cache as a cohort of their own; the manifest's path.

    The folder is named by the content, so the same files are the same cohort, also in a link.
    Raises UserError where a mask fits no image.
    """
    digest = hashlib.sha256()
    for file in [*images, *masks]:
        digest.update(str(file.name).encode() + b"\0")
        digest.update(file.getvalue())
    folder = access.uploads_folder() / f"upload-{digest.hexdigest()[:8]}"
    mask_paths = save_uploads(masks, folder / "masks")
    pairs = pair_masks(save_uploads(images, folder / "images"), mask_paths)
    lonely = set(mask_paths) - set(pairs.values())
    if lonely:
        raise UserError(
            f"The mask {sorted(lonely)[0].name} fits no image by its name; name it like its image, "
            "with _mask behind."
        )
    rows = [{"subject": stem_of(path), "image": path, "mask": mask} for path, mask in pairs.items()]
    write_manifest(folder / MANIFEST, rows)
    return folder / MANIFEST


def save_uploads(files: Sequence[Any], folder: Path) -> list[Path]:
    """Write uploaded files (with `name` and `getvalue()`) into a folder; their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for file in files:
        # Only the last part of the name: an upload must not choose its folder.
        path = folder / Path(str(file.name)).name
        path.write_bytes(file.getvalue())
        paths.append(path)
    return paths


def pair_masks(paths: Sequence[Path], masks: Sequence[Path]) -> dict[Path, Path | None]:
    """Which mask belongs to which image by their names; a single one to a single one by any."""
    if len(paths) == 1 and len(masks) == 1:
        return {paths[0]: masks[0]}
    by_stem = {stem_of(mask): mask for mask in masks}
    return {path: by_stem.get(stem_of(path)) for path in paths}


def stem_of(path: Path) -> str:
    """A file's name without suffixes and without words such as _mask or _flair at its end."""
    name = formats.stem_of(path).lower()
    for word in ("mask", "seg", "label", "lesion", "flair", "t2", "t1", "ct", "image", "img"):
        name = name.removesuffix(f"_{word}").removesuffix(f"-{word}")
    return name
