"""The view Rules: where each mask-free rule cuts every subject, and how far that is off."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from ascnet_core.figures.basics import COLOURS, PLAIN
from ascnet_core.figures.rules import MOST, levels_by_subject
from ascnet_core.files import read_json
from ascnet_core.names import Scope
from ascnet_core.places import cache_folder
from ascnet_core.runs.folder import Run
from ascnet_core.settings.tables import Segmentation
from ascnet_core.studies.attempts import Counts
from ascnet_core.studies.facts import INPUT, Facts, OwnWay, known_facts, own_way
from ascnet_core.studies.folder import Study
from ascnet_core.studies.rules_compared import (
    COLUMNS,
    MASK_FREE,
    Found,
    RuleSummary,
    compare_rules,
    find_levels,
    row_of,
    summarise,
)
from ascnet_core.studies.rules_of_study import decided_levels, references_of
from ascnet_core.studies.table import to_csv
from pages.parts.shared import feedback, jobs, state
from pages.parts.shared.tables import counted
from pages.parts.tuning import chosen

RESULT = "rules.json"
FIRST = 3
"""Rules in the plot unless others are chosen."""
MOST_NAMED = 5
"""Subjects whose fault is said."""
PATIENCE = 0.4  # seconds before a wait gets a progress bar
ROW = 35  # pixels of a table's row
PLOT = "rules of each subject"
_COMPARED = "what rules were compared on"
ORACLE_TITLES = ("oracle: mean Dice", "oracle: levels off", "oracle: Dice lost")

Key = tuple[Scope, str]


def show(study: Study, rater: str) -> None:
    """Draw the view."""
    facts = known_facts(study)
    if not _all_known(study, facts):
        return
    own = own_way(study)
    references = references_of(study, facts, own)
    decided = decided_levels(study, rater, own, facts) if rater else {}
    stamp = _stamp(own, facts, references, decided)
    if st.session_state.get(_COMPARED) != stamp:
        with feedback.progress_bar("Reading histograms by all rules", PATIENCE) as report:
            find_levels(facts.values(), own.how, references, report)
        st.session_state[_COMPARED] = stamp
    found = _compared(stamp, facts, own.how, references, decided)
    _draw(study, own, found, decided)


def _stamp(
    own: OwnWay,
    facts: Mapping[str, Facts],
    references: Mapping[str, Counts | None],
    decided: Mapping[str, int],
) -> str:
    """Another text once anything that the comparison reads has changed."""
    digest = hashlib.sha256(repr((own, sorted(decided.items()))).encode())
    for counts in references.values():
        digest.update(b"-" if counts is None else counts.tobytes())
    for name, one in facts.items():
        digest.update(name.encode("utf-8", "surrogateescape"))
        for table in (table for scan in one.scans for table in (scan.table, scan.plain)):
            digest.update(table.levels.tobytes())
            digest.update(b"-" if table.lesion is None else table.lesion.tobytes())
    return digest.hexdigest()


@st.cache_resource(show_spinner=False, max_entries=4)
def _compared(
    stamp: str,
    _facts: Mapping[str, Facts],
    _how: Segmentation,
    _references: Mapping[str, Counts | None],
    _decided: Mapping[str, int],
) -> list[Found]:
    return compare_rules(_facts.values(), _how, _references, _decided)


# --- subjects that nothing is known of yet -------------------------------------------------------


def _all_known(study: Study, facts: Mapping[str, Facts]) -> bool:
    """Whether there is something to show; above it, what is missing and the job that makes it."""
    missing = len(study.subjects) - len(facts)
    arguments = ["rules", str(study.path), "--overwrite"]
    folder = jobs.folder_for(cache_folder() / "rules", study.name, arguments, [])
    job = jobs.read(folder, RESULT)
    if job.status == "running":
        feedback.follow_job(folder, RESULT, "Looking at all subjects")
        return bool(facts)
    if not missing:
        return True
    failed = (read_json(folder / RESULT) or {}).get("failed", {}) if job.status == "done" else {}
    if job.status == "failed":
        st.error(feedback.plain(job.text), icon=":material/error:")
    for subject, sentence in list(failed.items())[:MOST_NAMED]:
        st.warning(feedback.plain(f"{subject} is left out: {sentence}"))
    if len(failed) >= missing:
        return bool(facts)
    left, right = st.columns([3, 1], vertical_alignment="center")
    left.info(
        f"{counted(missing, 'subject')} of {len(study.subjects)} not looked at yet. Rules read the "
        "histogram of each subject's map, so each has to be cut once."
    )
    label = f"Look at all {counted(len(study.subjects), 'subject')}"
    if right.button(label, type="primary", icon=":material/play_arrow:", width="stretch"):
        (folder / RESULT).unlink(missing_ok=True)
        jobs.start("study", arguments, folder)
        st.rerun()
    return bool(facts)


# --- what is shown -------------------------------------------------------------------------------


def label_of(key: Key) -> str:
    """A rule in menus and legends."""
    scope, rule = key
    return f"{rule}, one level for all" if scope == "cohort" else rule


def _draw(study: Study, own: OwnWay, found: Sequence[Found], decided: Mapping[str, int]) -> None:
    blind = chosen.is_blind()
    has_truth = any(one.truth for one in found)
    labels = {one.name: one.label for one in Run(study.run).settings().method.maps}
    maps = list(dict.fromkeys(one.map for one in found))
    left, middle, right = st.columns([1.4, 2.2, 1.1], vertical_alignment="bottom")
    name = left.segmented_control(
        "Map",
        maps,
        default=maps[0],
        required=True,
        format_func=lambda one: "plain input" if one == INPUT else labels.get(one, one),
        key=state.widget("map of rules"),
        help="The plain input needs no network: what a map adds to it is the difference.",
    )
    by_rule: dict[Key, list[Found]] = {}
    for one in found:
        if one.map == name:
            by_rule.setdefault((one.scope, one.rule), []).append(one)
    picked = middle.multiselect(
        "Rules in the plot",
        list(by_rule),
        default=list(by_rule)[:FIRST],
        format_func=label_of,
        max_selections=MOST,
        key=state.widget(f"rules of {name}"),
        help="The table below has all of them.",
    )
    from_oracle = False
    if has_truth and not blind:
        from_oracle = right.toggle(
            "Oracle: against the truth",
            key=state.widget("rules against truth"),
            help="How far each level is from the one with the best Dice. It is chosen with the "
            "masks, which nobody has in use.",
        )
    subjects = list(dict.fromkeys(one.subject for one in found))
    on_map = decided if name != INPUT else {}
    figure = levels_by_subject(
        subjects, {label_of(key): by_rule[key] for key in picked}, on_map, from_oracle
    )
    st.plotly_chart(
        figure,
        key=PLOT,
        on_select=lambda: _open(subjects),
        selection_mode="points",
        config=PLAIN,
        alt="The level that each rule gives each subject, beside the decided ones",
    )
    st.caption(
        f"A column a subject; a click opens it in Decide. Anomaly {own.how.side}; levels before "
        "post-processing."
        + (" Blind: what the truth says is hidden." if blind and has_truth else "")
    )
    _table([one for one in summarise(found) if one.map == name], own, from_oracle, bool(on_map))
    columns = COLUMNS if from_oracle else MASK_FREE
    st.download_button(
        "Levels of all rules (CSV)",
        lambda: to_csv((row_of(one, own.how.side) for one in found), columns).encode(),
        "rules.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
    )


def _open(subjects: Sequence[str]) -> None:
    """Show the subject whose column was clicked in the view Decide."""
    for point in st.session_state[PLOT]["selection"]["points"]:
        if point.get("x") in subjects:
            chosen.open_subject(str(point["x"]))


def table_of(summaries: Sequence[RuleSummary], own: OwnWay, oracle: bool, decided: bool) -> Any:
    """The table by rule: what saw no mask, then (`oracle`), in columns of their own, the rest."""
    rows = []
    for one in summaries:
        row: dict[str, Any] = {
            "rule": one.rule + (" (the run's own)" if one.rule == own.how.rule else ""),
            "reads": "all subjects" if one.scope == "cohort" else "each subject",
            "level, median": one.level,
            "quartiles": "–" if one.low is None else f"{one.low:.0f} to {one.high:.0f}",
            "finds none": f"{one.nothing} of {one.subjects}",
            "volume, ml": one.volume_ml,
        }
        if decided:
            row["off yours, levels"] = one.off_decided
        if oracle:
            row |= zip(ORACLE_TITLES, (one.dice, one.levels_off, one.dice_lost), strict=True)
        rows.append(row)
    return pd.DataFrame(rows)


HELP = {
    "level, median": "Over subjects, 0–255; of those for which it finds one.",
    "quartiles": "Between them lies the middle half of the levels.",
    "finds none": "Subjects for which the rule finds no level; their mask is empty.",
    "volume, ml": "Of the mask before post-processing, median over subjects.",
    "off yours, levels": "Median distance to your own decisions, where they are on the run's map.",
    ORACLE_TITLES[0]: "Over subjects with lesion. It needs the masks.",
    ORACLE_TITLES[1]: "Median distance to the level of each subject's best Dice.",
    ORACLE_TITLES[2]: "Median of how much less Dice than at each subject's best level.",
}


def _table(summaries: Sequence[RuleSummary], own: OwnWay, oracle: bool, decided: bool) -> None:
    table = table_of(summaries, own, oracle, decided)
    titles = list(ORACLE_TITLES) if oracle else []
    shown = table.style.set_properties(
        titles, **{"color": COLOURS["input"], "font-style": "italic"}
    )
    digits = {"level, median": 0, "volume, ml": 1, "off yours, levels": 1}
    digits |= dict(zip(ORACLE_TITLES, (3, 1, 3), strict=True))
    st.dataframe(
        shown.format({name: f"{{:.{n}f}}" for name, n in digits.items()}, na_rep="–"),
        hide_index=True,
        height=ROW * (len(table) + 1) + 3,
        key="table of rules",
        column_config={name: st.column_config.Column(help=text) for name, text in HELP.items()}
        | {"rule": st.column_config.Column(width=220)},
    )
