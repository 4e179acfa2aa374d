"""A rater's masks as one file: made by a job, then read from the disk when it is asked for."""

import streamlit as st

from ascnet_core.commands.study_actions.apply import FILE
from ascnet_core.studies.decisions import decisions_of
from ascnet_core.studies.folder import Study
from pages.parts.tuning import job

LABEL, ICON = "Make masks (ZIP)", ":material/folder_zip:"
HELP = (
    "The masks of all subjects that you decided, on the scans' own grids, with thresholds.csv, "
    "history.csv and a README; as `study apply --zip` writes them."
)


def download_masks(study: Study, rater: str) -> None:
    """A button that makes the masks of a rater's decisions, and then one that downloads them."""
    entries = decisions_of(study, rater) if rater else {}
    if not entries:
        # The same key as the job's: a click after the first decisions makes their masks.
        if st.button(LABEL, icon=ICON, help=HELP, key=f"start {LABEL}", width="stretch"):
            st.toast("Nothing is decided yet by this rater.", icon=":material/info:")
        return
    arguments = ["apply", str(study.path), f"--rater={rater}", "--zip"]
    folder = job.folder_of(study, "masks", arguments, [e.number for e in entries.values()])
    made = job.offer(folder, arguments, FILE, LABEL, HELP, ICON)
    job.download(
        made, f"masks of {len(entries)}", f"{study.name}-{rater}-masks.zip", "application/zip",
        f"Masks and tables of {rater}: {len(entries)} subjects, as they were decided when this "
        "button was drawn.",
    )  # fmt: skip
