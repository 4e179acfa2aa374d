"""Report: all that was decided on one page, and the masks, to keep and to send."""

from collections import Counter
from collections.abc import Sequence

import streamlit as st

from ascnet_core.commands.study_actions.report import FILE
from ascnet_core.studies.decisions import Entry, holding
from ascnet_core.studies.folder import Study
from pages.parts.shared import feedback, tables
from pages.parts.tuning import chosen, job
from pages.parts.tuning.download import download_masks


def show(study: Study, rater: str) -> None:
    """Draw the view."""
    entries = holding(study)
    counts = Counter(entry.rater for entry in entries)
    if not counts:
        st.info("Nothing is decided yet; the view Decide is where that is done.")
        return
    total = len(study.subjects)
    heads = ["rater", "decided", "open", "doubtful", "excluded", "blind"]
    rows = [
        [
            feedback.plain(name),
            f"{number} of {total}",
            str(total - number),
            *(str(sum(e.decided.flag == flag for e in entries if e.rater == name))
              for flag in ("doubtful", "exclude")),
            str(sum(e.decided.blind for e in entries if e.rater == name)),
        ]
        for name, number in counts.items()
    ]  # fmt: skip
    st.markdown(tables.markdown(heads, rows, ["---", *["--:"] * 5]))
    left, right = st.columns(2, gap="large")
    left.markdown(
        "**Report**: one HTML file that opens anywhere and prints. Who decided what and how, "
        "levels, volumes, agreement, every subject at its decision."
    )
    right.markdown(
        f"**Masks** of {feedback.plain(rater) if rater else 'the rater named at the left'} as "
        "NIfTI, with thresholds.csv, history.csv and a README, in one ZIP file."
    )
    left, right = st.columns(2, gap="large")
    with left:
        _report(study, rater, entries)
    with right:
        download_masks(study, rater)


def _report(study: Study, rater: str, entries: Sequence[Entry]) -> None:
    arguments, numbers = ["report", str(study.path)], [entry.number for entry in entries]
    mine = [entry.number for entry in entries if entry.rater == rater]
    has_open = len(mine) < len(study.subjects)
    if chosen.is_blind() and has_open:
        st.info(
            "Blind: others' levels are left out until all your decisions stand.",
            icon=":material/visibility_off:",
        )
        if not mine:
            return
        arguments, numbers = [*arguments, f"--rater={rater}"], mine
    folder = job.folder_of(study, "report", arguments, numbers)
    made = job.offer(
        folder, arguments, FILE, "Make the report",
        "Makes every mask, which takes the network's time; as `study report` does.",
        ":material/description:",
    )  # fmt: skip
    job.download(
        made, "the report", f"{study.name}.html", "text/html",
        "Opens in any browser without a network; print it from there.",
    )  # fmt: skip
