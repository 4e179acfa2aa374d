"""The pages on a run of another method than ASC-Net: everything is shown, or said in a sentence."""

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from ascnet_core import places
from ascnet_core.cli import main
from ascnet_core.monitoring.history import read_history
from ascnet_core.runs import folder as run_folder
from ascnet_core.runs.folder import Run
from ascnet_core.settings.method import TrainedMethod
from ascnet_core.settings.methods import METHODS
from pages.parts.film import film, film_export
from pages.parts.watch import run_list
from tests import made_up
from tests.pages.drawn import components

PAGES = Path(__file__).resolve().parents[2] / "pages"
OTHERS = [name for name in METHODS if name != "asc-net"]
TINY = [
    "data.size=32", "network.width=2", "schedule.stage_1=2", "schedule.stage_2=0",
    "schedule.steps=3", "schedule.batch_m=4", "compute.threads=1",
]  # fmt: skip


@pytest.fixture(scope="module", params=OTHERS)
def trained(
    request: pytest.FixtureRequest, small_cohort: Path, tmp_path_factory: pytest.TempPathFactory
) -> Run:
    """A run that has hardly learnt anything, in a folder of runs of its own."""
    path = tmp_path_factory.mktemp("others") / "other"
    arguments = ["train", str(small_cohort), "--name", str(path), "--device", "cpu"]
    arguments += ["--preset", "teaching", "--set", f"method.name={request.param}"]
    assert main([*arguments, *(f"--set={change}" for change in TINY)]) == 0
    return Run(path)


@pytest.fixture
def method(trained: Run) -> TrainedMethod:
    return trained.settings().method


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch, own_cache: Path, trained: Run, small_cohort: Path):
    """Opens a page on the run; further values go into the session or the URL."""
    monkeypatch.setattr(places, "RUNS", trained.path.parent)
    monkeypatch.setattr(run_folder.list_runs, "__defaults__", (trained.path.parent,))

    def show(page: str, session: dict | None = None, **query: str) -> AppTest:
        at = AppTest.from_file(PAGES / page, default_timeout=90)
        for key, value in ({"cohort": str(small_cohort), "run": trained.name} | query).items():
            at.query_params[key] = value
        for key, value in (session or {}).items():
            at.session_state[key] = value
        at.run()
        assert not at.exception
        assert not at.error, at.error[0].value
        return at

    return show


def texts(at: AppTest) -> str:
    return "\n".join(one.value for kind in (at.markdown, at.caption, at.info) for one in kind)


def test_a_run_is_watched_with_its_own_maps_and_gauges(shown, trained, method) -> None:
    at = shown("training.py")
    said = texts(at)
    names = ", ".join(["I_in", *(one.short for one in method.pictures())])
    assert f"{names} from left to right" in said
    assert f"**Histogram of {method.maps[0].short}**" in said
    assert all(gauge.title in said for gauge in method.gauges)
    assert method.lacks("The advisor") in said
    assert "I_ro" not in next(one.value for one in at.markdown if "from left to right" in one.value)
    opens = {button.label: button for button in at.button}
    assert opens["Open this cycle in Cuts"].disabled
    assert not opens["Open this cycle in Threshold"].disabled


def test_the_film_has_its_maps_and_says_what_it_has_not(shown, trained, method) -> None:
    history = read_history(trained)
    datas = [trained.load_snapshot(point.index) for point in history.points]
    size = datas[0].watched_input.shape[-1]
    header = film.header_of(history, range(3), (0, 1), size, film.loss_lines(trained.events()), "x")
    packed = film.pack(header, datas, (0, 1))
    told = film.header_in(packed)
    assert told["shown"] == [one.name for one in method.pictures()]
    assert told["heads"] == ["I_in", *(one.short for one in method.pictures()), "mask on I_in"]
    assert told["noJoint"] == method.lacks("The joint histogram")
    length = 4 + int.from_bytes(packed[:4], "little")
    planes = 2 * size * size * (1 + 3 * len(told["maps"]))
    assert len(packed) == length + 3 * 1024 + planes
    gif = film_export.gif_of(trained, history, (0,))
    assert gif.startswith(b"GIF89a")
    assert "<title>Film of other</title>" in film_export.page_of(trained, packed, "")


def test_its_map_opens_in_threshold_by_its_own_rule(shown, trained, method) -> None:
    at = shown("threshold.py")
    menu = next(box for box in at.selectbox if box.label == "Map")
    labels = [one.label for one in method.maps]
    assert menu.options == [*labels, "input I_in"]
    settings = trained.settings().segmentation
    assert menu.value == settings.map
    # a link that names a map of ASC-Net opens the run's own
    again = shown("threshold.py", map="wild")
    assert next(box for box in again.selectbox if box.label == "Map").value == settings.map


def test_cuts_says_that_there_are_none_and_nothing_more(shown, method) -> None:
    at = shown("cuts.py")
    assert [one.value for one in at.info] == [method.lacks("The page Cuts")]
    assert not at.slider


def test_the_reference_lab_says_the_same(shown, method) -> None:
    at = shown("training.py", {"training view wanted": "Reference lab"})
    assert method.lacks("The reference lab") in [one.value for one in at.info]


def test_evaluation_offers_its_maps(shown, method) -> None:
    at = shown("evaluation.py")
    maps = next(one for one in at.multiselect if one.label == "Maps")
    assert maps.options == [one.label for one in method.maps]


def test_it_is_compared_with_a_run_of_asc_net(shown, trained, method) -> None:
    beside = made_up.write_run(trained.path.with_name("parted"), "ms")
    at = shown("training.py", compare=f"{trained.name},{beside.name}")
    assert any("no watched slice in common" in one.value for one in at.info)
    for section in ("Curves", "Settings"):
        {group.label: group for group in at.button_group}["Section"].set_value(section)
        at.run()
        assert not at.exception
        assert not at.error
    table = next(one.value for one in at.markdown if "what it is" in one.value)
    assert f"| `method.name` | **{method.name}** | **asc-net** |" in table


def test_two_moments_of_it_are_compared(shown, trained, method) -> None:
    at = shown("training.py", {"training view wanted": "Compare"}, compare=trained.name)
    (component,) = components(at)
    data = component.proto.bytes
    length = int.from_bytes(data[:4], "little")
    header = json.loads(data[4 : 4 + length])
    assert len(header["sides"]) == 2
    told = film.header_in(data[8 + length :])
    assert told["countedName"] == method.maps[0].short


def test_a_slice_of_a_scan_through_both_methods(
    shown, trained, method, small_run, small_cohort
) -> None:
    at = shown("training.py", compare=f"{trained.name},{small_run}")
    assert not at.error
    (component,) = components(at)
    data, films = component.proto.bytes, []
    while data:
        length = int.from_bytes(data[:4], "little")
        films.append(data[4 : 4 + length])
        data = data[4 + length :]
    first, second = (film.header_in(one) for one in films[1:])
    assert first["shown"] == [one.name for one in method.pictures()]
    assert second["shown"] == ["fence", "wild", "reconstruction"]


def test_the_list_of_runs_names_the_map_of_its_histogram(shown, trained, method) -> None:
    at = shown("training.py", {run_list.OPEN: True})
    rows = at.dataframe[0].value
    row = rows[rows["run"] == trained.name].iloc[0]
    assert row["histogram of I_ro"].startswith(f"{method.maps[0].short}: ")
