import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from ascnet_core import places
from ascnet_core.errors import UserError
from ascnet_core.imaging.cohort import Cohort, Scan, read_manifest
from ascnet_core.runs import folder as run_folder
from ascnet_core.runs import requests
from ascnet_core.runs.create import check_data, reference_of
from ascnet_core.runs.events import progress_of, read_events
from ascnet_core.runs.folder import Run, last_word
from ascnet_core.runs.lock import hold_lock, lock_holder
from ascnet_core.settings.text import to_toml
from tests.unit.runs.created import create_run
from tests.unit.training import tiny

ROOT = Path(__file__).resolve().parents[3]


def a_cohort(folder: Path, names: tuple[str, ...] = ("a", "b")) -> Cohort:
    folder.mkdir(parents=True, exist_ok=True)
    scans = []
    for name in names:
        (folder / f"{name}.nii").write_bytes(name.encode())
        (folder / f"{name}_mask.nii").write_bytes(b"mask " + name.encode())
        scans.append(
            Scan(name, name, folder / f"{name}.nii", folder / f"{name}_mask.nii", group="normal")
        )
    return Cohort("study", folder / "manifest.csv", tuple(scans))


def a_run(folder: Path, name: str = "run") -> Path:
    run = folder / name
    create_run(run, tiny.settings(), a_cohort(folder / "data"), "normal", command=["x", "a b"])
    return run


def write_events(run: Path, *events: dict[str, object]) -> None:
    with (run / "events.jsonl").open("a") as stream:
        stream.writelines(json.dumps(event) + "\n" for event in events)


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


# --- names ---------------------------------------------------------------------------------------


def test_a_run_is_found_by_name_and_by_path(tmp_path, monkeypatch):
    monkeypatch.setattr(places, "RUNS", tmp_path)
    run = a_run(tmp_path)
    assert run_folder.resolve_run("run") == run
    assert run_folder.resolve_run(run) == run
    assert run_folder.list_runs(tmp_path) == [run]
    assert run_folder.new_run_path("other") == tmp_path / "other"


def test_a_path_from_the_current_folder_is_no_name(tmp_path, monkeypatch):
    monkeypatch.setattr(places, "RUNS", tmp_path / "runs")
    a_run(tmp_path / "runs")
    monkeypatch.chdir(tmp_path)
    assert run_folder.new_run_path("./mine") == Path("mine")
    assert run_folder.find_run("./run") is None
    a_run(tmp_path)
    assert run_folder.find_run("./run") == Path("run")


def test_a_run_of_ones_own_hides_one_that_came_with_the_package(tmp_path, monkeypatch):
    monkeypatch.setattr(places, "RUNS", tmp_path / "mine")
    monkeypatch.setattr(places, "INSTALLED_RUNS", tmp_path / "installed")
    installed = a_run(tmp_path / "installed")
    assert run_folder.list_runs() == [installed]
    assert run_folder.find_run("run") == installed
    assert run_folder.short_name(installed) == "run"
    mine = a_run(tmp_path / "mine")
    assert run_folder.list_runs() == [mine]
    assert run_folder.find_run("run") == mine
    assert run_folder.short_name(installed) == str(installed)


def test_what_is_no_run_is_refused_with_the_names_there_are(tmp_path, monkeypatch):
    monkeypatch.setattr(places, "RUNS", tmp_path)
    a_run(tmp_path)
    with pytest.raises(UserError, match=r"no run 'nothing'.*\(run\)"):
        run_folder.resolve_run("nothing")
    with pytest.raises(UserError, match=r"without settings\.toml"):
        run_folder.resolve_run(tmp_path / "data")


@pytest.mark.parametrize("name", ["", "..", ".hidden", "a/..", "with space", "-x"])
def test_awkward_names_are_refused(name):
    with pytest.raises(UserError, match="cannot name a run"):
        run_folder.new_run_path(name)


# --- what a new run holds ------------------------------------------------------------------------


def test_a_new_run_holds_settings_data_and_command(tmp_path):
    run = a_run(tmp_path)
    assert Run(run).settings() == tiny.settings()
    assert Run(run).command() == "x 'a b'"
    cohort = Run(run).cohort()
    assert [scan.scan for scan in cohort.scans] == ["a", "b"]
    assert cohort.scans[0].image.resolve() == (tmp_path / "data" / "a.nii").resolve()
    assert cohort.scans[0].group == "normal"
    data = json.loads((run / "data.json").read_text())
    # sha256 of b"a", from elsewhere
    assert (
        data["sha256"]["../data/a.nii"]
        == "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"
    )
    assert len(data["sha256"]) == 4
    assert reference_of(run) == "normal"


def test_paths_survive_moving_run_and_data_together(tmp_path):
    a_run(tmp_path / "one")
    (tmp_path / "one").rename(tmp_path / "two")
    scan = Run(tmp_path / "two" / "run").cohort().scans[0]
    assert scan.image.read_bytes() == b"a"
    check_data(tmp_path / "two" / "run")


def test_another_cohort_as_reference_is_kept_beside(tmp_path):
    run = tmp_path / "run"
    other = a_cohort(tmp_path / "normals", ("n",))
    create_run(run, tiny.settings(), a_cohort(tmp_path / "data"), "normals.csv", other)
    assert reference_of(run) == run / "reference.csv"
    assert [scan.scan for scan in read_manifest(run / "reference.csv").scans] == ["n"]


def test_series_of_pictures_stay_series(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    files = [folder / f"{n}.png" for n in range(3)]
    for file in files:
        file.write_bytes(b"")
    series = tuple((file, None) for file in files)
    scans = tuple(Scan("s", f"s{n}", file, series=series) for n, file in enumerate(files))
    run = tmp_path / "run"
    create_run(run, tiny.settings(), Cohort("c", folder / "m.csv", scans), "normal")
    kept = Run(run).cohort().scans
    assert [[image.name for image, _ in scan.series] for scan in kept] == 3 * [
        ["0.png", "1.png", "2.png"]
    ]


def test_an_existing_run_is_not_written_over(tmp_path):
    run = a_run(tmp_path)
    with pytest.raises(UserError, match="is a run already"):
        create_run(run, tiny.settings(), a_cohort(tmp_path / "data"), "normal")


def test_changed_or_missing_data_is_noticed(tmp_path):
    run = a_run(tmp_path)
    check_data(run)
    (tmp_path / "data" / "b.nii").write_bytes(b"other")
    with pytest.raises(UserError, match=r"b\.nii has changed"):
        check_data(run)
    (tmp_path / "data" / "b.nii").unlink()
    with pytest.raises(UserError, match=r"b\.nii.* is gone"):
        check_data(run)


def test_unreadable_settings_are_the_users_matter(tmp_path):
    run = a_run(tmp_path)
    (run / "settings.toml").write_text("[data\n")
    with pytest.raises(UserError, match="TOML"):
        Run(run).settings()


# --- events --------------------------------------------------------------------------------------


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


def step(number: int, at: float) -> dict[str, object]:
    return {"kind": "step", "stage": 1, "cycle": 2, "phase": "M", "epoch": 1, "step": number,
            "steps_total": 100, "time": at}  # fmt: skip


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


# --- lock and status -----------------------------------------------------------------------------


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


# --- snapshots -----------------------------------------------------------------------------------


def test_snapshots_are_listed_in_order_and_half_ones_left_out(tmp_path):
    run = a_run(tmp_path)
    cuts = {name: np.full((2, 4, 4), n, np.uint8) for n, name in
            enumerate(("watched_input", "fence", "wild", "reconstruction"))}  # fmt: skip
    cuts |= {"counts": np.arange(256), "joint": np.ones((64, 64), np.int64)}
    for index, (stage, cycle) in enumerate([(1, 0), (1, 1), (2, 1)]):
        folder = run / "snapshots" / f"{index:03d}-s{stage}-c{cycle}"
        folder.mkdir(parents=True)
        save_file(cuts, folder / "cuts.safetensors")
        info = {"stage": stage, "cycle": cycle, "total_cycle": index, "step": 5 * index}
        (folder / "info.json").write_text(json.dumps(info))
    (run / "snapshots" / ".tmp-003-s2-c2").mkdir()
    (run / "snapshots" / "004-s2-c3").mkdir()
    snapshots = Run(run).snapshots()
    assert [s.index for s in snapshots] == [0, 1, 2]
    assert [s.label for s in snapshots] == ["start", "stage 1, cycle 1", "stage 2, cycle 1"]
    assert Run(run).at_cycle(2) == snapshots[2]
    data = Run(run).load_snapshot(snapshots[1])
    assert (data.maps["wild"] == 2).all()
    assert data.counts[255] == 255
    assert np.array_equal(Run(run).load_snapshot(1).joint, data.joint)
    with pytest.raises(UserError, match="no snapshot 9; there are: 0, 1, 2"):
        Run(run).snapshot(9)
    with pytest.raises(UserError, match="no cycle 7"):
        Run(run).at_cycle(7)
    (run / "snapshots" / "001-s1-c1" / "cuts.safetensors").write_bytes(b"half")
    with pytest.raises(UserError, match="not a readable snapshot"):
        Run(run).load_snapshot(1)


def test_reference_counts_are_read_or_none(tmp_path):
    run = a_run(tmp_path)
    assert Run(run).reference_counts("wild") is None
    (run / "reference.json").write_text(json.dumps({"wild": list(range(256))}))
    assert Run(run).reference_counts("wild")[200] == 200
    assert Run(run).reference_counts("fence") is None


def test_settings_of_a_run_are_plain_text(tmp_path):
    run = a_run(tmp_path)
    assert (run / "settings.toml").read_text() == to_toml(tiny.settings())


# --- the log -------------------------------------------------------------------------------------


def test_the_last_word_of_a_log_is_its_last_processs_error_or_its_last_line(tmp_path):
    run = a_run(tmp_path)
    assert last_word(Run(run).log(1000)) == ""
    log = ["2026-01-01 10:00:00 --- process 1", "2026-01-01 10:00:01 error: an old one"]
    again = ["2026-01-01 11:00:00 --- process 2", "2026-01-01 11:00:01 2 input slices"]
    table = ["error: out of memory", "Traceback", "  line", "rank: 0", "=====", ""]
    for lines, expected in (
        (log, "2026-01-01 10:00:01 error: an old one"),
        ([*log, *again], "2026-01-01 11:00:01 2 input slices"),
        ([*log, *again, *table], "error: out of memory"),
    ):
        (run / "log.txt").write_text("\n".join(lines))
        assert last_word(Run(run).log(1000)) == expected


def test_the_folders_of_plans_and_studies_are_no_runs() -> None:
    with pytest.raises(UserError, match="holds plans of cross-validations"):
        run_folder.new_run_path("plans")
    with pytest.raises(UserError, match="holds studies"):
        run_folder.new_run_path("studies")
