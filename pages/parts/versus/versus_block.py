"""Two masks of one subject as the browser gets them: left and right, and nothing of their names."""

import gzip
import hashlib
from dataclasses import replace

import numpy as np
import streamlit as st

from ascnet_core.imaging.slices import box_of
from ascnet_core.segmentation.masks import on_levels, segment
from ascnet_core.studies.folder import Study
from ascnet_core.studies.preferences import Contender, Pair, left_of
from pages.parts.shared import cases, components, runs, thresholds
from pages.parts.shared.state import View
from pages.parts.studies.keeping import study_view
from pages.parts.viewer.viewer import MARGIN, Mask

KEPT = 6
"""Blocks kept: each is as large as a subject's input, gzipped."""


def view_of(study: Study, one: Contender, subject: str) -> View:
    """A subject (its first scan) as a contender sees it. Raises UserError."""
    view = replace(study_view(study), run=one.run, cycle=one.cycle, scan=subject)
    view = replace(view, map=one.map, rule=one.rule, side=one.side, post=one.post)
    return runs.complete(view)


def block_of(study: Study, pair: Pair, rater: str, subject: str) -> bytes:
    """The block of a subject: input and both masks, on the sides drawn for this rater.

    Raises a UserError if the scan cannot be read, or a run or step cannot be used.
    """
    views = tuple(view_of(study, one, subject) for one in (pair.a, pair.b))
    return _packed(views, left_of(study, pair, rater, subject) == "b", subject, _stamp(views))


def _stamp(views: tuple[View, ...]) -> str:
    return " ".join(cases.load_maps(view).key for view in views)


@st.cache_resource(show_spinner=False, max_entries=KEPT)
def _packed(views: tuple[View, ...], swapped: bool, subject: str, stamp: str) -> bytes:
    masks = [mask_of(view) for view in views]
    if swapped:
        masks.reverse()
    case = cases.load_maps(views[0])
    return pack(subject, case.maps["input"], case.prepared.region, masks, case.prepared.spacing)


def mask_of(view: View) -> Mask:
    """The mask that a complete view's rule and steps make of a scan, (X, Y, Z) bool."""
    case = cases.load_maps(view)
    further = on_levels(case.prepared.further)
    return segment(
        case.map(view.map),
        case.prepared.region,
        thresholds.propose(view),
        view.post or (),
        further,
    )


def pack(
    subject: str,
    levels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]],
    region: Mask,
    masks: list[Mask],
    spacing: tuple[float, ...],
) -> bytes:
    """Input and two masks cropped to region and masks, each gzipped, x fastest.

    Masks are bits, highest first. `start` is the slice on which they differ most.
    """
    left, right = masks
    box = box_of(region | left | right, (MARGIN,) * 3)
    cropped = [mask[box] for mask in masks]
    differing = (cropped[0] ^ cropped[1]).sum(axis=(0, 1))
    held = differing if differing.any() else (cropped[0] | region[box]).sum(axis=(0, 1))
    bits = [np.packbits(mask.transpose(2, 1, 0)).tobytes() for mask in cropped]
    parts = [levels[box].tobytes(order="F"), *bits]
    # What is the same in both has the same name here, whichever ways they come from.
    digest = hashlib.sha256(b"".join(parts)).hexdigest()[:16]
    packed = [gzip.compress(part, 1) for part in parts]
    header = {
        "key": f"{digest} {subject}",
        "subject": subject,
        "shape": list(cropped[0].shape),
        "spacing": [float(mm) for mm in spacing],
        "start": int(held.argmax()),
        "first": box[2].start,
        "full": region.shape[2],
        "parts": list(zip(("input", "left", "right"), map(len, packed), strict=True)),
    }
    return components.block(header, packed)
