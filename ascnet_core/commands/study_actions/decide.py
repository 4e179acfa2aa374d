"""`study decide`: a decision recorded from the command line, at a level or by a rule."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from ascnet_core.commands.options import add_device
from ascnet_core.commands.study_options import add_with_study, decided_so_far
from ascnet_core.names import FLAGS, RANGES, SIDES

if TYPE_CHECKING:
    from ascnet_core.names import RangeKind, Side
    from ascnet_core.segmentation.threshold import Threshold
    from ascnet_core.studies.folder import Study


def add(actions: Any) -> None:
    """Add the action."""
    one = add_with_study(actions, "decide", "record a decision", _decide)
    one.add_argument("subject", metavar="SUBJECT", help="as in the manifest")
    one.add_argument("--rater", required=True, metavar="R", help="who decides")
    one.add_argument(
        "--threshold",
        metavar="LEVEL|RULE",
        help="a level 0 to 255, band:FROM:TO, a rule (its level on the subject's histogram is "
        "recorded), or `nothing`: there is no lesion, the mask is empty",
    )
    one.add_argument(
        "--map",
        metavar="NAME",
        help="default: as the run's settings say; `input` is the scan itself",
    )
    one.add_argument("--side", choices=SIDES, help="default: as the run's settings say")
    one.add_argument("--range", choices=RANGES, dest="range_kind", help="default: the map's own")
    one.add_argument(
        "--post",
        action="extend",
        nargs="+",
        metavar="P",
        help="post-processing; `none` for none (default: as the run's settings say)",
    )
    one.add_argument("--flag", choices=FLAGS, default="fine", help="exclude: it gets no mask")
    one.add_argument("--rating", type=int, metavar="1..5", help="of the mask, 5 is best")
    one.add_argument("--note", default="", metavar="TEXT", help="kept with the decision")
    add_device(one)


def _decide(options: argparse.Namespace) -> None:
    from ascnet_core.runs.folder import Run
    from ascnet_core.segmentation.rules import parse_rule
    from ascnet_core.studies.decisions import NOTHING, Decision, record

    study: Study = options.study
    how = Run(study.run).settings().segmentation
    name, side = options.map or how.map, options.side or how.side
    kind = options.range_kind or study.map_named(name).range
    level = upper = None
    rule = ""
    if options.threshold is not None and options.threshold.lower() == NOTHING:
        rule = NOTHING
    elif options.threshold is not None:
        rule = str(parse_rule(options.threshold))
        found = _found(study, options.subject, rule, side, name, kind, options.device)
        level, upper = found.level, found.upper
    post = how.post if options.post is None else [one for one in options.post if one != "none"]
    decision = Decision(
        rater=options.rater,
        subject=options.subject,
        map=name,
        side=side,
        range=kind,
        rule=rule,
        level=level,
        upper=upper,
        post=tuple(post),
        flag=options.flag,
        rating=options.rating,
        note=options.note,
    )
    number = record(study, decision)
    said = f"{options.subject} {decision.text} by {decision.rater}"
    print(f"decision {number}: {said}; {decided_so_far(study)}")


def _found(
    study: Study, subject: str, text: str, side: Side, name: str, kind: RangeKind, device: str
) -> Threshold:
    """The threshold of a rule on a subject's histogram, which is counted where it is not known."""
    from dataclasses import replace

    import numpy as np

    from ascnet_core.errors import UserError
    from ascnet_core.runs.folder import Run
    from ascnet_core.segmentation.rules import parse_rule
    from ascnet_core.segmentation.threshold import propose
    from ascnet_core.studies.facts import asked_of, facts_from, look

    rule = parse_rule(text)
    if rule.entry.kind == "manual":
        return propose(rule, np.zeros(256, np.int64), side)
    if subject not in study.subjects:
        raise UserError(f"Study {study.name} has no subject {subject!r}.")
    reference = None
    if rule.entry.needs_reference:
        if kind != "raw":
            raise UserError(f"{rule} works on the raw range; leave --range out.")
        reference = Run(study.run).reference_counts(name, study.cycle)
    asked = replace(asked_of(study), map=name, range=kind)
    if subject not in facts_from(asked, look(asked)):
        from ascnet_core.studies.counts.gathering import count_missing, loader

        failed = count_missing(asked, loader(study.run, study.cycle, device), (subject,))
        if subject in failed:
            raise UserError(failed[subject])
    return propose(rule, facts_from(asked, look(asked))[subject].counts, side, reference)
