"""The view Blind comparison: what the browser gets tells nothing of the two ways."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from ascnet_core import places
from ascnet_core.files import write_json
from ascnet_core.studies.folder import Study, new_study
from ascnet_core.studies.preferences import Contender, Pair, every_preference, left_of, pair_of
from pages.parts.shared import access, state
from pages.parts.versus import versus, versus_block
from tests.pages.drawn import components
from tests.small import make_small_run

PAGE = Path(__file__).resolve().parents[3] / "pages" / "tuning.py"


@pytest.fixture
def study(small_cohort, small_run, tmp_path, own_cache, monkeypatch) -> Study:
    monkeypatch.setattr(places, "RUNS", tmp_path / "checkpoints")
    return new_study("ms", small_cohort, small_run)


@pytest.fixture
def pair(study) -> Pair:
    run = study.about["run"]
    found = pair_of(
        Contender(run, "reconstruction", "otsu", "bright"),
        Contender(run, "input", "reference-quantile:0.9", "dark", ("components:3",)),
    )
    write_json(versus._file_of(found.key), found.plain())
    return found


def page(**query: str) -> AppTest:
    app = AppTest.from_file(str(PAGE), default_timeout=60)
    for key, value in {"study": "ms", "rater": "anna", "view": "versus", **query}.items():
        app.query_params[key] = value
    return app.run()


def act(study: Study, pair: Pair, subject: str, better: str, token: str) -> dict[str, object]:
    return {
        "token": token, "study": study.identity, "rater": "anna", "pair": pair.key,
        "subject": subject, "better": better, "seconds": 1.5,
    }  # fmt: skip


def tell(app: AppTest, *acts: dict[str, object], **more: object) -> AppTest:
    app.session_state[versus._TOLD] = {"seq": 1, "acts": list(acts), **more}
    return app.run()


def sent(app: AppTest) -> list[object]:
    """What components get: JSON or bytes."""
    found = [one.proto for one in components(app)]
    return [json.loads(p.json) if p.json else p.bytes for p in found]


def test_two_ways_are_chosen_and_begun(study):
    app = page()
    assert not app.exception
    app.button[0].click().run()
    assert not app.exception
    (kept,) = (places.cache_folder() / "pairs").glob("*.json")
    assert app.query_params["pair"] == kept.stem
    assert {one["rule"] for one in json.loads(kept.read_text())} == {"otsu", "li"}


def test_the_same_way_twice_is_refused(study):
    app = page()
    app.selectbox(key=state.widget(f"rule of The other {study.about['run']}")).set_value("otsu")
    app.button[0].click().run()
    assert "Both ways are the same" in app.error[0].value


def test_who_compares_has_to_be_named(study):
    assert "who compares" in page(rater="").info[0].value


def test_nothing_that_the_browser_gets_names_a_way(study, pair):
    app = page(pair=pair.key)
    assert not app.exception
    assert sent(app)
    parts = [json.dumps(p) if isinstance(p, dict) else p.decode("latin1") for p in sent(app)]
    for text in [*parts, str(app.main), app.query_params["pair"]]:
        for name in ("otsu", "quantile", "components", "reconstruction", "dark", "small-run"):
            assert name not in text


def test_answers_are_kept_once_and_the_table_comes_at_the_end(study, pair):
    app = page(pair=pair.key)
    subjects = study.subjects
    first = act(study, pair, subjects[0], "left", "t0")
    tell(app, first, at=subjects[1])
    tell(app, first, act(study, pair, subjects[1], "neither", "t1"), at=subjects[2])
    assert len(every_preference(study)) == 2
    (panel,) = (part for part in sent(app) if isinstance(part, dict))
    assert panel["answers"] == {"t0": "", "t1": ""}
    assert panel["at"] == subjects[2]
    rest = [act(study, pair, one, "right", f"t{one}") for one in subjects[2:]]
    tell(app, *rest, at="")
    assert not app.exception
    assert "has compared 4 subjects" in app.success[0].value
    table = app.dataframe[0].value
    assert list(table["way"]) == [pair.a.text, pair.b.text, "neither"]
    answers = every_preference(study)
    assert list(table["better"]) == [
        sum(one.better == name for one in answers) for name in ("a", "b", "neither")
    ]
    assert "Sign test" in app.caption[0].value
    again = page()
    assert any("Compared so far" in one.value for one in again.markdown)
    assert list(again.dataframe[0].value["better"]) == list(table["better"])


def test_an_answer_that_cannot_be_kept_says_why(study, pair):
    good = act(study, pair, study.subjects[0], "left", "t")
    assert versus.keep(study, good) == ""
    for change, said in (
        ({"study": "/other"}, "another study"),
        ({"pair": "nothing"}, "not known any more"),
        ({"subject": "nobody"}, "no subject 'nobody'"),
        ({"better": "both"}, "choose one of"),
        ({"seconds": "long"}, "means nothing"),
    ):
        assert said in versus.keep(study, {**good, "token": "u", **change})
    assert "means nothing" in versus.keep(study, {})
    assert len(every_preference(study)) == 1


def test_a_subject_that_cannot_be_read_is_named_and_passed_over(study, pair, monkeypatch):
    first, made = study.subjects[0], versus_block.block_of

    def torn(study, pair, rater, subject):
        if subject == first:
            raise versus.UserError("It is torn.")
        return made(study, pair, rater, subject)

    monkeypatch.setattr(versus_block, "block_of", torn)
    app = page(pair=pair.key)
    assert not app.exception
    (panel,) = (part for part in sent(app) if isinstance(part, dict))
    assert panel["at"] == study.subjects[1]
    assert first not in panel["subjects"]
    assert f"{first} is left out: It is torn." in app.warning[0].value


def test_the_block_holds_both_masks_on_the_sides_drawn(study, pair):
    for subject in study.subjects:
        block = versus_block.block_of(study, pair, "anna", subject)
        size = int.from_bytes(block[:4], "little")
        header, at, parts = json.loads(block[4 : 4 + size]), 4 + size, {}
        for name, length in header["parts"]:
            parts[name] = gzip.decompress(block[at : at + length])
            at += length
        shape = header["shape"]
        found = {
            side: np.unpackbits(np.frombuffer(parts[side], np.uint8), count=int(np.prod(shape)))
            .reshape(shape[::-1])
            .sum()
            for side in ("left", "right")
        }
        a, b = (
            int(versus_block.mask_of(versus_block.view_of(study, one, subject)).sum())
            for one in (pair.a, pair.b)
        )
        left = left_of(study, pair, "anna", subject)
        assert found == ({"left": a, "right": b} if left == "a" else {"left": b, "right": a})
        assert 0 <= header["start"] < shape[2]


def test_two_runs_are_compared_too(study, small_cohort, tmp_path):
    other = make_small_run(tmp_path / "other", small_cohort)
    ways = [Contender(str(run), "fence", "otsu", "bright") for run in (study.run, other)]
    pair = pair_of(*ways)
    write_json(versus._file_of(pair.key), pair.plain())
    app = page(pair=pair.key)
    assert not app.exception
    assert any(isinstance(part, bytes) for part in sent(app))
    tell(app, act(study, pair, study.subjects[0], "neither", "t"), at=study.subjects[1])
    (kept,) = every_preference(study)
    assert {kept.pair.a.run, kept.pair.b.run} == {str(study.run), str(other)}
    assert study.run_sha256() in (kept.a_run_sha256, kept.b_run_sha256)


def test_a_link_to_a_study_elsewhere_asks_first_and_then_opens_it(study, pair, monkeypatch):
    monkeypatch.setattr(access, "always_open", lambda: ())
    app = page(pair=pair.key)
    assert "This link opens" in app.markdown[0].value
    assert not sent(app)
    next(one for one in app.button if one.label == "Open it").click().run()
    assert not app.exception
    assert sent(app)
