import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from ascnet_core import places
from ascnet_core.errors import UserError
from ascnet_core.imaging.cohort import Cohort, Scan, read_manifest
from ascnet_core.runs import folder as run_folder
from ascnet_core.runs.create import check_data, reference_of
from ascnet_core.runs.folder import Run, last_word
from ascnet_core.settings.text import to_toml
from tests.unit.runs.created import a_cohort, a_run, create_run
from tests.unit.training import tiny

ROOT = Path(__file__).resolve().parents[3]


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
