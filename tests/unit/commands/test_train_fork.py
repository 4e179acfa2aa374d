"""`train --fork`: a new run from a kept cycle of another one."""

import shutil

import pytest

from ascnet_core.runs.create import reference_of
from ascnet_core.runs.folder import Run
from ascnet_core.runs.parent import read_parent
from tests.unit.commands.command_line import cli, complaint

ONE_CYCLE = ["--set", "schedule.stage_1=1", "--device", "cpu"]


def test_a_fork_has_the_data_and_settings_of_its_run_but_for_what_is_set(run, tmp_path, capsys):
    path = tmp_path / "forked"
    assert cli("train", "--fork", run, "--cycle", 1, "--name", path, *ONE_CYCLE) == 0
    said = "forked from tiny, stage 1, cycle 1, with M alone"
    assert said in capsys.readouterr().out
    reader, before = Run(path), Run(run)
    assert reader.status() == "finished"
    assert [s.total_cycle for s in reader.snapshots()] == [0, 1]
    images = [[s.image.resolve() for s in one.cohort().scans] for one in (reader, before)]
    assert images[0] == images[1]
    assert reference_of(path) == reference_of(run)
    assert reader.settings().network == before.settings().network
    assert reader.settings().schedule.stage_1 == 1
    assert read_parent(path).run == "tiny"
    assert f"| began | {said} |" in (path / "card.md").read_text()
    assert "--fork" in reader.command()
    # and it is resumed and extended like any run
    assert cli("train", "--resume", path, "--set", "schedule.stage_1=2", "--device", "cpu") == 0
    assert [s.total_cycle for s in reader.snapshots()] == [0, 1, 2]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--fork", "RUN", "--name", "NEW", "--set", "network.width=4"],
         "network.width cannot change in a fork"),
        (["--fork", "RUN", "--name", "NEW", "--cycle", "7"], "kept no cycle 7"),
        (["--fork", "RUN", "--name", "NEW", "--preset", "paper"], "does not go with --fork"),
        (["--fork", "RUN"], "give it a name by --name"),
        (["--fork", "RUN", "--resume", "RUN"], "give it a name by --name"),
        (["--fork", "nobody", "--name", "NEW"], "There is no run 'nobody'"),
        (["--fork", "RUN", "--name", "RUN"], "is a run already"),
        (["MANIFEST", "--name", "NEW", "--cycle", "1"], "belongs to --fork"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_before_anything_is_made(
    run, demo, tmp_path, arguments, said, capsys
):
    places = {"RUN": run, "NEW": tmp_path / "new", "MANIFEST": demo / "manifest.csv"}
    assert cli("train", *(places.get(word, word) for word in arguments)) == 2
    assert said in complaint(capsys)
    assert not (tmp_path / "new").exists()


def test_a_run_whose_data_is_gone_is_forked_onto_other_data(run, demo, tmp_path, capsys):
    passed_on, path = tmp_path / "other" / "place" / "tiny", tmp_path / "forked"
    shutil.copytree(run, passed_on)
    assert cli("train", "--fork", passed_on, "--name", path, *ONE_CYCLE) == 2
    assert "give the MANIFEST to train on" in complaint(capsys)
    manifest = demo / "manifest.csv"
    assert cli("train", manifest, "--fork", passed_on, "--name", path, *ONE_CYCLE) == 0
    assert read_parent(path).whole
    assert len(Run(path).cohort().scans) == 4
