"""The Evaluation page: the command it runs, jobs over a folder, tables of what came out."""

import json
import time
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from ascnet_core.errors import UserError
from pages.parts.shared import forms, jobs, tables

PAGE = Path(__file__).resolve().parents[2] / "pages" / "evaluation.py"


def _row(subject: str, method: str, dice: float | None, **more: object) -> dict:
    run = more.pop("run", None)
    row = {
        "subject": subject,
        "scan": None,
        "method": method,
        "run": run,
        "map": "input",
        "rule": "otsu",
        "kind": "mask-free",
        "side": "bright",
        "scope": "subject",
        "dice": dice,
        "truth_ml": 1.0,
    }
    return row | more


def _rows() -> pd.DataFrame:
    oracle = {"rule": "oracle-own", "kind": "oracle"}
    return pd.DataFrame(
        [
            _row("a", "asc-net", 0.8, run="r", map="wild"),
            _row("b", "asc-net", 0.4, run="r", map="wild"),
            _row("n", "asc-net", 0.0, run="r", map="wild", truth_ml=0.0),
            _row("a", "input-threshold", 0.9),
            _row("b", "input-threshold", 0.7),
            _row("a", "input-threshold", 0.95, **oracle),
            _row("a", "multi-otsu-input", 0.95, **oracle),
        ]
    )


def _summary() -> dict:
    common = {
        "map": "input",
        "run": None,
        "sd": 0.1,
        "median": 0.3,
        "ci95": [0.2, 0.4],
        "threshold_low": 9,
        "threshold_high": 9,
        "prevalence": 0.02,
        "subjects": 3,
        "subjects_with_lesion": 2,
    }
    oracle = {"rule": "oracle-own", "kind": "oracle"}
    return {
        "rows": [
            common | oracle | {"method": "input-threshold", "mean_dice": 0.9},
            common | oracle | {"method": "multi-otsu-input", "mean_dice": 0.9},
            common
            | {
                "method": "input-threshold",
                "rule": "otsu",
                "kind": "mask-free",
                "mean_dice": 0.3,
                "threshold_high": 12,
            },
            common
            | {
                "method": "asc-net",
                "run": "r",
                "map": "wild",
                "rule": "otsu",
                "kind": "mask-free",
                "mean_dice": 0.5,
                "auprc": None,
            },
        ],
        "settings": {"cohort": "c", "side": "bright", "scope": "subject", "post": []},
    }


def test_mask_free_and_oracle_never_share_a_column() -> None:
    table = tables.score_table(_summary())
    assert list(table["kind"]) == ["mask-free", "mask-free", "oracle"]
    assert list(table["method"]) == ["asc-net (r)", "input-threshold", "any on input"]
    assert list(table["Dice, mean ± SD"]) == ["0.500 ± 0.100", "0.300 ± 0.100", ""]
    assert list(table["oracle Dice"]) == ["", "", "0.900 ± 0.100"]
    assert table["threshold"].tolist() == ["9", "9 to 12", "9"]
    assert "AUPRC" not in table.columns  # nobody measured it


def test_methods_on_one_map_share_one_oracle() -> None:
    kept = tables.once(_rows())
    assert len(kept[kept["kind"] == "oracle"]) == 1
    assert len(kept[kept["kind"] != "oracle"]) == 5


def test_subjects_come_worst_first_and_the_network_first() -> None:
    table = tables.subject_table(_rows())
    assert table["subject"].tolist() == ["b", "a", "n"]
    assert table.columns[1] == "true lesion, ml"
    assert table.columns[2] == "asc-net · otsu"
    assert "oracle" in table.columns[-1]


def test_a_cohort_without_masks_has_no_table_of_dice() -> None:
    rows = _rows()
    rows["dice"] = float("nan")
    assert tables.subject_table(rows).empty


def test_the_command_holds_what_the_form_says() -> None:
    arguments = forms.evaluation_arguments(
        "m.csv",
        "run",
        2,
        ["wild", "reconstruction"],
        ["otsu", "valley:1"],
        "dark",
        "cohort",
        ["open-close:5", "components:20"],
        "normal",
        True,
    )
    assert arguments == [
        "m.csv",
        "--run",
        "run",
        "--map",
        "wild",
        "reconstruction",
        "--threshold",
        "otsu",
        "valley:1",
        "--side",
        "dark",
        "--scope",
        "cohort",
        "--post",
        "open-close:5",
        "components:20",
        "--cycle",
        "2",
        "--reference",
        "normal",
        "--fast",
    ]


def test_progress_is_the_last_line_that_tells_it() -> None:
    assert jobs.parse_progress("") == (0.0, "starting")
    log = "1 of 18 steps, 40 s left\nsomething else\n9 of 18 steps, 20 s left\n"
    assert jobs.parse_progress(log) == (0.5, "9 of 18 steps, 20 s left")
    assert jobs.parse_progress("18 of 18 steps")[0] == 1.0


def test_the_same_work_has_the_same_folder_and_other_work_another(tmp_path: Path) -> None:
    one = jobs.folder_for(tmp_path, "a b", ["x"], [1.0])
    assert one == jobs.folder_for(tmp_path, "a b", ["x"], [1.0])
    assert one != jobs.folder_for(tmp_path, "a b", ["x"], [2.0])
    assert one != jobs.folder_for(tmp_path, "a b", ["y"], [1.0])
    assert " " not in one.name


def test_a_folder_of_a_job_has_no_name_that_is_too_long(tmp_path: Path) -> None:
    folder = jobs.folder_for(tmp_path, "ü" * 300, ["x"], [1.0])
    folder.mkdir()


def _until_ended(folder: Path, result: str) -> jobs.Job:
    deadline = time.monotonic() + 60
    while (job := jobs.read(folder, result)).status == "running" and time.monotonic() < deadline:
        time.sleep(0.1)
    return job


def test_a_job_that_fails_gives_its_sentence(tmp_path: Path) -> None:
    folder = tmp_path / "job"
    assert jobs.read(folder, "summary.json").status == "none"
    jobs.start("evaluate", ["/nowhere.csv"], folder)
    job = _until_ended(folder, "summary.json")
    assert job.status == "failed"
    assert "/nowhere.csv" in job.text


def test_a_job_can_be_cancelled(tmp_path: Path, small_cohort: Path) -> None:
    folder = tmp_path / "job"
    jobs.start("evaluate", [str(small_cohort)], folder)
    assert jobs.read(folder, "summary.json").status == "running"
    jobs.cancel(folder)
    assert _until_ended(folder, "summary.json").status == "cancelled"
    assert not (folder / "summary.json").exists()


def test_results_that_are_not_there_are_said_so(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no finished evaluation"):
        tables.read_results(tmp_path)


@pytest.fixture
def page(own_cache, small_cohort: Path, small_run: Path) -> AppTest:
    """The page at the small cohort and run."""
    at = AppTest.from_file(PAGE, default_timeout=60)
    at.query_params["cohort"] = str(small_cohort)
    at.query_params["run"] = str(small_run)
    return at


def test_before_anything_the_page_says_what_to_do(page: AppTest) -> None:
    page.run()
    assert not page.exception
    assert not page.error
    assert any("then Evaluate" in info.value for info in page.info)
    assert "--threshold otsu" in page.code[0].value


def test_a_finished_evaluation_is_shown_with_its_kinds(page: AppTest, monkeypatch) -> None:
    def pretend(verb: str, arguments: list[str], folder: Path) -> None:
        folder.mkdir(parents=True)
        _rows().to_csv(folder / "subjects.csv", index=False)
        (folder / "summary.json").write_text(json.dumps(_summary()))

    monkeypatch.setattr(jobs, "start", pretend)
    page.run()
    next(b for b in page.button if b.label == "Evaluate").click().run()
    assert not page.exception
    assert not page.error
    assert list(page.dataframe[0].value["kind"]) == ["mask-free", "mask-free", "oracle"]
    assert page.dataframe[1].value["subject"].tolist() == ["b", "a", "n"]
    assert any("Oracle" in caption.value for caption in page.caption)
    assert "Evaluate again" in [b.label for b in page.button]
