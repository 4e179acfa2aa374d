"""Weights on disk: safetensors with a header that explains them. Nothing is ever unpickled."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from ascnet_core.errors import UserError
from ascnet_core.files import write_bytes
from ascnet_core.network.blocks import Network
from ascnet_core.places import MODEL
from ascnet_core.runs.folder import Run, is_run, resolve_run
from ascnet_core.settings.tables import Settings
from ascnet_core.settings.text import from_toml, to_toml
from ascnet_core.training.recipe import recipe_of

MODEL_FORMAT = "ascnet-explorer model"
TRAINING_FORMAT = "ascnet-explorer training"
VERSION = "1"


def save_model(
    path: Path,
    model: Network,
    settings: Settings,
    position: Mapping[str, int | str] | None = None,
) -> None:
    """Write a network's weights, whole or not at all.

    The header holds the format's name and version, the method, width, slice size, all settings as
    TOML, and the position in the training (stage, cycle, step), so the file alone is enough to make
    maps of a volume.
    """
    header = {
        "format": MODEL_FORMAT,
        "version": VERSION,
        "method": settings.method.name,
        "width": str(settings.network.width),
        "size": str(settings.data.size),
        "settings": to_toml(settings),
        "position": json.dumps(dict(position or {})),
    }
    _save(path, model.state_dict(), header)


def load_model(
    source: str | Path, cycle: int | None = None, device: str | torch.device = "cpu"
) -> tuple[Network, Settings]:
    """A network ready to make maps (evaluation mode), and the settings it was trained with.

    `source` is a run's name, a run's folder, or a model file. A run's settings are read from its
    `settings.toml`, a file's from its header. `cycle` counts over both stages (0 = before
    training); None means the result. Raises UserError if there is no such run, cycle or file, or
    the file is damaged or of another kind.
    """
    path = Path(source)
    if path.is_file():
        if cycle is not None:
            raise UserError(f"{path} is one file and has no cycles; give the run's folder.")
        return load_model_file(path, device)
    run = Run(path if is_run(path) else resolve_run(source))
    if cycle is None and not (run.path / MODEL).is_file():
        raise UserError(
            f"Run {run.name} has no {MODEL} yet; wait for its first checkpoint or resume it."
        )
    folder = run.path if cycle is None else _cycle_folder(run, cycle)
    model, _ = load_model_file(folder / MODEL, device)
    return model, run.settings()


def _cycle_folder(run: Run, cycle: int) -> Path:
    """The snapshot of a cycle that has weights; small copies of runs lack some."""
    folder = run.at_cycle(cycle).path
    if not (folder / MODEL).is_file():
        kept = [str(s.total_cycle) for s in run.snapshots() if (s.path / MODEL).is_file()]
        raise UserError(
            f"Run {run.name} kept no weights of cycle {cycle}; it has those of: "
            f"{', '.join(kept) or 'none'}."
        )
    return folder


def load_model_file(path: Path, device: str | torch.device = "cpu") -> tuple[Network, Settings]:
    """A network and its settings from one `model.safetensors`; errors as in `load_model`.

    Older files name no method: they are ASC-Net's.
    """
    tensors, header = _load(path, MODEL_FORMAT, device)
    try:
        settings = from_toml(header["settings"])
        width = replace(settings.network, width=int(header["width"]))
        model = recipe_of(settings).build(replace(settings, network=width))
        model.load_state_dict(tensors)
    except (UserError, KeyError, ValueError, TypeError, RuntimeError) as error:
        raise UserError(
            f"{path} does not fit the network that its header names "
            f"({_first_line(error)}); train anew or take another file."
        ) from error
    model.requires_grad_(False)
    return model.to(device).eval(), settings


def save_training(path: Path, tensors: Mapping[str, torch.Tensor], meta: Mapping[str, Any]) -> None:
    """Write what resuming needs, whole or not at all; `meta` is anything JSON can hold."""
    header = {"format": TRAINING_FORMAT, "version": VERSION, "meta": json.dumps(dict(meta))}
    _save(path, tensors, header)


def load_training(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """What `save_training` wrote; `UserError` if the file is foreign or damaged."""
    tensors, header = _load(path, TRAINING_FORMAT)
    try:
        return tensors, json.loads(header["meta"])
    except (KeyError, ValueError) as error:
        raise UserError(
            f"{path} has a damaged header; delete it to train from the start."
        ) from error


def _save(path: Path, tensors: Mapping[str, torch.Tensor], header: dict[str, str]) -> None:
    # Copies: the format refuses tensors that share memory or are not stored row by row.
    plain = {name: t.detach().cpu().contiguous().clone() for name, t in tensors.items()}
    # Not by save_file, whose files only their owner may read.
    write_bytes(path, save(plain, metadata=header))


def _load(
    path: Path, kind: str, device: str | torch.device = "cpu"
) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    if not path.is_file():
        raise UserError(f"{path} does not exist; give a run's name, its folder or a model file.")
    try:
        with safe_open(path, framework="pt", device=str(device)) as stream:
            header: dict[str, str] = stream.metadata() or {}
            if header.get("format") != kind:
                raise UserError(
                    f"{path} is a safetensors file, but not an {kind} file; "
                    "give one that `train` wrote."
                )
            if header.get("version") != VERSION:
                raise UserError(
                    f"{path} has format version {header.get('version')}, this program reads "
                    f"{VERSION}; update the program or train anew."
                )
            return {name: stream.get_tensor(name) for name in stream.keys()}, header  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise UserError(
            f"{path} cannot be read as safetensors ({_first_line(error)}); "
            "give a file that `train` wrote."
        ) from error


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0].rstrip(".") if str(error).strip() else "damaged"
