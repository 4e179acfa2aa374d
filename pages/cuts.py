"""Cuts: the maps of a slice side by side, and which pixels each peak is made of."""

from dataclasses import replace
from typing import Any

import numpy as np
import streamlit as st

from ascnet_core.segmentation.masks import on_levels, segment
from ascnet_core.segmentation.threshold import NoThreshold
from pages.parts.cuts import slice_panel
from pages.parts.cuts.slice_panel import Bools
from pages.parts.links import fit
from pages.parts.links.veil import veiled
from pages.parts.shared import cases, components, feedback, remarks, runs, state, thresholds
from pages.parts.shared.sidebar import choose_flip, sidebar
from pages.parts.shared.state import View

PANEL = "cuts panel"
SLIDER = "axial slice of the cuts"
CUT = "cohort that has been cut"  # session key: what its threshold depends on


def _slider_moved() -> None:
    state.update(slice=st.session_state[SLIDER] - 1)


def _slice_turned() -> None:
    wanted = components.reported(PANEL).get("slice")
    if isinstance(wanted, int):
        state.update(slice=wanted)


@st.cache_resource(show_spinner=False, max_entries=16)
def _facts(key: str, _case: cases.Case, _view: View) -> slice_panel.Facts:
    layer: Any = runs.load_model(_view.run, _view.cycle).network.reconstructor
    fence, wild = layer.weight.detach().cpu().numpy().ravel().tolist()
    weights = (fence, wild, float(layer.bias.detach().cpu()))
    return slice_panel.facts_of(_case.maps, _case.prepared.region, weights)


def shown_slice(view: View, region: Bools, truth: Bools | None) -> int:
    """The slice to show: the view's, else the one with most lesion, else with most tissue."""
    if view.slice is not None:
        return min(view.slice, int(region.shape[2]) - 1)
    shown = truth if truth is not None and truth.any() else region
    return int(np.count_nonzero(shown, axis=(0, 1)).argmax())


def mask_of(view: View) -> tuple[Bools, int | None, str]:
    """The mask that Threshold shows, its level (None if not one of raw I_ro), and a sentence."""
    case = cases.load_maps(view)
    threshold = thresholds.in_force(view, thresholds.propose(view))
    steps = view.post or ()
    further = on_levels(case.prepared.further)
    mask = segment(case.map(view.map), case.prepared.region, threshold, steps, further)
    if isinstance(threshold, NoThreshold):
        return mask, None, f"No mask. {threshold.sentence}"
    on_raw_ro = view.map == "reconstruction" and view.range == "raw"
    after = f", then {', '.join(steps)}" if steps else ""
    sentence = (
        f"Mask: {runs.run_maps(view.run)[view.map].label} {threshold.text()} ({view.range} range, "
        f"{threshold.kind}; {threshold.sentence.rstrip('.')}){after}."
    )
    return mask, threshold.level if on_raw_ro else None, sentence


def page() -> None:
    view = sidebar()
    with veiled(view):
        draw(view)


def draw(view: View) -> None:
    """Draw everything but the sidebar that all pages share."""
    with st.sidebar:
        choose_flip(view)
    with feedback.show_user_errors():
        view = runs.complete(view)
        method = runs.run_settings(view.run).method
        if not method.two_cuts:
            st.info(method.lacks("The page Cuts"), icon=":material/content_cut:")
            return
        case = cases.load_maps(replace(view, range="raw"))
        changed = runs.run_stamp(view.run, view.cycle)
        facts = _facts(case.key, case, view)
        fit.say(view)
    # A threshold for the cohort needs every scan cut: show the pictures before that.
    whole = (view.run, view.cycle, view.cohort, view.map, view.range, view.flip, changed)
    waiting = view.t is None and view.scope == "cohort" and st.session_state.get(CUT) != whole
    mask, level, sentence = None, None, "The mask follows once the whole cohort is cut."
    if not waiting:
        with feedback.show_user_errors():
            mask, level, sentence = mask_of(view)
            cases.show_left_out(cases.left_out(view), "content")
    region, truth, spacing = case.prepared.region, case.prepared.truth, case.prepared.spacing
    slice_ = shown_slice(view, region, truth)
    voxel_ml = case.prepared.volume.voxel_ml
    picked = components.reported(PANEL).get("pick")
    pick = slice_panel.parse_pick(picked)
    header = slice_panel.header_of(
        facts,
        region,
        spacing,
        slice_,
        identity="|".join(map(str, (view.cohort, view.scan, view.run, view.cycle, view.flip))),
        truth=truth is not None,
        threshold=level,
        pick=picked if pick else None,
        answer=slice_panel.describe_pick(pick, case.maps, region, truth, voxel_ml),
    )
    volumes = [case.maps[name] for name in slice_panel.MAPS]
    volumes.append(slice_panel.flags(region, truth, mask))
    left, middle, right = st.columns([5, 2.6, 1.7], vertical_alignment="bottom")
    left.title(
        f"Cuts of {view.scan}",
        help="The fence cut should look like the reference, the wild cut holds what the fence "
        "cannot, and I_ro is made of both (paper, section 3).",
        anchor=False,
    )
    if (depth := region.shape[2]) > 1:
        st.session_state[SLIDER] = slice_ + 1
        middle.slider(
            "Axial slice",
            1,
            depth,
            key=SLIDER,
            on_change=_slider_moved,
            label_visibility="collapsed",
            help="Axial slice, 1 is the lowest.",
        )
    if right.button("Threshold", icon=":material/equalizer:", width="stretch"):
        state.open_page("pages/threshold.py")
    misfit = remarks.load_misfit(view)  # it stands above
    remarks.show([one for one in remarks.load_remarks(view, scored=True) if one != misfit])
    slice_panel.slice_panel(header, volumes, PANEL, _slice_turned)
    st.caption(
        f"{feedback.plain(sentence)} All grey levels are 0–255 on the raw scale [0, 1]. Blue "
        "outline: true mask. Patient's right is on the left."
    )
    if waiting:
        with feedback.show_user_errors():
            mask_of(view)
        st.session_state[CUT] = whole
        st.rerun()


page()
