"""What a rater does, told by the browser: each act names its own subject and all that it keeps.

An act comes again until the browser has read that it is on the disk. Its token makes it happen
once, also where the server was killed before it could answer.
"""

from collections.abc import Iterable

from ascnet_core.names import Scope
from ascnet_core.studies.decisions import Decision, record, undo
from ascnet_core.studies.folder import Study
from pages.parts.studies.acts import Act, kept

_OF = "cohort's "
"""Begins the browser's name of a rule that read the whole cohort's histogram."""


def named_rule(rule: str, scope: Scope) -> str:
    """What the browser calls a rule; empty where the level was set by hand."""
    return f"{_OF}{rule}" if rule and scope == "cohort" else rule


def do_all(study: Study, acts: Iterable[Act]) -> dict[str, str]:
    """Do these acts in order; by token, nothing where it is on the disk, else why it is not.

    Acts of another study are left to the page of that one.
    """
    mine = [act for act in acts if act.get("study") == study.identity]
    return {str(act["token"]): do(study, act) for act in mine}


def do(study: Study, act: Act) -> str:
    """Do one act; "" where it is on the disk, else one sentence."""

    def keep() -> None:
        if act["act"] == "undo":
            undo(study, str(act["rater"]), str(act["subject"]), token=str(act["token"]))
        else:
            files = str(act.get("files") or "") or None
            record(study, decision_of(act), str(act["token"]), files)

    return kept(keep)


def decision_of(act: Act) -> Decision:
    """The decision that an act keeps. UserError, KeyError or ValueError where it can be none."""
    level, upper = (None if act[name] is None else int(act[name]) for name in ("level", "upper"))
    by_hand = "" if level is None else str(level) if upper is None else f"band:{level}:{upper}"
    _, whose, rule = str(act.get("rule") or "").rpartition(_OF)
    return Decision(
        rater=str(act["rater"]),
        subject=str(act["subject"]),
        scan=str(act["scan"]) if act.get("scan") else None,
        map=str(act["map"]),
        range=act["range"],
        side=act["side"],
        rule=rule or by_hand,
        scope="cohort" if whose else "subject",
        level=level,
        upper=upper,
        post=tuple(map(str, act["post"])),
        flag=act["flag"],
        rating=None if act.get("rating") is None else int(act["rating"]),
        note=str(act.get("note", "")),
        seconds=None if act.get("seconds") is None else float(act["seconds"]),
        truth_shown=bool(act["truth_shown"]),
        dice_shown=bool(act["dice_shown"]),
        blind=bool(act["blind"]),
        pieces=act.get("pieces"),
    )
