"""The command line as tests drive it: in this process, or in one of its own."""

import csv
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

from ascnet_core.cli import main

ROOT = Path(__file__).resolve().parents[3]
TINY = [
    "--set=data.size=32",
    "--set=network.width=2",
    "--set=schedule.stage_1=2",
    "--set=schedule.steps=3",
    "--set=schedule.batch_m=4",
]


def cli(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def rows_of(table: Path) -> list[dict[str, str]]:
    with table.open(newline="") as stream:
        return list(csv.DictReader(stream))


def complaint(capsys) -> str:
    """The only line on stderr."""
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("error: ")
    return lines[0]


def in_a_process(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def content_of(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def stopped(call: list[str], number: int, now: Callable[[], bool]) -> int:
    """Start the command line, send a signal at a moment, and give the exit status."""
    process = subprocess.Popen(
        [sys.executable, "-m", "ascnet_core", *call],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while not now() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    process.send_signal(number)
    return process.wait(30)


def killed_before(name: str, *call: object) -> int:
    """The exit status of a command line that is killed before it moves a file into its place."""
    program = f"""
        import os, signal
        from pathlib import Path
        replace = Path.replace
        def killed(self, target):
            if Path(target).name == {name!r} and ".tmp-ascnet-" not in str(target):
                os.kill(os.getpid(), signal.SIGKILL)
            return replace(self, target)
        Path.replace = killed
        from ascnet_core.cli import main
        main({[str(word) for word in call]!r})
    """
    return in_a_process(program).returncode
