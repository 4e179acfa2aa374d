"""Saving settings as a preset of one's own, and deleting it."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from ascnet_core.errors import UserError
from ascnet_core.files import write_text
from ascnet_core.training.presets import (
    Settings,
    preset_names,
    to_toml,
    user_preset_names,
    user_presets,
)

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z")
# `presets/settings.toml` would make the folder look like a run.
_RESERVED = ("settings",)


def save_preset(
    name: str, settings: Settings, description: str = "", overwrite: bool = False
) -> Path:
    """Save settings as `checkpoints/presets/NAME.toml`, every value written out.

    Nothing in it depends on a default of today, so that it means the same tomorrow.

    Parameters
    ----------
    name
        What `--preset` calls it.
    description
        What it is for; the settings' own if empty.
    overwrite
        Whether a preset of that name may be replaced.

    Raises
    ------
    UserError
        If the name cannot be had.
    """
    if not _NAME.match(name) or name in _RESERVED or name.endswith(".toml"):
        raise UserError(
            f"{name!r} cannot name a preset; use letters, digits, '.', '_' and '-', a letter "
            "first, and neither settings nor an ending .toml."
        )
    if name in preset_names():
        raise UserError(f"The preset {name} is shipped and stays as it is; choose another name.")
    if name in user_preset_names() and not overwrite:
        raise UserError(f"There is a preset {name} already; overwrite it or choose another name.")
    kept = dataclasses.replace(
        settings, preset=name, description=description.strip() or settings.description
    )
    path = user_presets() / f"{name}.toml"
    write_text(path, to_toml(kept))
    return path


def delete_preset(name: str) -> None:
    """Delete a preset that a user saved.

    Raises
    ------
    UserError
        If it is shipped, or not there.
    """
    if name in preset_names():
        raise UserError(f"The preset {name} is shipped and cannot be deleted.")
    if name not in user_preset_names():
        raise UserError(f"There is no preset {name!r} to delete.")
    (user_presets() / f"{name}.toml").unlink(missing_ok=True)
