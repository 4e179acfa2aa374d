"""The steps that clean a mask after the threshold: to add one, add an entry to `STEPS`.

Help texts, menus, error messages and the README's list are made from the entries. Steps import
what they compute with themselves, since `--help` lists them and must come at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from ascnet_core.errors import UserError
from ascnet_core.segmentation.written import Entry, Values, Written, number, only, read

if TYPE_CHECKING:
    from ascnet_core.segmentation.postprocess import Further, Mask

MAX_SQUARE = 99
MAX_VOXELS = 10**9


class Step(Written):
    """A step as it was written: its name and arguments. `str()` gives the text back."""

    @property
    def entry(self) -> StepEntry:
        """What the registry says of it."""
        return STEPS[self.name]

    @property
    def modality(self) -> str:
        """The further image that it reads, "" where it reads none."""
        return str(self.values[0]) if self.entry.needs_modality else ""


@dataclass(frozen=True, kw_only=True)
class StepEntry(Entry):
    """A kind of step.

    `run` takes (mask, step, region, further as for `run_steps`) and returns a new mask, or raises a
    UserError if something is not there. `needs_modality`: the first argument names a further
    modality.
    """

    run: Callable[[Mask, Step, Mask | None, Further | None], Mask]
    needs_modality: bool = False


def parse_steps(texts: Sequence[str]) -> tuple[Step, ...]:
    """Read steps as typed, in their order; empty texts and `none` are no step.

    Raises a UserError if a text is none of `STEPS`.
    """
    wanted = [text for text in texts if text.strip().lower() not in ("", "none")]
    return tuple(Step(*read(text, STEPS, "step")) for text in wanted)


def step_menu(chosen: Sequence[str] = (), modalities: Sequence[str] = ()) -> list[str]:
    """The steps worth offering for a scan with these further modalities, after those chosen."""
    offered: list[str] = []
    for entry in STEPS.values():
        if entry.needs_modality:
            offered += [text.format(name) for name in modalities for text in entry.examples]
        else:
            offered += entry.examples
    return list(dict.fromkeys([*chosen, *offered]))


def _side(texts: Sequence[str]) -> Values:
    size = only(texts)
    if not size.is_integer() or not 1 <= size <= MAX_SQUARE or size % 2 == 0:
        raise ValueError(f"the square's side must be odd, from 1 to {MAX_SQUARE}")
    return (size,)


def _square(mask: Mask, step: Step, region: Mask | None, further: Further | None) -> Mask:
    from ascnet_core.segmentation.postprocess import in_slices

    return in_slices(mask, step.name, int(step.values[0]))


def _voxels(texts: Sequence[str]) -> Values:
    if [text.lower() for text in texts] == ["largest"]:
        return ("largest",)
    count = only(texts)
    if not count.is_integer() or not 1 <= count <= MAX_VOXELS:
        raise ValueError("write a number of voxels from 1 to 1e9, or components:largest")
    return (count,)


def _components(mask: Mask, step: Step, region: Mask | None, further: Further | None) -> Mask:
    from ascnet_core.segmentation.postprocess import components

    return components(mask, step.values[0])


def _modality(texts: Sequence[str]) -> Values:
    value = number(texts[1]) if len(texts) == 2 and texts[0] else -1.0
    if not 0 <= value <= 255:
        raise ValueError("write gate:MODALITY:VALUE with a value from 0 to 255")
    return texts[0], value


def _gate(mask: Mask, step: Step, region: Mask | None, further: Further | None) -> Mask:
    if further is None:
        raise UserError(
            f"Step '{step}' needs the modality {step.modality}, and there is none: give "
            f"it in the manifest's column image:{step.modality}."
        )
    gated: Mask = mask & (further(step.modality) > step.values[1])
    return gated


def _roi(mask: Mask, step: Step, region: Mask | None, further: Further | None) -> Mask:
    if region is None:
        raise UserError("Step 'roi' needs a region of interest, and there is none; leave it out.")
    return mask & region


_filter = partial(StepEntry, read=_side, run=_square)
_ENTRIES = (
    _filter(
        "open-close:K",
        "open, then close (the paper: 5 for MS and liver, 9 for BraTS)",
        examples=("open-close:5", "open-close:9"),
    ),
    _filter(
        "open:K",
        "erode, then dilate with a K x K square, slice by slice: removes what is narrower",
        examples=("open:3",),
    ),
    _filter(
        "close:K",
        "dilate, then erode with a K x K square, slice by slice: fills gaps narrower than K",
        examples=("close:3",),
    ),
    _filter("median:K", "majority in a K x K square, slice by slice", examples=("median:3",)),
    StepEntry(
        "components:N",
        "drop connected pieces (26 neighbours) under N voxels; components:largest keeps one",
        _voxels,
        ("components:20", "components:100", "components:largest"),
        run=_components,
    ),
    StepEntry("roi", "keep what lies inside the region of interest", run=_roi),
    StepEntry(
        "gate:MODALITY:VALUE",
        "keep where another modality, on 0..255, exceeds VALUE (the paper: 50)",
        _modality,
        ("gate:{}:50",),
        run=_gate,
        needs_modality=True,
    ),
)
STEPS: dict[str, StepEntry] = {entry.name: entry for entry in _ENTRIES}
