import json
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from ascnet_core.cli import main
from ascnet_core.errors import UserError
from ascnet_core.imaging.cohort import read_manifest
from ascnet_core.imaging.prepare import Preparation
from ascnet_core.methods.baselines import baselines
from ascnet_core.scoring.evaluation import evaluate, write_evaluation
from ascnet_core.scoring.plan import Plan
from ascnet_core.scoring.report import Line, Report, read_report
from ascnet_core.scoring.report_page import box_plot, report_html
from tests.small import make_small_cohort


@pytest.fixture(scope="module")
def scores(tmp_path_factory):
    """An evaluation of two training-free methods on four phantoms."""
    folder = tmp_path_factory.mktemp("report")
    cohort = read_manifest(make_small_cohort(folder / "cohort"))
    methods = baselines(["input-threshold", "input-peaks"])
    plan = Plan(rules=("200",), post=("components:3",), shapes=False)
    result = evaluate(cohort, methods, Preparation(size=32), plan)
    result.summary["command"] = ["python", "-m", "ascnet_core", "evaluate", "x.csv"]
    write_evaluation(result, folder / "scores")
    return folder / "scores"


class _Page(HTMLParser):
    """The tags that are opened, and whether all are closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.cells: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        if tag not in ("meta", "br"):
            self.open.append(tag)
        self.links += [str(value) for name, value in attributes if name in ("src", "href")]

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("td", "b", "code"):
            self.cells.append(data)


def line(dice, method="net", trained=True) -> Line:
    values = np.asarray(dice, float)
    names = tuple(f"p{n}" for n in range(len(values)))
    mean = float(values.sum()) / max(len(values), 1)
    summary = (mean, 0.1, mean, 0.1, 0.9, 0.5)
    return Line("d", method, "wild", "otsu", "none", trained, names, values, *summary)


def test_an_evaluation_is_read_back(scores):
    report = read_report(scores)
    rows = {
        (row["method"], row["rule"]): row
        for row in json.loads((scores / "summary.json").read_text())["rows"]
    }
    kinds = {row["kind"] for row in rows.values()}
    assert kinds == {"mask-free", "manual", "oracle"}
    assert len(report.lines) == sum(row["kind"] != "oracle" for row in rows.values())
    subjects = pd.read_csv(scores / "subjects.csv", dtype={"rule": "str"})
    for one in report.lines:
        row = rows[one.method, one.rule]
        assert one.mean == pytest.approx(row["mean_dice"])
        assert one.mean == pytest.approx(one.dice.mean(), abs=1e-5)
        own = subjects[(subjects["method"] == one.method) & (subjects["rule"] == one.rule)]
        lesion = own[~own["empty_truth"].astype(bool)]
        assert list(one.subjects) == list(lesion["subject"])
        assert ("given by hand" in one.note) == (row["kind"] == "manual")
        assert not one.trained
    for one in report.oracles:
        assert one.shared == pytest.approx(rows[one.method, "oracle-cohort"]["mean_dice"])
        assert one.own >= one.shared - 0.05
    assert ("command", "python -m ascnet_core evaluate x.csv") in report.facts


def test_the_page_needs_nothing_but_itself_and_keeps_oracles_apart(scores):
    text = report_html(read_report(scores))
    page = _Page(text)
    assert page.open == []
    assert page.links == []
    assert not re.search(r"https?://|@import|url\(", text)
    free, oracle = text.split("Oracle: thresholds chosen with the masks")
    assert "oracle-cohort" not in free
    assert "otsu" in free
    assert "input-threshold" in oracle


def test_what_names_hold_is_shown_and_not_run():
    bad = line([0.5], method="<script>alert(1)</script>")
    text = report_html(Report("a <b>", (("command", "x > y"),), (bad,), (), {"t": "a < b"}))
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert _Page(text).open == []


def test_every_patient_is_a_dot_at_their_dice():
    text = box_plot([line([0.0, 0.5, 1.0]), line([], method="nobody")])
    places = [float(x) for x in re.findall(r'<circle cx="([\d.]+)"', text)]
    assert len(places) == 3
    assert places[1] == pytest.approx((places[0] + places[2]) / 2)
    assert re.findall(r"<title>p1: ([\d.]+)</title>", text) == ["0.500"]
    assert "nobody" not in text


def test_figures_that_are_not_known_are_left_blank():
    nan = float("nan")
    unknown = Line("d", "m", "wild", "otsu", "none", True, (), np.zeros(0), *[nan] * 6)
    text = report_html(Report("t", (), (unknown,), (), {}))
    assert "nan" not in text.lower().replace("nanmean", "")


def test_the_verb_writes_one_file(scores, tmp_path, capsys):
    out = tmp_path / "page.html"
    assert main(["report", str(scores), "-o", str(out)]) == 0
    assert "is written" in capsys.readouterr().out
    assert out.read_text().startswith("<!doctype html>")
    assert main(["report", str(scores)]) == 0
    assert (scores / "report.html").is_file()


def test_a_page_of_others_stays(scores, tmp_path, capsys):
    out = tmp_path / "page.html"
    out.write_text("mine")
    for more in ([], ["--overwrite"]):
        assert main(["report", str(scores), "-o", str(out), *more]) == 2
        assert "page.html is there, and this tool did not write it" in capsys.readouterr().err
    assert out.read_text() == "mine"


def test_what_cannot_be_read_is_said(scores, tmp_path, capsys):
    with pytest.raises(UserError, match="holds no scores"):
        read_report(tmp_path)
    (tmp_path / "summary.json").write_text("{}")
    with pytest.raises(UserError, match="cannot be read"):
        read_report(tmp_path)
    assert main(["report", str(scores), "-o", str(tmp_path / "page.pdf")]) == 2
    assert "ends in .html" in capsys.readouterr().err
