import numpy as np
import pandas as pd
import pytest

from ascnet_core.crossval.heldout import Scored, keep, kept
from ascnet_core.crossval.pooling import Part, over_seeds, pool, shared_oracle, subjects_of
from ascnet_core.crossval.table import table_text
from ascnet_core.metrics.overlap import ThresholdTable
from ascnet_core.scoring.summary import to_frame

WAY = ("reconstruction", False)


def table(lesion: dict[int, int], tissue: dict[int, int]) -> ThresholdTable:
    """Levels of lesion and of healthy tissue."""
    levels, inside = np.zeros(256, np.int64), np.zeros(256, np.int64)
    for level, number in lesion.items():
        inside[level] += number
        levels[level] += number
    for level, number in tissue.items():
        levels[level] += number
    return ThresholdTable(levels, inside)


def row(subject: str, dice: float, rule: str, kind: str, post: str = "none", **more):
    base = {"subject": subject, "scans": 1, "scans_with_mask": 1, "method": "asc-net"}
    base |= {"run": "r", "map": "reconstruction", "rule": rule, "kind": kind, "side": "bright"}
    base |= {"scope": "cohort", "post": post, "range": "raw", "threshold": 9, "dice": dice}
    return base | {"auprc": 0.5, "empty_truth": False, "empty_prediction": False} | more


def scored(dice: dict[str, float], **more) -> Scored:
    """A fold's patients, with an oracle far above the rule."""
    rows = []
    for subject, value in dice.items():
        for post, gain in (("none", 0.0), ("components:5", 0.1)):
            rows.append(row(subject, value + gain, "otsu", "mask-free", post, **more))
            rows.append(row(subject, 0.99, "oracle-cohort", "oracle", post))
            rows.append(row(subject, 0.9, "oracle-own", "oracle", post, scope="subject"))
    counts = np.zeros(256, np.int64)
    counts[[30, 31, 120, 121, 220, 221]] = 500
    # the best common level is 100: both lesions lie above it, most tissue below
    tables = {s: table({100: 10, 200: 10}, {50: 100, 150: 5}) for s in dice}
    return Scored(to_frame(rows).assign(flip=False), {WAY: counts}, {WAY: tables})


def part(fold: str, dice: dict[str, float], seed: int | None = 0, **more) -> Part:
    counts = np.zeros(256, np.int64)
    counts[[40, 41]] = 500
    return Part("d", "c", seed, fold, 2, scored(dice, **more), counts, "python -m x", None)


def test_patients_of_all_folds_count_alike():
    """The mean is over patients, not over folds, and is that of a hand-made list."""
    rows = pool([part("fold1", {"a": 0.2, "b": 0.4, "c": 0.9}), part("fold2", {"d": 0.1})])
    raw = rows[rows["post"] == "none"].iloc[0]
    assert len(rows) == 2
    assert raw["dice"] == pytest.approx((0.2 + 0.4 + 0.9 + 0.1) / 4)
    assert raw["sd"] == pytest.approx(np.std([0.2, 0.4, 0.9, 0.1]))
    assert (raw["subjects"], raw["folds"], raw["folds_planned"]) == (4, 2, 2)
    assert raw["ci_low"] < raw["dice"] < raw["ci_high"]
    assert (raw["command"], raw["auprc"]) == ("python -m x", 0.5)
    assert rows.iloc[1]["dice"] == pytest.approx(raw["dice"] + 0.1)


def test_what_masks_chose_is_in_columns_of_its_own():
    rows = pool([part("fold1", {"a": 0.2}), part("fold2", {"b": 0.4})])
    assert set(rows["kind"]) == {"mask-free"}
    assert rows["dice"].max() < 0.6
    raw = rows[rows["post"] == "none"].iloc[0]
    # level 100 keeps 20 of 20 lesion voxels and 5 others
    assert raw["oracle_level"] == 51
    assert raw["oracle_dice"] == pytest.approx(2 * 20 / (20 + 25))
    assert raw["oracle_own_dice"] == pytest.approx(0.9)
    cleaned = rows[rows["post"] != "none"].iloc[0]
    assert np.isnan(cleaned["oracle_dice"])  # not yet scored at the level of all folds


def test_the_oracle_after_post_processing_comes_from_the_level_of_all_folds():
    parts = [part("fold1", {"a": 0.2}), part("fold2", {"b": 0.4})]
    level = str(shared_oracle([one.scored for one in parts], "bright")[WAY])
    laid = [
        Part(**{**vars(one), "at_oracle": to_frame(rows).assign(flip=False)})
        for one, rows in zip(
            parts,
            (
                [row("a", 0.6, level, "manual", "components:5"), row("a", 0.1, level, "manual")],
                [row("b", 0.8, level, "manual", "components:5")],
            ),
            strict=True,
        )
    ]
    cleaned = pool(laid).set_index("post").loc["components:5"]
    assert cleaned["oracle_dice"] == pytest.approx(0.7)


def test_one_fold_has_its_oracle_already():
    rows = pool([part("test", {"a": 0.2, "b": 0.4})]).set_index("post")
    assert rows.loc["components:5", "oracle_dice"] == pytest.approx(0.99)


def test_patients_without_lesion_are_counted_apart():
    healthy = part("fold2", {"h": 0.0})
    healthy.scored.rows["empty_truth"] = True
    rows = pool([part("fold1", {"a": 0.5}), healthy])
    raw = rows[rows["post"] == "none"].iloc[0]
    assert (raw["dice"], raw["dice_all"]) == (0.5, 0.25)
    assert (raw["subjects"], raw["subjects_with_lesion"], raw["empty_truth"]) == (2, 1, 1)


def test_peaks_are_those_of_the_folds():
    first = pool([part("fold1", {"a": 0.2}), part("fold2", {"b": 0.4})]).iloc[0]
    assert (first["peaks_trained"], first["peaks_held_out"]) == (1, 3)
    assert first["index_trained"] == 0
    assert first["index_held_out"] == pytest.approx(1, abs=0.01)


def test_mean_and_spread_over_seeds_leave_the_baselines_out():
    parts = [part("fold1", {"a": value}, seed) for seed, value in enumerate((0.2, 0.4, 0.9))]
    base = Part("d", "", None, "fold1", 1, scored({"a": 0.3}), None, "x")
    seeds = over_seeds(pool([*parts, base]))
    raw = seeds[seeds["post"] == "none"]
    assert len(raw) == 1
    assert raw.iloc[0]["seeds"] == "0 1 2"
    assert raw.iloc[0]["dice_mean"] == pytest.approx(0.5)
    assert raw.iloc[0]["dice_sd"] == pytest.approx(np.std([0.2, 0.4, 0.9], ddof=1))
    alone = over_seeds(pool(parts[:1]))
    assert alone["dice_sd"].isna().all()


def test_every_patients_row_says_what_it_was_held_out_of():
    table = subjects_of([part("fold1", {"a": 0.2}), part("fold2", {"b": 0.4}, seed=1)])
    assert set(zip(table["subject"], table["fold"], table["seed"], strict=True)) == {
        ("a", "fold1", 0),
        ("b", "fold2", 1),
    }


def test_the_table_names_commands_and_keeps_oracles_apart():
    parts = [part("fold1", {"a": 0.25}, 0), part("fold1", {"a": 0.75}, 1)]
    base = Part("d", "", None, "fold1", 1, scored({"a": 0.3}), None, "x")
    base.scored.rows["method"] = "input-threshold"
    rows = pool([base, *parts])
    runs = pd.DataFrame(
        [
            {"data": "d", "configuration": "c", "preset": "teaching", "set": "data.size=32"}
            | {"note": "A note.", "steps": 1200, "minutes": 3.0, "device": "cpu"}
        ]
    )
    command = "python -m ascnet_core crossval p.toml --only d-c -o out"
    rows["command"] = command
    text = table_text(rows, over_seeds(rows), {"d": "Few patients.", "e": "Nobody yet."}, runs)
    assert (
        "### d\n\nFew patients. `python -m ascnet_core crossval p.toml --only NAME -o out`" in text
    )
    assert "Nobody" not in text
    lines = [line.split(" | ") for line in text.splitlines() if line.startswith("| ")]
    head = [cell.strip("| ") for cell in lines[0]]
    assert all(len(line) == len(head) for line in lines)
    at = {name: place for place, name in enumerate(head)}
    assert [name for name in head if "oracle" in name] == [
        "*oracle*, raw",
        "*oracle*, `components:5`",
    ]
    first, second, both, last = lines[2:] if set(lines[1][0]) <= set("|- ") else lines[1:]
    assert first[at["Dice, raw"]].startswith("0.250 ± 0.000")
    assert "(unfinished)" in first[0]
    assert second[at["seed"]] == "1"
    assert both[at["Dice, raw"]] == "**0.500 ± 0.354**"
    assert last[0].endswith("input-threshold (no training)")
    assert "`d-c`" in first[-1]
    assert "**c**: preset `teaching` with `data.size=32`; 1 runs of 1,200 steps" in text
    assert "A note." in text


def test_scores_are_kept_for_exactly_what_was_asked(tmp_path):
    before = scored({"007": 0.123456789, "b": 0.5}, scan=None, sentence="None, or so")
    asked = {"rules": ["otsu"]}
    assert kept(tmp_path, asked) is None
    keep(tmp_path, before, asked)
    assert kept(tmp_path, {"rules": ["valley:1"]}) is None
    after = kept(tmp_path, asked)
    assert after is not None
    assert list(after.rows["subject"]) == list(before.rows["subject"])
    assert set(after.rows["sentence"]) - {"None, or so"} == {
        value for value in after.rows["sentence"] if pd.isna(value)
    }
    np.testing.assert_array_equal(after.counts[WAY], before.counts[WAY])
    for subject, table_before in before.tables[WAY].items():
        np.testing.assert_array_equal(after.tables[WAY][subject].lesion, table_before.lesion)

    def parts(of: Scored) -> list[Part]:
        return [Part("d", "c", 0, "fold1", 1, of, None, "x")]

    pd.testing.assert_frame_equal(pool(parts(before)), pool(parts(after)), check_dtype=False)
    (tmp_path / "score.json").write_text("{")
    assert kept(tmp_path, asked) is None
