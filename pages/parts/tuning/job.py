"""Long work on a study from the page: a button that starts it, then its progress, then its file."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from ascnet_core.places import cache_folder
from ascnet_core.runs.manage import in_words
from ascnet_core.studies.folder import Study
from pages.parts.shared import feedback, jobs


def folder_of(study: Study, what: str, arguments: Sequence[str], decisions: object) -> Path:
    """Where the job on a study with these arguments and `decisions` puts its file."""
    parent = cache_folder() / "studies" / jobs.safe_name(str(study.path))[-jobs.LONGEST :] / what
    return jobs.folder_for(parent, what, arguments, [decisions, study.about["made"]])


def offer(
    folder: Path, arguments: Sequence[str], result: str, label: str, sentence: str, icon: str
) -> Path | None:
    """A button that starts `study ARGUMENTS -o FOLDER`, its progress, and in the end its `result`.

    Files of earlier decisions are removed when it starts. `sentence` explains the button.
    """
    job = jobs.read(folder, result)
    if job.status == "done":
        return folder / result
    if job.status == "running":
        feedback.follow_job(folder, result, label)
        return None
    if job.status == "failed":
        st.error(feedback.plain(job.text), icon=":material/error:")
    if st.button(label, icon=icon, help=sentence, key=f"start {label}", width="stretch"):
        _remove_others(folder)
        jobs.start("study", [arguments[0], "--overwrite", *arguments[1:]], folder)
        st.rerun()
    return None


def download(made: Path | None, what: str, file_name: str, mime: str, sentence: str) -> None:
    """A button that downloads what was `made`, if it was; `sentence` explains the button."""
    if made:
        st.download_button(
            f"Download {what}, {in_words(made.stat().st_size)}", lambda: made.open("rb"),
            file_name=file_name, mime=mime, icon=":material/download:", key=f"{what} of the study",
            width="stretch", on_click="ignore", help=sentence,
        )  # fmt: skip


def _remove_others(folder: Path) -> None:
    """Remove what jobs of the same kind made of earlier decisions; running ones stay."""
    for other in folder.parent.glob("*") if folder.parent.is_dir() else ():
        if other != folder and jobs.read(other, "").status != "running":
            shutil.rmtree(other, ignore_errors=True)
