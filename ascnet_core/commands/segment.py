"""`segment`: masks for images, by a trained run."""

from __future__ import annotations

import argparse
import csv
import dataclasses
import io
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ascnet_core.commands.options import (
    PROGRAM,
    RULES_HELP,
    add_flag,
    add_out,
    add_overwrite,
    add_segmentation,
    changed_settings,
    need_folder,
    pick_device,
)
from ascnet_core.commands.progress import Progress
from ascnet_core.commands.study_options import add_study, study_of, undecided_of
from ascnet_core.errors import UserError
from ascnet_core.imaging.formats import IN_SHORT
from ascnet_core.names import REGIONS
from ascnet_core.places import MANIFEST

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ascnet_core.imaging.cohort import Scan
    from ascnet_core.segmentation.scans import How
    from ascnet_core.segmentation.ways import Way
    from ascnet_core.settings.tables import Segmentation, Settings

TABLES = ("segmentation.csv", "segmentation.json")
SUMMARY = "make anomaly masks for images with a trained run"
DESCRIPTION = (
    "Cuts each image with the network of RUN (a name under checkpoints/, a run's folder or a "
    "model file), thresholds one of the maps, and writes the mask."
)
EXAMPLES = f"""\
examples:
  {PROGRAM} segment demo-flair scan.nii.gz -o masks
  {PROGRAM} segment demo-flair demo/manifest.csv -o masks --threshold valley:1 --scope subject
  {PROGRAM} segment first a.nii.gz b.nii.gz -o masks --map wild --threshold 60 --save-maps
  {PROGRAM} segment first DICOM_FOLDER#2 -o masks --dicom-seg
  {PROGRAM} segment first slice.png -o masks --channel 1 --post open-close:5 components:100
  {PROGRAM} segment --study ms -o masks --rater anna

Writes OUT/SCAN_mask.nii.gz on the grid of the image, bit for bit (a picture gets a .png), and
OUT/segmentation.csv and .json with threshold, rule and volume of each. A scan that is damaged, or
for which the rule finds nothing, is named, gets no mask and a sentence in the table; the others are
done, and the exit status is 2. Where no scan can be read nothing is written. What makes one doubt a
scan (skull where the run saw none, another modality, thick slices ...) is said on stderr, and in
the column `remarks`.

Of what is in OUT only files are replaced that this program wrote, and those with --overwrite.

{RULES_HELP}"""


def add(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    run = parser.add_argument("run", metavar="RUN", help="a run's name or folder")
    images = parser.add_argument(
        "images",
        nargs="+",
        type=Path,
        metavar="IMAGE|MANIFEST",
        help=f"images ({IN_SHORT}), or cohorts (.csv)",
    )
    add_out(parser, "OUT", "folder for the masks; made if need be", required=True)
    add_overwrite(parser)
    parser.add_argument(
        "--cycle",
        type=int,
        metavar="C",
        help="the network after cycle C, counted over both stages (default: the run's result)",
    )
    add_flag(
        parser,
        "--save-maps",
        "write all maps of the network too, such as fence, wild, reconstruction and residual",
    )
    add_flag(
        parser,
        "--dicom-seg",
        "write masks of DICOM series as DICOM SEG too; such a file repeats the patient's name, "
        "numbers and dates from its series, as it must; nothing else does",
    )
    add_flag(parser, "--flip", "average over the image and its mirror image")
    parser.add_argument(
        "--batch", type=int, metavar="N", help="slices cut at once (default: by memory)"
    )
    add_study(parser, run, images)
    add_segmentation(parser, "as the run's settings say")


def run(options: argparse.Namespace) -> int:
    """Segment and return the exit status: 2 if some scans get no mask."""
    return make(options)


def make(options: argparse.Namespace, told: Path | None = None) -> int:
    """Segment; `told` is how the tables call the folder of the masks, where it is to be moved."""
    from ascnet_core.imaging.cohort import files_of

    out = need_folder(options.out)
    if options.batch is not None and options.batch < 1:
        raise UserError(f"--batch is {options.batch}; it must be 1 or more.")
    from ascnet_core.outputs import writing
    from ascnet_core.segmentation.rules import parse_rule
    from ascnet_core.segmentation.steps import parse_steps

    study = study_of(options)
    if study is not None:
        if options.run is not None:
            raise UserError("Run and images are the study's; leave them out.")
        options.run, options.images = study.run, [study.path / MANIFEST]
        options.cycle, options.flip = study.cycle, study.flip
    scans = _scans(options)
    if options.threshold:
        parse_rule(options.threshold)
    parse_steps(options.post or ())
    from ascnet_core.imaging.dicom.seg import check_source, seg_name

    for scan in scans if options.dicom_seg else ():
        check_source(scan.image)
    device = pick_device(options.device)

    from ascnet_core.runs.fingerprint import read_fingerprint
    from ascnet_core.runs.suspicion import in_order, suspicions
    from ascnet_core.segmentation.cuts import map_names, ready
    from ascnet_core.segmentation.levels import SEPARATOR
    from ascnet_core.segmentation.scans import How, planned_files
    from ascnet_core.segmentation.ways import Way
    from ascnet_core.settings.preparation import preparation_of
    from ascnet_core.training.checkpoint import load_model

    model, settings = load_model(options.run, cycle=options.cycle, device=device)
    settings = changed_settings(settings, options)
    shown = settings.method.map_named(settings.segmentation.map)
    options.range_kind = options.range_kind or shown.range
    network = ready(model, device)
    ways = [Way(settings.segmentation, options.range_kind)]
    excluded: Mapping[str, str] = {}
    missing: Mapping[str, str] = {}
    if study is not None:
        from ascnet_core.studies.applying import apply_decisions

        undecided = undecided_of(options, settings.segmentation)
        applied = apply_decisions(
            study, study.cohort(), options.rater, undecided, options.range_kind
        )
        options.rater = applied.rater
        ways, excluded, missing = list(applied.ways), applied.excluded, applied.missing
    asked = next((way.segmentation for way in ways if not way.given), None)
    reference = None if asked is None else _reference_counts(options, asked)
    choices = (
        options.range_kind, options.batch, options.flip, options.save_maps, options.dicom_seg,
    )  # fmt: skip
    doubts = partial(suspicions, run=read_fingerprint(options.run))
    what = ["mask", *(map_names(network) if options.save_maps else ())]
    first_parts, names = planned_files(scans, what)
    if options.dicom_seg:
        names += [seg_name(name) for name in names if name.endswith("_mask.nii.gz")]
    inputs = [*options.images, *(path for scan in scans for path in files_of(scan))]
    with writing(out, [*names, *TABLES], "segment", inputs, options.overwrite) as aside:
        how = How(
            network, preparation_of(settings), settings.segmentation, told or out, aside,
            first_parts, *choices, doubts,
        )  # fmt: skip
        rows = _segment(scans, ways, how, reference, {**excluded, **missing})
        _write_tables(rows, options, settings, aside)
    for row in rows:
        if row["mask"]:
            print(
                f"{row['mask']}: {row['map']} {row['kept']} ({row['rule']}), "
                f"{row['voxels']} voxels, {row['volume_ml']:.2f} ml"
            )
    for remark in in_order(
        (row["scan"], filter(None, row["remarks"].split(SEPARATOR))) for row in rows
    ):
        print(f"note: {remark}", file=sys.stderr)
    for row in (row for row in rows if row["subject"] in excluded):
        print(f"note: {row['scan']} gets no mask. {row['sentence']}", file=sys.stderr)
    failed = [row for row in rows if not row["mask"] and row["subject"] not in excluded]
    for row in failed:
        print(_no_mask(row["scan"], row["sentence"]), file=sys.stderr)
    return 2 if failed else 0


def _segment(
    scans: Sequence[Scan],
    ways: Sequence[Way],
    how: How,
    reference: NDArray[np.int64] | None,
    without: Mapping[str, str],
) -> list[dict[str, Any]]:
    """Cut all scans, write their masks, and return the table's rows, also of those that failed.

    `without` are subjects that get no mask, with a sentence. Ways that share map and range share
    what was cut.
    """
    from ascnet_core.segmentation.scans import choose_thresholds, cut_all, failed_row, write_mask

    rows: dict[str, dict[str, Any]] = {}
    failed: dict[str, str] = {}
    cut: dict[tuple[str, str], list[Way]] = {}
    for way in ways:
        cut.setdefault((way.segmentation.map, way.range), []).append(way)
    for number, alike in enumerate(cut.values()):
        how = dataclasses.replace(how, segmentation=alike[0].segmentation, range=alike[0].range)
        read = [scan for scan in scans if any(way.reads(scan.subject) for way in alike)]
        folder = how.aside / ("kept" if number == 0 else f"kept-{number}")
        with Progress("scans cut", len(read)) as progress:
            kept, sentences = cut_all(read, how, folder, progress.advance)
        failed |= sentences
        for way in alike if kept else ():
            how = dataclasses.replace(how, segmentation=way.segmentation)
            found = zip(kept, choose_thresholds(kept, way, reference), strict=True)
            chosen = [(one, threshold) for one, threshold in found if threshold is not None]
            with Progress("masks", len(chosen)) as progress:
                for one, threshold in chosen:
                    rows[one.scan.scan] = write_mask(
                        one, threshold, how, way.pieces.get(one.scan.scan, ())
                    )
                    progress.advance(one.scan.scan)
    if failed and not rows:
        *others, (_, last) = failed.items()
        for scan, sentence in others:
            print(_no_mask(scan, sentence), file=sys.stderr)
        raise UserError(last)

    def sentence_on(scan: Scan) -> str:
        return without.get(scan.subject) or failed[scan.scan]

    return [
        rows.get(scan.scan) or failed_row(scan, how.segmentation, sentence_on(scan))
        for scan in scans
    ]


def _no_mask(scan: str, sentence: str) -> str:
    return f"error: {scan} gets no mask. {sentence}"


def _scans(options: argparse.Namespace) -> list[Scan]:
    """The scans of images and manifests; a region's file becomes that of the scan."""
    from ascnet_core.imaging.cohort import Scan, read_manifest
    from ascnet_core.imaging.formats import check_file, scan_name

    region = None if options.region in (None, *REGIONS) else Path(options.region)
    if region is not None and not region.is_file():
        raise UserError(
            f"--region {options.region} is no file; give a mask file, file, auto or none."
        )
    scans: list[Scan] = []
    for path in options.images:
        if path.suffix.lower() == ".csv":
            scans.extend(read_manifest(path).scans)
            continue
        check_file(path)
        scans.append(Scan(subject=scan_name(path), scan=scan_name(path), image=path))
    if region is not None:
        if len(scans) != 1:
            raise UserError("--region FILE fits one image; name several scans' in a manifest.")
        scans = [dataclasses.replace(scans[0], region=region)]
        options.region = "file"
    names = [scan.scan for scan in scans]
    for name in names:
        if names.count(name) > 1:
            raise UserError(
                f"Two images are called {name}; segment them into folders of their own."
            )
    return scans


def _reference_counts(options: argparse.Namespace, how: Segmentation) -> NDArray[np.int64] | None:
    """The run's reference histogram, if the rule asks for it."""
    from ascnet_core.runs.folder import Run, resolve_run
    from ascnet_core.segmentation.rules import needs_reference

    if not needs_reference([how.rule]):
        return None
    if options.range_kind != "raw":
        raise UserError(f"{how.rule} works on the raw range; leave --range out.")
    if Path(options.run).is_file():
        raise UserError(f"{how.rule} needs a run's folder, not a model file alone.")
    counts = Run(resolve_run(options.run)).reference_counts(how.map, options.cycle)
    if counts is None:
        raise UserError(
            f"Run {options.run} keeps no histogram of its reference; choose another --threshold."
        )
    return counts


def _write_tables(
    rows: list[dict[str, Any]], options: argparse.Namespace, settings: Settings, folder: Path
) -> None:
    from ascnet_core.files import write_json, write_text
    from ascnet_core.runs.create import versions

    table = io.StringIO()
    writer = csv.DictWriter(table, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(folder / TABLES[0], table.getvalue())
    content = {"run": str(options.run), "cycle": options.cycle, "rows": rows}
    if options.study:
        content |= {"study": str(options.study), "rater": options.rater}
    content |= {"settings": dataclasses.asdict(settings), "versions": versions()}
    write_json(folder / TABLES[1], content)
