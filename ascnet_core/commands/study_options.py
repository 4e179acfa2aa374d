"""`--study` of verbs that make masks: run, cohort and thresholds are a study's."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ascnet_core.commands.options import add_action
from ascnet_core.errors import UserError

if TYPE_CHECKING:
    from ascnet_core.settings.tables import Segmentation
    from ascnet_core.studies.folder import Study

_DECIDED = {
    "threshold": "--threshold",
    "map": "--map",
    "side": "--side",
    "scope": "--scope",
    "post": "--post",
    "range_kind": "--range",
    "cycle": "--cycle",
    "flip": "--flip",
}
"""What the decisions of a study say themselves."""


class _InPlaceOf(argparse.Action):
    """An option with which some positional arguments need not be given."""

    def __init__(self, *arguments: Any, of: Sequence[argparse.Action], **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._of = of

    def __call__(self, parser: Any, namespace: Any, values: Any, option: Any = None) -> None:
        """Take the value."""
        setattr(namespace, self.dest, values)
        for action in self._of:
            action.required = False


def add_study(parser: argparse.ArgumentParser, *of: argparse.Action) -> None:
    """Add `--study`, with which the positional arguments `of` may be left out, and its options."""
    group = parser.add_argument_group("decisions of a study")
    group.add_argument(
        "--study",
        action=_InPlaceOf,
        of=of,
        metavar="STUDY",
        help="take run, scans and each subject's decision from a study (its name or folder)",
    )
    group.add_argument(
        "--rater", metavar="R", help="whose decisions (needed where several have decided)"
    )
    group.add_argument(
        "--undecided",
        metavar="RULE",
        help="the rule for subjects without a decision, read on the whole cohort's histogram; "
        "else they are named and the exit status is 2",
    )


def study_of(options: argparse.Namespace, decided: Sequence[str] = tuple(_DECIDED)) -> Study | None:
    """The study that is named, None where none is; options that go against it are refused."""
    if options.study is None:
        if options.rater or options.undecided:
            raise UserError("--rater and --undecided belong to a study; name one by --study.")
        return None
    from ascnet_core.segmentation.rules import parse_rule
    from ascnet_core.studies.folder import find_study

    for name in decided:
        if getattr(options, name) not in (None, False):
            raise UserError(f"The study's decisions say it themselves; leave {_DECIDED[name]} out.")
    if options.undecided:
        parse_rule(options.undecided)
    return find_study(options.study)


def undecided_of(options: argparse.Namespace, how: Segmentation) -> Segmentation | None:
    """How subjects without a decision are segmented; None where they get no mask."""
    return replace(how, rule=options.undecided) if options.undecided else None


def add_with_study(
    actions: Any, name: str, summary: str, does: Callable[[argparse.Namespace], int | None]
) -> argparse.ArgumentParser:
    """Add an action of the verb `study` that works on one study; returned is its parser."""
    parser = add_action(actions, name, summary, does)
    parser.add_argument("study", metavar="STUDY", help="a study's name or folder")
    return parser


def decided_so_far(study: Study) -> str:
    """Who decided how many subjects of a study, in words."""
    from collections import Counter

    from ascnet_core.studies.decisions import holding

    count = Counter(entry.rater for entry in holding(study))
    parts = [f"{rater} {done} of {len(study.subjects)}" for rater, done in count.items()]
    return ", ".join(parts) or f"nothing decided of {len(study.subjects)}"
