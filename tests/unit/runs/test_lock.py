"""Who writes to a run: its lock, its status, and what may be asked of it."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ascnet_core.errors import UserError
from ascnet_core.runs import requests
from ascnet_core.runs.folder import Run
from ascnet_core.runs.lock import hold_lock, lock_holder
from tests.unit.runs.created import a_run, step, write_events

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def writer(tmp_path):
    """Start a process that holds the lock of a run; ended with the test."""
    started = []

    def start(run: Path) -> subprocess.Popen[str]:
        program = f"""
            import sys, time
            from pathlib import Path
            from ascnet_core.runs.lock import hold_lock
            with hold_lock(Path({str(run)!r})):
                print("held", flush=True)
                sys.stdin.read()
        """
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(program)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_the_lock_keeps_a_second_writer_out(tmp_path, writer):
    run = a_run(tmp_path)
    process = writer(run)
    holder = lock_holder(run)
    assert holder is not None
    assert holder["pid"] == process.pid
    assert holder["started"] <= time.time()
    with pytest.raises(UserError, match=f"process {process.pid}"), hold_lock(run):
        pass
    assert lock_holder(run) is not None


def test_the_lock_of_a_killed_process_is_taken_over(tmp_path, writer):
    run = a_run(tmp_path)
    process = writer(run)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert (run / "run.lock").exists()
    assert lock_holder(run) is None
    with hold_lock(run):
        assert lock_holder(run)["pid"] == os.getpid()
    assert not (run / "run.lock").exists()


def test_who_asks_is_never_taken_for_a_writer(tmp_path):
    run = a_run(tmp_path)
    (run / "run.lock").write_text(" {}")  # of a process that was killed
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lock_holder, [run] * 400)) == {None}


def test_status_follows_lock_and_last_event(tmp_path, writer):
    run = a_run(tmp_path)
    assert Run(run).status() == "died"
    write_events(run, {"kind": "start"}, step(10, 1.0))
    assert Run(run).status() == "died"
    process = writer(run)
    assert Run(run).status() == "running"
    write_events(run, {"kind": "pause"})
    assert Run(run).status() == "paused"
    write_events(run, {"kind": "go"}, {"kind": "stop"})
    process.communicate("")
    assert Run(run).status() == "stopped"
    write_events(run, {"kind": "resume"})
    assert Run(run).status() == "died"
    write_events(run, {"kind": "end"})
    assert Run(run).status() == "finished"


def test_a_run_passed_on_as_weights_alone_is_finished(tmp_path):
    run = a_run(tmp_path)
    (run / "model.safetensors").write_bytes(b"")
    assert Run(run).status() == "finished"


def test_requests_reach_only_a_living_process(tmp_path, writer):
    run = a_run(tmp_path)
    assert not requests.ask(run, "stop")
    assert requests.read_request(run) is None
    writer(run)
    assert requests.ask(run, "pause")
    assert requests.read_request(run) == "pause"
    assert requests.ask(run, "go")
    assert requests.read_request(run) == "go"
    (run / "control.json").write_text('{"request": "format the disk"}')
    assert requests.read_request(run) is None
