"""`app`: what it becomes, and what it refuses."""

import os
import sys
import tomllib

import pytest

from ascnet_core import places
from tests.unit.commands.command_line import cli, complaint


@pytest.fixture
def started(monkeypatch):
    """What `app` would have become: program, words, variables."""
    found = []
    monkeypatch.setattr(os, "execve", lambda *what: found.append(what))
    return found


def test_it_serves_the_pages_on_this_machine_alone(started):
    assert cli("app", "--port", 8600, "--no-browser") == 0
    ((program, words, variables),) = started
    assert program == words[0] == sys.executable
    assert words[1:4] == ["-m", "streamlit", "run"]
    assert words[4] == str(places.APP / "app.py")
    assert words[words.index("--server.port") + 1] == "8600"
    assert words[words.index("--server.headless") + 1] == "true"
    assert variables["STREAMLIT_SERVER_ADDRESS"] == "127.0.0.1"
    assert variables["STREAMLIT_BROWSER_GATHER_USAGE_STATS"] == "false"
    assert variables["PATH"] == os.environ["PATH"]


def test_it_hands_on_all_of_the_configuration(started):
    assert cli("app") == 0
    ((_, _, variables),) = started
    tables = tomllib.loads((places.ROOT / ".streamlit" / "config.toml").read_text("utf-8"))
    ours = {name for name in variables if name.startswith("STREAMLIT_")} - set(os.environ)
    assert len(ours) == sum(map(len, tables.values()))


@pytest.mark.parametrize("port", ["0", "70000"])
def test_a_port_that_is_none(started, capsys, port):
    assert cli("app", "--port", port) == 2
    assert complaint(capsys) == f"error: --port is {port}; choose one from 1 to 65535."
    assert not started


def test_without_streamlit(started, capsys, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert cli("app") == 2
    assert "pip install streamlit" in complaint(capsys)


def test_folders_that_the_owner_names_are_handed_on(started, tmp_path):
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "c")
    folders = [tmp_path / "a", tmp_path / "b"]
    assert cli("app", "--data", *folders, "--data", tmp_path / "link") == 0
    ((_, words, variables),) = started
    named = variables[places.OPEN_FOLDERS].split(os.pathsep)
    assert named == [str(tmp_path / name) for name in ("a", "b", "c")]
    assert words[words.index("--server.address") + 1] == "127.0.0.1"


def test_another_address(started):
    assert cli("app", "--address", "0.0.0.0") == 0
    ((_, words, variables),) = started
    assert words[words.index("--server.address") + 1] == "0.0.0.0"
    assert places.OPEN_FOLDERS not in variables


@pytest.mark.parametrize("address", ["everywhere", "1.2.3", ""])
def test_an_address_that_is_none(started, capsys, address):
    assert cli("app", "--address", address) == 2
    assert "--address" in complaint(capsys)
    assert not started


def test_a_folder_that_is_not_there(started, capsys, tmp_path):
    assert cli("app", "--data", tmp_path / "none") == 2
    assert "none is no folder" in complaint(capsys)
    (tmp_path / "a:b").mkdir()
    assert cli("app", "--data", tmp_path / "a:b") == 2
    assert "rename" in complaint(capsys)
    assert not started
