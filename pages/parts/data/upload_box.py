"""Uploading a cohort: files, a folder or a zip."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from ascnet_core.errors import UserError
from ascnet_core.imaging.formats import ENDINGS, IN_SHORT
from pages.parts.data import upload_folder, uploads
from pages.parts.shared import feedback

FILES, FOLDER = "Files or a zip", "A folder"
NAME = "name of the uploaded cohort"
APART = "masks that their names do not tell"


def upload_box() -> Path | None:
    """The fields; the manifest of what was uploaded, once it is to be opened."""
    left, right = st.columns([1, 1.1])
    what = left.segmented_control(
        "What to upload",
        [FILES, FOLDER],
        default=FILES,
        required=True,
        help="Masks, regions, modalities and patients are told by the names of files and folders, "
        "as `ascnet index` tells them. A zip keeps its folders. What is uploaded stays on this "
        "machine.",
    )
    masks: Sequence[Any] = ()
    if what == FOLDER:
        files = st.file_uploader("Folder with scans", accept_multiple_files="directory")
    else:
        files = st.file_uploader(
            "Images, with their masks and regions, or a zip",
            type=ENDINGS,
            accept_multiple_files=True,
            help=f"{IN_SHORT}; case1_mask.nii.gz belongs to case1_flair.nii.gz.",
        )
        if st.checkbox("Masks apart", key=APART, help="Where masks are named like their images."):
            masks = st.file_uploader("Masks", type=ENDINGS, accept_multiple_files=True)
    suggested = upload_folder.suggested_name(files)
    name = right.text_input(
        "Name of the cohort", key=NAME, placeholder=suggested, disabled=bool(masks)
    )
    if not files:
        st.caption("A mask lets the pages show Dice; nothing is learnt from it.")
        return None
    if not st.button("Open uploads", type="primary"):
        return None
    with feedback.show_user_errors(stop=False), st.spinner("Looking through the upload"):
        return keep(files, masks, name or suggested)
    return None


def keep(files: Sequence[Any], masks: Sequence[Any], name: str) -> Path:
    """Keep an upload as a cohort; its manifest. Raises UserError.

    Names tell what belongs together, but where masks come apart, or several loose files have one
    name: then their order does. Loose files of which no name tells anything are images each.
    """
    if masks:
        return uploads.write_uploads(files, masks)
    names = Counter(str(file.name).casefold() for file in files)
    loose = not any("/" in str(file.name) for file in files)
    if loose and max(names.values()) > 1:
        return uploads.write_uploads(files, masks)
    try:
        return upload_folder.write_folder(files, name)
    except UserError:
        if not loose or any(str(file.name).lower().endswith(".zip") for file in files):
            raise
        uploads.check_readable(files)
        return uploads.write_uploads(files, masks)
