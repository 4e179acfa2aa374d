"""Levels proposed for a subject: by the run's rule, by the cohort's, and as the rater decides.

None of them sees a mask: they read counts of levels and earlier decisions. What is learned from a
rater is one relation, of a few, between levels and histograms (`relations`): the one that was least
off when each decided subject was left out in turn.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from statistics import median
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ascnet_core.metrics.overlap import LEVELS, kept_counts
from ascnet_core.names import RangeKind, Scope, Side
from ascnet_core.segmentation.histogram import SEPARATED, outer_separation
from ascnet_core.segmentation.rules import parse_rule
from ascnet_core.segmentation.threshold import NoThreshold, Threshold
from ascnet_core.settings.tables import Segmentation
from ascnet_core.studies.attempts import attempts
from ascnet_core.studies.decisions import Entry, decisions_of
from ascnet_core.studies.facts import (
    Facts,
    OwnWay,
    is_one_level,
    known_facts,
    own_way,
    reference_of,
)
from ascnet_core.studies.folder import Study
from ascnet_core.studies.relations import Decided

Name = Literal["own rule", "cohort", "learned"]
Confidence = Literal["high", "fair", "low"]

FEWEST = 3
"""Decided subjects from which something is learned."""
TRUSTED = 5
"""Decided subjects from which what is learned may be trusted more than the run's own rule."""
_MOST = 24  # of the last decided ones; more take time and say no more
_SAMPLED = 64  # subjects whose own levels say how sure one level for all is
_NEAR = 5  # levels by which a level is moved to see how much the mask changes
_CLOSE, _ROUGH = 3, 10  # levels


@dataclass(frozen=True)
class Proposal:
    """A level for a subject and why.

    `level` is None where nothing is found; the sentence says so. `rule` and `scope` are what a
    decision for it records: what was learned is no rule that can be typed, and written as
    `learned:peak 3:-20`. `confidence` is put in words by `sure`, from what was measured. `off`
    is by how many levels what was learned missed the decided subjects, each left out in turn
    (the median), and `decided` how many these were; None for the others.
    """

    name: Name
    level: int | None
    upper: int | None
    side: Side
    rule: str
    scope: Scope
    sentence: str
    confidence: Confidence
    sure: str
    off: float | None = None
    decided: int | None = None


@dataclass(frozen=True)
class Ground:
    """What proposals for a study are made from.

    `how` and `range` are the run's own, `known` all facts that are known, `reference` the counts
    (256,) of the map over the normal reference (None where there are none), `total` how many
    subjects the study has. `complete`: all that can be read is known.
    """

    how: Segmentation
    range: RangeKind
    known: Mapping[str, Facts]
    reference: NDArray[np.int64] | None
    total: int
    complete: bool = True

    @cached_property
    def one_for_all(self) -> Proposal | None:
        """What `cohort` proposes, which is the same for all subjects; found once."""
        return cohort(self)


def ground_of(
    study: Study, known: Mapping[str, Facts] | None = None, complete: bool = True
) -> Ground:
    """What is known of a study now; `known` where it was read already."""
    own = own_way(study)
    facts = known_facts(study) if known is None else known
    reference = reference_of(study, own.how.map, own.range, facts)
    return Ground(own.how, own.range, facts, reference, len(study.subjects), complete)


def proposals_for(
    study: Study, subject: str, rater: str, ground: Ground | None = None
) -> list[Proposal]:
    """Propose levels for a subject, the most trusted first.

    That is the run's own rule at the run's own scope: read on this subject alone, or for the whole
    cohort once half of that is known. What was learned goes before it where it was less than half
    as far off on the same decided subjects, at least `TRUSTED` of them.

    Those that cannot be made are left out: the subject's facts must be known for all but the
    cohort's, and the rater must have decided enough to learn from. The subject's own decision is
    not used. Raises a UserError if the run or manifest has changed.
    """
    ground = ground or ground_of(study)
    entries = decisions_of(study, rater) if rater else {}
    whole = ground.one_for_all
    if whole is None or subject not in ground.known:
        return [whole] if whole else []
    facts = ground.known[subject]
    others = {name: entry for name, entry in entries.items() if name != subject}
    own, taught = own_rule(facts, ground), learned(facts, others, ground)
    found = [own, whole]
    enough = ground.complete or 2 * len(ground.known) >= ground.total
    if ground.how.scope == "cohort" and enough:
        found.reverse()
    if taught is not None:
        found.insert(0 if _is_closer(taught, found[0], others, ground) else len(found), taught)
    return found


def _is_closer(
    taught: Proposal, first: Proposal, decided: Mapping[str, Entry], ground: Ground
) -> bool:
    """Whether what was learned was less than half as far off as another on what is decided."""
    how, misses = ground.how, list[int]()
    for entry in usable(decided, ground)[-_MOST:]:
        level, facts = first.level, ground.known[entry.subject]
        if first.scope == "subject":
            level = attempts([how.rule], facts.counts, how.side, ground.reference)[0].level
        there = level is not None and entry.decided.side == how.side
        misses.append(abs((level or 0) - (entry.decided.level or 0)) if there else LEVELS)
    return len(misses) >= TRUSTED and taught.off is not None and 2 * taught.off < median(misses)


def own_rule(facts: Facts, ground: Ground) -> Proposal:
    """What the run's own rule gives for the subject's histogram."""
    how = ground.how
    (found,) = attempts([how.rule], facts.counts, how.side, ground.reference)
    confidence, sure = _sure_of(found, facts, how.side)
    return _proposal("own rule", found, "subject", found.sentence, confidence, sure)


def cohort(ground: Ground) -> Proposal | None:
    """One level for all: what the run's own rule gives for the pooled histogram."""
    if not ground.known:
        return None
    how, several = ground.how, list(ground.known.values())
    pooled = np.sum([facts.counts for facts in several], axis=0)
    (found,) = attempts([how.rule], pooled, how.side, ground.reference)
    of = f"{len(several)} subjects"
    if len(several) < ground.total:
        of = f"{len(several)} of {ground.total} subjects so far"
    some = several[:: -(-len(several) // _SAMPLED)]
    each = [attempts([how.rule], one.counts, how.side, ground.reference)[0] for one in some]
    levels = [one.level for one in each if one.level is not None]
    confidence: Confidence = "low"
    sure = f"the rule finds nothing for {len(each) - len(levels)} of {len(each)} of them alone"
    if len(levels) * 2 > len(each):
        spread = median(abs(level - median(levels)) for level in levels)
        confidence = _by_distance(spread)
        sure = f"half of the subjects' own levels lie within {spread:.0f} levels of their median"
    return _proposal(
        "cohort", found, "cohort", f"{found.sentence[:-1]}, over {of}.", confidence, sure
    )


def learned(facts: Facts, decided: Mapping[str, Entry], ground: Ground) -> Proposal | None:
    """As the rater decided others; None while that is too few.

    Only decisions on the same map, range and side count, and on scans that have not changed since.
    """
    several = usable(decided, ground)[-_MOST:]
    if len(several) < FEWEST:
        return None
    side = several[-1].decided.side
    subjects = [ground.known[entry.subject] for entry in several]
    levels = [entry.decided.level or 0 for entry in several]
    model = Decided(subjects, levels, side)
    for fitted in model.fit():
        level = fitted.level(facts)
        if level is not None:
            break
    else:
        return None
    off, number = model.off(), len(several)
    said = fitted.relation.say(fitted.number)
    if fitted.relation.name == "level" and ground.reference is not None:
        kept = kept_counts(ground.reference, side)[level] / max(1, int(ground.reference.sum()))
        said += f", which keeps {kept:.2%} of the normal reference"
    sentence = f"Your levels on {number} subjects {said}."
    far = "not known" if off is None else f"{off:.0f} levels"
    sure = f"off by {far} (median) where each of them was left out"
    confidence: Confidence = "low" if off is None else _by_distance(off)
    if number < 2 * FEWEST and confidence == "high":
        confidence = "fair"
    rule = f"learned:{fitted.relation.name}:{fitted.number:.4g}"
    return Proposal(
        "learned", level, None, side, rule, "subject", sentence, confidence, sure, off, number
    )


def usable(decided: Mapping[str, Entry], ground: Ground) -> list[Entry]:
    """The decisions from which one can learn, oldest first: all of the side used most."""
    own = OwnWay(ground.how, ground.range)
    found = [entry for entry in decided.values() if is_one_level(entry, own, ground.known)]
    sides = Counter(entry.decided.side for entry in found).most_common(1)
    found = [entry for entry in found if entry.decided.side == sides[0][0]]
    return sorted(found, key=lambda entry: entry.number)


def _proposal(
    name: Name,
    found: Threshold | NoThreshold,
    scope: Scope,
    sentence: str,
    confidence: Confidence,
    sure: str,
) -> Proposal:
    if isinstance(found, NoThreshold):
        confidence, sure = "low", "nothing was found"
    return Proposal(
        name, found.level, found.upper, found.side, found.rule, scope, sentence, confidence, sure
    )


def _sure_of(found: Threshold | NoThreshold, facts: Facts, side: Side) -> tuple[Confidence, str]:
    """How sure a level is: by the peak that it names, else by how much the mask depends on it."""
    if isinstance(found, NoThreshold):
        return "low", ""
    if parse_rule(found.rule).entry.needs_peaks:
        reading = facts.reading
        clear = outer_separation(reading.separations, side)
        fullest = max(reading.peaks, key=lambda peak: peak.share)
        if fullest is reading.peaks[-1 if side == "bright" else 0]:
            return "low", f"no separate peak at the {side} end"
        sure = f"separation of the outer peak {clear:.2f} (0 to 1)"
        return "high" if clear >= SEPARATED else "low" if clear < SEPARATED / 2 else "fair", sure
    kept = kept_counts(facts.counts, side)
    near = kept[[max(0, found.level - _NEAR), min(255, found.level + _NEAR)]]
    change = float(abs(near[0] - near[1]) / max(1, kept[found.level]))
    sure = f"{_NEAR} levels up or down change the mask by {change / 2:.0%}"
    return "high" if change < 0.2 else "fair" if change < 0.6 else "low", sure


def _by_distance(levels: float) -> Confidence:
    return "high" if levels <= _CLOSE else "fair" if levels <= _ROUGH else "low"
