"""The verb `demo`."""

import errno
import os

import nibabel as nib

from tests.unit.commands.command_line import cli, complaint, rows_of


def test_demo_makes_what_was_asked_for(demo):
    rows = rows_of(demo / "manifest.csv")
    assert len(rows) == 4
    image = nib.load(demo / rows[0]["image"])
    assert image.shape == (48, 48, 12)
    assert {row["group"] for row in rows} == {"normal", "anomalous"}
    assert "image:flair" in rows[0]


def test_a_full_disk_leaves_no_folder_behind(tmp_path, monkeypatch, capsys):
    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("ascnet_core.imaging.phantom.demo.write_volume", full)
    assert cli("demo", tmp_path / "a" / "b" / "d", "--subjects", 2, "--size", "32x32x8") == 2
    assert "the disk is full" in complaint(capsys)
    assert list(tmp_path.iterdir()) == []
