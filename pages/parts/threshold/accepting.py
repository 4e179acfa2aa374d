"""Accept: what is on the screen becomes a decision of the study, and what is said of it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ascnet_core.errors import UserError
from ascnet_core.segmentation.threshold import NoThreshold
from ascnet_core.studies.decisions import NOTHING, Decision, Entry, record
from pages.parts.shared import cohorts
from pages.parts.shared.state import View
from pages.parts.studies import keeping
from pages.parts.viewer import findings


def subject_of(view: View) -> str:
    """The subject of a complete view's scan: decisions hold for all its scans."""
    return cohorts.find_scan(cohorts.load_cohort(view.cohort), view.scan).subject


def accept(
    shown: findings.Shown, act: Mapping[str, Any], seconds: float | None, name: str = ""
) -> None:
    """Keep the threshold in force in the view's study, made where there is none.

    `act` is the viewer's: its token, and what was on the screen while the subject was. `name`: what
    a new study is called. Raises UserError where there is no threshold, or it cannot be kept.
    """
    if isinstance(shown.threshold, NoThreshold):
        raise UserError(f"There is no threshold to accept. {shown.threshold.sentence}")
    if shown.edits:
        findings.cleaned(shown)  # An edit that lies on no piece could not be repeated.
    study = keeping.ensure_study(shown.view, name)
    before = keeping.kept(replace(shown.view, study=keeping.name_of(study)))
    subject = subject_of(shown.view)
    decision = replace(
        decision_of(shown, before.rater, subject, before.on(subject)),
        seconds=seconds,
        truth_shown=bool(act.get("truth_shown")),
        dice_shown=bool(act.get("dice_shown")),
        blind=bool(act.get("blind")),
    )
    record(study, decision, act.get("token"))


def decision_of(shown: findings.Shown, rater: str, subject: str, before: Entry | None) -> Decision:
    """The threshold in force as a decision.

    Flag and note stay those of the decision `before`; of the very same mask all that was decided
    stays: what proposed the level, rating and pieces.
    """
    view, threshold = shown.view, shown.threshold
    decision = Decision(
        rater=rater,
        subject=subject,
        scan=view.scan,
        map=view.map,
        range="raw" if view.map == "input" else view.range,
        level=threshold.level,
        upper=threshold.upper,
        side=threshold.side,
        rule=threshold.rule,
        scope=view.scope if view.t is None else "subject",
        post=view.post or (),
        pieces=view.pieces,
    )
    if before is None:
        return decision
    old = before.decided
    if holds(view, old):
        return replace(old, scan=view.scan, flag=_flag(old))
    return replace(decision, flag=_flag(old), note=old.note)


def _flag(old: Decision) -> Any:
    return "fine" if old.flag == "exclude" else old.flag


def holds(view: View, decision: Decision) -> bool:
    """Whether a complete view's level by hand is a decision's, on the same map and steps."""
    names = ("upper", "side", "map", "post", "pieces")
    ours = (view.t, *(getattr(view, name) for name in names))
    theirs = (decision.level, *(getattr(decision, name) for name in names))
    return ours == theirs and (view.map == "input" or view.range == decision.range)


def line_of(kept: keeping.Kept, subject: str, view: View) -> str:
    """The panel's sentence: what was accepted for a subject, and how many of the study."""
    entry, done = kept.on(subject), len(kept.decisions)
    if entry is None:
        return f"{done} accepted so far" if done else ""
    decision = entry.decided
    if decision.threshold is None:
        return f"Excluded · {done} in all"
    if decision.rule == NOTHING:
        return f"Accepted: no lesion · {done} in all"
    level = decision.level if decision.upper is None else f"{decision.level} to {decision.upper}"
    on = "" if decision.map == view.map else f" on {decision.map}"
    return f"Accepted at {level}{on} · {done} in all"
