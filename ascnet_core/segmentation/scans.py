"""What `segment` does with its scans: cut, threshold, clean, write."""

import dataclasses
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ascnet_core.errors import UserError
from ascnet_core.imaging.cohort import Scan
from ascnet_core.imaging.formats import output_suffix
from ascnet_core.imaging.image_format import Grid
from ascnet_core.imaging.prepare import Preparation, prepare_scan
from ascnet_core.imaging.volume import write_volume
from ascnet_core.network.blocks import Network
from ascnet_core.segmentation.cuts import cut_scan
from ascnet_core.segmentation.histogram import RAW, Range, count_levels, quantise
from ascnet_core.segmentation.postprocess import parse_steps, run_steps
from ascnet_core.segmentation.threshold import Threshold, apply, describe, propose
from ascnet_core.settings.tables import Segmentation


@dataclass
class Cut:
    """What is kept of one scan between cutting and thresholding; arrays lie in `place`."""

    scan: Scan
    grid: Grid
    voxel_ml: float
    shape: tuple[int, int, int]
    place: Path
    range: Range

    def region(self) -> NDArray[np.bool_]:
        """The region, (X, Y, Z) bool."""
        packed = np.load(self.place / "region.npy", allow_pickle=False)
        size = int(np.prod(self.shape))
        return np.unpackbits(packed, count=size).astype(bool).reshape(self.shape)

    def levels(self) -> NDArray[np.uint8]:
        """The map's levels at the region's voxels, (n,) uint8."""
        values = np.load(self.place / "map.npy", allow_pickle=False)
        return quantise(values, self.range.low, self.range.high)


@dataclass(frozen=True)
class How:
    """What holds for all scans of a call.

    `batch` None: by memory. `out` is the folder of masks, and of maps if `save_maps`.
    """

    model: Network
    preparation: Preparation
    segmentation: Segmentation
    out: Path
    device: str = "cpu"
    batch: int | None = None
    flip: bool = False
    save_maps: bool = False


def cut_one(scan: Scan, how: How, place: Path) -> Cut:
    """Cut one scan and keep in `place` what the threshold needs of it.

    Raises
    ------
    UserError
        If the scan cannot be prepared, or its region is empty.
    """
    # The manifest's mask plays no part in making one: a broken one must not be in the way.
    prepared = prepare_scan(dataclasses.replace(scan, mask=None), how.preparation)
    if not prepared.region.any():
        raise UserError(f"The region of {scan.image} is empty; try --region auto or none.")
    maps = cut_scan(how.model, prepared, how.device, how.batch, how.flip)
    volume = prepared.volume
    if how.save_maps:
        for name in maps.keys() - {"input"}:
            write_volume(_file(how.out, scan, name, volume.grid), maps[name], volume.grid)
    place.mkdir()
    np.save(place / "region.npy", np.packbits(prepared.region))
    np.save(place / "map.npy", maps[how.segmentation.map][prepared.region])
    return Cut(scan, volume.grid, volume.voxel_ml, volume.shape, place, RAW)


def settle_ranges(cuts: Sequence[Cut], kind: str) -> None:
    """State what levels 0 and 255 stand for, now that all scans are cut."""
    if kind == "raw":
        return
    ends: dict[str, tuple[float, float]] = {}
    for cut in cuts:
        values = np.load(cut.place / "map.npy", allow_pickle=False)
        unit = cut.scan.subject if kind == "subject" else ""
        low, high = float(values.min()), float(values.max())
        before = ends.get(unit, (low, high))
        ends[unit] = min(low, before[0]), max(high, before[1])
    for cut in cuts:
        low, high = ends[cut.scan.subject if kind == "subject" else ""]
        cut.range = Range(low, high, "subject" if kind == "subject" else "cohort")


def choose_thresholds(
    cuts: Sequence[Cut], how: Segmentation, reference: NDArray[np.int64] | None
) -> list[Threshold]:
    """The threshold of each scan: its subject's own, or one for all.

    Raises
    ------
    UserError
        If the rule finds none; with scope subject it says for whom.
    """
    units = [cut.scan.subject if how.scope == "subject" else "" for cut in cuts]
    counts: dict[str, NDArray[np.int64]] = {}
    for unit, cut in zip(units, cuts, strict=True):
        counts[unit] = counts.get(unit, np.zeros(256, np.int64)) + count_levels(cut.levels())
    side: Literal["bright", "dark"] = "dark" if how.side == "dark" else "bright"
    proposed = {}
    for unit, histogram in counts.items():
        try:
            proposed[unit] = propose(how.rule, histogram, side, reference)
        except UserError as error:
            raise UserError(f"{unit}: {error}" if unit else str(error)) from error
    return [proposed[unit] for unit in units]


def write_mask(cut: Cut, threshold: Threshold, how: How) -> dict[str, Any]:
    """Threshold, clean and write one mask; its row of the table."""
    region = cut.region()
    mask = np.zeros(cut.shape, bool)
    mask[region] = apply(cut.levels(), None, threshold)
    steps = parse_steps(how.segmentation.post)

    def further(modality: str) -> NDArray[np.float32]:
        prepared = prepare_scan(dataclasses.replace(cut.scan, mask=None), how.preparation)
        return prepared.further(modality) * np.float32(255)

    mask = run_steps(mask, steps, region, further)
    path = _file(how.out, cut.scan, "mask", cut.grid)
    write_volume(path, mask, cut.grid, np.uint8)
    voxels = int(mask.sum())
    return {
        "subject": cut.scan.subject,
        "scan": cut.scan.scan,
        "image": str(cut.scan.image),
        "mask": str(path),
        "map": how.segmentation.map,
        "range": cut.range.describe(),
        "kept": threshold.text(),
        **describe(threshold),
        "scope": how.segmentation.scope,
        "post": " ".join(map(str, steps)),
        "voxels": voxels,
        "volume_ml": round(voxels * cut.voxel_ml, 4),
        "region_voxels": int(region.sum()),
    }


def _file(out: Path, scan: Scan, what: str, grid: Grid) -> Path:
    """Where a mask or map goes: stored like its image, but never in a format that blurs."""
    # A manifest may call a scan anything, also something with slashes.
    name = re.sub(r"[^\w.+-]", "_", scan.scan)
    return out / f"{name}_{what}{output_suffix(grid)}"
