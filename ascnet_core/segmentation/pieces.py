"""Connected pieces of a mask that a person drops or keeps alone, after threshold and steps.

Pieces are 26-connected, as for the step `components:N`: voxels that share a corner belong together
(in a picture of one slice, 8 neighbours).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ascnet_core.errors import UserError

Mask = NDArray[np.bool_]

Act = Literal["drop", "keep"]
"""What is done with a piece: it goes, or all others do."""
ACTS: tuple[Act, ...] = get_args(Act)
MOST = 1000
"""Edits of one subject; more come from no hand."""


@dataclass(frozen=True)
class Edit:
    """A piece that is dropped, or kept alone, in the mask of one scan.

    `voxel` is any voxel (x, y, z) of the piece, from 0, on the scan's grid in RAS order: that of
    the viewer and of maps, whatever the order in which the file stores its axes.
    """

    scan: str
    voxel: tuple[int, int, int]
    act: Act

    def __str__(self) -> str:
        return f"{self.act} {self.voxel}"


def parse_edits(value: Any) -> tuple[Edit, ...]:
    """Read edits in their order from a list of `Edit`s or of mappings, as JSON holds them.

    Each mapping has `scan`, `voxel` ([x, y, z]) and `act` (one of `ACTS`). None is no edit.

    Raises a UserError if that is not what it holds.
    """
    several = [] if value is None else value
    if not isinstance(several, Sequence) or isinstance(several, str) or len(several) > MOST:
        raise UserError(f"pieces must be a list of at most {MOST} edits.")
    return tuple(one if isinstance(one, Edit) else _parse(one) for one in several)


def _parse(value: Any) -> Edit:
    named = dict(value) if isinstance(value, Mapping) else {}
    scan, voxel, act = (named.pop(name, None) for name in ("scan", "voxel", "act"))
    right = isinstance(voxel, Sequence) and len(voxel) == 3
    right = right and all(type(place) is int and 0 <= place < 2**31 for place in voxel)
    if named or not (isinstance(scan, str) and scan and right and act in ACTS):
        raise UserError(
            f"{value!r} is no edit of pieces; give scan, voxel (three whole numbers from 0) and "
            f"act ({' or '.join(ACTS)})."
        )
    return Edit(scan, tuple(voxel), act)


def to_json(edits: Sequence[Edit]) -> list[dict[str, Any]]:
    """Edits as JSON holds them; `parse_edits` reads them back."""
    return [asdict(edit) | {"voxel": list(edit.voxel)} for edit in edits]


def to_text(edits: Sequence[Edit]) -> str:
    """Edits as the text of a table's or database's cell; empty where there are none."""
    return json.dumps(to_json(edits)) if edits else ""


def by_scan(edits: Sequence[Edit]) -> dict[str, tuple[Edit, ...]]:
    """The edits of each scan, in order."""
    found: dict[str, tuple[Edit, ...]] = {}
    for edit in edits:
        found[edit.scan] = (*found.get(edit.scan, ()), edit)
    return found


def describe_edits(edits: Sequence[Edit]) -> str:
    """In words: "2 pieces dropped"; empty where there are none."""
    dropped = sum(edit.act == "drop" for edit in edits)
    done = [(dropped, "dropped"), (len(edits) - dropped, "kept alone")]
    parts = [f"{n} {'piece' if n == 1 else 'pieces'} {what}" for n, what in done if n]
    return " and ".join(parts)


def edit_pieces(mask: Mask, edits: Sequence[Edit]) -> Mask:
    """Drop pieces of a mask (X, Y, Z), or keep them alone, one edit after the other; a new array.

    An edit sees the mask that those before it left. Raises a UserError if its voxel lies on no
    piece of that.
    """
    from ascnet_core.metrics.lesions import components  # with SciPy: who names edits needs it not

    if not edits:
        return mask.copy()
    box, pieces, number = components(mask)
    left = np.arange(number + 1) > 0
    for place, edit in enumerate(edits, start=1):
        piece = _piece_at(edit, mask, box, pieces)
        if not left[piece]:
            raise UserError(
                f"Edit {place} of the pieces of {edit.scan} ({edit}) lies on no piece of its mask "
                "any more; undo it, or decide again."
            )
        if edit.act == "keep":
            left[:] = False
        left[piece] = edit.act == "keep"
    result = np.zeros_like(mask)
    result[box] = left[pieces]
    return result


def _piece_at(edit: Edit, mask: Mask, box: tuple[slice, ...], pieces: NDArray[np.int32]) -> int:
    """The number of the piece at an edit's voxel; 0 off the mask or the grid."""
    if any(at >= n for at, n in zip(edit.voxel, mask.shape, strict=True)) or not mask[edit.voxel]:
        return 0
    first, second, third = (at - one.start for at, one in zip(edit.voxel, box, strict=True))
    return int(pieces[first, second, third])
