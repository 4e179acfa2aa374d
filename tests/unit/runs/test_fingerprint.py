"""What a run keeps of the scans that it learnt from."""

import json

import numpy as np
import pytest

from ascnet_core.imaging.cohort import Scan
from ascnet_core.imaging.signs import BINS, Signs
from ascnet_core.places import FINGERPRINT
from ascnet_core.runs.export import files_to_export
from ascnet_core.runs.fingerprint import (
    Fingerprint,
    distances,
    plain,
    read_fingerprint,
    write_fingerprint,
)


def bump(at: float, width: float = 3.0) -> np.ndarray:
    """A histogram (32,) with one peak."""
    shares = np.exp(-0.5 * ((np.arange(BINS) - at) / width) ** 2)
    return shares / shares.sum()


def signs(at: float = 16, **more) -> Signs:
    return Signs(bump(at), 0.02, 30, (1, 1, 4), 0, "", "v")._replace(**more)


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "first"
    folder.mkdir()
    (folder / "settings.toml").write_text("")
    return folder


def test_what_is_written_is_read_back(run, tmp_path):
    rows = [
        (Scan(f"s{n}", f"s{n}", tmp_path / "x.nii", modality="T2-w"), signs(10 + n, voxels=f"v{n}"))
        for n in range(6)
    ]
    rows.append((Scan("p", "p", tmp_path / "p.png"), signs(skull=float("nan"), spacing=None)))
    write_fingerprint(run, rows)
    found = read_fingerprint(run)
    assert found.run == "first"
    assert {"s0", "s5", "p"} <= found.subjects
    assert {"v0", "v5"} <= found.voxels
    assert found.modalities == {"t2w"}
    assert found.histograms == pytest.approx(np.array([one.histogram for _, one in rows]), abs=1e-4)
    assert found.slices.tolist() == [30] * 7
    assert found.spacing[0].tolist() == [1, 1, 4]
    assert np.isnan(found.spacing[6]).all()
    assert np.isnan(found.skull[6])
    assert found.has_skull is False
    json.loads((run / FINGERPRINT).read_text(), parse_constant=pytest.fail)  # no NaN: plain JSON


def test_an_older_run_knows_its_subjects_and_the_hashes_of_its_files(run):
    (run / "manifest.csv").write_text("subject,image\nanna,x/a.nii\n")
    (run / "reference.csv").write_text("subject,image\nbert,x/b.nii\n")
    (run / "data.json").write_text(json.dumps({"reference": "normal", "sha256": {"a.nii": "12"}}))
    found = read_fingerprint(run)
    assert found.subjects == {"anna", "bert"}
    assert found.files == {"12"}
    assert (found.has_skull, found.furthest) == (None, float("inf"))


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"scans": 3}', '{"scans": [{"subject": 1}]}'])
def test_a_damaged_file_is_as_none(run, content):
    (run / FINGERPRINT).write_text(content)
    (run / "manifest.csv").write_text("subject,image\nanna,x/a.nii\n")
    assert read_fingerprint(run).subjects == {"anna"}


def test_a_model_file_alone_knows_its_name(tmp_path):
    (tmp_path / "net.safetensors").write_bytes(b"")
    assert read_fingerprint(tmp_path / "net.safetensors").run == "net"


def test_equal_histograms_are_not_apart_and_disjoint_ones_wholly():
    far = distances(bump(4, 1), np.array([bump(4, 1), bump(5, 1), bump(28, 1)]))
    assert far[0] == pytest.approx(0, abs=1e-6)
    assert far[0] < far[1] < far[2]
    assert far[2] == pytest.approx(1, abs=1e-3)


def test_the_limit_grows_with_the_spread_of_the_training_and_needs_some_scans():
    def of(places):
        return Fingerprint("r", histograms=np.array([bump(at) for at in places]))

    assert of([10, 10, 10, 10]).furthest == float("inf")
    narrow, wide = of([10, 10.1, 10.2, 10.3, 10.4]), of([4, 10, 16, 22, 28])
    assert narrow.furthest == pytest.approx(0.16)
    assert wide.furthest > 0.5


@pytest.mark.parametrize(
    ("skull", "modalities", "expected"),
    [
        ([0.2, 0.3, 0.25], {"flair"}, True),
        ([0.02, 0.01], {"flair"}, False),
        ([0.02, 0.3], set(), None),
        ([0.02, 0.01], {"ct"}, None),
        ([np.nan], set(), None),
    ],
)
def test_a_run_saw_skull_or_none_or_both(skull, modalities, expected):
    found = Fingerprint("r", skull=np.array(skull), modalities=frozenset(modalities))
    assert found.has_skull is expected


def test_modalities_are_compared_without_signs_and_case():
    assert plain("T2-w") == plain("t2W") == "t2w"


def test_it_travels_with_an_exported_run(run, tmp_path):
    write_fingerprint(run, [(Scan("a", "a", tmp_path / "a.nii"), signs())])
    assert FINGERPRINT in files_to_export(run)[0]
