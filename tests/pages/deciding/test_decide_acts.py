"""Acts of the browser become rows of the study once, or a sentence says why they do not."""

import shutil
from pathlib import Path

import pytest

from ascnet_core.studies.decisions import decisions_of, history
from ascnet_core.studies.folder import Study, new_study, scans_sha256
from pages.parts.deciding import decide_acts


def act(of: Study, token: str, **more) -> dict:
    return {
        "token": token,
        "act": "accept",
        "study": of.identity,
        "rater": "anna",
        "subject": of.subjects[0],
        "scan": of.cohort().scans[0].scan,
        "map": "reconstruction",
        "range": "raw",
        "level": 142,
        "upper": None,
        "side": "dark",
        "rule": "otsu",
        "post": ["open:3"],
        "flag": "doubtful",
        "rating": 4,
        "note": "thick",
        "seconds": 2.5,
        "truth_shown": True,
        "dice_shown": False,
        "blind": False,
        "pieces": None,
    } | more


def test_all_that_an_act_says_is_kept(study: Study) -> None:
    assert decide_acts.do_all(study, [act(study, "a")]) == {"a": ""}
    kept = decisions_of(study, "anna")[study.subjects[0]].decided
    assert (kept.level, kept.side, kept.rule, kept.post) == (142, "dark", "otsu", ("open:3",))
    assert (kept.flag, kept.rating, kept.note, kept.seconds) == ("doubtful", 4, "thick", 2.5)
    assert (kept.truth_shown, kept.dice_shown, kept.blind) == (True, False, False)


def test_a_level_by_hand_names_itself(study: Study) -> None:
    first, second, *_ = study.subjects
    acts = [act(study, "a", rule=""), act(study, "b", rule="", upper=150, subject=second, scan="")]
    assert decide_acts.do_all(study, acts) == {"a": "", "b": ""}
    kept = decisions_of(study, "anna")
    assert (kept[first].decided.rule, kept[second].decided.rule) == ("142", "band:142:150")


def test_what_is_sent_again_is_kept_once(study: Study) -> None:
    acts = [
        act(study, "a"),
        act(study, "b", act="undo"),
        act(study, "c", subject=study.subjects[1], scan=""),
    ]
    for _ in range(3):
        assert decide_acts.do_all(study, acts) == {"a": "", "b": "", "c": ""}
    assert [entry.undoes for entry in history(study)] == [None, 1, None]
    assert set(decisions_of(study, "anna")) == {study.subjects[1]}


def test_nothing_is_kept_on_files_that_were_not_on_the_screen(study: Study) -> None:
    scans = study.cohort().scans_of(study.subjects[0])
    shown = scans_sha256(scans)
    kept = scans[0].image.read_bytes()
    try:
        scans[0].image.write_bytes(kept + b" ")
        (said,) = decide_acts.do_all(study, [act(study, "a", files=shown)]).values()
        assert "have changed since they were on the screen" in said
        assert history(study) == []
    finally:
        scans[0].image.write_bytes(kept)
    assert decide_acts.do_all(study, [act(study, "a", files=shown)]) == {"a": ""}
    try:
        scans[0].image.write_bytes(kept + b" ")
        again = decide_acts.do_all(study, [act(study, "a", files=shown)])
        assert again == {"a": ""}, "what is kept stands, though the files have changed since"
    finally:
        scans[0].image.write_bytes(kept)
    assert len(history(study)) == 1


def test_acts_of_another_study_are_left_to_its_page(study: Study) -> None:
    assert decide_acts.do_all(study, [act(study, "a", study="/elsewhere")]) == {}
    assert history(study) == []
    late = act(study, "b")
    shutil.rmtree(study.path)
    other = new_study(study.path, Path(study.about["manifest"]), study.about["run"])
    assert decide_acts.do_all(other, [late]) == {}
    assert history(other) == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"level": 300}, "level is 300"),
        ({"level": None}, "no level"),
        ({"subject": "nobody"}, "no subject 'nobody'"),
        ({"rater": ""}, "cannot name a rater"),
        ({"post": ["melt:3"]}, "melt"),
        ({"rating": 9}, "rating is 9"),
        ({"flag": "odd"}, "flag is 'odd'"),
        ({"side": "left"}, "side is 'left'"),
        ({"level": "many"}, "means nothing"),
        ({"map": "nothing"}, "nothing"),
        ({"act": "undo"}, "take back"),
    ],
)
def test_what_cannot_be_kept_is_said_in_a_sentence(study: Study, wrong: dict, said: str) -> None:
    answers = decide_acts.do_all(study, [act(study, "a", **wrong)])
    assert said in answers["a"]
    assert "\n" not in answers["a"]
    assert history(study) == []
