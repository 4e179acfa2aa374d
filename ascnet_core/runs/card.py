"""The card of a run: what it is, what it learnt from, how far it came."""

import hashlib
from contextlib import suppress
from pathlib import Path

from ascnet_core import __version__
from ascnet_core.errors import UserError
from ascnet_core.files import read_json, read_text, write_text
from ascnet_core.places import CARD, COUNTS, EVENTS
from ascnet_core.runs.create import reference_of
from ascnet_core.runs.events import last_event
from ascnet_core.runs.folder import Run
from ascnet_core.runs.parent import read_parent
from ascnet_core.settings.tables import Settings

_MARK = "<!-- Written by `train`, and again when the run goes on; without this line it stays. -->"
_SEAL = "<!-- SHA-256 of the above, by which a card that was changed by hand is known and stays: "


def write_card(run: Path) -> None:
    """Write `card.md` from the run's own files, unless someone has written one by hand."""
    path = run / CARD
    if path.is_file() and not _is_own(read_text(path)):
        return
    reader = Run(run)
    settings, cohort, snapshots = reader.settings(), reader.cohort(), reader.snapshots()
    schedule, how, method = settings.schedule, settings.segmentation, settings.method
    verdict = str(snapshots[-1].info.get("verdict", "")) if snapshots else ""
    last = last_event(run / EVENTS) or {}
    parent = read_parent(run)
    facts = [
        *([("began", parent.sentence)] if parent else []),
        *([] if method.two_cuts else [("method", f"{method.name}: {method.sentence}")]),
        ("preset", f"{settings.preset or 'none'}: {settings.description}"),
        ("cohort", f"{cohort.name}, {len(cohort.scans)} scans of {len(cohort.subjects)} subjects"),
        ("reference", reference_in_words(run, settings)),
        ("network", f"width {settings.network.width}, slices of {settings.data.size} pixels"),
        (
            "trained",
            f"{last.get('step', 0)} of {last.get('steps_total', 0)} steps, "
            f"{last.get('images_seen', 0)} slices seen by M; planned are {schedule.stage_1} + "
            f"{schedule.stage_2} cycles; seed {schedule.seed}",
        ),
        ("ended", {"end": "finished", "stop": "stopped"}.get(str(last.get("kind")), "not yet")),
        ("histogram", method.of_histogram(verdict) or "none yet"),
        (
            "mask by default",
            f"{how.map}, {how.rule}, {how.side} side, scope {how.scope}, "
            f"post-processing {' '.join(how.post) or 'none'}",
        ),
        ("made by", f"ASC-Net Explorer {__version__}"),
    ]
    lines = [_MARK, f"# {run.name}", "", "| | |", "| --- | --- |"]
    lines += [f"| {name} | {text.replace('|', '/')} |" for name, text in facts]
    lines += ["", "```", reader.command(), "```", ""]
    lines += ["No mask was learnt from. Research software, not a medical device.", ""]
    write_text(path, _sealed("\n".join(lines)))


def retitle_card(run: Path) -> None:
    """Let the card's title follow the run's name, unless someone has written the card by hand."""
    path = run / CARD
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return
    body, seal, _ = text.partition(_SEAL)
    lines = body.split("\n")
    if _is_own(text) and len(lines) > 1 and lines[1].startswith("# "):
        lines[1] = f"# {run.name}"
        body = "\n".join(lines)
        write_text(path, _sealed(body) if seal else body)


def _sealed(text: str) -> str:
    return f"{text}{_SEAL}{hashlib.sha256(text.encode()).hexdigest()} -->\n"


def _is_own(text: str) -> bool:
    """Whether nobody has written or changed the card; cards of old have no hash at their end."""
    body, seal, _ = text.partition(_SEAL)
    return text.startswith(_MARK) and (not seal or text == _sealed(body))


def reference_in_words(run: Path, settings: Settings) -> str:
    """What the run learnt as normal, and how the settings changed it."""
    asked = settings.reference
    try:
        named = str(reference_of(run))
        text = {"normal": "the normal group", "lesion-free": "lesion-free slices"}.get(
            named, "another cohort"
        )
    except UserError:  # a run that was passed on without its data's record
        text = "not recorded"
    with suppress(ValueError, KeyError, TypeError):  # older runs did not count
        held = read_json(run / COUNTS)["set"]
        spoilt = int(held["with_lesion"])
        text += f", {held['slices']} slices of {held['subjects']} subjects"
        text += f", {spoilt} of them with lesion" if spoilt else ""
    changes = []
    if asked.share < 1:
        changes.append(f"{100 * asked.share:g} % of the slices kept")
    if asked.contamination:
        changes.append(
            f"{100 * asked.contamination:g} % lesion slices left in on purpose, chosen by masks"
        )
    if asked.level_low > 0 or asked.level_high < 1:
        changes.append(f"levels {asked.level_low:g} to {asked.level_high:g} of the head only")
    return "; ".join([text, *changes])
