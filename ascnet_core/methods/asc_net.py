"""A trained network: one of the maps that it makes."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ascnet_core.imaging.prepare import Preparation, Prepared
from ascnet_core.methods.base import REFERENCE_QUANTILE, Grey, Method, for_side
from ascnet_core.names import Side
from ascnet_core.runs.folder import resolve_run
from ascnet_core.segmentation.cuts import Maps, Ready, cut_scan, ready
from ascnet_core.segmentation.rules import parse_rule
from ascnet_core.settings.tables import Settings
from ascnet_core.training.checkpoint import load_model


class _Cutter:
    """Cuts a scan once for all maps that are asked of it one after the other."""

    def __init__(self, network: Ready, **options: Any) -> None:
        self._network, self._options = network, options
        self._last: tuple[Prepared, Maps] | None = None

    def __call__(self, prepared: Prepared, name: str) -> Grey:
        if self._last is None or self._last[0] is not prepared:
            self._last = None  # frees the former maps before the new ones are made
            self._last = (prepared, cut_scan(self._network, prepared, **self._options))
        return self._last[1][name]


def asc_net(
    run: str | Path,
    maps: Sequence[str] = ("reconstruction",),
    cycle: int | None = None,
    device: str = "cpu",
    batch: int | None = None,
    flip: bool = False,
) -> tuple[Method, ...]:
    """Return a method for each of a run's maps; a scan is cut once for all of them.

    `run` is a run's folder, its name under `checkpoints/`, or a model file; `maps` are called as in
    the run's method. With `cycle` the snapshot of that cycle is used instead of the final weights;
    `device`, `batch` and `flip` are those of `cut_scan`.

    Raises a UserError if the run can't be loaded, or has no such map.
    """
    model, settings = load_model(run, cycle=cycle, device=device)
    for name in maps:
        settings.method.map_named(name)
    cutter = _Cutter(ready(model, device), batch=batch, flip=flip, names=maps)
    path = Path(run)
    title = path.stem if path.is_file() else resolve_run(run).name
    source = f"{path.resolve()} cycle {cycle}{' flip' if flip else ''}"
    return tuple(_method(name, title, source, cutter, settings) for name in maps)


def _method(name: str, title: str, source: str, cutter: _Cutter, settings: Settings) -> Method:
    def grey(prepared: Prepared) -> Grey:
        return cutter(prepared, name)

    def rules(side: Side, asked: Sequence[str], reference: bool) -> tuple[str, ...]:
        if asked:
            return tuple(dict.fromkeys(str(parse_rule(rule)) for rule in asked))
        own = for_side(settings.method.map_named(name).rule, side)
        return (own, REFERENCE_QUANTILE) if reference else (own,)

    def adapt(preparation: Preparation) -> Preparation:
        data = settings.data
        return replace(
            preparation, size=data.size, scaling=data.scaling, low=data.low, high=data.high
        )

    return Method(settings.method.name, title, name, grey, rules, adapt, source)
