"""Presets, the trainer and the files of a run."""
