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
