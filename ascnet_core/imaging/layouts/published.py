"""Two layouts of published sets: the authors' stacks, and the LGG collection's slices."""

from pathlib import Path
from typing import Any

from ascnet_core.imaging import formats
from ascnet_core.imaging.formats.picture import colour_channels
from ascnet_core.imaging.image_format import suffix_of
from ascnet_core.imaging.layouts.contents import readable
from ascnet_core.imaging.layouts.predictions import Doubts
from ascnet_core.imaging.layouts.rows import Row, first_fitting, row_of
from ascnet_core.imaging.layouts.walk import LeftOut

# The names that the authors' scripts read.
AUTHORS_INPUT = "input_for_generator.npy"
AUTHORS_REFERENCE = "good_dic_to_train_disc.npy"
AUTHORS_MASK = "tumor_mask_for_generator.npy"


def authors_stacks(
    folder: Path, files: list[Path], left_out: LeftOut, doubts: Doubts
) -> tuple[list[Row], set[Path]]:
    """Take the three stacks of the authors' scripts from each subfolder that has them."""
    rows: list[Row] = []
    used: set[Path] = set()
    there = set(files)
    for parent in dict.fromkeys(path.parent for path in files):
        inputs, reference, mask = (
            path if (path := parent / name) in there else None
            for name in (AUTHORS_INPUT, AUTHORS_REFERENCE, AUTHORS_MASK)
        )
        if inputs is None and reference is None:
            continue
        used |= {path for path in (inputs, reference, mask) if path}
        prefix = "" if parent == folder else f"{parent.relative_to(folder).as_posix()}/"
        notes = ["stack of slices; it does not say which patient a slice is of"]
        if inputs and readable(inputs, left_out):
            fitting = first_fitting(inputs, [mask] if mask else [], "mask", left_out)
            rows.append(row_of(f"{prefix}input", inputs, fitting, group="anomalous", notes=notes))
        elif mask:
            left_out.append((mask, f"no readable {AUTHORS_INPUT} beside it"))
        if reference and readable(reference, left_out):
            rows.append(row_of(f"{prefix}reference", reference, group="normal", notes=notes))
    return rows, used


def lgg_slices(
    folder: Path, files: list[Path], left_out: LeftOut, doubts: Doubts
) -> tuple[list[Row], set[Path]]:
    """Take CASE/CASE_N.tif + CASE/CASE_N_mask.tif: each row a slice, each case a series."""
    tifs = {path for path in files if suffix_of(path) in (".tif", ".tiff")}
    pairs: list[tuple[Any, Path, int, Path, Path]] = []
    lonely: list[Path] = []
    used: set[Path] = set()
    for path in sorted(tifs):
        stem = formats.stem_of(path)
        bare = stem.removesuffix("_mask")
        case, _, number = bare.rpartition("_")
        if case != path.parent.name or not number.isdecimal():
            continue
        used.add(path)
        partner = path.with_stem(f"{stem}_mask" if bare == stem else bare)
        if partner not in tifs:
            lonely.append(path)
        elif bare == stem:
            rank = formats.natural_key(str(path.parent))
            pairs.append((rank, path.parent, int(number), path, partner))
    rows: list[Row] = []
    for _, parent, z, image, mask in sorted(pairs):
        if readable(image, left_out) and readable(mask, left_out):
            case = parent.name
            channel = 1 if colour_channels(image) > 1 else None
            row = row_of(case, image, mask, modality="FLAIR", series=case, notes=[f"slice {z}"])
            rows.append({**row, "scan": f"{case}_{z}", "channel": channel})
    if not rows:
        return [], set()
    left_out += [(path, "slice without its mask, or mask without its slice") for path in lonely]
    return rows, used
