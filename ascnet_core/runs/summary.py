"""A run in one line of a table: progress, peaks, verdict, tags and note."""

from dataclasses import dataclass

from ascnet_core.errors import UserError
from ascnet_core.runs.folder import Run
from ascnet_core.runs.manage import first_line
from ascnet_core.runs.tags import read_tags
from ascnet_core.settings.method import TrainedMethod
from ascnet_core.settings.methods.asc_net import AscNet


@dataclass(frozen=True)
class Summary:
    """A run in one line of a table.

    `share` is the part of the steps that is done, 0 to 1; `cycles` the complete ones of those
    planned, over both stages; `peaks` the positions 0..255 of the peaks of the method's first map,
    None before the first snapshot; `tags` its tags; `note` the first line of the note. If the
    settings cannot be read, `preset` says so.
    """

    name: str
    preset: str
    status: str
    cycles: str
    share: float
    peaks: tuple[int, ...] | None
    verdict: str
    tags: tuple[str, ...]
    note: str


def summary_of(run: Run) -> Summary:
    """The summary of a run, also while it trains."""
    status, progress, newest = run.status(), run.progress(), run.newest_snapshot()
    method: TrainedMethod = AscNet()
    last = newest.info if newest else {}
    try:
        settings = run.settings()
        preset, planned = settings.preset, settings.schedule.stage_1 + settings.schedule.stage_2
        cycles = f"{newest.total_cycle if newest else 0} of {planned}"
        method = settings.method
    except UserError as error:
        preset, cycles = f"unreadable: {error}", ""
    share = 1.0 if status == "finished" else (progress.share if progress else 0.0)
    peaks = last.get("peaks")
    return Summary(
        name=run.name,
        preset=preset,
        status=status,
        cycles=cycles,
        share=share,
        peaks=None if peaks is None else tuple(int(peak["position"]) for peak in peaks),
        verdict=method.of_histogram(str(last.get("verdict", ""))),
        tags=read_tags(run.path),
        note=first_line(run.path),
    )
