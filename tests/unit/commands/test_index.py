"""The verb `index`."""

import nibabel as nib
import numpy as np

from tests.unit.commands.command_line import cli, rows_of


def test_index_writes_a_manifest_and_says_what_it_left_out(tmp_path, capsys):
    image = nib.Nifti1Image(np.arange(60.0).reshape(3, 4, 5), np.eye(4))
    for name in ("p1_flair", "p1_mask", "p2_flair"):
        nib.save(image, tmp_path / f"{name}.nii.gz")
    (tmp_path / "notes.txt").write_text("hello")
    assert cli("index", tmp_path) == 0
    said = capsys.readouterr().out
    rows = rows_of(tmp_path / "manifest.csv")
    assert [row["subject"] for row in rows] == ["p1", "p2"]
    assert rows[0]["mask"] == "p1_mask.nii.gz"
    assert "2 scans of 2 subjects, 1 with a mask" in said
