"""The command line as tests drive it: in this process, or in one of its own."""

import csv
import subprocess
import sys
import textwrap
from pathlib import Path

import nibabel as nib
import numpy as np

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


def ended_before(pattern: str, number: int, *call: object) -> int:
    """The exit status of a command line that gets a signal before it moves a file or makes a folder
    whose path is like the pattern."""
    program = f"""
        import fnmatch, os, sys
        from pathlib import Path
        replace, mkdir = Path.replace, Path.mkdir
        def look(path):
            if fnmatch.fnmatch(str(path), {pattern!r}):
                os.kill(os.getpid(), {int(number)})
        def replaced(self, target):
            look(target)
            return replace(self, target)
        def made(self, *arguments, **more):
            look(self)
            return mkdir(self, *arguments, **more)
        Path.replace, Path.mkdir = replaced, made
        from ascnet_core.cli import main
        sys.exit(main({[str(word) for word in call]!r}))
    """
    return in_a_process(program).returncode


def decide(subject: str, *more: object, rater: str = "anna") -> None:
    assert cli("study", "decide", "ms", subject, "--rater", rater, *more) == 0


def masks_of(folder) -> dict[str, np.ndarray]:
    return {
        path.name: np.asanyarray(nib.load(path).dataobj) for path in folder.glob("*_mask.nii.gz")
    }
