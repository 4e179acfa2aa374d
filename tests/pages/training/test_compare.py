"""Compare: which runs, what they have in common, what is said where they cannot be compared."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from ascnet_core.monitoring.history import read_history
from ascnet_core.runs.folder import Run
from ascnet_core.runs.lock import hold_lock
from ascnet_core.runs.parent import PARENT, Parent
from ascnet_core.segmentation.histogram import find_peaks
from ascnet_core.settings.presets import load_preset
from ascnet_core.settings.text import apply_set, from_toml, to_toml
from pages.parts.compare import runs_compared, slices_compared
from pages.parts.film import film, moments
from pages.parts.shared import state
from tests import made_up
from tests.pages.drawn import components

PAGE = Path(__file__).resolve().parents[3] / "pages" / "training.py"
pytestmark = pytest.mark.usefixtures("own_cache")


def page(cohort: Path, *compared: str, **query: str) -> AppTest:
    at = AppTest.from_file(PAGE, default_timeout=90)
    at.query_params["cohort"] = str(cohort)
    for key, value in query.items():
        at.query_params[key] = value
    if compared:
        at.query_params["compare"] = ",".join(compared)
    else:
        at.session_state["training view wanted"] = "Compare"
    at.run()
    assert not at.exception
    return at


def sent(at: AppTest) -> dict:
    """The header of what the browser was sent."""
    (component,) = components(at)
    data = component.proto.bytes
    length = int.from_bytes(data[:4], "little")
    return dict(json.loads(data[4 : 4 + length]))


def settings(folder: Path, *changes: str) -> None:
    path = folder / "settings.toml"
    path.write_text(to_toml(apply_set(from_toml(path.read_text()), changes)), encoding="utf-8")


def test_without_a_run_it_says_what_to_do(runs: Path, small_cohort: Path) -> None:
    assert "Choose New run above" in page(small_cohort).info[0].value


def test_a_lone_run_is_compared_with_itself(runs: Path, small_cohort: Path) -> None:
    made_up.write_run(runs / "alone", "mss")
    at = page(small_cohort)
    assert at.multiselect[0].value == ["alone"]
    assert any("train another one" in caption.value for caption in at.caption)
    header = sent(at)
    assert [(side["film"], side["at"]) for side in header["sides"]] == [(0, 1), (0, 3)]
    assert not header["mayLink"]
    assert header["films"] == 1


def test_a_run_with_one_snapshot_says_what_to_wait_for(runs: Path, small_cohort: Path) -> None:
    made_up.write_run(runs / "young", "")
    assert "one snapshot so far" in page(small_cohort).info[0].value


def test_two_runs_with_the_same_slices_are_aligned(runs: Path, small_cohort: Path) -> None:
    made_up.write_run(runs / "one", "mss")
    made_up.write_run(runs / "two", "mmmss")
    at = page(small_cohort, "one", "two")
    header = sent(at)
    assert [side["name"] for side in header["sides"]] == ["one", "two"]
    assert header["linked"]
    assert header["images"] == [0, 80, 160, 240, 320, 400]
    assert header["places"][4] == [3, 4]
    assert header["images"][header["moment"]] == 240  # as far as both came
    assert header["labels"] == ["slice 1", "slice 2"]
    assert not at.info


def test_a_clock_follows_the_compared_runs_while_one_of_them_trains(
    runs: Path, small_cohort: Path
) -> None:
    made_up.write_run(runs / "one", "mss")
    made_up.write_run(runs / "two", "mmmss")
    made_up.write_run(runs / "third", "m")
    with hold_lock(runs / "third"):
        assert len(components(page(small_cohort, "one", "two"))) == 1
    with hold_lock(runs / "two"):
        at = page(small_cohort, "one", "two")
        assert len(components(at)) == 2
    at.run()
    assert not at.exception
    assert len(components(at)) == 1


def test_the_partner_offered_first_watches_the_same_slices(runs: Path, small_cohort: Path) -> None:
    made_up.write_run(runs / "a", "ms", size=64)
    made_up.write_run(runs / "b", "ms")
    made_up.write_run(runs / "c", "ms")
    assert page(small_cohort, run="b").multiselect[0].value == ["b", "c"]


def test_runs_elsewhere_are_found_beside_the_views_own(
    runs: Path, small_cohort: Path, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        made_up.write_run(tmp_path / "elsewhere" / name, "ms")
    at = page(small_cohort, run=str(tmp_path / "elsewhere" / "one"))
    assert at.multiselect[0].options == ["one", "two"]
    assert len(sent(at)["sides"]) == 2


def test_other_slices_are_said_plainly_and_a_scan_is_cut(
    runs: Path, small_cohort: Path, small_run: Path
) -> None:
    for name, size in (("one", 32), ("two", 64)):
        made_up.write_run(runs / name, "ms", size=size)
        for file in ("model.safetensors", "settings.toml", "manifest.csv"):
            shutil.copy(small_run / file, runs / name / file)
    at = page(small_cohort, "one", "two")
    assert "differ in size (one 32, two 64 pixels)" in at.info[0].value
    header = sent(at)
    assert [side["name"] for side in header["sides"]] == ["one", "two"]
    assert header["labels"][0].startswith("slice ")
    before = header["id"]
    at.slider[0].set_value(at.slider[0].value + 1)
    at.run()
    assert sent(at)["id"] != before


def test_a_run_without_a_network_cannot_be_cut_and_says_so(runs: Path, small_cohort: Path) -> None:
    made_up.write_run(runs / "one", "ms")
    made_up.write_run(runs / "two", "ms", size=64)
    at = page(small_cohort, "one", "two")
    assert "one, two has no network yet" in at.info[1].value
    assert not at.error


def test_a_run_of_an_old_link_is_left_out(runs: Path, small_cohort: Path) -> None:
    made_up.write_run(runs / "here", "ms")
    at = page(small_cohort, "gone", "here")
    assert "no run gone any more" in at.warning[0].value
    assert at.multiselect[0].value == ["here"]


def test_no_other_run_takes_the_place_of_a_missing_one(runs: Path, small_cohort: Path) -> None:
    for name in ("here", "other"):
        made_up.write_run(runs / name, "ms")
    at = page(small_cohort, "gone", run="here")
    assert "no run gone any more" in at.warning[0].value
    assert at.multiselect[0].value == ["here"]


def test_curves_and_settings(runs: Path, small_cohort: Path) -> None:
    made_up.write_run(runs / "one", "mss", {"rank_correlation": 0.5})
    made_up.write_run(runs / "two", "mmmss", {"rank_correlation": 0.25})
    settings(runs / "two", "schedule.seed=5", "losses.tie=0.125")
    at = page(small_cohort, "one", "two")
    groups = {group.label: group for group in at.button_group}
    groups["Section"].set_value("Curves")
    at.run()
    assert not at.exception
    figures = [json.loads(one.proto.spec) for one in at.get("plotly_chart")]
    assert len(figures) == 3
    assert {trace["name"] for trace in figures[0]["data"]} == {"one", "two"}
    titles = [note["text"] for note in figures[1]["layout"]["annotations"]]
    assert titles == ["total", "tie"]
    {group.label: group for group in at.button_group}["Section"].set_value("Settings")
    at.run()
    table = next(one.value for one in at.markdown if "what it is" in one.value)
    assert "`schedule.seed`" in table
    assert "**0.125**" in table
    assert "data.size" not in table


def test_the_url_holds_the_runs_and_forgets_them_on_another_view(
    runs: Path, small_cohort: Path
) -> None:
    for name in ("one", "two", "three"):
        made_up.write_run(runs / name, "ms")
    at = page(small_cohort, "one", "two")
    at.multiselect[0].set_value(["three", "two"])
    at.run()
    assert at.session_state[state.VIEW].compare == ("three", "two")
    switch = {group.label: group for group in at.button_group}["View"]
    switch.set_value("Runs")
    at.run()
    assert at.session_state[state.VIEW].compare == ()
    {group.label: group for group in at.button_group}["View"].set_value("Compare")
    at.run()
    assert at.multiselect[0].value == ["three", "two"]


def test_a_page_of_one_run_drops_them_from_its_link(
    own_cache: Path, small_cohort: Path, small_run: Path
) -> None:
    at = AppTest.from_file(PAGE.parent / "threshold.py", default_timeout=90)
    at.query_params["cohort"] = str(small_cohort)
    at.query_params["run"] = str(small_run)
    at.query_params["compare"] = "one,two"
    at.run()
    assert not at.exception
    assert at.session_state[state.VIEW].compare == ()


def test_runs_of_one_name_are_told_apart_by_their_folders() -> None:
    called = runs_compared.titles([Run(Path("a/x")), Run(Path("b/x")), Run(Path("a/y"))])
    assert called == ["a/x", "b/x", "y"]


def test_the_film_hands_on_its_moment() -> None:
    assert slices_compared.starts(range(7), None) == (1, 6)
    assert slices_compared.starts(range(7), 4) == (4, 6)
    assert slices_compared.starts(range(7), 6) == (1, 6)
    assert slices_compared.starts((0, 3, 6), 5) == (1, 2)
    assert slices_compared.starts((0, 1), None) == (0, 1)


def test_settings_rows_have_every_value_and_the_sentence() -> None:
    one = load_preset("teaching")
    other = apply_set(one, ["schedule.seed=5"])
    ((key, values, sentence),) = runs_compared.setting_rows([one, other, one])
    assert key == "schedule.seed"
    assert values == ["0", "5", "0"]
    assert sentence.endswith(".")
    table = runs_compared.setting_table([("a|b", ["1", "2"], "x")], ["one", "two"])
    assert table.splitlines()[-1] == "| `a\\|b` | **1** | **2** | x |"


def test_terms_of_one_run_alone_are_named_by_run() -> None:
    losses = {"one": {"total": None, "tie": None}, "two": {"total": None}}
    assert runs_compared.terms_alone(losses, ["total"]) == "one tie"
    assert runs_compared.terms_alone(losses, ["total", "tie"]) == ""


def test_a_plane_becomes_a_square_in_true_proportion() -> None:
    plane = np.arange(6, dtype=np.uint8).reshape(2, 3)  # x by y
    slice_ = slices_compared.square(plane, (1.0, 1.0, 5.0))
    assert slice_.shape == (3, 3)
    np.testing.assert_array_equal(slice_[:, :2], plane.T)  # rows are y, columns x
    assert not slice_[:, 2].any()
    long = slices_compared.square(plane, (2.0, 1.0, 5.0))
    assert long.shape == (4, 4)
    np.testing.assert_array_equal(long[:3], np.repeat(plane.T, 2, axis=1))


def test_what_is_sent_holds_header_and_films(tmp_path: Path) -> None:
    run = Run(made_up.write_run(tmp_path / "parted", "ms", {"wild_input": 0.25}))
    history = read_history(run)
    datas = [run.load_snapshot(point.index) for point in history.points]
    packed = moments.pack_run(history, [0, 1, 2], datas, (1,), "x")
    told = film.header_in(packed)
    assert told["frames"][2]["wild_input"] == 0.25
    assert told["frames"][2]["area"] == history.points[2].area
    assert told["frames"][0]["wild_in"] is None
    assert told["frames"][2]["peaks"] == [p.position for p in find_peaks(datas[2].counts)]
    sides = [moments.Side("a", 0, 1), moments.Side("a", 0, 2)]
    header = moments.header_of(sides, [[0, 80, 160]] * 2, ["slice 2"], "p", "id")
    joined = moments.join(header, [packed])
    length = int.from_bytes(joined[:4], "little")
    assert json.loads(joined[4 : 4 + length]) == header
    after = joined[4 + length :]
    assert int.from_bytes(after[:4], "little") == len(packed)
    assert after[4:] == packed
    assert header["films"] == 1
    assert len({side["colour"] for side in header["sides"]}) == 2


def test_a_fork_is_laid_beside_its_parent(
    runs: Path, small_cohort: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("first", "fork", "newest"):
        made_up.write_run(runs / name, "ms")
    parent = Parent("first", "stage 1, cycle 1", 10, whole=True)
    (runs / "fork" / PARENT).write_text(json.dumps(vars(parent)))
    at = page(small_cohort, run="fork")
    assert at.multiselect[0].value == ["first", "fork"]
    assert runs_compared.first_choice(["fork", "newest"], "fork") == ["fork", "newest"]


def test_what_was_compared_before_gives_way_to_another_run(runs: Path, small_cohort: Path) -> None:
    for name in ("one", "two", "three", "four"):
        made_up.write_run(runs / name, "ms")
    at = page(small_cohort, "one", "two", run="one")
    switch = {group.label: group for group in at.button_group}["View"]
    switch.set_value("Runs").run()
    at.session_state[state.VIEW] = replace(at.session_state[state.VIEW], run="three")
    at.query_params["run"] = "three"
    {group.label: group for group in at.button_group}["View"].set_value("Compare").run()
    assert at.multiselect[0].value[0] == "three"


def test_settings_that_differ_are_counted_as_listed(runs: Path, small_cohort: Path) -> None:
    for name in ("one", "two"):
        made_up.write_run(runs / name, "ms")
    settings(runs / "two", "schedule.seed=5", "losses.tie=0.125")
    at = page(small_cohort, "one", "two")
    {group.label: group for group in at.button_group}["Section"].set_value("Settings").run()
    assert any(one.value == "**2 settings differ**" for one in at.markdown)
    table = next(one.value for one in at.markdown if "what it is" in one.value)
    assert len(table.splitlines()) == 2 + 2  # and its head
    assert any(one.value.startswith("The same in all: preset") for one in at.caption)


def test_it_says_how_far_runs_can_be_compared(runs: Path, small_cohort: Path) -> None:
    made_up.write_run(runs / "short", "ms")
    made_up.write_run(runs / "long", "mssss")
    at = page(small_cohort, "short", "long")
    said = [one.value for one in at.caption if "so far" in one.value]
    assert len(said) == 1
    assert "the last snapshot of short stays" in said[0]
    with hold_lock(runs / "new"):
        assert "kept no snapshot so far" in slices_compared.no_snapshot([Run(runs / "new")])
