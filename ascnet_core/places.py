"""Folders of the project, and the names of the files in a run. Imports nothing of the project."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
"""The folder of the package: where another process of ours finds it."""
_IS_CHECKOUT = (ROOT / "pyproject.toml").is_file() and (ROOT / "pages").is_dir()
APP = ROOT if _IS_CHECKOUT else ROOT / "ascnet_core" / "explorer"
"""The folder of app.py and its pages: the checkout's, or a room of the installed package."""

RUNS = (ROOT if _IS_CHECKOUT else Path.cwd()) / "checkpoints"
"""Where runs live unless a path says otherwise; of an installed package, beside one's work."""
INSTALLED_RUNS = None if _IS_CHECKOUT else APP / "checkpoints"
"""Runs that came with an installed package; None in a checkout, where they lie in `RUNS`."""
PRESETS, PLANS, STUDIES, LESSONS = "presets", "plans", "studies", "lessons"
"""Folders under `RUNS` of saved presets, plans for `crossval`, studies, what the lessons show; no
run may be called so."""

OWN_FOLDER = "ASCNET_CACHE"
"""The variable that names the folder of the app's own files."""


def cache_folder() -> Path:
    """Where the app keeps its own files: ASCNET_CACHE, or ~/.cache/ascnet-explorer."""
    return Path(os.environ.get(OWN_FOLDER) or Path.home() / ".cache" / "ascnet-explorer")


OPEN_FOLDERS = "ASCNET_DATA"
"""The variable that names the folders which the app opens, separated as in PATH."""

SETTINGS = "settings.toml"
MANIFEST = "manifest.csv"
REFERENCE = "reference.csv"
DATA = "data.json"
MODEL = "model.safetensors"
TRAINING = "training.safetensors"
EVENTS = "events.jsonl"
SNAPSHOTS = "snapshots"
COUNTS = "reference.json"
CUTS = "cuts.safetensors"
COMMAND = "command.txt"
LOG = "log.txt"
CARD = "card.md"
CONTROL = "control.json"
WATCHED = "watched.json"
FINGERPRINT = "fingerprint.json"
