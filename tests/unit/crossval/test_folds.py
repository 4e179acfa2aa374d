from pathlib import Path

import pytest

from ascnet_core.crossval.folds import apart, join, split, subset, without
from ascnet_core.errors import UserError
from ascnet_core.imaging.cohort import Cohort, Scan


def cohort(subjects: int = 7, scans: int = 2, normal: int = 0, folds: str = "") -> Cohort:
    """Subjects p1, p2, ... of several scans; the first of them normal."""
    rows = [
        Scan(
            f"p{s}",
            f"p{s}_{n}",
            Path(f"/images/p{s}_{n}.nii"),
            group="normal" if s <= normal else None,
            fold=folds[s - 1].strip() or None if folds else None,
        )
        for s in range(1, subjects + 1)
        for n in range(scans)
    ]
    return Cohort("made up", Path("made_up.csv"), tuple(rows))


@pytest.mark.parametrize("how", [2, 3, 7, "leave-one-patient-out"])
def test_everybody_is_scored_once_and_nobody_is_on_both_sides(how):
    whole = cohort()
    folds = split(whole, how)
    scored = [subject for fold in folds for subject in fold.test.subjects]
    assert sorted(scored) == sorted(whole.subjects)
    for fold in folds:
        assert not set(fold.train.subjects) & set(fold.test.subjects)
        assert set(fold.train.subjects) | set(fold.test.subjects) == set(whole.subjects)
        # all scans of a patient go with the patient
        assert len(fold.test.scans) == 2 * len(fold.test.subjects)
    sizes = {len(fold.test.subjects) for fold in folds}
    assert max(sizes) - min(sizes) <= 1


def test_the_draw_goes_by_the_seed_and_not_by_the_order_of_rows():
    whole = cohort(20)
    turned = Cohort("turned", whole.manifest, whole.scans[::-1])

    def held(of, seed):
        return [sorted(fold.test.subjects) for fold in split(of, 2, seed)]

    assert held(whole, 0) == held(turned, 0)
    assert held(whole, 0) != held(whole, 1)


def test_normal_subjects_are_shared_out_among_folds_but_not_left_out_one_by_one():
    whole = cohort(8, normal=4)
    normal = {"p1", "p2", "p3", "p4"}
    for fold in split(whole, 2):
        assert len(normal & set(fold.test.subjects)) == 2
    one_by_one = split(whole, "leave-one-patient-out")
    assert [fold.test.subjects for fold in one_by_one] == [("p5",), ("p6",), ("p7",), ("p8",)]
    assert all(normal <= set(fold.train.subjects) for fold in one_by_one)


def test_the_manifests_own_folds_and_who_has_none_is_only_trained_on():
    folds = split(cohort(5, folds="ab ab"), "manifest")
    assert [(f.name, f.test.subjects) for f in folds] == [("a", ("p1", "p4")), ("b", ("p2", "p5"))]
    assert all("p3" in fold.train.subjects for fold in folds)


def test_who_is_always_trained_on_is_never_scored():
    folds = split(cohort(5), 2, always_train=["p2"])
    assert all("p2" in fold.train.subjects for fold in folds)
    with pytest.raises(UserError, match="always_train names p9"):
        split(cohort(5), 2, always_train=["p9"])


@pytest.mark.parametrize(
    ("subjects", "how", "said"),
    [
        (1, 2, "too few"),
        (3, 4, "too few"),
        (1, "leave-one-patient-out", "too few"),
        (3, "manifest", "too few"),
        (3, 1, "folds is 1"),
        (3, True, "folds is True"),
        (3, "halves", "folds is 'halves'"),
    ],
)
def test_folds_that_cannot_be_made_say_why(subjects, how, said):
    with pytest.raises(UserError, match=said):
        split(cohort(subjects), how)


def test_a_patient_in_two_folds_of_the_manifest_is_refused():
    one = cohort(2, scans=1, folds="ab")
    other = Scan("p1", "again", Path("/images/again.nii"), fold="b")
    with pytest.raises(UserError, match="p1 in folds a, b"):
        split(Cohort("c", one.manifest, (*one.scans, other)), "manifest")


def test_two_cohorts_share_no_patient_and_no_image():
    whole = cohort(4)
    fold = apart(subset(whole, ["p1"]), subset(whole, ["p3"]))
    assert (fold.train.subjects, fold.test.subjects) == (("p1",), ("p3",))
    with pytest.raises(UserError, match="p1 is in"):
        apart(whole, subset(whole, ["p1"]))
    renamed = Cohort("r", Path("r.csv"), (Scan("q", "q", whole.scans[0].image),))
    with pytest.raises(UserError, match=r"p1_0\.nii is in"):
        apart(whole, renamed)


def test_a_reference_loses_the_patients_that_are_scored():
    whole = cohort(4)
    left = without(whole, subset(whole, ["p1", "p2"]))
    assert left.subjects == ("p3", "p4")
    with pytest.raises(UserError, match="holds only patients that are scored"):
        without(subset(whole, ["p1"]), whole)


def manifest(path: Path, *rows: tuple[str, str, str]) -> Path:
    for *_, image in rows:
        (path.parent / image).touch()
    lines = ["subject,scan,image", *(",".join(row) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_manifests_are_joined_and_a_patient_in_both_is_one(tmp_path):
    one = manifest(tmp_path / "one.csv", ("p1", "a", "a.nii"), ("p2", "b", "b.nii"))
    two = manifest(tmp_path / "two.csv", ("p1", "c", "c.nii"))
    joined = join([one, two])
    assert joined.name == "one+two"
    assert [scan.scan for scan in joined.scans] == ["a", "b", "c"]
    assert len(joined.scans_of("p1")) == 2
    same = manifest(tmp_path / "same.csv", ("p3", "a", "d.nii"))
    assert [scan.scan for scan in join([one, same]).scans] == ["one_a", "one_b", "same_a"]
    with pytest.raises(UserError, match=r"a\.nii is listed 2 times"):
        join([one, one])


def test_patients_whose_names_differ_in_signs_only_have_folds_of_their_own():
    scans = tuple(Scan(name, name, Path(f"/{n}.nii")) for n, name in enumerate(("P:1", "P?1", "Q")))
    folds = split(Cohort("made up", Path("made_up.csv"), scans), "leave-one-patient-out")
    assert len({fold.name.casefold() for fold in folds}) == 3
    assert [fold.test.subjects for fold in folds] == [("P:1",), ("P?1",), ("Q",)]
