"""The command line as tests drive it: in this process, or in one of its own."""

import csv
import subprocess
import sys
import textwrap
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
