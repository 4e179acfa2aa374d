"""Every odd mask: the millilitres it means and Dice 1, or one sentence."""

import csv
import re

import numpy as np
import pytest
from PIL import Image

from ascnet_core.cli import main
from ascnet_core.errors import UserError
from ascnet_core.imaging.cohort import Scan
from ascnet_core.imaging.prepare import Preparation, prepare_scan
from tests.corpus.case import Case, nifti, put, scan
from tests.corpus.masks import MASKS


def files(case: Case, folder) -> tuple:
    """The image and the mask."""
    mask = case.make(folder)
    if case.name.startswith("picture"):
        Image.fromarray((scan()[:, :, 2].T // 4).astype(np.uint8)).save(folder / "x.png")
        return folder / "x.png", mask
    return put(folder / "x.nii", nifti()), mask


@pytest.mark.parametrize("case", MASKS.values(), ids=list(MASKS))
def test_a_mask_means_its_millilitres_or_is_refused(case, tmp_path, capfd):
    image, mask = files(case, tmp_path)
    made, sentence = None, ""
    try:
        made = prepare_scan(Scan("x", "x", image, mask), Preparation(size=32))
    except UserError as error:
        sentence = str(error)
    if made is None:
        assert case.ml is None, sentence
        assert re.search(case.says, sentence, re.IGNORECASE), sentence
    else:
        assert not case.says, "this should have been refused"
        found = float(made.truth.sum()) * made.volume.voxel_ml
        assert case.ml is None or found == pytest.approx(case.ml, rel=1e-5)
    if mask.is_file():
        evaluated(case, image, mask, tmp_path, sentence, capfd)


def evaluated(case: Case, image, mask, folder, sentence: str, capfd) -> None:
    (folder / "m.csv").write_text(f"subject,image,mask\nx,{image.name},{mask.name}\n")
    capfd.readouterr()
    out = folder / "scores"
    status = main(["evaluate", str(folder / "m.csv"), "-o", str(out), "--method", "input-threshold",
                   "--threshold", "230", "--post", "none", "--region", "none", "--fast",
                   "--no-oracle"])  # fmt: skip
    said = capfd.readouterr().err
    assert "Traceback" not in said
    assert "fault of this program" not in said
    if sentence:
        assert status == 2
        assert re.search(case.says, said, re.IGNORECASE), said
        assert not list(folder.rglob("subjects.csv"))
        return
    if case.ml is None and status == 2:
        return
    assert status == 0, said
    with (out / "subjects.csv").open(newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["rule"] == "230"]
    if case.ml:
        assert [float(row["dice"]) for row in rows] == [1.0]
