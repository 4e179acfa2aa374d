"""A handful of bad and odd inputs as a user meets them: a process, its status and its streams."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.corpus.case import EVERYTHING, MARK
from tests.corpus.flat import FLAT
from tests.corpus.volumes import VOLUMES

ROOT = Path(__file__).resolve().parents[2]
CASES = VOLUMES | FLAT
CHOSEN = ["plain", "a pipe that nobody fills", "stack of objects that run code"]


@pytest.fixture(scope="module")
def done(small_run, tmp_path_factory):
    """The processes of all cases, side by side: most of each is the start of Python."""
    found, begun = {}, {}
    for name in CHOSEN:
        folder = tmp_path_factory.mktemp("process")
        path = CASES[name].make(folder)
        words = ["segment", str(small_run), str(path), "-o", "out", *EVERYTHING]
        begun[name] = folder, subprocess.Popen(
            [sys.executable, "-m", "ascnet_core", *words],
            cwd=folder, env={"PYTHONPATH": str(ROOT), "PATH": "", "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
    for name, (folder, process) in begun.items():
        out, error = process.communicate(timeout=120)
        found[name] = folder, process.returncode, out, error
    return found


@pytest.mark.parametrize("name", CHOSEN)
def test_a_process_ends_with_0_and_a_mask_or_with_2_and_one_line(name, done):
    folder, status, out, error = done[name]
    case = CASES[name]
    assert "Traceback" not in error
    assert "Warning" not in error
    masks = list(folder.glob("out/*_mask*"))
    if status == 2:
        assert case.ml is None, error
        assert len(error.splitlines()) == 1, error
        assert error.startswith("error: ")
        assert not masks
    else:
        assert status == 0, error
        assert not case.says
        assert len(masks) == 1
        assert str(masks[0].name) in out
    assert not (folder / MARK).exists()
    assert not [p for p in folder.rglob("*") if ".tmp" in p.name]


@pytest.mark.parametrize("name", ["originals/mslesseg_P18_T1_FLAIR.nii.gz", "odd"])
def test_published_files_are_segmented_or_refused(name, real_data, small_run, tmp_path, capfd):
    """All of `odd`, and a scan as it was published."""
    from ascnet_core.cli import main

    place = real_data / name
    for path in sorted(place.iterdir()) if place.is_dir() else [place]:
        out = tmp_path / path.name.replace(".", "_")
        frame = ["--frame", "0", "--nan", "0"]
        status = main(["segment", str(small_run), str(path), "-o", str(out), *frame, *EVERYTHING])
        said = capfd.readouterr().err
        reasons = {"nifti1.hdr": "image data", "standard.nii.gz": "constant"}
        if path.name in reasons:
            assert status == 2
            assert reasons[path.name] in said
        else:
            assert status == 0, said
            assert len(list(out.glob("*_mask.nii.gz"))) == 1
