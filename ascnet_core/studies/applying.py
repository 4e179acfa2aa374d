"""From the decisions of one rater to ways in which masks are made."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ascnet_core.errors import UserError
from ascnet_core.imaging.cohort import Cohort
from ascnet_core.names import RangeKind
from ascnet_core.segmentation.pieces import by_scan
from ascnet_core.segmentation.rules import parse_rule
from ascnet_core.segmentation.threshold import Threshold
from ascnet_core.segmentation.ways import Way
from ascnet_core.settings.tables import Segmentation
from ascnet_core.studies.decisions import Entry, decisions_of, holding
from ascnet_core.studies.folder import Study, scans_sha256


@dataclass(frozen=True)
class Applied:
    """How a rater's decisions make masks.

    `excluded` are subjects that get none because the rater says so, `missing` those without a
    decision that can be applied; both with a sentence.
    """

    rater: str
    ways: tuple[Way, ...]
    excluded: Mapping[str, str]
    missing: Mapping[str, str]


def whose(study: Study, rater: str | None) -> str:
    """The rater whose decisions are meant: the one named, else the only one.

    Raises a UserError if the rater has decided nothing, or several have and none is named.
    """
    known = list(dict.fromkeys(entry.rater for entry in holding(study)))
    if not known:
        raise UserError(f"Nothing is decided in study {study.name}; see `study decide`.")
    if rater is None and len(known) > 1:
        raise UserError(
            f"Study {study.name} has decisions of {', '.join(known)}; say whose by --rater."
        )
    if rater is not None and rater not in known:
        raise UserError(
            f"{rater!r} has decided nothing in study {study.name}; choose {' or '.join(known)}."
        )
    return rater or known[0]


def way_of(entry: Entry) -> tuple[Segmentation, RangeKind]:
    """How a decision makes a mask, but for its threshold."""
    decision = entry.decided
    steps = Segmentation(decision.map, "", decision.side, "subject", decision.post)
    return steps, decision.range


def apply_decisions(
    study: Study,
    cohort: Cohort,
    rater: str | None = None,
    undecided: Segmentation | None = None,
    range_kind: RangeKind = "raw",
) -> Applied:
    """Group the subjects of a cohort by how a rater decided that their masks are made.

    `undecided` is how those without a decision are segmented, its rule reading the whole cohort's
    histogram on `range_kind`; None: they are missing. A decision on scans that have changed since
    does not count. Raises a UserError as `whose`, or if the run has changed.
    """
    rater = whose(study, rater)
    study.run_sha256()
    decided = decisions_of(study, rater)
    excluded: dict[str, str] = {}
    missing: dict[str, str] = {}
    groups: dict[tuple[Segmentation, RangeKind], dict[str, Threshold]] = {}
    for subject in cohort.subjects:
        entry = decided.get(subject)
        if entry is None:
            missing[subject] = f"{rater} has not decided on it in study {study.name}."
        elif entry.scan_sha256 != scans_sha256(cohort.scans_of(subject)):
            missing[subject] = (
                f"Its files are not those on which {rater} decided in study {study.name}; restore "
                "them or decide again."
            )
        elif (threshold := entry.decided.threshold) is None:
            excluded[subject] = f"{rater} excluded it in study {study.name}."
        else:
            groups.setdefault(way_of(entry), {})[subject] = threshold
    ways = [
        Way(
            replace(how, rule=f"decided by {rater}"),
            kind,
            frozenset(given),
            given,
            by_scan([edit for subject in given for edit in decided[subject].decided.pieces]),
        )
        for (how, kind), given in groups.items()
    ]
    if undecided is not None and missing:
        parse_rule(undecided.rule)
        ways.append(Way(replace(undecided, scope="cohort"), range_kind, frozenset(missing)))
        missing = {}
    return Applied(rater, tuple(ways), excluded, missing)
