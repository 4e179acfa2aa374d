"""Folders of the project, and the names of the files in a run. Imports nothing of the project."""

from pathlib import Path

RUNS = Path(__file__).resolve().parents[1] / "checkpoints"
"""Where runs live unless a path says otherwise."""
PRESETS, PLANS = "presets", "plans"
"""Folders under `RUNS` of saved presets and of plans for `crossval`; no run may be called so."""

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
