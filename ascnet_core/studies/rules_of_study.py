"""What `rules_compared` needs of a study: its way, its normal reference, a rater's levels."""

from collections.abc import Mapping

from ascnet_core.errors import UserError
from ascnet_core.names import RangeKind
from ascnet_core.studies.attempts import Counts
from ascnet_core.studies.decisions import decisions_of, holding
from ascnet_core.studies.facts import INPUT, Facts, OwnWay, is_one_level, own_way, reference_of
from ascnet_core.studies.folder import Study
from ascnet_core.studies.rules_compared import Found, compare_rules


def compare_in(study: Study, facts: Mapping[str, Facts], rater: str | None) -> list[Found]:
    """What each rule finds for the subjects of `facts`, and how far from a rater's decisions."""
    own = own_way(study)
    decided = {} if rater is None else decided_levels(study, rater, own, facts)
    return compare_rules(facts.values(), own.how, references_of(study, facts, own), decided)


def references_of(
    study: Study, facts: Mapping[str, Facts], own: OwnWay
) -> dict[str, Counts | None]:
    """Counts (256,) of the normal reference by map: see `reference_of`."""
    ranges: dict[str, RangeKind] = {own.how.map: own.range, INPUT: "raw"}
    return {name: reference_of(study, name, range_, facts) for name, range_ in ranges.items()}


def decided_levels(
    study: Study, rater: str, own: OwnWay, facts: Mapping[str, Facts]
) -> dict[str, int]:
    """A rater's levels by subject: those on the run's own map, range and side that hold today.

    Bands, decisions without a level and those on scans that have changed since are left out.
    """
    return {
        subject: entry.decided.level
        for subject, entry in decisions_of(study, rater).items()
        if is_one_level(entry, own, facts)
        and entry.decided.level is not None
        and entry.decided.side == own.how.side
    }


def rater_to_compare(study: Study, rater: str | None) -> str | None:
    """Whose decisions rules are compared with: the rater named, else the only one, else none.

    Raises a UserError if the one who is named has decided nothing.
    """
    known = list(dict.fromkeys(entry.rater for entry in holding(study)))
    if rater is None:
        return known[0] if len(known) == 1 else None
    if rater not in known:
        raise UserError(
            f"{rater!r} has decided nothing in study {study.name}; leave --rater out, or choose "
            f"{' or '.join(known) or 'one once something is decided'}."
        )
    return rater
