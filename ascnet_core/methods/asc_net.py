"""A trained network: one of the maps that it makes."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from ascnet_core.imaging.prepare import Preparation, Prepared
from ascnet_core.methods.base import REFERENCE_QUANTILE, Grey, Method, for_side
from ascnet_core.names import Side
from ascnet_core.runs.fingerprint import read_fingerprint
from ascnet_core.runs.folder import resolve_run
from ascnet_core.runs.suspicion import suspicions
from ascnet_core.segmentation.cuts import Maps, cut_scan, ready
from ascnet_core.segmentation.rules import parse_rule
from ascnet_core.settings.method import INPUT
from ascnet_core.training.checkpoint import load_model


def asc_net(
    run: str | Path,
    maps: Sequence[str] = ("reconstruction",),
    cycle: int | None = None,
    device: str = "cpu",
    batch: int | None = None,
    flip: bool = False,
    with_input: bool = False,
) -> tuple[Method, ...]:
    """Return a method for each of a run's maps (named as in its method); a scan is cut once.

    `run` is a run's folder, its name under `checkpoints/`, or a model file. With `cycle` the
    snapshot of that cycle is used instead of the final weights. `with_input`: the input may be
    among the maps, as scaled for the run.

    Raises a UserError if the run can't be loaded, or has no such map.
    """
    model, settings = load_model(run, cycle=cycle, device=device)
    more = {INPUT.name: INPUT} if with_input else {}
    own_rules = {name: (more.get(name) or settings.method.map_named(name)).rule for name in maps}
    network, data = ready(model, device), settings.data
    last: dict[Prepared, Maps] = {}

    def grey(name: str, prepared: Prepared) -> Grey:
        if prepared not in last:
            last.clear()  # frees the former maps before the new ones are made
            last[prepared] = cut_scan(network, prepared, batch=batch, flip=flip, names=maps)
        return last[prepared][name]

    def rules(name: str, side: Side, asked: Sequence[str], reference: bool) -> tuple[str, ...]:
        if asked:
            return tuple(dict.fromkeys(str(parse_rule(rule)) for rule in asked))
        own = for_side(own_rules[name], side)
        return (own, REFERENCE_QUANTILE) if reference else (own,)

    def adapt(preparation: Preparation) -> Preparation:
        return replace(
            preparation, size=data.size, scaling=data.scaling, low=data.low, high=data.high
        )

    path = Path(run)
    title = path.stem if path.is_file() else resolve_run(run).name
    source = f"{path.resolve()} cycle {cycle}{' flip' if flip else ''}"
    doubts = partial(suspicions, run=read_fingerprint(run), scored=True)
    method = settings.method.name
    return tuple(
        Method(
            method, title, name, partial(grey, name), partial(rules, name), adapt, source, doubts
        )
        for name in maps
    )
