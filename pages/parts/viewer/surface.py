"""The mask as a surface in space, on request: a button, and the dialog that it opens."""

import numpy as np
import streamlit as st

from ascnet_core.errors import UserError
from pages.parts.shared import feedback, state
from pages.parts.viewer import findings


def show_button(shown: findings.Shown, truth: bool) -> None:
    """Draw the button that opens the dialog, and the dialog while it is open.

    `truth` says whether the truth may be shown. Nothing is computed while the dialog is closed.
    """
    if st.button(
        "3-D",
        icon=":material/view_in_ar:",
        width="stretch",
        help="The mask after steps and edits as a surface, to be turned with the mouse.",
    ):
        st.session_state[state.SURFACE] = shown.case.key
    if st.session_state.get(state.SURFACE) == shown.case.key:
        _dialog(shown, truth)


def _closed() -> None:
    st.session_state[state.SURFACE] = ""


@st.dialog("Mask in 3-D", width="large", on_dismiss=_closed)
def _dialog(shown: findings.Shown, truth: bool) -> None:
    from ascnet_core.figures.basics import PLAIN
    from ascnet_core.figures.surface import surfaces  # half a second that a closed one never takes

    prepared = shown.case.prepared
    try:
        mask = findings.cleaned(shown).mask
        figure = surfaces(
            mask, prepared.region, prepared.spacing, prepared.truth if truth else None
        )
    except UserError as error:
        st.info(feedback.plain(str(error)))
        return
    ml = np.count_nonzero(mask) * prepared.volume.voxel_ml
    st.caption(f"{shown.view.scan} · {ml:.1f} ml · drag turns, the wheel zooms")
    st.plotly_chart(
        figure,
        width="stretch",
        config=PLAIN,
        alt=f"The mask of {shown.view.scan} as a surface in space",
    )
