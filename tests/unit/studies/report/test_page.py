"""The page of a report: what stands on it, that nothing is fetched, that names are no markup."""

import re
from html.parser import HTMLParser

import pytest

from ascnet_core.metrics.overlap import Counts
from ascnet_core.studies.decisions import history
from ascnet_core.studies.folder import new_study
from ascnet_core.studies.report import page as report_page
from ascnet_core.studies.report.contents import Outcome, Report, make_report
from tests.helpers import make_nifti
from tests.unit.studies.deciding import decide, decision

EVIL = '<img src=x onerror="alert(1)">&amp;\'"</td></figcaption>'


class Page(HTMLParser):
    """Tags in order, each closed; attributes that could fetch or run; the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.words: list[str] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attributes]
        if tag not in ("meta", "br", "img"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))


def page_of(study, *raters: str) -> Page:
    report = make_report(study, raters, True, "cpu", lambda done, total: None)
    return Page(report_page.report_html(report, "ascnet", "ascnet study report ms -o x.html"))


def test_nothing_is_decided(study):
    text = page_of(study).text
    assert "Nothing is decided yet: 5 subjects are open." in text
    assert "ascnet study report ms -o x.html" in text


def test_one_rater_with_excluded_doubtful_and_open_subjects(study):
    decide(study, "P0", 100, seconds=4.0, blind=True)
    decide(study, "P0", 110, seconds=6.0, rule="otsu", truth_shown=True)
    decide(study, "P1", None, flag="exclude", note="moved\nhead")
    decide(study, "P2", 50, upper=90, rule="band:50:90", flag="doubtful", dice_shown=True)
    page = page_of(study)
    assert "anna : " in page.text
    assert "levels otsu 1, by hand 1" in page.text
    assert "Open: P3, P4." in page.text
    for words in ("≥ 110", "excluded", "moved; head", "50 to 90", "doubtful", "6.0 s", "3 of 5",
                  "Truth shown", "Dice shown", "None was asked for."):  # fmt: skip
        assert words in page.text
    assert "Agreement" not in page.text
    assert page.tags.count("figure") == 3
    assert page.text.count("open") >= 2


def test_two_raters_are_compared_by_their_levels(study):
    for subject, one, other in (("P0", 100, 104), ("P1", 100, 110), ("P2", 100, 106)):
        decide(study, subject, one)
        decide(study, subject, other, rater="ben")
    page = page_of(study)
    assert "Agreement of anna and ben" in page.text
    assert "+6.67 ± 7.59" in page.text  # t of 2 degrees of freedom: 4.303 * 3.055 / sqrt(3)
    first = [page.text.index(words) for words in ("P1 100 110", "P2 100 106", "P0 100 104")]
    assert first == sorted(first)
    alone = page_of(study, "ben")
    assert "anna" not in alone.text


def test_what_was_chosen_knowing_the_truth_stands_apart(study):
    """Dice 0.5 without, 1.0 with the truth on the screen; a subject without lesion is counted."""
    for subject, shown in (("P0", False), ("P1", True), ("P2", False)):
        decide(study, subject, 100, truth_shown=shown, blind=subject == "P0")
    entries = {entry.subject: entry for entry in history(study)}
    counts = {"P0": Counts(1, 1, 1), "P1": Counts(4), "P2": Counts(0, 3)}
    outcomes = {s: [Outcome(entries[s], 2.0, 2.0, counts[s])] for s in entries}
    report = Report(study, ("anna",), outcomes, history(study), ())
    page = Page(report_page.report_html(report, "ascnet", ""))
    assert "without truth and Dice, 1 of them blind 1 0.500 0.000 0.500 1 0" in page.text
    assert "truth or Dice on the screen 1 1.000 0.000 1.000 0 0" in page.text
    italic = [v for n, v in page.attributes if n == "class" and "oracle" in v]
    assert len(italic) >= 4


def test_names_and_notes_are_no_markup_and_nothing_is_fetched(files, runs):
    make_nifti(files / "evil.nii", seed=9)
    (files / "evil.csv").write_text(
        'subject,image\n"' + EVIL.replace('"', '""') + '",evil.nii\n', encoding="utf-8"
    )
    study = new_study("evil", files / "evil.csv", files / "first")
    for rater in ("<b>anna</b>", "ben"):
        decide(study, EVIL, 100, rater=rater, note=EVIL)
    page = page_of(study)
    assert EVIL in page.words
    assert {"script", "link", "iframe"}.isdisjoint(page.tags)
    assert page.tags.count("img") == 0
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert not [value for name, value in page.attributes if name in ("src", "href")]


def test_a_rater_who_decided_nothing_is_named(study):
    decide(study)
    with pytest.raises(Exception, match="has decided nothing"):
        page_of(study, "ben")


def test_how_a_level_came():
    assert report_page.came_by(decision(level=100)) == "by hand"
    assert report_page.came_by(decision(level=100, rule="otsu")) == "otsu"
    assert report_page.came_by(decision(level=10, upper=90, rule="band:10:90")) == "by hand"
