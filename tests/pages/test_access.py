"""Which paths open: the question before a link, folders that the owner named, and no others."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from streamlit import config
from streamlit.testing.v1 import AppTest

from ascnet_core import places
from ascnet_core.errors import UserError
from ascnet_core.imaging.cohort import read_manifest
from ascnet_core.places import cache_folder
from pages.parts.new_run import draft
from pages.parts.shared import access, cohorts, runs, state
from tests.pages.conftest import ALWAYS_OPEN, ROOT

SECRET = "root:x:0:0:the secret,in,many,cells:/root:/bin/sh"


@pytest.fixture
def at_home(monkeypatch: pytest.MonkeyPatch, own_cache: Path) -> None:
    """A server on this machine alone, whose owner named no folder."""
    monkeypatch.setattr(access, "always_open", ALWAYS_OPEN)
    monkeypatch.setattr(cohorts, "DEMO_SUBJECTS", 2)  # quickly made


@pytest.fixture
def in_the_open(at_home: None) -> Iterator[None]:
    """A server that listens to other machines."""
    before = config.get_option("server.address")
    config.set_option("server.address", "0.0.0.0")
    yield
    config.set_option("server.address", before)


def _page(page: str = "data", **query: object) -> AppTest:
    at = AppTest.from_file(ROOT / "pages" / f"{page}.py", default_timeout=120)
    for key, value in query.items():
        at.query_params[key] = str(value)
    return at.run()


def _press(at: AppTest, label: str) -> AppTest:
    return next(button for button in at.button if button.label == label).click().run()


def _labels(at: AppTest) -> list[str]:
    return [button.label for button in at.button]


def _text(at: AppTest) -> str:
    """All that a page says."""
    parts = (at.markdown, at.error, at.caption, at.code, at.warning, at.info, at.toast)
    said = [str(one.value) for part in parts for one in part]
    return "\n".join([*said, *(frame.value.to_string() for frame in at.dataframe)])


@pytest.mark.parametrize("page", ["data", "cuts", "threshold", "evaluation", "training"])
def test_a_link_to_a_path_asks_first(at_home, small_cohort: Path, page: str) -> None:
    at = _page(page, cohort=small_cohort)
    assert not at.exception
    assert not at.dataframe
    assert [code.value for code in at.code] == [str(small_cohort)]
    assert _labels(at) == ["Open it", "Show the demo instead"]


def test_what_was_agreed_to_is_open_in_this_session_alone(
    at_home, small_cohort: Path, small_run: Path
) -> None:
    at = _press(_page(cohort=small_cohort, run=small_run), "Open it")
    assert not at.exception
    assert len(at.dataframe[0].value) == 4
    assert at.session_state[state.OPENED] == [str(small_cohort)]
    assert "Open it" not in _labels(at.run())
    other = _page(cohort=small_cohort, run=small_run)
    assert "Open it" in _labels(other)
    assert state.OPENED not in other.session_state


def test_leaving_it_shows_the_demo_and_keeps_the_rest_of_the_link(
    at_home, small_cohort: Path
) -> None:
    at = _press(_page("training", cohort=small_cohort, run="demo-flair"), "Show the demo instead")
    assert not at.exception
    assert at.session_state[state.VIEW].cohort == "demo"
    assert at.session_state[state.VIEW].run == "demo-flair"


def test_a_path_that_is_typed_needs_no_question(at_home, small_cohort: Path) -> None:
    at = _page("data")
    at.text_input[0].set_value(str(small_cohort.parent))
    at = _press(at, "Open path")
    assert not at.exception
    assert at.session_state[state.VIEW].cohort == str(small_cohort.parent)
    assert len(at.dataframe[0].value) == 4


def test_a_path_that_could_not_be_read_is_not_remembered(at_home, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text(SECRET)
    at = _page("data")
    at.text_input[0].set_value(str(tmp_path / "list.csv"))
    at = _press(at, "Open path")
    assert at.error
    assert at.session_state[state.AGREED] == []


@pytest.mark.parametrize("key", ["run", "compare"])
def test_a_link_to_a_run_outside_asks_too(at_home, small_run: Path, key: str) -> None:
    at = _page("training", **{key: small_run})
    assert [code.value for code in at.code] == [str(small_run)]
    assert "Open it" not in _labels(_press(at, "Open it"))


@pytest.mark.parametrize(
    "name",
    ["../{parent}/small-run", "demo-flair/../../{parent}/small-run", "./../{parent}/small-run"],
)
def test_dots_lead_no_run_out_of_the_folder_of_runs(
    at_home, small_run: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    (tmp_path / "checkpoints" / "demo-flair").mkdir(parents=True)
    shutil.copytree(small_run, tmp_path / "elsewhere" / "small-run")
    monkeypatch.setattr(places, "RUNS", tmp_path / "checkpoints")
    monkeypatch.chdir(tmp_path / "checkpoints")
    with pytest.raises(UserError, match="has not been opened"):
        runs.run_settings(name.format(parent="elsewhere"))


def test_runs_of_the_folder_of_runs_are_open_also_where_they_are_links(
    at_home, small_run: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "linked").symlink_to(small_run)
    monkeypatch.setattr(places, "RUNS", tmp_path / "checkpoints")
    assert runs.run_settings("linked")
    assert runs.run_settings(str(tmp_path / "checkpoints" / "linked"))
    with pytest.raises(UserError, match="There is no run 'none'"):
        runs.run_settings("none")


@pytest.mark.parametrize("name", ["../elsewhere", "a/b", "./here", "{outside}/run"])
def test_no_new_run_is_made_outside_of_the_folders_that_are_named(
    named: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    name = name.format(outside=tmp_path)
    monkeypatch.setattr(places, "RUNS", tmp_path / "checkpoints")
    at = _page("training", cohort=named / "study")
    at.text_input(key=draft.NAME).set_value(name).run()
    assert [error.value for error in at.error] == [access.refusal(name)]
    assert next(one for one in at.button if one.label == "Start training").disabled
    for allowed in ("here", str(named / "run"), str(tmp_path / "checkpoints" / "run")):
        access.check_new_run(allowed)


def test_a_new_run_may_be_made_wherever_the_user_types(at_home, tmp_path: Path) -> None:
    access.check_new_run(str(tmp_path / "run"))


def test_data_is_refused_below_the_page_as_well(at_home, small_cohort: Path) -> None:
    # A message from the browser may run a fragment alone, which draws no question.
    with pytest.raises(UserError, match="has not been opened in this session"):
        cohorts.load_cohort(str(small_cohort))


@pytest.mark.parametrize("address", ["0.0.0.0", "192.168.0.7", "::", "example.org", None])
def test_to_others_nothing_opens_that_the_owner_did_not_name(
    in_the_open, small_cohort: Path, address: str | None
) -> None:
    config.set_option("server.address", address)
    assert access.listens_to_others()
    at = _page(cohort=small_cohort)
    assert "ascnet app --data FOLDER" in at.error[0].value
    assert _labels(at) == ["Show the demo instead"]
    assert not at.dataframe
    typed = _page("data")
    typed.text_input[0].set_value(str(small_cohort))
    typed = _press(typed, "Open path")
    assert any("ascnet app --data FOLDER" in error.value for error in typed.error)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.53", "::1", "localhost"])
def test_what_counts_as_this_machine(in_the_open, address: str) -> None:
    config.set_option("server.address", address)
    assert not access.listens_to_others()


def test_a_refusal_does_not_tell_what_is_there(in_the_open, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    said = []
    for name in ("real", "link", "none"):
        with pytest.raises(UserError) as caught:
            cohorts.load_cohort(str(tmp_path / name))
        said.append(str(caught.value).replace(name, "X"))
    assert len(set(said)) == 1


@pytest.fixture
def named(in_the_open, small_cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that the owner named, with a cohort in it."""
    shutil.copytree(small_cohort.parent, tmp_path / "named" / "study")
    monkeypatch.setenv(places.OPEN_FOLDERS, str(tmp_path / "named"))
    return tmp_path / "named"


def test_a_named_folder_opens_without_a_question(named: Path) -> None:
    at = _page(cohort=named / "study")
    assert not at.error
    assert len(at.dataframe[0].value) == 4
    assert "Open it" not in _labels(at)


@pytest.mark.parametrize("way", ["dots", "link", "manifest that is a link", "begins alike"])
def test_no_way_leads_out_of_a_named_folder(named: Path, small_cohort: Path, way: str) -> None:
    outside = named.parent / "named-not"
    shutil.copytree(small_cohort.parent, outside)
    (named / "link").symlink_to(outside)
    (named / "folder").mkdir()
    (named / "folder" / "manifest.csv").symlink_to(outside / "manifest.csv")
    key = {
        "dots": named / "study" / ".." / ".." / outside.name / "manifest.csv",
        "link": named / "link",
        "manifest that is a link": named / "folder",
        "begins alike": outside,
    }[way]
    with pytest.raises(UserError, match="this server opens"):
        cohorts.load_cohort(str(key))
    at = _page(cohort=key)
    assert not at.exception
    assert not at.dataframe
    assert "this server opens" in _text(at)


@pytest.mark.parametrize("column", ["image", "mask", "region", "image:T1"])
def test_a_manifest_inside_may_not_name_files_outside(
    named: Path, small_cohort: Path, column: str
) -> None:
    table = pd.read_csv(named / "study" / "manifest.csv")
    if column not in table:
        table[column] = table["image"]
    table.loc[2, column] = str(read_manifest(small_cohort).scans[0].image)
    table.to_csv(named / "study" / "outside.csv", index=False)
    with pytest.raises(UserError, match="names a file outside"):
        cohorts.load_cohort(str(named / "study" / "outside.csv"))


def test_an_image_inside_that_is_a_link_to_the_outside_is_refused(
    named: Path, small_cohort: Path
) -> None:
    scan = read_manifest(named / "study" / "manifest.csv").scans[0]
    scan.image.unlink()
    scan.image.symlink_to(read_manifest(small_cohort).scans[0].image)
    with pytest.raises(UserError, match="names a file outside"):
        cohorts.load_cohort(str(named / "study"))


def test_several_folders_are_named_as_in_path(
    in_the_open, small_cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = os.pathsep.join([str(tmp_path), str(small_cohort.parent)])
    monkeypatch.setenv(places.OPEN_FOLDERS, both)
    assert len(cohorts.load_cohort(str(small_cohort)).scans) == 4


def test_uploads_and_demos_are_open_to_all(in_the_open, own_cache: Path) -> None:
    assert access.may_open(access.uploads_folder() / "upload-1" / "manifest.csv")
    assert access.may_open(cohorts.demo_manifest())
    assert not access.may_open(cache_folder() / "evaluations")


@pytest.mark.parametrize("opened", ["at home", "to others"])
@pytest.mark.parametrize(
    "content",
    [
        SECRET,
        f"{SECRET}\n{SECRET}",
        f"a,b\n{SECRET}",
        f"a,a\n{SECRET}",
        f"{SECRET},{SECRET}\nx",
        f'subject,image\n"{SECRET}\n',
        f"subject,image\na,b,{SECRET}",
        f"[table]\n{SECRET} = ",
    ],
)
def test_no_page_shows_a_line_of_a_file_that_is_no_manifest(
    at_home, request, tmp_path: Path, small_cohort: Path, content: str, opened: str
) -> None:
    (tmp_path / "passwd").write_text(content)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "settings.toml").write_text(content)
    if opened == "to others":
        request.getfixturevalue("in_the_open")
    queries = {"cohort": tmp_path / "passwd"}, {"cohort": small_cohort, "run": tmp_path / "run"}
    for page in ("data", "cuts"):
        for query in queries:
            at = _page(page, **query)
            if "Open it" in _labels(at):
                at = _press(at, "Open it")
            assert not at.exception
            assert "secret" not in _text(at)


@pytest.mark.parametrize("page", ["data", "training", "evaluation"])
@pytest.mark.parametrize(
    "text", ["a\0b", "x" * 5000, "/" + "y" * 300, "~nobody-of-that-name/x", "a\nb", "/etc/shadow"]
)
def test_odd_paths_in_a_link_are_said_in_a_sentence(
    at_home, small_cohort: Path, page: str, text: str
) -> None:
    for key in ("cohort", "run", "compare"):
        at = _page(page, **{"cohort": small_cohort, key: text})
        if "Open it" in _labels(at):
            at = _press(at, "Open it")
        assert not at.exception


def test_a_link_cannot_make_the_browser_fetch_a_picture(at_home) -> None:
    picture = "![x](http://127.0.0.1:1/x.png)"
    asked = [("data", "cohort"), ("data", "t"), ("cuts", "run"), ("training", "compare")]
    asked += [("cuts", "rule"), ("cuts", "post"), ("cuts", "subject"), ("threshold", "rule")]
    for page, key in asked:
        said = _text(_page(page, **{key: picture}))
        assert "![x](" not in said


def test_evaluations_of_others_are_not_listed_from_outside(
    in_the_open, own_cache: Path, small_cohort: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier = own_cache / "evaluations" / "their study through a run-1234"
    earlier.mkdir(parents=True)
    (earlier / "summary.json").write_text("{}")
    monkeypatch.setenv(places.OPEN_FOLDERS, str(small_cohort.parent))
    for address, lists in (("0.0.0.0", 0), ("127.0.0.1", 1)):
        config.set_option("server.address", address)
        at = _page("evaluation", cohort=small_cohort)
        assert not at.exception
        assert sum(box.label.startswith("Earlier") for box in at.selectbox) == lists
