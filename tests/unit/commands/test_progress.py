"""The progress of long work: a bar on a terminal, plain lines elsewhere."""

import os

import pytest

from ascnet_core.commands.progress import Progress, duration


def test_progress_prints_plain_lines_now_and_then(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("ascnet_core.commands.progress.time.monotonic", lambda: now[0])
    lines: list[str] = []
    with Progress("scans", 100, line=lines.append) as progress:
        for _ in range(50):
            now[0] += 1.0
            progress.advance()
    assert lines[0] == "10 of 100 scans, 2 min left"
    assert len(lines) == 5


def test_progress_is_a_bar_on_a_terminal(monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    with Progress("scans", 4) as progress:
        progress(4)
    captured = capsys.readouterr()
    assert "4/4" in captured.err
    assert captured.out == ""


@pytest.mark.parametrize(("seconds", "text"), [(5, "5 s"), (300, "5 min"), (9000, "2.5 h")])
def test_durations_are_said_coarsely(seconds, text):
    assert duration(seconds) == text


def test_a_reader_that_has_gone_does_not_end_the_work(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("ascnet_core.commands.progress.time.monotonic", lambda: now[0])
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stream:
        monkeypatch.setattr("sys.stdout", stream)
        with Progress("scans", 100) as progress:
            for _ in range(30):
                now[0] += 1.0
                progress.advance()
    assert progress.done == 30
