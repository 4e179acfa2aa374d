"""The plot of rules: a column a subject, heights that are levels, oracle knowledge marked."""

from ascnet_core.figures.rules import levels_by_subject
from ascnet_core.studies.rules_compared import Found, WithTruth


def found(subject: str, level: int | None, best: int | None = None) -> Found:
    moved = None if best is None or level is None else level - best
    truth = None if best is None else WithTruth(0.5, best, 0.8, moved)
    return Found(subject, "reconstruction", "otsu", "subject", level, 1.0, "", None, truth)


RULE = [found("001", 90, 120), found("002", None, 80), found("N", 70)]


def test_levels_and_decisions_by_subject():
    figure = levels_by_subject(["001", "002", "N"], {"otsu": RULE}, {"002": 88})
    column, rule, decided = figure.data
    assert list(column.x) == ["001", "002", "N"]  # a click anywhere in it finds the subject
    assert (list(rule.x), list(rule.y)) == (["001", "N"], [90, 70])
    assert (list(decided.x), list(decided.y)) == (["002"], [88])
    assert figure.layout.xaxis.type == "category"  # 001 is no number


def test_against_the_oracle_heights_are_distances_and_all_is_marked():
    figure = levels_by_subject(["001", "002", "N"], {"otsu": RULE}, {"002": 88, "N": 3}, True)
    column, rule, decided = figure.data
    assert column.marker.pattern.shape == "/"
    assert (list(rule.x), list(rule.y)) == (["001"], [-30])
    assert rule.marker.symbol.endswith("-open")
    assert rule.name.startswith("<i>")
    assert (list(decided.x), list(decided.y)) == (["002"], [8])
    assert "oracle" in figure.layout.yaxis.title.text
