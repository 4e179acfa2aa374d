"""Keys of hundreds of scans: found by times and sizes, and found out again when a file changes."""

import pytest

from ascnet_core import places
from ascnet_core.imaging.cohort import Scan
from ascnet_core.studies.counts import keys

COUNT = 20


@pytest.fixture
def scans(tmp_path, monkeypatch) -> tuple[Scan, ...]:
    monkeypatch.setenv(places.OWN_FOLDER, str(tmp_path / "cache"))
    keys.forget()
    made = []
    for number in range(COUNT):
        image, mask = tmp_path / f"{number}.nii", tmp_path / f"{number}-mask.nii"
        image.write_text(f"image {number}")
        mask.write_text(f"mask {number}")
        made.append(Scan(f"S{number}", f"S{number}", image, mask))
    return tuple(made)


def _texts(scans, read=False) -> dict[str, str]:
    found = keys.keys_of("run", False, scans, read)
    return {name: key.text if key else "gone" for name, key in found.items()}


def test_nothing_is_read_unless_it_is_asked_for(scans):
    assert _texts(scans) == {}
    first = _texts(scans, read=True)
    assert len(set(first.values())) == COUNT
    assert _texts(scans) == first
    keys.forget()
    assert _texts(scans) == first  # from the disk


def test_a_file_that_changes_has_another_key(scans):
    first = _texts(scans, read=True)
    scans[3].image.write_text("another image")
    assert _texts(scans).keys() == first.keys() - {"S3"}  # not read yet
    second = _texts(scans, read=True)
    assert {name for name in first if first[name] != second[name]} == {"S3"}
    scans[4].mask.write_text("another mask")
    third = _texts(scans, read=True)
    assert {name for name in first if third[name] != second[name]} == {"S4"}
    scans[5].image.unlink()
    assert _texts(scans)["S5"] == "gone"
    scans[5].image.write_text("image 5")
    assert _texts(scans, read=True) == third


def test_run_and_mirroring_make_other_keys(scans):
    first = _texts(scans, read=True)
    for run, flip in (("other", False), ("run", True)):
        found = keys.keys_of(run, flip, scans, read=True)
        assert {key.text for key in found.values()}.isdisjoint(first.values())


def test_few_scans_have_the_keys_that_they_have_among_many(scans):
    assert _texts(scans[:2], read=True).items() <= _texts(scans, read=True).items()


def test_what_is_found_may_be_changed(scans):
    keys.keys_of("run", False, scans, read=True).clear()
    assert len(_texts(scans)) == COUNT
