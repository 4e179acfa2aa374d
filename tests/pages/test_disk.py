"""Pages show what is on the disk: stamps of files, and pages after a file has changed."""

import os
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from ascnet_core.imaging.cohort import Scan, read_manifest
from ascnet_core.places import CUTS, SETTINGS, SNAPSHOTS
from ascnet_core.runs.folder import Run, Snapshot
from pages.parts.shared import cohorts, disk, runs
from pages.parts.watch import live_run, stopping
from tests.pages.conftest import ROOT


def _same_time(path: Path, change) -> None:
    """Change a file and give it back its time of modification."""
    before = path.stat()
    change()
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.fixture
def own_cohort(small_cohort: Path, tmp_path: Path) -> Path:
    """A copy of the small cohort that a test may change; its manifest."""
    shutil.copytree(small_cohort.parent, tmp_path / "own")
    return tmp_path / "own" / "manifest.csv"


def _open(page: str, cohort: Path | str, **query: str) -> AppTest:
    at = AppTest.from_file(ROOT / "pages" / f"{page}.py", default_timeout=120)
    at.query_params["cohort"] = str(cohort)
    for key, value in query.items():
        at.query_params[key] = value
    return at.run()


def _redraw(mask: Path, value: int = 1, voxels: int = 5) -> None:
    """Replace a mask by a cube of so many voxels a side."""
    old = nib.load(mask)
    new = np.zeros(old.shape, np.uint8)
    new[10 : 10 + voxels, 10 : 10 + voxels, 3:8] = value
    nib.save(nib.Nifti1Image(new, old.affine), mask)


def test_a_stamp_tells_size_content_time_entry_and_absence(tmp_path: Path) -> None:
    file = tmp_path / "a.nii"
    seen = [disk.stamp([file])]
    file.write_bytes(b"abc")
    seen.append(disk.stamp([file]))
    assert disk.stamp([file]) == seen[-1]
    _same_time(file, lambda: file.write_bytes(b"abcd"))
    seen.append(disk.stamp([file]))  # another size, the same time
    other = tmp_path / "b"
    other.write_bytes(b"ABCD")
    os.utime(other, ns=(file.stat().st_atime_ns, file.stat().st_mtime_ns))
    other.replace(file)
    seen.append(disk.stamp([file]))  # another file of the same size and time
    file.unlink()
    seen.append(disk.stamp([file]))
    assert len(set(seen[:-1])) == 4
    assert seen[-1] == seen[0]


def test_a_stamp_of_a_folder_tells_files_at_any_depth_and_ends_in_a_ring_of_links(
    tmp_path: Path,
) -> None:
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    (deep / "back").symlink_to(tmp_path)
    (deep / "dangling").symlink_to(tmp_path / "nowhere")
    before = disk.stamp([tmp_path])
    (deep / "new.nii").write_bytes(b"x")
    assert disk.stamp([tmp_path]) != before


@pytest.mark.parametrize("part", ["image", "mask", "region", "T1", "slice", "slice region"])
def test_the_stamp_of_a_scan_covers_every_file_of_it(tmp_path: Path, part: str) -> None:
    names = ("image", "mask", "region", "T1", "slice", "slice region")
    at = {name: tmp_path / f"{name}.nii" for name in names}
    for path in at.values():
        path.write_bytes(b"x")
    scan = Scan("s", "s", at["image"], at["mask"], at["region"], further={"T1": at["T1"]},
                series=((at["image"], None), (at["slice"], at["slice region"])))  # fmt: skip
    before = disk.scan_stamp(scan)
    at[part].write_bytes(b"xy")
    assert disk.scan_stamp(scan) != before


def test_a_change_of_the_other_file_of_a_pair_is_seen(tmp_path: Path) -> None:
    image, header = tmp_path / "a.img", tmp_path / "a.hdr"
    image.write_bytes(b"x")
    header.write_bytes(b"x")
    before = disk.scan_stamp(Scan("s", "s", image))
    header.write_bytes(b"xy")
    assert disk.scan_stamp(Scan("s", "s", image)) != before


def test_an_image_that_is_a_folder_stands_for_its_files(tmp_path: Path) -> None:
    folder = tmp_path / "series"
    (folder / "deep").mkdir(parents=True)
    for name in ("1.dcm", "deep/2.dcm"):
        (folder / name).write_bytes(b"x")
    for image in (folder, tmp_path / "series#2", folder / "#2"):
        scan = Scan("s", "s", image)
        assert disk.files_of(scan) == (folder / "1.dcm", folder / "deep" / "2.dcm")
        before = disk.scan_stamp(scan)
        (folder / "deep" / "2.dcm").write_bytes(before.encode())
        assert disk.scan_stamp(scan) != before


def test_settings_of_a_run_are_part_of_its_stamp(small_run: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(small_run, run)
    before = runs.run_stamp(str(run))
    with (run / SETTINGS).open("a") as stream:
        stream.write("\n")
    assert runs.run_stamp(str(run)) != before


def test_a_mask_drawn_anew_shows_at_the_next_rerun_of_data(own_cache, own_cohort: Path) -> None:
    at = _open("data", own_cohort)
    table = at.dataframe[0].value
    scans = read_manifest(own_cohort).scans
    row = next(i for i, scan in enumerate(scans) if scan.group == "anomalous")
    _redraw(scans[row].mask, voxels=5)
    new = at.run().dataframe[0].value
    assert not at.exception
    assert new["lesion, ml"][row] != table["lesion, ml"][row]
    assert new["slices, lesion"][row] == 5


def test_a_mask_drawn_anew_shows_in_threshold_and_in_the_means_of_the_cohort(
    own_cache, own_cohort: Path, small_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ascnet_core.studies.counts import background
    from pages.parts.viewer import viewer

    sent: list[dict] = []
    monkeypatch.setattr(viewer, "show_viewer", lambda data, *_: sent.append(data))
    scans = [s for s in read_manifest(own_cohort).scans if s.group == "anomalous"]
    at = _open("threshold", own_cohort, run=str(small_run), subject=scans[0].scan, scope="cohort")

    def shown() -> dict:
        """What is sent once the cohort is counted, which happens beside."""
        at.run()
        assert background.wait(60)
        at.run()
        assert not at.exception
        return sent[-1]

    before = shown()
    _redraw(scans[0].mask)
    now = shown()
    assert now["true"] == 125 != before["true"]
    _redraw(scans[1].mask)  # a mask of another scan counts in the cohort's mean Dice
    assert shown()["meanDice"] != now["meanDice"] != before["meanDice"]


def test_a_file_that_is_gone_is_a_sentence(own_cache, own_cohort: Path, small_run: Path) -> None:
    scans = read_manifest(own_cohort).scans
    pages = [_open("data", own_cohort)]
    pages += [_open(page, own_cohort, run=str(small_run)) for page in ("cuts", "threshold")]
    for at in pages:
        assert not at.error
    for scan in scans[1:]:
        scan.image.unlink()
    for at in pages:
        at.run()
        assert not at.exception
        assert any("is not there" in error.value for error in at.error)


def test_files_that_come_into_a_nested_folder_are_seen(
    own_cache, small_cohort: Path, tmp_path: Path
) -> None:
    scan = read_manifest(small_cohort).scans[0]
    folder = tmp_path / "study"
    for patient in ("p1", "p2"):
        (folder / "site" / patient).mkdir(parents=True)
    shutil.copy(scan.image, folder / "site" / "p1" / "p1_flair.nii.gz")
    assert len(cohorts.load_cohort(str(folder)).scans) == 1
    shutil.copy(scan.image, folder / "site" / "p2" / "p2_flair.nii.gz")
    (folder / "site" / "p2" / "notes.doc").write_text("x")
    assert len(cohorts.load_cohort(str(folder)).scans) == 2
    left_out = cohorts.looked_through(str(folder)).left_out
    assert [path.name for path, _ in left_out] == ["notes.doc"]
    shutil.rmtree(folder / "site" / "p1")
    assert len(cohorts.load_cohort(str(folder)).scans) == 1


def test_an_evaluation_of_masks_as_they_were_is_not_shown_as_todays(
    own_cache, own_cohort: Path, small_run: Path
) -> None:
    from pages.parts.shared import jobs

    asked: list[Path] = []
    kept = jobs.read

    def read(folder: Path, result: str) -> jobs.Job:
        asked.append(folder)
        return kept(folder, result)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jobs, "read", read)
        at = _open("evaluation", own_cohort, run=str(small_run))
        at.run()
        assert asked[0] == asked[-1]
        mask = next(s.mask for s in read_manifest(own_cohort).scans if s.group == "anomalous")
        _same_time(mask, lambda: _redraw(mask))
        at.run()
    assert asked[0] != asked[-1]


def test_a_manifest_of_the_same_time_and_another_content_is_read_again(
    own_cache, own_cohort: Path
) -> None:
    assert len(cohorts.load_cohort(str(own_cohort)).scans) == 4
    table = pd.read_csv(own_cohort)
    _same_time(own_cohort, lambda: table[:3].to_csv(own_cohort, index=False))
    assert len(cohorts.load_cohort(str(own_cohort)).scans) == 3


def test_events_of_another_run_at_the_same_path_are_read_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(st, "session_state", {})
    events = tmp_path / "events.jsonl"
    events.write_text('{"kind": "step", "step": 1}\n')
    assert [e["step"] for e in live_run.read_new_events(events)] == [1]
    with events.open("a") as stream:
        stream.write('{"kind": "step", "step": 2}\n')
    assert [e["step"] for e in live_run.read_new_events(events)] == [1, 2]
    other = tmp_path / "other.jsonl"
    other.write_text('{"kind": "step", "step": 7}\n' * 5)
    other.replace(events)
    assert [e["step"] for e in live_run.read_new_events(events)] == [7] * 5


def test_a_snapshot_that_was_written_anew_is_measured_anew(
    own_cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, read, load = Run(tmp_path / "run"), list[str](), Run.load_snapshot
    shutil.copytree(ROOT / "checkpoints" / "demo-flair", run.path)

    def counted(run: Run, snapshot: Snapshot) -> object:
        read.append(snapshot.path.name)
        return load(run, snapshot)

    monkeypatch.setattr(Run, "load_snapshot", counted)
    names = [point.path.name for point in stopping.history_of(run).points]
    assert read == names
    stopping.history_of(run)
    assert read == names
    newest = run.path / SNAPSHOTS / names[-1] / CUTS
    shutil.copy(newest, tmp_path / "cuts")
    (tmp_path / "cuts").replace(newest)
    stopping.history_of(run)
    assert read == [*names, names[-1]]


def test_a_folder_of_the_longest_name_is_indexed(
    own_cache, small_cohort: Path, tmp_path: Path
) -> None:
    folder = tmp_path / ("脳" * 85)  # 255 bytes
    folder.mkdir()
    shutil.copy(read_manifest(small_cohort).scans[0].image, folder / "p1_flair.nii.gz")
    assert len(cohorts.load_cohort(str(folder)).scans) == 1
