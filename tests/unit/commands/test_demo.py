"""The verb `demo`."""

import nibabel as nib

from tests.unit.commands.command_line import rows_of


def test_demo_makes_what_was_asked_for(demo):
    rows = rows_of(demo / "manifest.csv")
    assert len(rows) == 4
    image = nib.load(demo / rows[0]["image"])
    assert image.shape == (48, 48, 12)
    assert {row["group"] for row in rows} == {"normal", "anomalous"}
    assert "image:flair" in rows[0]
