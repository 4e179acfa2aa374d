import csv
import json
import re
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PIL import Image

from ascnet_core.cli import build_parser, main
from ascnet_core.commands.options import MAPS, RULES_HELP
from ascnet_core.commands.progress import Progress, duration
from ascnet_core.training.run_folder import (
    Run,
    request_go,
    request_pause,
    request_stop,
    start_training,
)

ROOT = Path(__file__).resolve().parents[2]
VERBS = ("demo", "index", "train", "segment", "evaluate", "crossval", "report")
TINY = [
    "--set=data.size=32",
    "--set=network.width=2",
    "--set=schedule.stage_1=2",
    "--set=schedule.steps=3",
    "--set=schedule.batch_m=4",
]


def cli(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """A demo cohort of four small subjects."""
    out = tmp_path_factory.mktemp("cohort") / "demo"
    assert cli("demo", out, "--subjects", 4, "--size", "48x48x12", "--contrast", "t2") == 0
    return out


@pytest.fixture(scope="module")
def run(demo, tmp_path_factory):
    """A run that has hardly learnt anything, trained from the command line."""
    path = tmp_path_factory.mktemp("runs") / "tiny"
    assert cli("train", demo / "manifest.csv", "--name", path, "--device", "cpu", *TINY) == 0
    return path


def rows_of(table: Path) -> list[dict[str, str]]:
    with table.open(newline="") as stream:
        return list(csv.DictReader(stream))


def complaint(capsys) -> str:
    """The only line on stderr."""
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("error: ")
    return lines[0]


def in_a_process(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


# --- help ----------------------------------------------------------------------------------------


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
        main(["train", "--help"])
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
    from ascnet_core.methods import asc_net
    from ascnet_core.methods import baselines as methods
    from ascnet_core.segmentation.postprocess import STEPS
    from ascnet_core.segmentation.threshold import RULES

    for name in [*RULES, *STEPS]:
        if name not in ("NUMBER", "components:largest", "multi-otsu"):
            assert name in RULES_HELP, name
    assert set(MAPS) == set(asc_net.MAPS)
    assert set(BASELINES) == set(methods.BASELINES)


def test_list_settings_prints_every_setting(capsys):
    from ascnet_core.training.presets import keys

    assert cli("train", "--list-settings", "--preset", "paper", "--set", "schedule.seed=7") == 0
    text = capsys.readouterr().out
    assert "schedule.seed=7\n" in text
    assert all(f"\n{key}=" in text for key in keys())


# --- exit status ---------------------------------------------------------------------------------


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

    monkeypatch.setattr("ascnet_core.imaging.phantom.make_demo", fails)
    assert cli("demo", tmp_path / "d") == 1
    line = complaint(capsys)
    assert "ZeroDivisionError: two lines" in line
    assert "--debug" in line
    assert cli("demo", tmp_path / "d", "--debug") == 1
    assert "Traceback" in capsys.readouterr().err


def test_an_interruption_is_no_traceback(monkeypatch, capsys, tmp_path):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("ascnet_core.imaging.phantom.make_demo", interrupted)
    assert cli("demo", tmp_path / "d") == 1
    assert "interrupted" in complaint(capsys)


# --- demo and index ------------------------------------------------------------------------------


def test_demo_makes_what_was_asked_for(demo):
    rows = rows_of(demo / "manifest.csv")
    assert len(rows) == 4
    image = nib.load(demo / rows[0]["image"])
    assert image.shape == (48, 48, 12)
    assert {row["group"] for row in rows} == {"normal", "anomalous"}
    assert "image:flair" in rows[0]


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


# --- train ---------------------------------------------------------------------------------------


def test_train_leaves_a_finished_run(run, demo):
    assert Run(run).status() == "finished"
    settings = Run(run).settings()
    assert (settings.preset, settings.data.size, settings.network.width) == ("teaching", 32, 2)
    assert len(Run(run).snapshots()) == 3
    assert len(Run(run).cohort().scans) == 4
    assert Run(run).command().startswith("python -m ascnet_core train ")
    assert "finished after" in Run(run).log()


def test_the_card_says_what_the_run_is_and_a_hand_written_one_stays(run, demo, tmp_path):
    card = (run / "card.md").read_text()
    assert "teaching" in card
    assert "4 scans of 4 subjects" in card
    assert "6 of 6 steps" in card
    assert "finished" in card
    assert Run(run).command() in card
    path = tmp_path / "run"
    assert cli("train", demo / "manifest.csv", "--name", path, *TINY) == 0
    (path / "card.md").write_text("# By hand\n")
    assert cli("train", "--resume", path) == 0
    assert (path / "card.md").read_text() == "# By hand\n"


def test_train_does_not_write_over_a_run(run, demo, capsys):
    before = (run / "model.safetensors").read_bytes()
    assert cli("train", demo / "manifest.csv", "--name", run, *TINY) == 2
    assert "is a run already" in complaint(capsys)
    assert (run / "model.safetensors").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--set", "network.width=4"], "network.width cannot change"),
        (["--preset", "paper"], "keeps its own"),
        (["--reference", "normal"], "keeps its own"),
        (["MANIFEST"], "the run knows them"),
    ],
)
def test_a_run_that_goes_on_keeps_its_settings(run, arguments, said, capsys):
    flags = [a for a in arguments if a != "MANIFEST"]
    first = ["MANIFEST"] if "MANIFEST" in arguments else []
    assert cli("train", *first, "--resume", run, *flags) == 2
    assert said in complaint(capsys)


def test_a_run_is_extended_by_resume(demo, tmp_path):
    path = tmp_path / "run"
    assert cli("train", demo / "manifest.csv", "--name", path, *TINY, "--resume") == 0
    again = ["--set", "schedule.stage_1=3", "--device", "cpu"]
    assert cli("train", "--resume", path, *again) == 0
    assert [s.total_cycle for s in Run(path).snapshots()] == [0, 1, 2, 3]
    assert len(Run(path).command().splitlines()) == 2
    assert Run(path).settings().schedule.stage_1 == 3


def wait_for(condition, seconds=90.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def test_a_process_of_its_own_is_paused_stopped_and_gone_on_with(demo, tmp_path, capsys):
    path = tmp_path / "own"
    long = ["--set", "schedule.stage_1=500", "--set", "schedule.log_every=1", "--device", "cpu"]
    pid = start_training([str(demo / "manifest.csv"), "--name", str(path), *TINY, *long])
    assert pid > 0
    reader = Run(path)
    assert reader.status() == "running"
    try:
        wait_for(lambda: reader.progress() is not None and reader.progress().step > 0)
        assert cli("train", "--resume", path) == 2
        assert f"process {pid}" in complaint(capsys)
        assert request_pause(path)
        wait_for(lambda: reader.status() == "paused")
        step = reader.progress().step
        time.sleep(0.3)
        assert reader.progress().step == step
        assert request_go(path)
        wait_for(lambda: reader.progress().step > step)
    finally:
        request_stop(path)
    wait_for(lambda: reader.status() != "running")
    assert reader.status() == "stopped"
    assert "stopped after" in reader.log()
    assert "Traceback" not in reader.log()
    cycles = 1 + reader.progress().cycle
    assert cli("train", "--resume", path, "--set", f"schedule.stage_1={cycles}") == 0
    assert reader.status() == "finished"


def test_a_process_that_is_refused_says_why(tmp_path):
    from ascnet_core.errors import UserError

    path = tmp_path / "own"
    with pytest.raises(UserError, match=r"did not start: error: .*NOWHERE\.csv"):
        start_training([str(tmp_path / "NOWHERE.csv"), "--name", str(path)])
    assert not path.exists()
    with pytest.raises(UserError, match="needs a name"):
        start_training(["M.csv"])


# --- segment -------------------------------------------------------------------------------------


def test_masks_lie_on_the_grid_of_their_image(run, tmp_path, demo):
    """Turned, flipped and oblique storage comes back bit for bit."""
    source = nib.load(next(demo.glob("*_t2.nii.gz")))
    data = np.asanyarray(source.dataobj).transpose(2, 0, 1)[:, ::-1]
    turn = np.array([[0, -3.9, 0.3, 80], [0.1, 0.2, 4.0, -90], [4.1, 0, 0, -50], [0, 0, 0, 1]])
    image = nib.Nifti1Image(np.ascontiguousarray(data), turn)
    image.set_qform(turn, 2)
    image.set_sform(turn, 4)
    nib.save(image, tmp_path / "turned.nii.gz")
    given = nib.load(tmp_path / "turned.nii.gz")
    out = tmp_path / "out"
    arguments = ["--threshold", 100, "--save-maps", "--map", "fence", "--post", "none"]
    assert cli("segment", run, tmp_path / "turned.nii.gz", "-o", out, *arguments) == 0
    mask = nib.load(out / "turned_mask.nii.gz")
    assert mask.get_data_dtype() == np.uint8
    assert mask.shape == given.shape
    assert np.array_equal(mask.affine, given.affine)
    for code in ("qform_code", "sform_code"):
        assert mask.header[code] == given.header[code]
    values = np.asanyarray(mask.dataobj)
    assert set(np.unique(values)) <= {0, 1}
    # the same mask by hand from the saved map, inside the region (above 5 % of the 99th percentile)
    fence = np.asanyarray(nib.load(out / "turned_fence.nii.gz").dataobj)
    region = data > 0.05 * np.percentile(data, 99)
    expected = (np.rint(255 * fence) >= 100) & region
    assert np.array_equal(values.astype(bool), expected)
    row = rows_of(out / "segmentation.csv")[0]
    assert (row["level"], row["rule"], row["kind"]) == ("100", "100", "manual")
    assert int(row["voxels"]) == values.sum()
    voxel = abs(np.linalg.det(turn[:3, :3])) / 1000
    assert float(row["volume_ml"]) == pytest.approx(values.sum() * voxel, rel=1e-4)
    summary = json.loads((out / "segmentation.json").read_text())
    assert summary["rows"][0]["voxels"] == values.sum()
    assert summary["settings"]["data"]["size"] == 32


def test_a_cohort_is_segmented_with_one_or_several_thresholds(run, demo, tmp_path):
    for scope in ("cohort", "subject"):
        arguments = ["--map", "residual", "--threshold", "otsu", "--scope", scope]
        assert cli("segment", run, demo / "manifest.csv", "-o", tmp_path / scope, *arguments) == 0
        assert len(list((tmp_path / scope).glob("*_mask.nii.gz"))) == 4
    shared = rows_of(tmp_path / "cohort" / "segmentation.csv")
    assert len({row["level"] for row in shared}) == 1
    assert {row["scope"] for row in shared} == {"cohort"}
    assert not list(tmp_path.rglob(".tmp-*"))


def test_ranges_post_processing_and_gate_reach_the_mask(run, demo, tmp_path):
    plain, gated = tmp_path / "plain", tmp_path / "gated"
    how = [demo / "manifest.csv", "--threshold", 1, "--range", "subject", "--map", "residual"]
    assert cli("segment", run, *how, "-o", plain, "--post", "none") == 0
    assert cli("segment", run, *how, "-o", gated, "--post", "gate:flair:50", "components:2") == 0
    for row in rows_of(gated / "segmentation.csv"):
        name = Path(row["mask"]).name
        before = np.asanyarray(nib.load(plain / name).dataobj)
        after = np.asanyarray(nib.load(gated / name).dataobj)
        assert row["post"] == "gate:flair:50 components:2"
        assert row["range"].startswith("subject ")
        assert 0 < after.sum() < before.sum()
        assert not (after & ~before).any()


def test_reference_quantile_uses_the_runs_own_reference(run, demo, tmp_path):
    counts = Run(run).reference_counts("residual")
    beyond = np.cumsum(counts[::-1])[::-1] / counts.sum()
    rule = "reference-quantile:0.9"
    arguments = ["--map", "residual", "--threshold", rule]
    assert cli("segment", run, demo / "manifest.csv", "-o", tmp_path / "o", *arguments) == 0
    level = int(rows_of(tmp_path / "o" / "segmentation.csv")[0]["level"])
    assert level == np.flatnonzero(beyond <= 0.1)[0]


def test_a_picture_gets_a_picture(run, tmp_path):
    rows, columns = np.mgrid[0:40, 0:56]
    pixels = (rows * 3 + columns).astype(np.uint8)
    colours = np.stack([pixels, 255 - pixels, pixels // 2], axis=-1)
    Image.fromarray(colours).save(tmp_path / "slice.png")
    out = tmp_path / "out"
    assert cli("segment", run, tmp_path / "slice.png", "-o", out, "--channel", 0,
               "--threshold", "band:0:255", "--post", "roi") == 0  # fmt: skip
    mask = np.asarray(Image.open(out / "slice_mask.png"))
    assert mask.shape == (40, 56)
    assert mask.dtype == np.uint8
    # the whole region is kept: what is above 5 % of the 99th percentile, in the picture's own order
    assert np.array_equal(mask > 0, pixels > 0.05 * np.percentile(pixels, 99))
    assert set(np.unique(mask)) == {0, 255}


def test_a_region_file_can_be_given_for_one_image(run, demo, tmp_path):
    row = rows_of(demo / "manifest.csv")[1]
    out = tmp_path / "out"
    arguments = ["--region", demo / row["mask"], "--threshold", "band:0:255", "--post", "none"]
    if not np.asanyarray(nib.load(demo / row["mask"]).dataobj).any():
        pytest.fail("the demo's second subject has no lesion")
    assert cli("segment", run, demo / row["image"], "-o", out, *arguments) == 0
    mask = np.asanyarray(nib.load(next(out.glob("*_mask.nii.gz"))).dataobj)
    assert np.array_equal(mask, np.asanyarray(nib.load(demo / row["mask"]).dataobj))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--threshold", "best"], "best"),
        (["--post", "open:4"], "open:4"),
        (["--threshold", "reference-quantile:0.9", "--range", "subject"], "raw range"),
        (["--region", "NOWHERE.nii"], "NOWHERE.nii"),
        (["--cycle", "9"], "no cycle 9"),
        (["--set", "data.size=31"], "multiple of 16"),
        (["--batch", "0"], "--batch"),
    ],
)
def test_segment_says_what_is_wrong(run, demo, arguments, said, tmp_path, capsys):
    image = next(demo.glob("*_t2.nii.gz"))
    assert cli("segment", run, image, "-o", tmp_path / "out", *arguments) == 2
    assert said in complaint(capsys)


def bad_images(folder: Path):
    good = np.arange(4 * 5 * 6, dtype=np.float32).reshape(4, 5, 6)
    nib.save(nib.Nifti1Image(good, np.eye(4)), folder / "good.nii.gz")
    whole = (folder / "good.nii.gz").read_bytes()
    (folder / "cut.nii.gz").write_bytes(whole[: len(whole) // 2])
    (folder / "text.nii").write_text("no image")
    nib.save(nib.Nifti1Image(np.ones((4, 5, 6), np.float32), np.eye(4)), folder / "flat.nii")
    odd = good.copy()
    odd[1, 1, 1] = np.nan
    nib.save(nib.Nifti1Image(odd, np.eye(4)), folder / "nan.nii")
    nib.save(nib.Nifti1Image(np.stack([good, good], -1), np.eye(4)), folder / "frames.nii")
    return ("cut.nii.gz", "text.nii", "flat.nii", "nan.nii", "frames.nii")


def test_bad_images_are_refused_in_one_line(run, tmp_path, capsys):
    for name in bad_images(tmp_path):
        arguments = ["--threshold", 100, "-o", tmp_path / "out"]
        assert cli("segment", run, tmp_path / name, *arguments) == 2, name
        assert name in complaint(capsys)
    for name, more in (("nan.nii", ["--nan", 0]), ("frames.nii", ["--frame", 1])):
        arguments = ["--threshold", 100, "-o", tmp_path / "out", *more]
        assert cli("segment", run, tmp_path / name, *arguments) == 0, name


def test_foreign_weights_are_refused(tmp_path, demo, capsys):
    (tmp_path / "w.safetensors").write_bytes(b"not at all")
    image = next(demo.glob("*_t2.nii.gz"))
    assert cli("segment", tmp_path / "w.safetensors", image, "-o", tmp_path / "out") == 2
    assert "w.safetensors" in complaint(capsys)


# --- evaluate ------------------------------------------------------------------------------------


def test_evaluate_writes_tables_with_run_and_baselines(run, demo, tmp_path, capsys):
    out = tmp_path / "scores"
    arguments = ["--threshold", "otsu", 100, "--map", "wild", "--fast"]
    assert cli("evaluate", demo / "manifest.csv", "--run", run, "-o", out, *arguments) == 0
    summary = json.loads((out / "summary.json").read_text())
    methods = {row["method"] for row in summary["rows"]}
    assert {"asc-net", "input-threshold", "equalised-input"} <= methods
    assert {row["kind"] for row in summary["rows"]} == {"mask-free", "manual", "oracle"}
    for key in ("method", "run", "map", "rule", "side", "scope", "post", "subjects",
                "mean_dice", "sd", "median", "ci95", "auprc", "prevalence"):  # fmt: skip
        assert key in summary["rows"][0], key
    assert {"settings", "versions"} <= summary.keys()
    rows = rows_of(out / "subjects.csv")
    assert {row["subject"] for row in rows} == {
        row["subject"] for row in rows_of(demo / "manifest.csv")
    }
    said = capsys.readouterr().out
    assert "oracle" in said


def test_evaluate_leaves_out_what_it_is_told_to(run, demo, tmp_path):
    out = tmp_path / "scores"
    arguments = ["--run", run, "--no-baselines", "--no-oracle", "--threshold", "otsu", "--fast"]
    assert cli("evaluate", demo / "manifest.csv", "-o", out, *arguments) == 0
    rows = json.loads((out / "summary.json").read_text())["rows"]
    assert [(row["method"], row["kind"]) for row in rows] == [("asc-net", "mask-free")]


def test_evaluate_agrees_with_segment(run, demo, tmp_path):
    """The same threshold gives the same Dice, counted here from the files of `segment`."""
    how = ["--map", "residual", "--threshold", 20, "--post", "components:3"]
    assert cli("segment", run, demo / "manifest.csv", "-o", tmp_path / "m", *how) == 0
    more = ["--no-baselines", "--no-oracle", "--fast"]
    assert cli("evaluate", demo / "manifest.csv", "--run", run, "-o", tmp_path / "e",
               *how, *more) == 0  # fmt: skip
    masks = {row["subject"]: row["mask"] for row in rows_of(tmp_path / "m" / "segmentation.csv")}
    truths = {row["subject"]: row["mask"] for row in rows_of(demo / "manifest.csv")}
    for row in rows_of(tmp_path / "e" / "subjects.csv"):
        mask = np.asanyarray(nib.load(masks[row["subject"]]).dataobj) > 0
        truth = np.asanyarray(nib.load(demo / truths[row["subject"]]).dataobj) > 0
        if truth.any():
            expected = 2 * (mask & truth).sum() / (mask.sum() + truth.sum())
            assert float(row["dice"]) == pytest.approx(expected, abs=1e-6)


def test_a_single_baseline_can_be_asked_for(demo, tmp_path):
    out = tmp_path / "scores"
    arguments = ["--method", "input-threshold", "--fast", "--reference", "normal"]
    assert cli("evaluate", demo / "manifest.csv", "-o", out, *arguments) == 0
    rows = json.loads((out / "summary.json").read_text())["rows"]
    assert {row["method"] for row in rows} == {"input-threshold"}
    assert "reference-quantile:0.995" in {row["rule"] for row in rows}


# --- progress ------------------------------------------------------------------------------------


def test_progress_prints_plain_lines_now_and_then(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("ascnet_core.commands.progress.time.monotonic", lambda: now[0])
    lines: list[str] = []
    with Progress("scans", 100, line=lines.append) as progress:
        for _ in range(50):
            now[0] += 1.0
            progress.advance()
    assert lines[0] == "10 of 100 scans, 2 min left"
    assert len(lines) == 5


def test_progress_is_a_bar_on_a_terminal(monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    with Progress("scans", 4) as progress:
        progress.at(4)
    captured = capsys.readouterr()
    assert "4/4" in captured.err
    assert captured.out == ""


@pytest.mark.parametrize(("seconds", "text"), [(5, "5 s"), (300, "5 min"), (9000, "2.5 h")])
def test_durations_are_said_coarsely(seconds, text):
    assert duration(seconds) == text
