"""`demo`: make a synthetic cohort with known lesions."""

import argparse
from pathlib import Path

from ascnet_core.commands.options import PROGRAM, add_overwrite
from ascnet_core.commands.progress import Progress
from ascnet_core.errors import UserError

SUMMARY = "make a synthetic cohort with exact lesion masks"
DESCRIPTION = (
    "Makes volumes whose anatomy differs from subject to subject, half of them with lesions, "
    "exact masks, regions, and OUT/manifest.csv. The same seed gives the same cohort."
)
EXAMPLES = f"""\
examples:
  {PROGRAM} demo demo                       24 subjects, bright lesions on FLAIR
  {PROGRAM} demo demo-t2 --contrast t2      lesions as bright as fluid, with a FLAIR to gate by
  {PROGRAM} demo demo-ct --contrast ct      a liver with dark lesions
  {PROGRAM} demo small --subjects 4 --size 64x64x16 --seed 7
"""


def add(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("out", metavar="OUT", type=Path, help="folder to make")
    add_overwrite(parser)
    parser.add_argument(
        "--contrast",
        choices=("flair", "t2", "ct"),
        default="flair",
        help="what the scans look like (default: flair)",
    )
    parser.add_argument(
        "--subjects", type=int, default=24, metavar="N", help="number of subjects (default: 24)"
    )
    parser.add_argument(
        "--size",
        type=parse_size,
        default=(96, 96, 32),
        metavar="XxYxZ",
        help="voxels (default: 96x96x32)",
    )
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="seed (default: 0)")


def parse_size(text: str) -> tuple[int, int, int]:
    """Three numbers of voxels from text like 96x96x32."""
    parts = text.lower().split("x")
    if len(parts) != 3 or not all(part.isdecimal() and len(part) < 10 for part in parts):
        raise argparse.ArgumentTypeError(f"{text!r} is not a size; write it like 96x96x32")
    x, y, z = (int(part) for part in parts)
    return x, y, z


def run(options: argparse.Namespace) -> None:
    """Make the cohort."""
    from ascnet_core.imaging.phantom.demo import make_demo

    if options.subjects < 2:
        raise UserError(f"--subjects is {options.subjects}; a cohort needs at least 2.")
    if options.seed < 0:
        raise UserError(f"--seed is {options.seed}; it must be 0 or more.")
    with Progress("subjects", options.subjects) as progress:
        manifest = make_demo(
            options.out,
            contrast=options.contrast,
            subjects=options.subjects,
            size=options.size,
            seed=options.seed,
            progress=progress,
            overwrite=options.overwrite,
        )
    print(f"{options.subjects} subjects in {manifest}")
    print(f"next: {PROGRAM} train {manifest} --name first --preset teaching")
