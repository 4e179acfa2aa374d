"""Options that several verbs share, and how they are read."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ascnet_core.errors import UserError
from ascnet_core.imaging.formats import format_of
from ascnet_core.names import RANGES, SCOPES, SIDES
from ascnet_core.segmentation.rules import RULES, parse_rule
from ascnet_core.segmentation.steps import STEPS, parse_steps
from ascnet_core.segmentation.written import table

if TYPE_CHECKING:
    from ascnet_core.settings.tables import Settings

PROGRAM = "ascnet" if Path(sys.argv[0]).stem == "ascnet" else "python -m ascnet_core"
"""How this program was called, so that examples and recorded commands can be copied."""

_SETTINGS = {
    **{name: f"data.{name}" for name in ("scaling", "region", "frame", "channel", "nan", "label")},
    "stop_when": "schedule.stop_when",
    "threshold": "segmentation.rule",
    **{name: f"segmentation.{name}" for name in ("map", "side", "scope", "post")},
}
"""The options that name a setting, with its key."""

RULES_HELP = f"""\
threshold rules (levels run from 0 to 255; a rule never looks at a mask):
{table(RULES)}

post-processing, in the order given:
{table(STEPS)}
"""

Formatter = partial(argparse.RawDescriptionHelpFormatter, max_help_position=30)
"""Keeps the line breaks of examples and has a wider column for the options."""


def add_action(
    actions: Any, name: str, about: str, does: Callable[[argparse.Namespace], int | None]
) -> argparse.ArgumentParser:
    """Add an action of a verb, done by `does`; returned is its parser, for the action's options."""
    parser: argparse.ArgumentParser = actions.add_parser(
        name, help=about, description=about.capitalize() + ".", formatter_class=Formatter
    )
    # SUPPRESS: where it is not given, what was given before the action stands
    parser.add_argument(
        "--debug",
        action="store_true",
        default=argparse.SUPPRESS,
        help="show where in the program an error arose",
    )
    parser.set_defaults(do=does)
    return parser


def add_out(
    parser: argparse.ArgumentParser, metavar: str, about: str, required: bool = False
) -> None:
    """Add `-o`, `--out`."""
    parser.add_argument("-o", "--out", required=required, type=_place, metavar=metavar, help=about)


def _place(text: str) -> Path:
    """A path to write to; an empty one (of an unset variable, say) is not the current folder."""
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty; name a place, or . for the current folder")
    return Path(text)


def add_overwrite(parser: argparse.ArgumentParser) -> None:
    """Add `--overwrite`."""
    add_flag(parser, "--overwrite", "replace files that an earlier call wrote; no others")


def add_flag(parser: argparse.ArgumentParser, name: str, about: str) -> None:
    """Add an option that takes no value."""
    parser.add_argument(name, action="store_true", help=about)


def add_set(parser: argparse.ArgumentParser) -> None:
    """`--set key=value`, which reaches every setting."""
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        dest="assignments",
        metavar="KEY=VALUE",
        help="change a setting, e.g. --set data.size=160; "
        f"`{PROGRAM} train --list-settings` lists all",
    )


def add_device(parser: argparse.ArgumentParser) -> None:
    """`--device`."""
    parser.add_argument(
        "--device",
        default="auto",
        metavar="auto|cpu|cuda[:N]",
        help="where to compute (default: auto, a GPU if there is one)",
    )


def add_reading(parser: argparse.ArgumentParser) -> None:
    """Options for images that can be read in several ways."""
    group = parser.add_argument_group("reading images")
    group.add_argument(
        "--scaling",
        choices=("percentile", "min-max"),
        help="how intensities are brought to [0, 1] over a volume",
    )
    group.add_argument(
        "--region",
        metavar="file|auto|none",
        help="what is looked at: the manifest's region (else automatic), always "
        "automatic (above 5 %% of the 99th percentile), or everything",
    )
    group.add_argument("--frame", type=int, metavar="N", help="frame of 4-D files, from 0")
    group.add_argument("--channel", type=int, metavar="N", help="channel of colour pictures")
    group.add_argument("--nan", type=float, metavar="X", help="what NaN and infinity become")


def add_label(parser: argparse.ArgumentParser) -> None:
    """`--label`."""
    parser.add_argument(
        "--label",
        action="extend",
        nargs="+",
        type=int,
        metavar="N",
        help="labels of the masks that are the lesion (default: the manifest's, else all)",
    )


def add_segmentation(parser: argparse.ArgumentParser, default: str, several: bool = False) -> None:
    """Options that turn a scan into a mask; `several` allows more than one map and rule."""
    from ascnet_core.settings.methods import METHODS

    maps = "; ".join(
        f"{', '.join(one.name for one in method.maps)} of {name}"
        for name, method in METHODS.items()
    )
    many: Any = {"action": "extend", "nargs": "+"} if several else {}
    group = parser.add_argument_group("from map to mask", f"What is not given: {default}.")
    group.add_argument(
        "--map",
        metavar="NAME",
        help=f"the map that is thresholded, among those of the run's method: {maps}",
        **many,
    )
    group.add_argument("--threshold", metavar="RULE", help="a rule, see below", **many)
    group.add_argument(
        "--side", choices=SIDES, help="whether the anomaly is bright or dark on the map"
    )
    group.add_argument(
        "--scope", choices=SCOPES, help="a threshold for each subject, or one for all"
    )
    group.add_argument(
        "--post",
        action="extend",
        nargs="+",
        metavar="P",
        help="post-processing steps, see below; `none` for none",
    )
    group.add_argument(
        "--range",
        choices=RANGES,
        dest="range_kind",
        help="what levels 0 and 255 stand for: 0 and 1 (raw), or the least and largest value of a "
        "subject or of the cohort (default: as the method says of the map, ASC-Net's are raw)",
    )
    add_reading(parser)
    add_set(parser)
    add_device(parser)


def first_settings(options: argparse.Namespace) -> Settings:
    """The settings of a new run: those of its preset with the options laid over."""
    from ascnet_core.settings.presets import load_preset

    return changed_settings(load_preset(options.preset or "teaching"), options)


def changed_settings(settings: Settings, options: argparse.Namespace) -> Settings:
    """Lay `--set`, and the options that name a setting, over settings."""
    from ascnet_core.settings.text import apply_set

    given = {name: value for name, value in vars(options).items() if value is not None}
    if "post" in given:
        given["post"] = ",".join(step for step in options.post if step != "none")
    if "label" in given:
        given["label"] = ",".join(map(str, options.label))
    named = [f"{key}={given[name]}" for name, key in _SETTINGS.items() if name in given]
    changed = apply_set(settings, [*options.assignments, *named])
    parse_rule(changed.segmentation.rule)
    parse_steps(changed.segmentation.post)
    return changed


def pick_device(name: str) -> str:
    """The device to compute on, as torch calls it; `UserError` if there is none of that name."""
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", name):
        raise UserError(f"--device is {name!r}; choose auto, cpu, cuda or cuda:N.")
    if name == "cpu":
        return name
    from ascnet_core.training import device

    return str(device.pick_device(name))


def need_folder(path: Path) -> Path:
    """The folder of `-o`; `UserError` if it is a file, or named like one."""
    if path.exists() and not path.is_dir():
        raise UserError(f"{path} is a file; -o takes a folder.")
    if format_of(path) or path.suffix in (".gz", ".csv", ".json"):
        raise UserError(f"-o {path} looks like a file; it takes a folder, which is made.")
    return path
