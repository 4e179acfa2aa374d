"""The registry of rules: what is asked of an entry, and that one entry is all that a rule needs."""

import numpy as np
import pytest

from ascnet_core.errors import UserError
from ascnet_core.segmentation import rules
from ascnet_core.segmentation.rules import RULES, RuleEntry, needs_reference, parse_rule, rule_menu
from ascnet_core.segmentation.threshold import NoThreshold, attempt, choose, propose
from ascnet_core.segmentation.written import table

COUNTS = np.zeros(256, np.int64)
COUNTS[[20, 90, 200]] = 500, 300, 10


def test_the_menu_offers_as_many_peaks_as_there_are() -> None:
    rules = rule_menu(["peak:2"], 3)
    assert [rule for rule in rules if rule.startswith("peak:")] == ["peak:1", "peak:2", "peak:3"]
    assert "valley:2" in rules
    assert "valley:3" not in rules
    assert rule_menu(["multi-otsu:4"], 0)[0] == "multi-otsu:4"


def test_without_a_histogram_examples_are_offered() -> None:
    offered = rule_menu(["peak:2"])
    assert offered[0] == "peak:2"
    assert "valley:1" in offered
    assert all(str(parse_rule(text)) == text for text in offered)


@pytest.mark.parametrize(
    ("rule", "mirrored"),
    [
        ("rightmost-peak", "leftmost-peak"),
        ("leftmost-valley", "rightmost-valley"),
        ("peak:2", "peak:-2"),
        ("valley:-1", "valley:1"),
        ("otsu", "otsu"),
        ("multi-otsu:4", "multi-otsu:4"),
        ("reference-quantile:0.99", "reference-quantile:0.99"),
        ("170", "85"),
        ("band:10:30", "band:225:245"),
    ],
)
def test_every_rule_has_a_counterpart_at_the_other_end(rule: str, mirrored: str) -> None:
    parsed = parse_rule(rule)
    other = parsed.entry.mirror(parsed)
    assert str(other) == mirrored
    assert other.entry.mirror(other) == parsed


def test_entries_say_what_they_need() -> None:
    assert {name for name, entry in RULES.items() if entry.needs_reference} == {
        "reference-quantile"
    }
    assert {name for name, entry in RULES.items() if entry.kind == "manual"} == {"number", "band"}
    assert all(entry.needs_peaks == ("peak" in n or "valley" in n) for n, entry in RULES.items())
    assert needs_reference(["otsu", "reference-quantile:0.9"])
    assert not needs_reference(["otsu", "170"])


def test_one_entry_is_all_that_a_rule_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = RuleEntry(
        form="half[:K]",
        sentence="the level at the middle of the scale",
        read=lambda texts: (),
        examples=("half",),
        find=lambda rule, counts, side, reference: (128, None, "The middle."),
    )
    monkeypatch.setitem(rules.RULES, "half", entry)
    assert propose("half", COUNTS).level == 128
    assert "half" in rule_menu()
    assert "half[:K]" in table(RULES)
    with pytest.raises(UserError, match=r"half\[:K\]"):
        parse_rule("best")


def test_what_a_rule_does_not_find_is_a_sentence_for_each_unit() -> None:
    other = np.zeros(256, np.int64)
    other[40] = 100
    found = choose("peak:2", {"a": COUNTS, "b": other}, "bright", "subject")
    assert found["a"] == propose("peak:2", COUNTS)
    assert found["b"] == attempt("peak:2", other, "bright")
    assert isinstance(found["b"], NoThreshold)
    assert "no such peak" in found["b"].sentence
    pooled = choose("peak:2", {"a": COUNTS, "b": other}, "bright", "cohort")
    assert pooled["a"] is pooled["b"]
    assert pooled["a"] == propose("peak:2", COUNTS + other)


def test_a_fine_quantile_is_written_back_as_it_was():
    assert str(parse_rule("reference-quantile:0.9999999")) == "reference-quantile:0.9999999"
