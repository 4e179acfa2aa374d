"""What `segment` does with its scans: cut, threshold, clean, write."""

import dataclasses
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ascnet_core.errors import UserError
from ascnet_core.imaging.cohort import Scan
from ascnet_core.imaging.formats import output_suffix
from ascnet_core.imaging.image_format import Grid
from ascnet_core.imaging.prepare import Preparation, Prepared, prepare_scan
from ascnet_core.imaging.volume import write_volume
from ascnet_core.names import RangeKind
from ascnet_core.segmentation.cuts import Ready, cut_scan
from ascnet_core.segmentation.levels import (
    SEPARATOR,
    Folder,
    Kept,
    by_name,
    keep,
    pooled_counts,
    settle_ranges,
)
from ascnet_core.segmentation.masks import on_levels, segment
from ascnet_core.segmentation.steps import parse_steps
from ascnet_core.segmentation.threshold import NoThreshold, Threshold, choose, describe
from ascnet_core.settings.tables import Segmentation


@dataclass(frozen=True)
class How:
    """What holds for all scans of a call; masks and maps are written to the folder `out`.

    `doubts` gives sentences on what is odd about a scan for this network.
    """

    network: Ready
    preparation: Preparation
    segmentation: Segmentation
    out: Path
    range: RangeKind = "raw"
    batch: int | None = None
    flip: bool = False
    save_maps: bool = False
    doubts: Callable[[Prepared], tuple[str, ...]] = lambda prepared: ()


def cut_all(
    scans: Sequence[Scan], how: How, folder: Path, tell: Callable[[str], None]
) -> list[Kept]:
    """Cut all scans, `tell` each name, and keep in `folder` what thresholds need of them.

    Raises a UserError if a scan cannot be prepared, or its region is empty.
    """
    kept = []
    for number, prepared in enumerate(_prepared(scans, how.preparation)):
        kept.append(_cut(prepared, how, folder / str(number)))
        tell(prepared.scan.scan)
    settle_ranges(kept, how.range, lambda scan: scan.subject)
    return kept


def _prepared(scans: Sequence[Scan], how: Preparation) -> Iterator[Prepared]:
    """Each scan made ready, the next one being read while this one is cut."""
    # The manifest's mask is not needed to make one, so a broken one is not even read.
    plain = [dataclasses.replace(scan, mask=None) for scan in scans]
    with ThreadPoolExecutor(1) as reader:
        coming = reader.submit(prepare_scan, plain[0], how)
        for following in [*plain[1:], None]:
            prepared = coming.result()
            if following is not None:
                coming = reader.submit(prepare_scan, following, how)
            yield prepared


def _cut(prepared: Prepared, how: How, folder: Path) -> Kept:
    scan, name = prepared.scan, how.segmentation.map
    if not prepared.region.any():
        raise UserError(f"The region of {scan.image} is empty; try --region auto or none.")
    names = None if how.save_maps else [name]
    maps = cut_scan(how.network, prepared, batch=how.batch, flip=how.flip, names=names)
    if how.save_maps:
        grid = prepared.volume.grid
        for each in maps.keys() - {"input"}:
            write_volume(_file(how.out, scan, each, grid), maps[each], grid)
    kept = keep(prepared, [(name, maps[name])], Folder(folder), how.range)
    kept.remarks += how.doubts(prepared)
    return kept


def choose_thresholds(
    several: Sequence[Kept], how: Segmentation, reference: NDArray[np.int64] | None
) -> list[Threshold | NoThreshold]:
    """What the rule gives for each scan: its subject's own threshold, or one for all."""
    counts = pooled_counts(by_name(several, lambda scan: scan.subject), how.map)
    chosen = choose(how.rule, counts, how.side, how.scope, reference)
    return [chosen[kept.scan.subject] for kept in several]


def write_mask(kept: Kept, threshold: Threshold | NoThreshold, how: How) -> dict[str, Any]:
    """Threshold, clean and write one mask; return its row of the table.

    Without a threshold no mask is written, and the row says why.
    """
    name, region = how.segmentation.map, kept.region()
    steps = parse_steps(how.segmentation.post)
    row: dict[str, Any] = {
        "subject": kept.scan.subject,
        "scan": kept.scan.scan,
        "image": str(kept.scan.image),
        "mask": None,
        "map": name,
        "range": kept.ranges[name].describe(),
        "kept": None,
        **describe(threshold),
        "scope": how.segmentation.scope,
        "post": " ".join(map(str, steps)),
        "voxels": None,
        "volume_ml": None,
        "region_voxels": int(np.count_nonzero(region)),
        "remarks": SEPARATOR.join(kept.remarks),
    }
    if isinstance(threshold, NoThreshold):
        return row
    levels = kept.volume(name, region)
    mask = segment(levels, region, threshold, steps, on_levels(kept.further))
    path = _file(how.out, kept.scan, "mask", kept.grid)
    write_volume(path, mask, kept.grid, np.uint8)
    voxels = int(np.count_nonzero(mask))
    return row | {
        "mask": str(path),
        "kept": threshold.text(),
        "voxels": voxels,
        "volume_ml": round(voxels * kept.voxel_ml, 4),
    }


def _file(out: Path, scan: Scan, what: str, grid: Grid) -> Path:
    """The file of a mask or map: stored like its image, but never in a format that blurs."""
    # A manifest may call a scan anything, also something with slashes.
    name = re.sub(r"[^\w.+-]", "_", scan.scan)
    return out / f"{name}_{what}{output_suffix(grid)}"
