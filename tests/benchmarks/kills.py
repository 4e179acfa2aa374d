"""Kill a training 20 times: does it end as if nobody had? `python -m tests.benchmarks.kills`.

Trains a small run once without a disturbance by the real command line, and once more with SIGKILL
at random moments: some before its first step, most a random time after a random number of steps,
with a checkpoint at each step so that many hit a file that is being written. After every kill all
checkpoints and snapshots must be readable, and the same command goes on. At the end weights,
optimisers and counters must be equal, bit for bit. Ends with status 1 where anything is not.
"""

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from ascnet_core.runs.folder import Run
from ascnet_core.runs.lock import lock_holder
from tests.small import make_small_cohort

ROOT = Path(__file__).resolve().parents[2]
CYCLES, STEPS = 8, 25
CHANGES = {
    "data.size": 32,
    "network.width": 2,
    "schedule.stage_1": CYCLES,
    "schedule.steps": STEPS,
    "schedule.log_every": 1,
    "schedule.checkpoint_seconds": 0,
}


def begin(cohort: Path, run: Path) -> subprocess.Popen[bytes]:
    """Begin the run, or go on with it: the same command."""
    command = [sys.executable, "-m", "ascnet_core", "train", str(cohort), "--resume"]
    command += ["--name", str(run), "--device", "cpu"]
    for key, value in CHANGES.items():
        command += ["--set", f"{key}={value}"]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)


def wait_for(process: subprocess.Popen[bytes], run: Path, steps: int) -> None:
    """Until the process holds the run's lock, and has made `steps` steps, or has ended."""
    while process.poll() is None and lock_holder(run) is None:
        time.sleep(0.005)
    before = steps_of(run)
    while steps and process.poll() is None and steps_of(run) < before + steps:
        time.sleep(0.005)


def steps_of(run: Path) -> int:
    """Steps that were written; what a kill lost of them is taken back and made again."""
    progress = Run(run).progress()
    return progress.step if progress else 0


def unreadable(run: Path) -> list[str]:
    """Checkpoints and snapshots that cannot be read."""
    found = []
    for file in run.rglob("*.safetensors"):
        if not any(part.startswith(".tmp-") for part in file.relative_to(run).parts):
            try:
                load_file(file)
            except Exception as error:
                found.append(f"{file}: {error}")
    return found


def differing(one: Path, other: Path) -> list[str]:
    """Names of tensors of checkpoint and model that are not equal."""
    found = []
    for name in ("training.safetensors", "model.safetensors"):
        first, second = load_file(one / name), load_file(other / name)
        if first.keys() != second.keys():
            found.append(f"{name}: other tensors")
            continue
        found += [key for key, value in first.items() if not np.array_equal(value, second[key])]
    return found


def main() -> int:
    """Train twice, kill, compare."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    moments = random.Random(given.seed)
    damaged: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cohort = make_small_cohort(folder / "cohort")
        whole, killed = folder / "whole", folder / "killed"
        if begin(cohort, whole).wait():
            raise SystemExit("the undisturbed training failed")
        most = int(1.6 * CYCLES * STEPS / given.kills)  # on average 0.8 of the run in all kills
        for number in range(given.kills):
            early = number % 5 == 0
            process = begin(cohort, killed)
            wait_for(process, killed, 0 if early else moments.randint(1, most))
            time.sleep(moments.uniform(0, 1.0 if early else 0.05))
            at = steps_of(killed)
            process.send_signal(signal.SIGKILL)
            ended = process.wait() == -signal.SIGKILL
            bad = unreadable(killed)
            damaged += bad
            how = "killed" if ended else "had ended"
            print(f"{number + 1:2} {how} at step {at:3}, {len(bad)} files unreadable", flush=True)
        resumed = begin(cohort, killed).wait()
        status = Run(killed).status()
        others = differing(whole, killed)
        cycles = [snapshot.total_cycle for snapshot in Run(killed).snapshots()]
    print(
        f"after {given.kills} kills: exit status {resumed}, {status}, {len(damaged)} files "
        f"unreadable, {len(others)} tensors differ, snapshots of cycles {cycles}"
    )
    whole_course = cycles == list(range(CYCLES + 1))
    return int(bool(resumed or damaged or others or status != "finished" or not whole_course))


if __name__ == "__main__":
    sys.exit(main())
