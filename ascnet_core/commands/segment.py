"""`segment`: masks for images, by a trained run."""

import argparse
import csv
import dataclasses
import io
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from ascnet_core.commands.options import (
    PROGRAM,
    REGIONS,
    RULES_HELP,
    add_device,
    add_reading,
    add_segmentation,
    add_set,
    add_verb,
    changed_settings,
    need_folder,
    pick_device,
    preparation_of,
)
from ascnet_core.commands.progress import Progress
from ascnet_core.errors import UserError

if TYPE_CHECKING:
    from ascnet_core.imaging.cohort import Scan
    from ascnet_core.imaging.prepare import Preparation, Prepared
    from ascnet_core.imaging.volume import Grid
    from ascnet_core.segmentation.histogram import Range
    from ascnet_core.segmentation.threshold import Threshold
    from ascnet_core.training.settings import Segmentation

_EXAMPLES = f"""\
examples:
  {PROGRAM} segment demo-flair scan.nii.gz -o masks
  {PROGRAM} segment demo-flair demo/manifest.csv -o masks --threshold valley:1 --scope subject
  {PROGRAM} segment first a.nii.gz b.nii.gz -o masks --map wild --threshold 60 --save-maps
  {PROGRAM} segment first slice.png -o masks --channel 1 --post open-close:5 components:100

Writes OUT/SCAN_mask.nii.gz on the grid of the image, bit for bit (a picture gets a .png), and
OUT/segmentation.csv and .json with threshold, rule and volume of each.

{RULES_HELP}"""


@dataclass
class _Cut:
    """What is kept of one scan between cutting and thresholding; arrays lie in `place`."""

    scan: "Scan"
    grid: "Grid"
    spacing: tuple[float, float, float]
    shape: tuple[int, int, int]
    place: Path
    range: "Range"

    def region(self) -> NDArray[np.bool_]:
        """The region, (X, Y, Z) bool."""
        packed = np.load(self.place / "region.npy", allow_pickle=False)
        size = int(np.prod(self.shape))
        return np.unpackbits(packed, count=size).astype(bool).reshape(self.shape)

    def levels(self) -> NDArray[np.uint8]:
        """The map's levels at the region's voxels, (n,) uint8."""
        from ascnet_core.segmentation.histogram import quantise

        values = np.load(self.place / "map.npy", allow_pickle=False)
        return quantise(values, self.range.low, self.range.high)


def add(verbs: Any) -> None:
    """Add the verb."""
    parser = add_verb(
        verbs,
        "segment",
        "make anomaly masks for images with a trained run",
        "Cuts each image with the network of RUN (a name under checkpoints/, a run's folder or a "
        "model file), thresholds one of the maps, and writes the mask.",
        _EXAMPLES,
    )
    parser.add_argument("run", metavar="RUN", help="a run's name or folder")
    parser.add_argument(
        "images",
        nargs="+",
        type=Path,
        metavar="IMAGE|MANIFEST",
        help="images (NIfTI, .npy, PNG, TIF, JPEG), or cohorts (.csv)",
    )
    parser.add_argument(
        "-o",
        "--out",
        required=True,
        type=Path,
        metavar="OUT",
        help="folder for the masks; made if need be",
    )
    parser.add_argument(
        "--cycle",
        type=int,
        metavar="C",
        help="the network after cycle C, counted over both stages (default: the run's result)",
    )
    parser.add_argument(
        "--save-maps",
        action="store_true",
        help="write fence, wild, reconstruction and residual too",
    )
    parser.add_argument(
        "--flip", action="store_true", help="average over the image and its mirror image"
    )
    parser.add_argument(
        "--batch", type=int, default=16, metavar="N", help="slices cut at once (default: 16)"
    )
    add_segmentation(parser, "as the run's settings say")
    add_reading(parser)
    add_set(parser)
    add_device(parser)
    parser.set_defaults(run_verb=run)


def run(options: argparse.Namespace) -> None:
    """Segment."""
    out = need_folder(options.out)
    if options.batch < 1:
        raise UserError(f"--batch is {options.batch}; it must be 1 or more.")
    from ascnet_core.segmentation.postprocess import parse_steps
    from ascnet_core.segmentation.threshold import parse_rule

    region, options.region = _region_option(options.region)
    scans = _scans(options.images, region)
    if options.threshold:
        parse_rule(options.threshold)
    parse_steps(options.post or ())
    device = pick_device(options.device)

    from ascnet_core.training.checkpoint import load_model

    model, settings = load_model(options.run, cycle=options.cycle, device=device)
    settings = changed_settings(settings, options)
    how = settings.segmentation
    reference = _reference_counts(options, how)
    preparation = preparation_of(settings)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".tmp-", dir=out) as folder:
        cuts = []
        with Progress("scans cut", len(scans)) as progress:
            for number, scan in enumerate(scans):
                place = Path(folder) / str(number)
                cuts.append(_cut(scan, preparation, model, device, options, how.map, place, out))
                progress.advance(scan.scan)
        _settle_ranges(cuts, options.range_kind)
        thresholds = _thresholds(cuts, how, reference)
        with Progress("masks", len(cuts)) as progress:
            rows = []
            for cut, threshold in zip(cuts, thresholds, strict=True):
                rows.append(_write_mask(cut, threshold, how, preparation, out))
                progress.advance(cut.scan.scan)
    _write_tables(rows, options, settings, out)
    for row in rows:
        print(
            f"{row['mask']}: {row['map']} {row['kept']} ({row['rule']}), "
            f"{row['voxels']} voxels, {row['volume_ml']:.2f} ml"
        )


def _region_option(text: str | None) -> tuple[Path | None, str | None]:
    """A region's file, and the setting of `data.region`."""
    if text is None or text in REGIONS:
        return None, text
    path = Path(text)
    if not path.is_file():
        raise UserError(f"--region {text} is no file; give a mask file, file, auto or none.")
    return path, "file"


def _scans(images: Sequence[Path], region: Path | None) -> "list[Scan]":
    from ascnet_core.imaging.cohort import Scan, read_manifest
    from ascnet_core.imaging.formats import check_file, stem_of

    scans: list[Scan] = []
    for path in images:
        if path.suffix.lower() == ".csv":
            scans.extend(read_manifest(path).scans)
            continue
        check_file(path)
        scans.append(Scan(subject=stem_of(path), scan=stem_of(path), image=path))
    if region is not None:
        if len(scans) != 1:
            raise UserError("--region FILE fits one image; name several scans' in a manifest.")
        scans = [dataclasses.replace(scans[0], region=region)]
    names = [scan.scan for scan in scans]
    for name in names:
        if names.count(name) > 1:
            raise UserError(
                f"Two images are called {name}; segment them into folders of their own."
            )
    return scans


def _reference_counts(options: argparse.Namespace, how: "Segmentation") -> NDArray[np.int64] | None:
    """The run's reference histogram, if the rule asks for it."""
    if not how.rule.startswith("reference-quantile"):
        return None
    from ascnet_core.training.run_folder import Run, resolve_run

    if options.range_kind != "raw":
        raise UserError("reference-quantile works on the raw range; leave --range out.")
    if Path(options.run).is_file():
        raise UserError("reference-quantile needs a run's folder, not a model file alone.")
    counts = Run(resolve_run(options.run)).reference_counts(how.map, options.cycle)
    if counts is None:
        raise UserError(
            f"Run {options.run} keeps no histogram of its reference; choose another --threshold."
        )
    return counts


def _cut(
    scan: "Scan",
    preparation: "Preparation",
    model: Any,
    device: str,
    options: argparse.Namespace,
    name: str,
    place: Path,
    out: Path,
) -> _Cut:
    from ascnet_core.imaging.prepare import prepare_scan
    from ascnet_core.imaging.volume import write_volume
    from ascnet_core.segmentation.cuts import cut_scan
    from ascnet_core.segmentation.histogram import RAW

    # The manifest's mask plays no part in making one: a broken one must not be in the way.
    prepared: Prepared = prepare_scan(dataclasses.replace(scan, mask=None), preparation)
    if not prepared.region.any():
        raise UserError(f"The region of {scan.image} is empty; try --region auto or none.")
    maps = cut_scan(model, prepared, device=device, batch=options.batch, flip=options.flip)
    grid = prepared.volume.grid
    if options.save_maps:
        for one in ("fence", "wild", "reconstruction", "residual"):
            write_volume(out / f"{scan.scan}_{one}{_suffix(grid)}", maps[one], grid, np.float32)
    place.mkdir()
    np.save(place / "region.npy", np.packbits(prepared.region))
    np.save(place / "map.npy", maps[name][prepared.region])
    return _Cut(scan, grid, prepared.volume.spacing, prepared.volume.shape, place, RAW)


def _settle_ranges(cuts: Sequence[_Cut], kind: str) -> None:
    """State what levels 0 and 255 stand for, now that all scans are cut."""
    if kind == "raw":
        return
    from ascnet_core.segmentation.histogram import Range

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


def _thresholds(
    cuts: Sequence[_Cut], how: "Segmentation", reference: NDArray[np.int64] | None
) -> "list[Threshold]":
    """The threshold of each scan: its subject's own, or one for all."""
    from ascnet_core.segmentation.histogram import count_levels
    from ascnet_core.segmentation.threshold import propose

    units = [cut.scan.subject if how.scope == "subject" else "" for cut in cuts]
    counts: dict[str, NDArray[np.int64]] = {}
    for unit, cut in zip(units, cuts, strict=True):
        counts[unit] = counts.get(unit, 0) + count_levels(cut.levels())
    side: Literal["bright", "dark"] = "dark" if how.side == "dark" else "bright"
    proposed = {}
    for unit, histogram in counts.items():
        try:
            proposed[unit] = propose(how.rule, histogram, side, reference)
        except UserError as error:
            where = f"{unit}: " if unit else ""
            raise UserError(f"{where}{error}") from error
    return [proposed[unit] for unit in units]


def _write_mask(
    cut: _Cut,
    threshold: "Threshold",
    how: "Segmentation",
    preparation: "Preparation",
    out: Path,
) -> dict[str, Any]:
    from ascnet_core.imaging.prepare import prepare_scan
    from ascnet_core.imaging.volume import write_volume
    from ascnet_core.segmentation.postprocess import parse_steps, run_steps
    from ascnet_core.segmentation.threshold import apply, describe

    region = cut.region()
    mask = np.zeros(cut.shape, bool)
    mask[region] = apply(cut.levels(), None, threshold)
    steps = parse_steps(how.post)
    if steps:

        def further(modality: str) -> NDArray[np.float32]:
            scan = dataclasses.replace(cut.scan, mask=None)
            return prepare_scan(scan, preparation).further(modality) * np.float32(255)

        mask = run_steps(mask, steps, region, further)
    path = out / f"{cut.scan.scan}_mask{_suffix(cut.grid)}"
    write_volume(path, mask, cut.grid, np.uint8)
    voxels = int(mask.sum())
    return {
        "subject": cut.scan.subject,
        "scan": cut.scan.scan,
        "image": str(cut.scan.image),
        "mask": str(path),
        "map": how.map,
        "range": cut.range.describe(),
        "kept": threshold.text(),
        **describe(threshold),
        "scope": how.scope,
        "post": " ".join(map(str, steps)),
        "voxels": voxels,
        "volume_ml": round(voxels * float(np.prod(cut.spacing)) / 1000, 4),
        "region_voxels": int(region.sum()),
    }


def _suffix(grid: "Grid") -> str:
    """What a mask is written as: like its image, but never in a format that blurs."""
    return {"picture": ".png", "stack": ".npy"}.get(grid.kind, ".nii.gz")


def _write_tables(
    rows: Sequence[dict[str, Any]], options: argparse.Namespace, settings: Any, out: Path
) -> None:
    from ascnet_core.files import write_json, write_text
    from ascnet_core.training.run_create import versions

    table = io.StringIO()
    writer = csv.DictWriter(table, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(out / "segmentation.csv", table.getvalue())
    content = {
        "run": str(options.run),
        "cycle": options.cycle,
        "rows": list(rows),
        "settings": dataclasses.asdict(settings),
        "versions": versions(),
    }
    write_json(out / "segmentation.json", content)
