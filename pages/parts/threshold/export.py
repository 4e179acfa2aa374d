"""What leaves the Threshold page: the mask as a file, the numbers as a table."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ascnet_core.file_names import file_names
from ascnet_core.imaging.formats import format_of
from ascnet_core.imaging.prepare import Prepared
from ascnet_core.imaging.volume import write_volume
from ascnet_core.segmentation.pieces import to_text
from ascnet_core.segmentation.threshold import NoThreshold, Threshold
from pages.parts.shared.state import View


def mask_name(prepared: Prepared, scan: str, others: Sequence[str] = ()) -> str:
    """The download's name: NIfTI, but PNG for a scan that is a picture.

    It is not that of another scan's mask, `others` being the names of all scans of the cohort.
    """
    found = format_of(prepared.scan.image)
    suffix = found.output if found and found.flat else ".nii.gz"
    return f"{file_names([scan, *others])[scan]}_mask{suffix}"


def mask_file(prepared: Prepared, mask: NDArray[np.bool_]) -> bytes:
    """The bytes of a mask on the grid, shape and affine of the scan's own file."""
    name = mask_name(prepared, "scan")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        write_volume(path, mask, prepared.volume.grid, np.uint8)
        return path.read_bytes()


def row_of(
    view: View,
    threshold: Threshold | NoThreshold,
    before: Mapping[str, float | None],
    after: Mapping[str, float | None] | None,
    accepted: str,
) -> dict[str, Any]:
    """One row of the table: the view, the threshold with its kind, the scores before and after."""
    scores = {{"volume": "volume_ml"}.get(name, name): name for name in before}
    return {
        "cohort": view.cohort,
        "subject": view.scan,
        "run": view.run,
        "cycle": "" if view.cycle is None else view.cycle,
        "map": view.map,
        "mirror_averaged": "yes" if view.flip else "no",
        "range": view.range,
        "scope": view.scope,
        "rule": threshold.rule,
        "kind": threshold.kind,
        "side": threshold.side,
        "level": "" if threshold.level is None else threshold.level,
        "upper": "" if threshold.upper is None else threshold.upper,
        **{title: _plain(before[name]) for title, name in scores.items()},
        "post": " ".join(view.post or ()),
        "pieces": to_text(view.pieces),
        **{
            f"{title}_after_post": _plain(None if after is None else after[name])
            for title, name in scores.items()
        },
        "accepted": accepted,
    }


def _plain(value: float | None) -> float | str:
    return "" if value is None else round(value, 6)


def table(accepted: Sequence[Mapping[str, Any]], now: Mapping[str, Any]) -> str:
    """CSV of the accepted thresholds and, unless it is one of them, of what is on the screen."""
    import pandas as pd

    compared = [name for name in now if name != "accepted"]
    same = any(all(row[name] == now[name] for name in compared) for row in accepted)
    rows = list(accepted) if same else [*accepted, now]
    return str(pd.DataFrame(rows).to_csv(index=False))


def accepted_line(accepted: Mapping[str, Mapping[str, Any]], view: View) -> str:
    """The panel's sentence: the threshold accepted for this subject, and how many of the cohort."""
    mine = accepted.get(f"{view.cohort} {view.scan}")
    done = sum(row["cohort"] == view.cohort for row in accepted.values())
    if not mine:
        return f"{done} accepted so far" if done else ""
    level = mine["level"] if mine["upper"] == "" else f"{mine['level']} to {mine['upper']}"
    return f"Accepted at {level} · {done} in all"
