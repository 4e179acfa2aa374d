"""The view: into the URL and back, what a change forgets, who may change it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as some

from ascnet_core.segmentation.pieces import ACTS, Edit
from pages.parts.shared import state
from pages.parts.shared.state import View, change, from_query, link, to_query

levels = some.none() | some.integers(0, 255)
names = some.text(
    some.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=12
)
views = some.builds(
    View,
    cohort=names,
    run=names,
    cycle=some.none() | some.integers(0, 99),
    scan=names,
    slice=some.none() | some.integers(0, 500),
    at=some.none() | some.tuples(some.integers(0, 500), some.integers(0, 500)),
    map=some.sampled_from(state.MAPS),
    range=some.sampled_from(state.RANGES),
    rule=names,
    t=levels,
    upper=levels,
    side=some.sampled_from(state.SIDES),
    scope=some.sampled_from(state.SCOPES),
    flip=some.booleans(),
    study=names,
    rater=names.filter(lambda name: name == name.strip() and name.isprintable()),
    blind=some.booleans(),
    post=some.none() | some.lists(some.sampled_from(["open:3", "roi", "gate:T1:50"])).map(tuple),
    pieces=some.lists(
        some.builds(
            Edit, names, some.tuples(*[some.integers(0, 500)] * 3), some.sampled_from(ACTS)
        ),
        max_size=3,
    ).map(tuple),
)


@given(views)
def test_a_link_brings_back_the_very_view(view: View) -> None:
    back, problems = from_query(to_query(view))
    assert back == view
    assert problems == []


def test_defaults_are_left_out_of_the_url() -> None:
    assert to_query(View()) == {}
    assert to_query(View(scan="a", t=7)) == {"subject": "a", "t": "7"}


def test_post_processing_switched_off_is_not_the_runs_own() -> None:
    assert to_query(View(post=())) == {"post": "none"}
    assert from_query({"post": "none"})[0].post == ()
    assert from_query({})[0].post is None


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("t", "300"),
        ("t", "high"),
        ("slice", "-1"),
        ("at", "4"),
        ("side", "left"),
        ("map", "x"),
        ("flip", "maybe"),
        ("pieces", "drop"),
        ("pieces", "drop:1.2:a"),
        ("pieces", "paint:1.2.3:a"),
        ("blind", "maybe"),
        ("rater", "a\nb"),
    ],
)
def test_nonsense_in_a_link_is_said_and_left_out(key: str, text: str) -> None:
    view, problems = from_query({key: text, "subject": "s"})
    assert view == View(scan="s")
    assert len(problems) == 1
    assert f"{key}={text}" in problems[0]


def test_a_link_keeps_rules_and_paths_readable() -> None:
    view = View(cohort="/data/ms.csv", rule="peak:4", post=("open:5", "roi"))
    assert link("threshold", view) == ("/threshold?cohort=/data/ms.csv&rule=peak:4&post=open:5,roi")


def test_another_subject_forgets_the_place_and_the_subjects_own_level() -> None:
    view = View(scan="a", slice=4, at=(1, 2), t=90, scope="subject", rule="otsu")
    assert change(view, scan="b") == View(scan="b", scope="subject", rule="otsu")


def test_averaging_with_the_mirror_image_forgets_the_level_and_keeps_the_rule() -> None:
    view = View(scan="a", slice=4, t=90, rule="otsu")
    assert change(view, flip=True) == View(scan="a", slice=4, rule="otsu", flip=True)
    assert to_query(View(flip=True)) == {"flip": "yes"}


@pytest.mark.parametrize(
    ("name", "value"), [("scan", "b"), ("study", "s"), ("rater", "r"), ("map", "wild")]
)
def test_no_level_by_hand_goes_over_to_another_subject(name: str, value: str) -> None:
    view = View(scan="a", t=90, upper=120, scope="cohort")
    assert change(view, **{name: value}) == replace(View(scan="a", scope="cohort"), **{name: value})


def test_another_run_or_cohort_has_other_studies() -> None:
    view = View(study="s", rater="anna", blind=True)
    for changes in ({"run": "y"}, {"cohort": "c"}, {"cycle": 2}, {"flip": True}):
        assert change(view, **changes) == View(rater="anna", blind=True, **changes)


def test_another_run_brings_its_own_way_of_segmenting() -> None:
    view = View(
        run="x", cycle=3, map="wild", rule="otsu", side="dark", t=3, flip=True, post=("roi",)
    )
    assert change(view, run="y") == View(run="y")


def test_the_other_side_keeps_the_number() -> None:
    assert change(View(t=120), side="dark") == View(t=120, side="dark")


def test_no_change_forgets_nothing() -> None:
    view = View(scan="a", slice=4, t=90)
    assert change(view, scan="a") == view


def test_compared_runs_are_in_the_link_and_survive_another_cohort() -> None:
    view = View(compare=("one", "elsewhere/two"))
    assert to_query(view) == {"compare": "one,elsewhere/two"}
    assert from_query(to_query(view))[0] == view
    assert change(view, cohort="demo-t2").compare == view.compare


def test_a_link_that_leaves_cohort_or_run_empty_means_the_demo() -> None:
    assert from_query({"cohort": "", "run": " "}) == (View(), [])


@pytest.mark.parametrize(
    "change_",
    [{"t": 91}, {"upper": 99}, {"side": "dark"}, {"post": ("roi",)}, {"map": "wild"},
     {"scan": "b"}, {"run": "y"}, {"rule": "li"}, {"range": "cohort"}],
)  # fmt: skip
def test_another_mask_ends_the_edits_of_pieces(change_: dict[str, object]) -> None:
    edits = (Edit("a", (1, 2, 3), "drop"),)
    view = View(scan="a", t=90, side="bright", map="fence", rule="otsu", range="raw", post=())
    view = replace(view, pieces=edits)
    assert change(view, **change_).pieces == ()
    assert change(view, slice=3, at=(1, 1)).pieces == edits
    assert change(view, pieces=edits * 2, **change_).pieces == edits * 2


def test_what_a_run_recommends_ends_no_edits() -> None:
    view = View(scan="a", pieces=(Edit("a", (1, 2, 3), "drop"),))
    full = replace(view, map="wild", range="raw", rule="otsu", side="dark", scope="subject")
    assert state.forget_pieces(view, replace(full, post=())).pieces == view.pieces


def test_a_rule_that_was_picked_for_a_map_does_not_come_along_to_another() -> None:
    view = View(map="reconstruction", rule="peak:1")
    assert change(view, map="input").rule == ""
    assert change(view, map="input", rule="peak:1").rule == "peak:1"
    assert change(view, map="reconstruction", slice=3).rule == "peak:1"
