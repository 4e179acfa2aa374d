"""Presets by name: the shipped ones, a user's own, and TOML files."""

import dataclasses
import re
from pathlib import Path

from ascnet_core import places
from ascnet_core.errors import UserError
from ascnet_core.files import text_of, write_text
from ascnet_core.outputs import writing
from ascnet_core.settings.tables import Settings
from ascnet_core.settings.text import from_toml, to_toml

FOLDER = Path(__file__).parent / "presets"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z")
# A folder with settings.toml is a run, so no preset may be named so.
_RESERVED = ("settings",)


def preset_names() -> tuple[str, ...]:
    """Names of the shipped presets, alphabetically."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


def user_presets() -> Path:
    """The folder of presets that users saved, beside their runs; it may not be there."""
    return places.RUNS / places.PRESETS


def user_preset_names() -> tuple[str, ...]:
    """Names of the presets that users saved, alphabetically; a shipped one keeps its name."""
    found = {path.stem for path in user_presets().glob("[!.]*.toml")}
    return tuple(sorted(found - set(preset_names())))


def load_preset(name: str) -> Settings:
    """Settings of a preset: a shipped one, one that was saved, or a TOML file's.

    `name` may be the path of a file that ends in `.toml` (a run's `settings.toml`, say). Raises
    UserError if there is none of that name, or the file holds no settings.
    """
    if name in preset_names():
        path, called = FOLDER / f"{name}.toml", name
    elif name in user_preset_names():
        path, called = user_presets() / f"{name}.toml", name
    elif name.endswith(".toml"):
        path = Path(name)
        # a run's settings are known by the run's name
        called = path.stem if path.name != places.SETTINGS else path.absolute().parent.name
    else:
        known = ", ".join((*preset_names(), *user_preset_names()))
        raise UserError(
            f"There is no preset {name!r}; choose one of {known}, or give a file in .toml."
        )
    return dataclasses.replace(from_toml(text_of(path), f"preset {name}"), preset=called)


def save_preset(
    name: str, settings: Settings, description: str = "", overwrite: bool = False
) -> Path:
    """Save settings as `checkpoints/presets/NAME.toml`, every value written out.

    So the preset keeps its meaning when defaults change. An empty description keeps the settings'
    own. Raises UserError if the name is bad or taken; `overwrite` replaces a preset that was saved
    before, but not one that was written or changed by hand.
    """
    if not _NAME.match(name) or name in _RESERVED or name.endswith(".toml"):
        raise UserError(
            f"{name!r} cannot name a preset; use letters, digits, '.', '_' and '-', a letter or "
            "digit first, and neither settings nor an ending .toml."
        )
    if name in preset_names():
        raise UserError(f"The preset {name} is shipped and stays as it is; choose another name.")
    if name in user_preset_names() and not overwrite:
        raise UserError(f"There is a preset {name} already; overwrite it or choose another name.")
    for other in (*preset_names(), *user_preset_names()):
        if other != name and other.lower() == name.lower():
            raise UserError(
                f"There is a preset {other}, one file with {name} on some systems; "
                "choose another name."
            )
    kept = dataclasses.replace(
        settings, preset=name, description=description.strip() or settings.description
    )
    path = user_presets() / f"{name}.toml"
    with writing(path.parent, [path.name], "preset", overwrite=overwrite) as aside:
        write_text(aside / path.name, to_toml(kept))
    return path


def delete_preset(name: str) -> None:
    """Delete a preset that a user saved; UserError if it is shipped, or not there."""
    if name in preset_names():
        raise UserError(f"The preset {name} is shipped and cannot be deleted.")
    if name not in user_preset_names():
        raise UserError(f"There is no preset {name!r} to delete.")
    (user_presets() / f"{name}.toml").unlink(missing_ok=True)
