"""`train` without `--preset` says which one suits the scans, where the default does not."""

from ascnet_core.imaging.cohort import write_manifest
from tests.unit.commands.command_line import TINY, cli, rows_of


def test_the_default_on_scans_of_patients_is_doubted(demo, tmp_path, capsys):
    rows = rows_of(demo / "manifest.csv")
    for number, row in enumerate(rows):
        row |= {c: str(demo / cell) for c, cell in row.items() if cell.endswith(".nii.gz")}
        row["subject"] = f"patient{number}"
    write_manifest(tmp_path / "patients.csv", rows)
    options = [word for word in TINY if word not in ("--preset", "teaching")]
    for manifest, doubted in ((tmp_path / "patients.csv", True), (demo / "manifest.csv", False)):
        name = tmp_path / f"run-{doubted}"
        assert cli("train", manifest, "--name", name, *options) == 0
        said = capsys.readouterr().err
        assert ("is proposed" in said and "--preset two-cut-self-training" in said) is doubted
    assert cli("train", tmp_path / "patients.csv", "--name", tmp_path / "c", *options,
               "--preset", "teaching") == 0  # fmt: skip
    assert "is proposed" not in capsys.readouterr().err
