"""Help and exit status, of every verb."""

import re

import pytest

from ascnet_core.cli import build_parser
from ascnet_core.commands.options import RULES_HELP
from tests.unit.commands.command_line import cli, complaint, in_a_process, rows_of

VERBS = ("demo", "index", "train", "segment", "evaluate", "crossval", "report", "run", "app")


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself_by_examples(verb, capsys):
    assert cli(verb, "--help") == 0
    text = capsys.readouterr().out
    assert "examples:" in text
    assert f"python -m ascnet_core {verb} " in text
    assert "--debug" in text


def test_examples_in_help_can_be_parsed(capsys):
    """What a newcomer copies must at least be a command line."""
    parser = build_parser()
    found = 0
    for verb in VERBS:
        cli(verb, "--help")
        text = capsys.readouterr().out.partition("examples:")[2]
        text = re.sub(r"\s*\\\n\s*", " ", text)
        for line in text.splitlines():
            head, _, rest = line.partition(f"python -m ascnet_core {verb} ")
            if not head.strip() and rest:
                parser.parse_args([verb, *re.split(r" {2,}", rest)[0].split()])
                found += 1
    assert found >= 15


def test_without_a_verb_the_help_is_shown(capsys):
    assert cli() == 2
    assert "demo" in capsys.readouterr().out


def test_help_loads_nothing_heavy():
    program = """
        import sys
        from ascnet_core.cli import main
        main(["--help"])
        main(["train", "--help"])
        assert "pydantic" not in sys.modules
        main(["segment", "--help"])
        heavy = {"torch", "numpy", "pandas", "scipy", "nibabel", "skimage"} & set(sys.modules)
        assert not heavy, heavy
    """
    done = in_a_process(program)
    assert done.returncode == 0, done.stderr


def test_demo_and_index_work_without_torch(tmp_path):
    program = f"""
        import sys
        sys.modules["torch"] = None
        from ascnet_core.cli import main
        assert main(["demo", {str(tmp_path / "d")!r}, "--subjects=2", "--size=32x32x8"]) == 0
        assert main(["index", {str(tmp_path / "d")!r}, "-o", {str(tmp_path / "m.csv")!r}]) == 0
    """
    done = in_a_process(program)
    assert done.returncode == 0, done.stderr
    assert len(rows_of(tmp_path / "m.csv")) == 2


def test_the_help_names_all_rules_steps_maps_and_baselines():
    from ascnet_core.commands.evaluate import BASELINES
    from ascnet_core.methods import baselines
    from ascnet_core.network.cutting import CuttingModule
    from ascnet_core.segmentation.cuts import map_names
    from ascnet_core.segmentation.rules import RULES
    from ascnet_core.segmentation.steps import STEPS
    from ascnet_core.settings.methods import METHODS

    for entry in [*RULES.values(), *STEPS.values()]:
        assert f"  {entry.form} " in RULES_HELP
        assert entry.sentence in RULES_HELP
    asc_net = METHODS["asc-net"]
    assert {one.name for one in asc_net.maps} == set(map_names(CuttingModule(2)))
    assert set(BASELINES) == set(baselines.BASELINES)


def test_list_settings_prints_every_setting(capsys):
    from ascnet_core.settings.text import keys

    assert cli("train", "--list-settings", "--preset", "paper", "--set", "schedule.seed=7") == 0
    text = capsys.readouterr().out
    assert "schedule.seed=7\n" in text
    assert all(f"\n{key}=" in text for key in keys())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["fly"], "invalid choice"),
        (["segment", "RUN", "IMAGE"], "-o"),
        (["demo", "OUT", "--size", "96x96"], "96x96x32"),
        (["demo", "OUT", "--subjects", "1"], "at least 2"),
        (["index", "NOWHERE"], "NOWHERE"),
        (["train", "NOWHERE.csv", "--name", "x"], "NOWHERE.csv"),
        (["train", "NOWHERE.csv"], "--name"),
        (["train", "--name", "x"], "MANIFEST"),
        (["train", "--resume", "NOWHERE"], "no run 'NOWHERE'"),
        (["train", "M.csv", "--name", "x", "--preset", "best"], "no preset 'best'"),
        (["train", "M.csv", "--name", "x", "--set", "data.sizes=3"], "data.size"),
        (["train", "M.csv", "--name", "x", "--set", "data.size=30"], "multiple of 16"),
        (["train", "M.csv", "--name", "x", "--device", "tpu"], "--device"),
        (["train", "M.csv", "--name", "x", "--device", "cuda:97"], "cuda:97"),
        (["train", "M.csv", "--name", ".."], "cannot name a run"),
        (["segment", "NOWHERE", "I.nii", "-o", "OUT"], "I.nii is not there"),
        (["evaluate", "NOWHERE.csv", "-o", "OUT"], "NOWHERE.csv"),
        (["evaluate", "NOWHERE.csv", "-o", "OUT", "--no-baselines"], "nothing to evaluate"),
        (["evaluate", "M.csv", "-o", "OUT.csv"], "folder"),
    ],
)
def test_what_the_user_can_mend_is_one_line_and_status_2(
    arguments, said, capsys, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    assert cli(*arguments) == 2
    assert said in complaint(capsys)
    assert not (tmp_path / "OUT").exists()


def test_a_failure_of_ours_is_status_1_and_debug_shows_it(monkeypatch, capsys, tmp_path):
    def fails(*args, **kwargs):
        raise ZeroDivisionError("two\nlines")

    monkeypatch.setattr("ascnet_core.imaging.phantom.demo.make_demo", fails)
    assert cli("demo", tmp_path / "d") == 1
    line = complaint(capsys)
    assert "ZeroDivisionError: two lines" in line
    assert "--debug" in line
    assert cli("demo", tmp_path / "d", "--debug") == 1
    assert "Traceback" in capsys.readouterr().err


def test_an_interruption_is_no_traceback(monkeypatch, capsys, tmp_path):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("ascnet_core.imaging.phantom.demo.make_demo", interrupted)
    assert cli("demo", tmp_path / "d") == 1
    assert "interrupted" in complaint(capsys)
