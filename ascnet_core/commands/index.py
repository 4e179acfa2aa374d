"""`index`: write a manifest for a folder of images."""

import argparse
from collections import Counter
from pathlib import Path

from ascnet_core.commands.options import PROGRAM, add_out, add_overwrite
from ascnet_core.errors import UserError, printable

_SHOWN = 20
SUMMARY = "write a manifest for a folder of images"
DESCRIPTION = (
    "Recognises folders of volumes by their names (also BIDS, BraTS, nnU-Net, MSSEG, ISBI), the "
    "LGG TIF layout and the authors' .npy files, writes a manifest, and says what it was unsure "
    "of, and what it left out and why. What a program drew is left out: it is no truth."
)
EXAMPLES = f"""\
examples:
  {PROGRAM} index scans                     writes scans/manifest.csv
  {PROGRAM} index kaggle_3m -o lgg.csv      the TIF slices of the LGG collection
  {PROGRAM} index stacks                    the authors' .npy stacks

A manifest is a table (CSV) with a row a scan: subject and image, and where there are any mask,
region, modality, image:NAME (a further modality), group (normal or anomalous), fold, notes.
Paths are relative to it. Edit it with any table program: a manifest that was edited, or that this
program did not write, is never replaced.
"""


def add(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="folder to look through")
    add_out(parser, "MANIFEST", "where to write (default: FOLDER/manifest.csv)")
    add_overwrite(parser)


def run(options: argparse.Namespace) -> None:
    """Look through the folder and write the manifest."""
    from ascnet_core.files import write_text
    from ascnet_core.imaging.cohort import manifest_text
    from ascnet_core.imaging.index import index_folder
    from ascnet_core.outputs import check_targets, writing

    manifest: Path = options.out or options.folder / "manifest.csv"
    if manifest.suffix.lower() != ".csv" or manifest.is_dir():
        is_folder = "is a folder" if manifest.is_dir() else "is no name of a table"
        raise UserError(f"-o {manifest} {is_folder}; name a file that ends in .csv.")
    # before a long look
    check_targets(manifest.parent, [manifest.name], (), options.overwrite)
    found = index_folder(options.folder)
    read = [cell for row in found.rows for cell in row.values() if isinstance(cell, Path)]
    with writing(manifest.parent, [manifest.name], "index", read, options.overwrite) as aside:
        write_text(aside / manifest.name, manifest_text(found.rows, manifest.parent))
    subjects = len({row["subject"] for row in found.rows})
    masks = sum(bool(row.get("mask")) for row in found.rows)
    print(f"layout: {found.layout}")
    print(
        f"{len(found.rows)} scans of {subjects} subjects, {masks} with a mask, in "
        f"{printable(manifest)}"
    )
    _print("unsure", found.unsure)
    _print("left out", found.left_out)


def _print(what: str, found: list[tuple[Path, str]]) -> None:
    """Print a line for each file, but not thousands; names may hold anything."""
    for path, text in found[:_SHOWN]:
        print(f"{what}: {printable(path)}: {printable(text)}")
    if more := found[_SHOWN:]:
        often, times = Counter(text for _, text in more).most_common(1)[0]
        print(f"{what}: {len(more)} more, of these {times}: {printable(often)}")
