"""A subject as the browser gets it: volumes, histogram, proposals, and the decision on it.

The browser holds the next subjects before one asks for them. What takes time is done ahead, by
`work_of`; `package_of` then finds it done.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import streamlit as st

from ascnet_core.errors import UserError
from ascnet_core.segmentation.histogram import describe_peaks
from ascnet_core.segmentation.threshold import NoThreshold, Threshold
from ascnet_core.studies.decisions import NOTHING, Entry
from ascnet_core.studies.folder import Study, scans_sha256
from ascnet_core.studies.warnings import torn
from pages.parts.deciding.decide_acts import named_rule
from pages.parts.deciding.decide_said import ALONE, Knowledge
from pages.parts.shared import cases, cohorts, components, remarks, runs, state, thresholds
from pages.parts.shared.state import View
from pages.parts.studies.keeping import name_of, study_view
from pages.parts.viewer import findings, view_rules, viewer

Told = Mapping[str, Any]
Parts = tuple[dict[str, Any], list[bytes]]
PROPOSED = 5
"""Levels offered."""
OTHERS = {
    "bright": ("rightmost-peak", "rightmost-valley", "otsu", "multi-otsu:3"),
    "dark": ("leftmost-peak", "leftmost-valley", "otsu", "multi-otsu:3"),
}
"""Rules offered beside what the study says, by the side that is kept."""


class Asked(NamedTuple):
    """What is wanted of a subject: how it is shown; in a blind view its truth is not."""

    subject: str
    view: View
    entry: Entry | None


def ask(
    study: Study, subject: str, entry: Entry | None, blind: bool, told: Told | None = None
) -> Asked:
    """How a subject is shown: at its decision, else at the first proposal.

    `told`, the browser's word on the line, goes before both. Raises a UserError if the cohort or
    the run cannot be used.
    """
    view = replace(study_view(study), scan=subject, blind=blind)
    decision = None if entry is None else entry.decision
    if decision is not None:
        view = replace(view, map=decision.map, range=decision.range, side=decision.side)
        view = replace(view, t=decision.level, upper=decision.upper, post=decision.post)
        view = replace(view, pieces=decision.pieces)
    told = told or {}
    if "post" in told:
        view = replace(view, post=tuple(map(str, told["post"])))
    if "cursor" in told:
        view = view_rules.apply_told(view, {**told, "rule": ""})
        if told.get("none"):
            view = replace(view, t=None, upper=None)
    full = runs.complete(view)
    own = cohorts.load_cohort(view.cohort).scans_of(subject)
    if told.get("scan") in [scan.scan for scan in own]:
        full = replace(full, scan=told["scan"])
    return Asked(subject, full, entry)


def work_of(asked: Asked) -> tuple[str, Callable[[], Parts]]:
    """What another thread can do before: cut, count, pack the volumes; and a name of it."""
    name, make = cases.work_of(asked.view)
    name = f"{name} {'blind' if asked.view.blind else ''}"

    scans = cohorts.load_cohort(asked.view.cohort).scans_of(asked.subject)

    def work() -> Parts:
        scans_sha256(scans)  # read here, known later
        case = make()
        prepared, shown = case.prepared, asked.view.map
        sent = viewer.maps_to_send(prepared.region.size, shown, case.maps)
        truth = None if asked.view.blind else prepared.truth
        key = f"{case.key} {' '.join(sent)} {'blind' if asked.view.blind else ''}"
        maps = {one: case.maps[one] for one in sent}
        return viewer.packed_parts(key, maps, prepared.region, truth, prepared.spacing)

    return name, work


def package_of(
    asked: Asked, parts: Parts, said: Knowledge, told: Told | None = None
) -> dict[str, Any]:
    """All that the browser draws a subject from, but for the volumes in `parts`; for JSON.

    `said` is what the study knows of its subjects, `told` the browser's word on the line. Raises a
    UserError if the scan cannot be read.
    """
    view, error, told = asked.view, "", told or {}
    if region := _drawn(told):
        case = cases.load_maps(view)
        levels, inside = case.map(view.map), case.prepared.region
        try:
            drawn = view_rules.propose_drawn(region, levels, inside, view.side)
            view, error = replace(view, t=drawn.level, upper=None), drawn.sentence
        except UserError as problem:
            error = str(problem)
    own = runs.complete(View(view.cohort, view.run, view.cycle, view.scan))
    shown, after, begins = findings.load(view), None, ""
    proposals = _proposals(shown, own.rule, said.proposals(asked.subject))
    best = next((one for one in proposals if one["level"] is not None), None)
    if best and asked.entry is None and "cursor" not in told:
        view = replace(view, t=best["level"], upper=best["upper"], side=best["side"])
        shown, begins = findings.load(view), best["rule"]
    if shown.finished and isinstance(shown.threshold, Threshold):
        try:
            after = findings.cleaned(shown)
        except UserError as problem:
            error = str(problem)
    data = findings.viewer_data(shown, after, int(told.get("seq", 0)), error, "")
    data |= {"volumes": parts[0]["key"], "cohortLine": said.cohort_line}
    data["case"] = f"{asked.subject} {view.scan}"
    if not shown.edits:
        data["edited"] = ""
    if begins:
        data["live"]["rule"] = begins
    elif "cursor" in told and not region:
        data["live"]["rule"] = str(told.get("rule", ""))
    elif asked.entry is not None and view.t is not None:
        data["live"]["rule"] = _named_rule(asked.entry)
    if _is_nothing(asked, told):
        data |= {"none": True, "cleaned": None}
        data["live"]["rule"] = NOTHING
    scans = cohorts.load_cohort(view.cohort).scans_of(asked.subject)
    return _plain(asked) | {
        "scan": view.scan,
        "scans": [scan.scan for scan in scans],
        "files": scans_sha256(scans),
        "map": view.map,
        "range": view.range,
        "post": list(view.post or ()),
        "own": list(own.post or ()),
        "proposals": proposals,
        "threshold": state.link("threshold", _on_threshold(said, view)),
        "remarks": [*said.warnings(asked.subject), *_torn(shown), *remarks.load_remarks(view)],
        "data": data,
    }


def _on_threshold(said: Knowledge, view: View) -> View:
    """A subject on the page Threshold, where its mask can be seen in space."""
    there = replace(study_view(said.study), scope=state.LEFT_TO_RUN, scan=view.scan)
    return replace(there, study=name_of(said.study), rater=said.rater, blind=view.blind)


def without_picture(asked: Asked, error: str) -> dict[str, Any]:
    """The package of a subject that cannot be shown, and why."""
    return _plain(asked) | {
        "scan": "",
        "scans": [],
        "files": "",
        "map": asked.view.map,
        "range": asked.view.range,
        "post": [],
        "own": [],
        "proposals": [],
        "threshold": "",
        "remarks": [],
        "data": None,
        "error": error,
    }


def block_of(package: Mapping[str, Any], parts: Parts) -> bytes:
    """A package with its volumes as one block, as volumes.js reads it."""
    header, packed = parts
    return components.block(header | {"package": package}, packed)


def _plain(asked: Asked) -> dict[str, Any]:
    entry, decided = asked.entry, None
    if entry is not None:
        one = entry.decided
        decided = {
            "number": entry.number,
            "level": one.level,
            "upper": one.upper,
            "side": one.side,
            "rule": _named_rule(entry),
            "post": list(one.post),
            "flag": one.flag,
            "rating": one.rating,
            "note": one.note,
        }
    known = {"subject": asked.subject, "blind": asked.view.blind, "decided": decided}
    return known | {"side": asked.view.side, "error": ""}


def _named_rule(entry: Entry) -> str:
    """The rule that proposed a decided level; empty where it was set by hand."""
    one = entry.decided
    by_hand = (f"{one.level}", f"band:{one.level}:{one.upper}")
    return named_rule("" if one.rule in by_hand else one.rule, one.scope)


def _is_nothing(asked: Asked, told: Told) -> bool:
    """Whether the mask on the screen was emptied on purpose: the subject has no lesion."""
    if "cursor" in told:
        return bool(told.get("none")) and told.get("rule") == NOTHING
    return asked.entry is not None and asked.entry.decided.rule == NOTHING


def _drawn(told: Told) -> Any:
    """The region that was drawn last, if one was."""
    regions = [act["region"] for act in told.get("acts", ()) if act.get("region")]
    return regions[-1] if regions else None


def _proposals(shown: findings.Shown, own: str, said: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Levels proposed for a subject: what the study `said`, then what other rules give.

    Where it says nothing of this subject yet the run's `own` rule, read on it alone, comes first;
    then the verdict on its peaks says how sure that is.
    """
    view, pooled = replace(shown.view, t=None, upper=None), shown.pooled.shown
    known = {one["rule"] for one in said}
    found = list(said)
    for name in dict.fromkeys([own, *OTHERS[view.side]]):
        if name in known or len(found) >= PROPOSED:
            continue
        proposed = thresholds.propose(replace(view, rule=name), pooled.counts)
        one = {
            "rule": name,
            "name": name,
            "level": proposed.level,
            "upper": proposed.upper,
            "side": view.side,
            "sentence": proposed.sentence,
            "off": "",
        }
        if name == own:
            sure = describe_peaks(pooled.peaks, pooled.separations, pooled.verdict, view.side)
            found.insert(0, one | {"name": ALONE, "sentence": f"{proposed.sentence} {sure}"})
        elif isinstance(proposed, Threshold):
            found.append(one)
    return found


@st.cache_resource(
    show_spinner=False, max_entries=256, hash_funcs={findings.Shown: findings.mask_key}
)
def _torn(shown: findings.Shown) -> list[str]:
    """Whether the mask on the screen is torn, in a sentence."""
    if isinstance(shown.threshold, NoThreshold):
        return []
    try:
        mask = findings.cleaned(shown).mask
    except UserError:  # a step that means nothing, an edit on no piece: said elsewhere
        return []
    odd = torn(mask, shown.case.prepared.volume.voxel_ml)
    return [odd.sentence] if odd else []
