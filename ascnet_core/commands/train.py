"""`train`: train a run, or go on with one."""

import argparse
import os
from pathlib import Path

from ascnet_core.commands.options import (
    PROGRAM,
    add_device,
    add_flag,
    add_label,
    add_reading,
    add_set,
    first_settings,
)
from ascnet_core.errors import UserError
from ascnet_core.runs.launch import launched, own_launch_words

SUMMARY = "train a network on a cohort and a normal reference"
DESCRIPTION = (
    "Trains ASC-Net's two cuts (or another method, by its preset or --set method.name=NAME) on "
    "the cohort of MANIFEST against a reference of normal images, and keeps everything in "
    "checkpoints/NAME. It never learns from a mask."
)
EXAMPLES = f"""\
examples:
  {PROGRAM} train demo/manifest.csv --name first --preset teaching
  {PROGRAM} train patients.csv --name ms --reference normals.csv --preset paper
  {PROGRAM} train lgg.csv --name lgg --reference lesion-free --set data.size=160 \\
      --set schedule.stage_1=6
  {PROGRAM} train demo/manifest.csv --name first --stop-when separated
  {PROGRAM} train demo/manifest.csv --name mine --preset mine.toml
  {PROGRAM} train demo/manifest.csv --name dae --preset denoising-autoencoder
  {PROGRAM} train demo/manifest.csv --name spoilt --set reference.contamination=0.2
  {PROGRAM} train --resume first                            go on after a stop or a crash
  {PROGRAM} train --resume first --set schedule.stage_1=20  go on for longer
  {PROGRAM} train --fork first --cycle 4 --name other --set adversary.weight=0.1
                                                            a new run from its cycle 4
  torchrun --nproc-per-node 2 -m ascnet_core train demo/manifest.csv --name first   two GPUs
  {PROGRAM} train --list-settings --preset teaching         every setting, its value and meaning

The reference is what you know to be normal: the cohort's own rows of group `normal`, the slices
without lesion of the same cohort (by its masks, which serve for nothing else), or another cohort.
Ctrl-C stops at the next step and leaves a checkpoint. Everything lies in checkpoints/NAME
(settings, events, snapshots, weights) and may be read or copied at any time.

Under torchrun the training is shared by N processes, on GPUs or (--device cpu) processors, on one
machine or many, and any number of processes may go on with a run. batch_m and batch_d stay the
batch of all processes together, of which each has every N-th slice, so they must be divisible.
Batch norm takes its statistics over the whole batch, which torch does on GPUs only: on processors
set network.norm=group (and network.discriminator_norm=group). Process 0 alone reads the scans,
writes the run and prints.
"""


def add(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "manifest", nargs="?", type=Path, metavar="MANIFEST", help="the cohort (`index` writes one)"
    )
    parser.add_argument(
        "--name", metavar="NAME", help="name of the run, in checkpoints/, or a path such as ./NAME"
    )
    parser.add_argument(
        "--preset",
        metavar="P|FILE.toml",
        default=None,
        help="settings to start from (default: teaching), or a TOML file of your own; "
        "--list-settings names them all",
    )
    parser.add_argument(
        "--reference",
        metavar="MANIFEST|normal|lesion-free",
        help="what is normal (default: the rows of group normal where there are "
        "any, else lesion-free)",
    )
    parser.add_argument(
        "--resume",
        nargs="?",
        const=True,
        metavar="NAME",
        help="go on with a run where its last checkpoint is; with MANIFEST and "
        "--name: begin, or go on if it is there",
    )
    parser.add_argument(
        "--fork",
        metavar="RUN",
        help="begin a new run with the network of another one, on its data and with its settings "
        "unless MANIFEST, --reference or --set say otherwise",
    )
    parser.add_argument(
        "--cycle",
        type=int,
        metavar="K",
        help="the kept cycle to fork from, counted over both stages, 0 before training "
        "(default: the run's result)",
    )
    add_flag(
        parser, "--list-settings", "print every setting of the preset with its meaning, and stop"
    )
    parser.add_argument(
        "--stop-when",
        choices=("never", "separated"),
        help="separated: stop as soon as the advisor says so after a cycle (peaks separated, mask "
        "stable and not in the fence, more than brightness); the same as --set "
        "schedule.stop_when=separated",
    )
    add_set(parser)
    add_device(parser)
    add_reading(parser)
    add_label(parser)


def run(options: argparse.Namespace) -> None:
    """Train, as the one process or as one of several that torchrun started."""
    rank, count = launched()
    if options.list_settings:
        if rank == 0:
            _list_settings(options)
        return
    if count == 1:
        from ascnet_core.commands.train_run import train

        train(options)
        return
    # Before torch is loaded: its notes on tuning are nothing for a run's log.
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    from ascnet_core.commands.train_run import train
    from ascnet_core.training.distributed import together
    from ascnet_core.training.follow import follow

    def lead(device: str) -> None:
        options.device = device
        train(options)

    python, *rest = options.command_line
    options.command_line = [python, *own_launch_words(), *rest]
    together(options.device, lead, follow)


def _list_settings(options: argparse.Namespace) -> None:
    from ascnet_core.settings.methods import METHODS
    from ascnet_core.settings.presets import load_preset, preset_names, user_preset_names
    from ascnet_core.settings.text import about, keys, value_of

    for name in preset_names():
        print(f"preset {name}: {load_preset(name).description}")
    for name in user_preset_names():
        try:
            print(f"your preset {name}: {load_preset(name).description}")
        except UserError as error:  # one bad file must not hide the rest
            print(f"your preset {name}: {error}")
    for method in METHODS.values():
        print(f"method {method.name}: {method.sentence}")
    settings = first_settings(options)
    print(f"\nsettings of preset {settings.preset}:")
    for key in keys(settings):
        value = value_of(settings, key)
        shown = ",".join(value) if isinstance(value, tuple) else value
        print(f"{key}={'' if shown is None else shown}\n    {about(key, settings).help}")
