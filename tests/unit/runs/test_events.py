"""The events of a run: reading what grows, and progress told from them."""

import pytest

from ascnet_core.runs.events import progress_of, read_events
from ascnet_core.runs.folder import Run
from tests.unit.runs.created import a_run, step, write_events


def test_a_half_last_line_waits_for_the_next_reading(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"kind": "start"}\n{"kind": "st')
    events, offset = read_events(path)
    assert [event["kind"] for event in events] == ["start"]
    with path.open("ab") as stream:
        stream.write(b'ep"}\n')
    events, offset = read_events(path, offset)
    assert [event["kind"] for event in events] == ["step"]
    assert read_events(path, offset) == ([], offset)
    assert offset == path.stat().st_size


def test_lines_that_are_no_events_are_passed_over(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'\xff\xfe\n[1]\n{"kind": "step"}\n')
    assert [event["kind"] for event in read_events(path)[0]] == ["step"]
    assert read_events(tmp_path / "none.jsonl") == ([], 0)


def test_progress_gives_rate_and_time_left():
    progress = progress_of([step(10, 1000.0), step(20, 1005.0), step(30, 1010.0)])
    assert progress is not None
    assert progress.steps_per_second == pytest.approx(2.0)
    assert progress.seconds_left == pytest.approx(35.0)
    assert progress.share == pytest.approx(0.3)
    assert (progress.stage, progress.cycle, progress.phase) == (1, 2, "M")


def test_a_pause_does_not_count_as_slow_training():
    events = [step(10, 0.0), step(20, 5.0), {"kind": "pause", "time": 6.0, "step": 20},
              {"kind": "go", "time": 3600.0, "step": 20}, step(30, 3605.0)]  # fmt: skip
    progress = progress_of(events)
    assert progress is not None
    assert progress.steps_per_second == pytest.approx(2.0)


def test_progress_before_the_first_step():
    assert progress_of([]) is None
    progress = progress_of([step(0, 5.0)])
    assert progress is not None
    assert progress.seconds_left is None


def test_a_long_event_file_is_read_from_its_end(tmp_path):
    run = a_run(tmp_path)
    write_events(run, *({**step(n, float(n)), "padding": "x" * 100} for n in range(2000)))
    progress = Run(run).progress()
    assert progress is not None
    assert progress.step == 1999
    assert progress.steps_per_second == pytest.approx(1.0)
