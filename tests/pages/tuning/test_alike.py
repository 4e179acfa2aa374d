"""One mask everywhere: on the page, by segment, evaluate, in the ZIP file, and in the report."""

import csv
import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ascnet_core import places
from ascnet_core.cli import main
from ascnet_core.imaging.phantom.demo import make_demo
from ascnet_core.imaging.volume import read_volume
from ascnet_core.segmentation.threshold import NoThreshold
from ascnet_core.studies.decisions import NOTHING, Decision, decisions_of, holding, record
from ascnet_core.studies.folder import Study, new_study
from ascnet_core.studies.masks import make_masks
from pages.parts.deciding import decide_package
from pages.parts.viewer import findings
from tests.small import make_small_run


def cli(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A manifest and a run: P of two scans, to each of which there is a FLAIR; Q, R; flat F."""
    folder = tmp_path_factory.mktemp("alike")
    manifest = make_demo(folder / "t2", contrast="t2", subjects=4, size=(32, 32, 12))
    with manifest.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    for row, subject in zip(rows, "PPQR", strict=True):
        row["scan"], row["subject"] = row["subject"], subject
    volume = read_volume(manifest.parent / rows[0]["image"]).data
    flat = (volume[:, :, 6] / volume.max() * 255).astype(np.uint8)
    Image.fromarray(flat.T).save(manifest.parent / "flat.png")
    empty = dict.fromkeys(rows[0], "")
    rows.append(empty | {"subject": "F", "scan": "flat", "image": "flat.png"})
    with manifest.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return manifest, make_small_run(folder / "run", manifest)


ON_MAP = {"map": "reconstruction", "level": 110}
OF_EACH = {
    "raw": [
        ON_MAP,
        {"map": "input", "level": 60, "post": ("gate:flair:50",)},
        {"map": "reconstruction", "level": None, "rule": NOTHING},
        {"map": "input", "level": 40},
    ],
    "subject": [
        ON_MAP | {"post": ("components:3",)},
        ON_MAP | {"side": "dark"},
        {"map": "residual", "level": 40, "upper": 140},
        {"map": "residual", "level": 20},
    ],
    "cohort": [
        {"map": "residual", "level": 20},
        ON_MAP | {"side": "dark"},
        {"map": "residual", "level": 10, "upper": 90},
        ON_MAP,
    ],
}
"""Ways by the range of levels: of P, Q, R and F."""


def scans_on_the_page(study: Study, subject: str) -> dict[str, np.ndarray]:
    entry = decisions_of(study, "anna")[subject]
    found = {}
    for scan in study.cohort().scans_of(subject):
        asked = decide_package.ask(study, subject, entry, False)
        shown = findings.load(replace(asked.view, scan=scan.scan))
        if entry.decided.threshold is not None and entry.decided.rule == NOTHING:
            shown = replace(shown, threshold=entry.decided.threshold)
        assert not isinstance(shown.threshold, NoThreshold)
        found[scan.scan] = findings.cleaned(shown).mask
    return found


@pytest.mark.parametrize(("range_", "flip"), [("raw", False), ("subject", True), ("cohort", False)])
def test_one_mask_everywhere(
    files: tuple[Path, Path],
    own_cache: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    range_: str,
    flip: bool,
) -> None:
    monkeypatch.setattr(places, "RUNS", tmp_path / "checkpoints")
    study, page = new_study("s", *files, flip=flip), {}
    for subject, way in zip(study.subjects, OF_EACH[range_], strict=True):
        how = {"rule": "", "side": "bright", "range": range_} | way
        record(study, Decision("anna", subject, **how))
        before = scans_on_the_page(study, subject)
        edits = [
            {"scan": scan, "voxel": np.argwhere(mask)[0].tolist(), "act": "drop"}
            for scan, mask in before.items()
            if mask.any()
        ]
        if way.get("rule") != NOTHING and subject != "F":
            assert edits, "the level gives no piece to try with"
            record(study, Decision("anna", subject, pieces=edits, **how))
        page |= scans_on_the_page(study, subject)
    assert cli("segment", "--study", "s", "-o", tmp_path / "m") == 0
    with (tmp_path / "m" / "segmentation.csv").open(newline="") as stream:
        rows = {row["scan"]: row for row in csv.DictReader(stream)}
    for scan, mask in page.items():
        assert np.array_equal(read_volume(rows[scan]["mask"]).data > 0, mask), scan
    assert cli("study", "apply", "s", "-o", tmp_path / "z", "--zip") == 0
    with zipfile.ZipFile(tmp_path / "z" / "masks.zip") as packed:
        for scan in page:
            name = Path(rows[scan]["mask"]).name
            assert packed.read(f"masks/{name}") == Path(rows[scan]["mask"]).read_bytes()
        table = csv.DictReader(io.StringIO(packed.read("segmentation.csv").decode()))
        assert [row["voxels"] for row in table] == [row["voxels"] for row in rows.values()]
    entries = {entry.subject: [entry] for entry in holding(study)}
    for _, made in make_masks(study, entries, "cpu", lambda *_: None):
        assert not isinstance(made, Exception), made
        for one in made:
            assert np.array_equal(one.masks[0], page[one.kept.scan.scan])
    assert cli("evaluate", "--study", "s", "-o", tmp_path / "e", "--fast", "--no-baselines",
               "--unit", "scan") == 0  # fmt: skip
    summary = json.loads((tmp_path / "e" / "summary.json").read_text())
    name = summary["decided"]["rule"]
    with (tmp_path / "e" / "subjects.csv").open(newline="") as stream:
        scored = {row["scan"]: row for row in csv.DictReader(stream) if row["rule"] == name}
    assert set(scored) == set(page)
    for scan, row in scored.items():
        assert float(row["volume_ml"]) == pytest.approx(float(rows[scan]["volume_ml"]), abs=1e-3)
