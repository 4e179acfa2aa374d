"""Folders with good and bad files in them: `index` and `segment` do the good, and name the bad."""

import csv

import pytest

from ascnet_core.cli import main
from ascnet_core.imaging.index import index_folder
from tests.corpus.case import EVERYTHING, everything_in, nifti, put
from tests.corpus.flat import FLAT, npy, saved, stack
from tests.corpus.volumes import VOLUMES

CASES = VOLUMES | FLAT
SPOILT = {
    name: case
    for name, case in CASES.items()
    if case.says and not case.how and name not in ("not there", "an unknown suffix", "no suffix")
}


@pytest.mark.parametrize("case", SPOILT.values(), ids=list(SPOILT))
def test_index_goes_on_beside_a_bad_file(case, tmp_path):
    """The good scan is listed; the bad file is no reason to stop, and no file is lost."""
    folder = tmp_path / "scans"
    put(folder / "good_flair.nii", nifti())
    (folder / "bad").mkdir()
    case.make(folder / "bad")
    before = everything_in(folder)
    found = index_folder(folder)
    assert "good" in {row["scan"] for row in found.rows}
    assert everything_in(folder) == before


def test_index_names_the_files_that_cannot_be_read(tmp_path, capfd):
    folder = tmp_path / "scans"
    put(folder / "good_flair.nii", nifti())
    put(folder / "short_flair.nii.gz", b"\x1f\x8b\x08 cut short")
    put(folder / "stack.npy", npy(stack)[:40])
    put(folder / "images" / "broken.png", b"\x89PNG\r\n\x1a\n")
    (folder / "dangling_flair.nii.gz").symlink_to("../.git/annex/objects/nowhere")
    put(folder / "images" / "whole.png", saved_picture())
    assert main(["index", str(folder), "-o", str(tmp_path / "m.csv")]) == 0
    said = capfd.readouterr().out
    for name in ("short_flair.nii.gz", "stack.npy", "broken.png", "dangling_flair.nii.gz"):
        assert name in said
    with (tmp_path / "m.csv").open(newline="", encoding="utf-8") as stream:
        images = {row["image"].rpartition("/")[2] for row in csv.DictReader(stream)}
    assert images == {"good_flair.nii", "whole.png"}


def saved_picture() -> bytes:
    from tests.corpus.flat import grey

    return saved(grey)


@pytest.mark.parametrize("bad", ["constant", "gzip cut short", "NaN", "two frames",
                                 "stack of objects that run code"])  # fmt: skip
def test_segment_does_the_good_scans_and_names_the_bad_one(bad, small_run, tmp_path, capfd):
    case = CASES[bad]
    folder = tmp_path / "scans"
    (folder / "bad").mkdir(parents=True)
    path = case.make(folder / "bad").relative_to(folder)
    put(folder / "x.nii", nifti())
    rows = [("a", "x.nii"), ("broken", str(path)), ("c", "x.nii")]
    with (folder / "m.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([("subject", "image"), *rows])
    out = tmp_path / "out"
    capfd.readouterr()
    status = main(["segment", str(small_run), str(folder / "m.csv"), "-o", str(out),
                   *EVERYTHING])  # fmt: skip
    assert status == 2
    said = capfd.readouterr().err
    assert path.name in said or "broken" in said
    assert len([line for line in said.splitlines() if line.startswith("error: ")]) == 1
    assert {p.name for p in out.glob("*_mask.nii.gz")} == {"a_mask.nii.gz", "c_mask.nii.gz"}
    assert not [p for p in out.iterdir() if ".tmp" in p.name]
