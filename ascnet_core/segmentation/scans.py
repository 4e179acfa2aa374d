"""What `segment` does with its scans: cut, threshold, clean, write."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ascnet_core.errors import UserError
from ascnet_core.file_names import file_names
from ascnet_core.imaging.cohort import Scan
from ascnet_core.imaging.dicom.seg import seg_name, write_seg
from ascnet_core.imaging.formats import check_file, output_suffix
from ascnet_core.imaging.image_format import Grid
from ascnet_core.imaging.prepare import Preparation, Prepared, prepare_scan
from ascnet_core.imaging.volume import to_stored, write_volume
from ascnet_core.names import RangeKind
from ascnet_core.segmentation.cuts import Maps, Ready, cut_scan
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
from ascnet_core.segmentation.pieces import Edit, describe_edits
from ascnet_core.segmentation.steps import parse_steps
from ascnet_core.segmentation.threshold import NoThreshold, Threshold, choose, describe
from ascnet_core.segmentation.ways import Way
from ascnet_core.settings.tables import Segmentation


@dataclass(frozen=True)
class How:
    """What holds for all scans of a call.

    Masks and maps are meant for the folder `out` and written to the folder `aside`, from where they
    are moved; `first_parts` are the first parts of their names, by scan. `doubts` gives sentences
    on what is odd about a scan for this network.
    """

    network: Ready
    preparation: Preparation
    segmentation: Segmentation
    out: Path
    aside: Path
    first_parts: Mapping[str, str]
    range: RangeKind = "raw"
    batch: int | None = None
    flip: bool = False
    save_maps: bool = False
    dicom_seg: bool = False
    doubts: Callable[[Prepared], tuple[str, ...]] = lambda prepared: ()


def planned_files(scans: Sequence[Scan], what: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Return the first part of each scan's file names, and the names of all files of a call.

    `what` stands behind: `mask`, and the names of maps. No two scans share a first part, whatever
    a manifest calls them.
    """
    first_parts = file_names([scan.scan for scan in scans])
    names = []
    for scan in scans:
        try:
            suffix = check_file(scan.image).output
        except UserError:  # said when it is read, beside those that can be
            continue
        names += [f"{first_parts[scan.scan]}_{each}{suffix}" for each in what]
    return first_parts, names


def cut_all(
    scans: Sequence[Scan], how: How, folder: Path, tell: Callable[[str], None]
) -> tuple[list[Kept], dict[str, str]]:
    """Cut all scans, `tell` each name, and keep in `folder` what thresholds need of them.

    Scans that cannot be prepared or cut (damaged files, an empty region) are left out; returned are
    also the sentences on them, by scan.
    """
    kept, failed = [], {}
    for number, (scan, ready) in enumerate(_prepared(scans, how)):
        try:
            prepared, doubts = ready()
            maps = _cut(prepared, how)
        except UserError as error:
            failed[scan.scan] = str(error)
        else:
            kept.append(_keep(prepared, maps, how, folder / str(number)))
            kept[-1].remarks += doubts
        tell(scan.scan)
    settle_ranges(kept, how.range, lambda scan: scan.subject)
    return kept, failed


def _prepared(
    scans: Sequence[Scan], how: How
) -> Iterator[tuple[Scan, Callable[[], tuple[Prepared, tuple[str, ...]]]]]:
    """Each scan made ready, with what is odd about it; the next is read while this one is cut."""
    # The manifest's mask is not needed to make one, so a broken one is not even read.
    plain = [dataclasses.replace(scan, mask=None) for scan in scans]
    with ThreadPoolExecutor(1) as reader:
        coming = reader.submit(_prepare, plain[0], how)
        for scan, following in zip(plain, [*plain[1:], None], strict=True):
            this = coming
            this.exception()  # waits
            if following is not None:
                coming = reader.submit(_prepare, following, how)
            yield scan, this.result


def _prepare(scan: Scan, how: How) -> tuple[Prepared, tuple[str, ...]]:
    prepared = prepare_scan(scan, how.preparation)
    return prepared, how.doubts(prepared) if prepared.region.any() else ()


def _cut(prepared: Prepared, how: How) -> Maps:
    if not prepared.region.any():
        raise UserError(f"The region of {prepared.scan.image} is empty; try --region auto or none.")
    names = None if how.save_maps else [how.segmentation.map]
    return cut_scan(how.network, prepared, batch=how.batch, flip=how.flip, names=names)


def _keep(prepared: Prepared, maps: Maps, how: How, folder: Path) -> Kept:
    grid, name = prepared.volume.grid, how.segmentation.map
    if how.save_maps:
        for each in maps.keys() - {"input"}:
            write_volume(how.aside / _file(how, prepared.scan, each, grid), maps[each], grid)
    return keep(prepared, [(name, maps[name])], Folder(folder), how.range)


def choose_thresholds(
    several: Sequence[Kept], way: Way, reference: NDArray[np.int64] | None
) -> list[Threshold | NoThreshold | None]:
    """The threshold of each scan: as given for its subject, else by the rule, for it or for all.

    None for scans whose masks are made in another way.
    """
    if way.given:
        return [way.given.get(kept.scan.subject) for kept in several]
    how = way.segmentation
    counts = pooled_counts(by_name(several, lambda scan: scan.subject), how.map)
    chosen = choose(how.rule, counts, how.side, how.scope, reference)
    subjects = [kept.scan.subject for kept in several]
    return [chosen[subject] if way.holds_for(subject) else None for subject in subjects]


def write_mask(
    kept: Kept, threshold: Threshold | NoThreshold, how: How, edits: Sequence[Edit] = ()
) -> dict[str, Any]:
    """Threshold, clean and write one mask; return its row of the table.

    Without a threshold, or without the further image that a step needs, or where one of the `edits`
    of its pieces lies on none, no mask is written, and the row says why.
    """
    name, region = how.segmentation.map, kept.region()
    row = failed_row(kept.scan, how.segmentation, "") | {
        "range": kept.ranges[name].describe(),
        **describe(threshold),
        "pieces": describe_edits(edits),
        "region_voxels": int(np.count_nonzero(region)),
        "remarks": SEPARATOR.join(kept.remarks),
    }
    if isinstance(threshold, NoThreshold):
        return row
    levels, steps = kept.volume(name, region), parse_steps(how.segmentation.post)
    try:
        mask = segment(levels, region, threshold, steps, on_levels(kept.further), edits)
    except UserError as error:
        return row | {"sentence": str(error)}
    file = _file(how, kept.scan, "mask", kept.grid)
    if how.dicom_seg:
        seg, stored = how.aside / seg_name(file), to_stored(mask, kept.grid)
        try:
            write_seg(seg, stored, kept.scan.image, kept.grid, how.preparation.frame)
        except UserError as error:
            return row | {"sentence": str(error)}
    write_volume(how.aside / file, mask, kept.grid, np.uint8)
    voxels = int(np.count_nonzero(mask))
    return row | {
        "mask": str(how.out / file),
        "kept": threshold.text(),
        "voxels": voxels,
        "volume_ml": round(voxels * kept.voxel_ml, 4),
    }


def failed_row(scan: Scan, how: Segmentation, sentence: str) -> dict[str, Any]:
    """Return the row of a scan without a mask: all columns of the table, the unknown ones None."""
    return {
        "subject": scan.subject,
        "scan": scan.scan,
        "image": str(scan.image),
        "mask": None,
        "map": how.map,
        "range": None,
        "kept": None,
        **dict.fromkeys(("level", "upper")),
        "side": how.side,
        "rule": how.rule,
        "kind": None,
        "sentence": sentence,
        "scope": how.scope,
        "post": " ".join(map(str, parse_steps(how.post))),
        "pieces": "",
        "voxels": None,
        "volume_ml": None,
        "region_voxels": None,
        "remarks": "",
    }


def _file(how: How, scan: Scan, what: str, grid: Grid) -> str:
    """The file of a mask or map: stored like its image, but never in a format that blurs."""
    return f"{how.first_parts[scan.scan]}_{what}{output_suffix(grid)}"
