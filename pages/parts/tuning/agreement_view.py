"""Agreement: two raters of a study, or two passes of one, side by side."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from ascnet_core.commands.study_actions.agree import FILES
from ascnet_core.figures.agreement import bland_altman
from ascnet_core.figures.basics import PLAIN
from ascnet_core.files import read_json
from ascnet_core.studies.compare import compare, in_order, summarise
from ascnet_core.studies.decisions import Entry, holding
from ascnet_core.studies.folder import Study
from pages.parts.shared import feedback, state, tables
from pages.parts.tuning import chosen, job

FIRST, SECOND = "first", "second"
"""Keys of the address."""
_OF_MASKS = ("dice", "volume_1_ml", "volume_2_ml", "volume_difference_ml")


def show(study: Study, rater: str) -> None:
    """Draw the view."""
    decided: dict[str, dict[str, Entry]] = {}
    for entry in holding(study):
        decided.setdefault(entry.rater, {})[entry.subject] = entry
    raters = list(decided)
    if len(raters) < 2:
        st.info(
            "Agreement needs the decisions of two raters. A second pass of one person is a rater "
            "of its own, such as anna-2: write another name under Rater and decide again.",
            icon=":material/group:",
        )
        return
    left, middle, right = st.columns([1, 1, 2], vertical_alignment="bottom")
    with left:
        one = _choose(FIRST, "First rater", raters, rater if rater in raters else raters[0])
    others = [name for name in raters if name != one]
    with middle:
        other = _choose(SECOND, "Second rater", others, others[0])
    first, second = decided[one], decided[other]
    both = [subject for subject in study.subjects if subject in first and subject in second]
    shown = may_see(both, chosen.is_blind(), decided.get(rater, {}))
    if hidden := len(both) - len(shown):
        st.info(
            f"Blind: {tables.counted(hidden, 'subject')} that you have not decided yet "
            f"{'is' if hidden == 1 else 'are'} left out.",
            icon=":material/visibility_off:",
        )
    if not shown:
        st.info(
            f"No subject is decided by both {feedback.plain(one)} and {feedback.plain(other)} yet.",
            icon=":material/group:",
        )
        return
    numbers = [(first[subject].number, second[subject].number) for subject in both]
    arguments = ["agree", "--", str(study.path), one, other]
    folder = job.folder_of(study, "agreement", arguments, numbers)
    with right:
        made = job.offer(
            folder, arguments, FILES[1], "Compare their masks",
            "Makes the masks of both raters for every subject that both decided: Dice between "
            "them and the difference of their volumes. It takes the network's time.",
            ":material/compare:",
        )  # fmt: skip
    rows = _rows(shown, first, second, made)
    _show_rows(rows, summarise(rows, len(study.subjects)), (one, other), folder.name)


def may_see(subjects: Sequence[str], blind: bool, mine: Mapping[str, Entry]) -> list[str]:
    """The subjects whose levels a rater may see: all, or in blind mode those already decided."""
    return [subject for subject in subjects if not blind or subject in mine]


def _choose(name: str, label: str, options: list[str], default: str) -> str:
    def changed(name: str) -> None:
        st.query_params[name] = st.session_state[state.widget(name)]

    wanted = st.query_params.get(name, "")
    value = wanted if wanted in options else default
    return str(st.selectbox(label, options, **state.bound(name, value, changed)))


def _rows(
    subjects: Sequence[str],
    first: Mapping[str, Entry],
    second: Mapping[str, Entry],
    made: Path | None,
) -> list[dict[str, Any]]:
    """The rows of `compare`, with what a job found of the masks."""
    rows, _ = compare(subjects, first, second, {})
    content = (read_json(made) or {}) if made else {}
    found = {row["subject"]: row for row in content.get("rows", ())}
    for row in rows:
        row |= {name: found.get(row["subject"], {}).get(name) for name in _OF_MASKS}
    return in_order(rows)


def _show_rows(
    rows: list[dict[str, Any]], summary: dict[str, Any], raters: tuple[str, str], key: str
) -> None:
    one, other = raters
    st.markdown(
        figures_table(summary, raters),
        help="± is half a 95 % confidence interval (Bland and Altman 1999); bars at the right of "
        "the plots show the same. The limits hold 95 % of differences if these are normal. "
        "ICC(2,1) counts a bias between the two as disagreement, ICC(3,1) does not.",
    )
    minus = f"{other} minus {one}"
    left, right = st.columns(2, gap="medium")
    with left:
        counted = [row for row in rows if row["difference"] is not None]
        st.markdown("**Levels**, 0 to 255")
        if counted:
            _plot(counted, ("level_1", "level_2"), "mean level", f"{minus}, level", f"l {key}")
        else:
            st.info("No two levels can be compared: map, range or side differ, or one excludes.")
    with right:
        st.markdown("**Volumes of the masks**, ml")
        if seen := [row for row in rows if row["dice"] is not None]:
            names = ("volume_1_ml", "volume_2_ml")
            _plot(seen, names, "mean volume, ml", f"{minus}, ml", f"v {key}")
        else:
            st.info("Press *Compare their masks* for Dice and volumes.", icon=":material/compare:")
    st.markdown(
        f"**To discuss first**: {tables.counted(len(rows), 'subject')} that both decided. Click "
        "a row, or a dot above, to open the subject.",
        help="First what one alone excludes, then the lowest Dice, then the largest difference "
        "of levels.",
    )
    table = pd.DataFrame(
        {
            "subject": [row["subject"] for row in rows],
            f"level, {one}": [row["level_1"] for row in rows],
            f"level, {other}": [row["level_2"] for row in rows],
            "difference": [row["difference"] for row in rows],
            "Dice between them": [row["dice"] for row in rows],
            "volume difference, ml": [row["volume_difference_ml"] for row in rows],
            f"flag, {one}": [row["flag_1"] for row in rows],
            f"flag, {other}": [row["flag_2"] for row in rows],
            "not comparable": [row["apart"] for row in rows],
        }
    )
    numbers = {"Dice between them": "%.3f", "volume difference, ml": "%+.2f", "difference": "%+d"}
    place = tables.choose_row(
        table.dropna(axis="columns", how="all"),
        f"to discuss {key}",
        height=min(40 + 35 * len(table), 355),
        column_config={
            name: st.column_config.NumberColumn(format=how) for name, how in numbers.items()
        },
    )
    if place is not None:
        chosen.open_subject(rows[place]["subject"])
        st.rerun()


def figures_table(summary: Mapping[str, Any], raters: tuple[str, str]) -> str:
    """Bias, limits, correlations and Dice in Markdown."""

    def text(value: float | None, digits: int, sign: str = "+") -> str:
        return "–" if value is None else f"{value:{sign}.{digits}f}"

    lines = []
    for name, label, unit, digits in (
        ("levels", "levels", "", 2),
        ("volumes_ml", "volumes", " ml", 3),
    ):
        one = summary[name]
        if not one["n"]:
            continue
        around = [f" ± {text(one[key], digits, '')}" if one[key] is not None else ""
                  for key in ("bias_error", "limit_error")]  # fmt: skip
        limits = f"{text(one['low'], digits)} to {text(one['high'], digits)}{unit}"
        dice, least = (text(summary["dice"][key], 3, "") for key in ("mean", "least"))
        masks = f"mean {dice}, least {least}" if name == "volumes_ml" else ""
        lines.append(
            [
                label,
                f"{one['n']}",
                f"{text(one['bias'], digits)}{around[0]}{unit}",
                f"{limits}{around[1] and ' (each' + around[1] + ')'}",
                text(one["icc_agreement"], 3, ""),
                text(one["icc_consistency"], 3, ""),
                masks,
            ]
        )
    heads = [
        f"{feedback.plain(raters[1])} minus {feedback.plain(raters[0])}",
        *("subjects", "bias", "limits of agreement", "ICC(2,1)", "ICC(3,1)", "Dice between them"),
    ]
    shown = len(heads) if summary["volumes_ml"]["n"] else len(heads) - 1
    rows = [line[:shown] for line in lines]
    return tables.markdown(heads[:shown], rows, ["---", *["--:"] * (shown - 1)])


def _plot(
    rows: Sequence[Mapping[str, Any]], names: tuple[str, str], x: str, y: str, key: str
) -> None:
    one, other = ([row[name] for row in rows] for name in names)
    figure = bland_altman([row["subject"] for row in rows], one, other, x, y)
    event: Any = st.plotly_chart(
        figure, key=f"agreement {key}", on_select="rerun", selection_mode="points",
        config=PLAIN, alt=f"Bland-Altman plot: {y} against {x}",
    )  # fmt: skip
    points = event["selection"]["points"]
    if points and points[0].get("customdata"):
        found = points[0]["customdata"]
        chosen.open_subject(found if isinstance(found, str) else found[0])
        st.rerun()
