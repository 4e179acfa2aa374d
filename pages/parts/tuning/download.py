"""A rater's masks as one file: made by a job, then read from the disk when it is asked for."""

import streamlit as st

from ascnet_core.commands.study_actions.apply import FILE
from ascnet_core.studies.decisions import decisions_of
from ascnet_core.studies.folder import Study
from pages.parts.tuning import job


def download_masks(study: Study, rater: str) -> None:
    """A button that makes the masks of a rater's decisions, and then one that downloads them."""
    entries = decisions_of(study, rater) if rater else {}
    if not entries:
        st.button(
            "Make masks (ZIP)", icon=":material/folder_zip:", disabled=True, width="stretch",
            help="Nothing is decided yet by this rater.", key="no masks",
        )  # fmt: skip
        return
    arguments = ["apply", str(study.path), f"--rater={rater}", "--zip"]
    folder = job.folder_of(study, "masks", arguments, [e.number for e in entries.values()])
    made = job.offer(
        folder, arguments, FILE, "Make masks (ZIP)",
        f"The masks of the {len(entries)} subjects that {rater} decided, on the scans' own grids, "
        "with thresholds.csv, history.csv and a README; as `study apply --zip` writes them.",
        ":material/folder_zip:",
    )  # fmt: skip
    job.download(
        made, "masks", f"{study.name}-{rater}-masks.zip", "application/zip",
        f"Masks and tables of {rater}, as decided now.",
    )  # fmt: skip
