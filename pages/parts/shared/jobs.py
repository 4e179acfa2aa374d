"""Long work of a page as a process with a folder: start, progress, cancel, result.

A job is `python -m ascnet_core VERB ... -o FOLDER`. Its folder is found by each page that asks.
"""

import contextlib
import hashlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ascnet_core.files import read_json, read_text, write_json
from ascnet_core.runs.start import child_environment

JOB, LOG = "job.json", "log.txt"
LONGEST = 60  # characters of a label in a folder's name, of at most 4 bytes each
_STEPS = re.compile(r"(\d+) of (\d+) (\w+)(?:, ([^,]+) left)?")


class Job(NamedTuple):
    """A job's state: `status` is none, running, done, cancelled or failed.

    `share` (0..1) and `text` say how far a running one is; for a failed one `text` is its reason.
    """

    status: str
    share: float = 0.0
    text: str = ""
    seconds: float = 0.0


def folder_for(
    parent: Path, label: str, arguments: Sequence[str], stamps: Sequence[object]
) -> Path:
    """A folder named by the work; `stamps` differ once the files that it reads were changed."""
    text = "\0".join([*arguments, *map(str, stamps)])
    digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
    return parent / f"{safe_name(label)[:LONGEST]}-{digest[:8]}"


def safe_name(text: str) -> str:
    """Text as part of a folder's name: all but letters, digits and `._-` becomes `-`."""
    return re.sub(r"[^\w.-]", "-", text)


def parse_progress(log: str) -> tuple[float, str]:
    """Share (0..1) and text of the last line like `3 of 18 steps, 20 s left`."""
    found = list(_STEPS.finditer(log))
    if not found:
        return 0.0, "starting"
    done, total = int(found[-1][1]), int(found[-1][2])
    return min(1.0, done / max(1, total)), found[-1][0]


def words(verb: str, arguments: Sequence[str], folder: Path) -> list[str]:
    """The words of a job's command; `-o FOLDER` stands before `--`, after which none is an option.

    What people typed comes after `--`: a name may begin with a dash.
    """
    end = arguments.index("--") if "--" in arguments else len(arguments)
    return [verb, *arguments[:end], "-o", str(folder), *arguments[end:]]


def start(verb: str, arguments: Sequence[str], folder: Path) -> None:
    """Start the job; `-o FOLDER` is added. A job that is running there is left alone."""
    if read(folder, "").status == "running":
        return
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-u", "-m", "ascnet_core", *words(verb, arguments, folder)]
    with (folder / LOG).open("wb") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=child_environment(),
        )
    write_json(folder / JOB, {"pid": process.pid, "started": time.time(), "command": command[1:]})

    def finish() -> None:
        """Note the exit status. Without `wait` an ended child would seem alive."""
        status = process.wait()
        about = _about(folder)
        if about.get("pid") == process.pid:
            write_json(folder / JOB, {**about, "exit": status, "ended": time.time()})

    threading.Thread(target=finish, daemon=True).start()


def read(folder: Path, result: str) -> Job:
    """The state of the job in a folder; it is done once the file `result` is there."""
    about = _about(folder)
    now = time.time()
    seconds = float(about.get("ended", now)) - float(about.get("started", now))
    log = read_text(folder / LOG)
    if about and "exit" not in about and _alive(int(about["pid"])):
        return Job("running", *parse_progress(log), seconds)
    if result and (folder / result).is_file():
        return Job("done", 1.0, "", seconds)
    if not about:
        return Job("none")
    if about.get("cancelled"):
        return Job("cancelled", 0.0, "", seconds)
    lines = [line for line in log.splitlines() if line.strip()]
    return Job("failed", 0.0, lines[-1] if lines else "it ended without a word", seconds)


def cancel(folder: Path) -> None:
    """End the job's process and what it started."""
    about = _about(folder)
    if "exit" in about or not about:
        return
    write_json(folder / JOB, {**about, "cancelled": True})
    with contextlib.suppress(ProcessLookupError):
        os.killpg(int(about["pid"]), signal.SIGTERM)


def _about(folder: Path) -> dict[str, Any]:
    return read_json(folder / JOB) or {}


def _alive(pid: int) -> bool:
    """Whether the process lives and is ours: the system may have given its number to another."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes()
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (OSError, IndexError):
        return True  # no /proc on this system: believe the number
    # A process that has only just begun has no command line yet.
    return (not words or b"ascnet_core" in words) and state != "Z"
