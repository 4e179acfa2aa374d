"""A scan made ready: read, scaled to [0, 1] inside its region, and placed into slices."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ascnet_core.errors import UserError
from ascnet_core.imaging import intensity
from ascnet_core.imaging.background import Background, find_background
from ascnet_core.imaging.cohort import Scan, Series
from ascnet_core.imaging.image_format import Grid
from ascnet_core.imaging.intensity import Scaled
from ascnet_core.imaging.slices import Placement, placement, to_slices
from ascnet_core.imaging.volume import Volume, grid_difference, read_mask_and_remarks, read_volume
from ascnet_core.names import REGIONS

Mask = npt.NDArray[np.bool_]

NO_BACKGROUND = (
    "The automatic region takes in nearly the whole image: no background was found; if there is "
    "one, give the scan a region (a column of the manifest)."
)
# No scan of a whole head or body fills so much of its box.
_NEARLY_ALL = 0.95
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Preparation:
    """How scans are made ready.

    Attributes
    ----------
    size : Pixels along each side of a slice, a multiple of 16.
    scaling, low, high : As for `intensity.limits`, over the region of the whole volume.
    region : "file": the manifest's region where it names one, else automatic; "auto": above 5 % of
        the 99th percentile, without padding (`find_background`); "none": everything. Outside is 0.
    channel, frame : Channel of colour pictures (None: the manifest's) and frame of 4-D images and
        masks, from 0.
    label : Labels of the masks that are the lesion (none: the manifest's, else all).
    nan : The value that NaN and infinite values become; None refuses them.
    """

    size: int = 160
    scaling: str = "percentile"
    low: float = 0.1
    high: float = 99.9
    region: str = "file"
    channel: int | None = None
    frame: int | None = None
    nan: float | None = None
    label: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Prepared:
    """A scan made ready; arrays are (X, Y, Z) in RAS order and read-only.

    `volume` is the image in real units, `scaled` that in [0, 1] and 0 outside the region, `truth`
    the manifest's mask, `placement` where slices lie in the volume. A picture of a series knows its
    index in it and the region's pixels in each of its slices (`series_place`). `remarks` are
    sentences on what was unsure and how it was decided; they are shown beside every result.
    """

    scan: Scan
    preparation: Preparation
    volume: Volume
    scaled: Floats
    region: Mask
    truth: Mask | None
    placement: Placement
    scaled_info: Scaled
    series_place: tuple[int, tuple[int, ...]] | None = None
    remarks: tuple[str, ...] = ()

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Distance of neighbouring voxels in mm along X, Y and Z."""
        return self.volume.spacing

    def slices(self) -> Floats:
        """Return the scaled volume as float32 slices (Z, S, S) in [0, 1]."""
        return to_slices(self.scaled, self.placement)

    def region_slices(self) -> Mask:
        """Return the region as bool slices (Z, S, S)."""
        return to_slices(self.region, self.placement, order=0) > 0

    def truth_slices(self) -> Mask | None:
        """Return the mask as bool slices (Z, S, S), None where there is none."""
        truth = self.truth
        return None if truth is None else to_slices(truth, self.placement, order=0) > 0

    def further(self, name: str) -> Floats:
        """Return the further image `image:NAME`, scaled the same way; see `further_image`."""
        return further_image(self.scan, self.preparation, self.volume.grid, self.region, name)


def further_image(scan: Scan, how: Preparation, grid: Grid, region: Mask, name: str) -> Floats:
    """Return the image `image:NAME` of a scan whose grid and region are known; float32 (X, Y, Z).

    Raises a UserError if the scan has no such image, or it is on another grid.
    """
    files = {key.lower(): path for key, path in scan.further.items()}
    path = files.get(name.lower())
    if path is None:
        known = ", ".join(files) or "none"
        raise UserError(
            f"Scan {scan.scan} has no further image {name!r} (it has: {known}); "
            f"add a column image:{name} to the manifest."
        )
    volume = _read(path, how, how.channel)
    reason = grid_difference(volume.grid, grid)
    if reason:
        raise UserError(f"{path} is on another grid than {scan.image} ({reason}); resample it.")
    return _scaled(volume, region, how)[0]


def prepare_scan(scan: Scan, preparation: Preparation | None = None) -> Prepared:
    """Read a scan, scale it (a picture of a series by the values of all its slices) and place it.

    Raises a UserError that says what is wrong with its files or with the preparation.
    """
    how = preparation or Preparation()
    if how.region not in REGIONS:
        raise UserError(f"Region {how.region!r} is unknown; choose {', '.join(REGIONS)}.")
    channel = how.channel if how.channel is not None else scan.channel
    volume = _read(scan.image, how, channel)
    place = placement(volume.shape, volume.spacing, how.size, str(scan.image))
    truth: Mask | None = None
    of_truth: tuple[str, ...] = ()
    if scan.mask:
        labels = how.label or scan.label
        truth, of_truth = read_mask_and_remarks(
            scan.mask, volume, labels=labels, frame=how.frame, others=scan.other_masks
        )
    series_place, background, known = None, None, None
    if len(scan.series) > 1:
        stamps = tuple(
            image.stat().st_mtime_ns if image.is_file() else 0 for image, _ in scan.series
        )
        background, known, areas = _series_limits(scan.series, stamps, how, channel)
        series_place = ([image for image, _ in scan.series].index(scan.image), areas)
    region, of_region = _region(volume, scan.region, how, background)
    scaled, info = _scaled(volume, region, how, known)
    for array in (scaled, region, truth):
        if array is not None:
            array.flags.writeable = False
    unused: tuple[str, ...] = ()
    if how.frame and volume.grid.frames == 1:
        unused = (f"The image has one frame; that frame {how.frame} was chosen changes nothing.",)
    remarks = (*volume.grid.remarks, *unused, *of_region, *of_truth)
    return Prepared(scan, how, volume, scaled, region, truth, place, info, series_place, remarks)


def _read(path: Path, how: Preparation, channel: int | None) -> Volume:
    return read_volume(path, frame=how.frame, channel=channel, nan=how.nan)


def _scaled(
    volume: Volume, region: Mask, how: Preparation, known: tuple[float, float] | None = None
) -> tuple[Floats, Scaled]:
    # a region of everything needs no copy of its values
    inside = None if how.region == "none" else region
    what = str(volume.path)
    return intensity.scale_volume(volume.data, inside, how.scaling, how.low, how.high, what, known)


def _region(
    volume: Volume, file: Path | None, how: Preparation, background: Background | None
) -> tuple[Mask, tuple[str, ...]]:
    """Return the region, with remarks; an automatic one by `background`, or the volume's own."""
    if how.region == "none":
        return np.ones(volume.shape, np.bool_), ()
    if how.region == "file" and file is not None:
        return read_mask_and_remarks(file, volume, frame=how.frame, lesion=False)
    background = background or find_background([volume.data])
    region, remark = background.region(volume.data), background.remark
    if not remark and np.count_nonzero(region) > _NEARLY_ALL * region.size:
        remark = NO_BACKGROUND
    return region, (remark,) * bool(remark)


@lru_cache(maxsize=64)
def _series_limits(
    series: Series, stamps: tuple[int, ...], how: Preparation, channel: int | None
) -> tuple[Background, tuple[float, float], tuple[int, ...]]:
    """Return a series' background, its limits and each slice's region area.

    `stamps` (times of change) are there for the cache alone.
    """
    volumes = [_read(image, how, channel) for image, _ in series]
    background = find_background([one.data for one in volumes])
    regions = [
        _region(volume, file, how, background)[0]
        for volume, (_, file) in zip(volumes, series, strict=True)
    ]
    inside = np.concatenate([v.data[region] for v, region in zip(volumes, regions, strict=True)])
    what = f"The series of {series[0][0]}"
    known = intensity.limits(inside, how.scaling, how.low, how.high, what)
    return background, known, tuple(int(region.sum()) for region in regions)
