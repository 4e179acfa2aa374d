"""Files, folders and zips go through the indexer, and nothing is lost or leads out."""

import gzip
import io
import os
import stat
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from streamlit.testing.v1 import AppTest

from ascnet_core.errors import UserError
from ascnet_core.imaging.cohort import read_manifest
from ascnet_core.imaging.index import index_folder
from ascnet_core.imaging.prepare import Preparation, prepare_scan
from pages.parts.data import upload_box, upload_folder, uploads
from pages.parts.shared import access, cohorts
from tests.dicoms import make_series, volume
from tests.helpers import make_nifti
from tests.pages.conftest import ROOT
from tests.pages.test_data import Upload


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """Two patients with all that a folder may say: modalities, masks, regions, a prediction."""
    folder = tmp_path / "my study"
    for patient in ("P1", "P2"):
        for name in ("FLAIR", "T1"):
            make_nifti(folder / patient / f"{name}.nii.gz", shape=(24, 24, 4))
        for name in ("mask", "brain", "FLAIR_pred"):
            array = np.zeros((24, 24, 4), np.uint8)
            array[4:20, 4:20] = 1
            make_nifti(folder / patient / f"{name}.nii.gz", array, dtype=np.uint8)
    (folder / ".DS_Store").write_bytes(b"x")
    (folder / "notes.txt").write_text("x")
    return folder


def as_folder(folder: Path) -> list[Upload]:
    """The files as a browser sends those of a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [Upload(f"{folder.name}/{p.relative_to(folder)}", p.read_bytes()) for p in files]


def packed(entries: dict[str, bytes], name: str = "all.zip") -> Upload:
    """A zip of these entries."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in entries.items():
            archive.writestr(path, content)
    return Upload(name, held.getvalue())


def as_zip(folder: Path, name: str = "all.zip") -> Upload:
    return packed({one.name: one.content for one in as_folder(folder)}, name)


def left() -> list[str]:
    folder = access.uploads_folder()
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def test_a_folder_and_a_zip_of_it_are_indexed_as_its_path_is(own_cache, scans) -> None:
    wanted = [
        (row["subject"], row["modality"], sorted(key for key in row if key.startswith("image:")))
        for row in index_folder(scans).rows
    ]
    assert wanted == [("P1", "FLAIR", ["image:t1"]), ("P2", "FLAIR", ["image:t1"])]
    for files in (as_folder(scans), [as_zip(scans)]):
        manifest = upload_box.keep(files, [], "trial")
        cohort = read_manifest(manifest)
        found = [
            (scan.subject, scan.modality, [f"image:{name}" for name in scan.further])
            for scan in cohort.scans
        ]
        assert found == wanted
        assert all(scan.mask and scan.region for scan in cohort.scans)
        assert prepare_scan(cohort.scans[0], Preparation(size=32)).truth.any()
        assert cohorts.cohort_label(str(manifest)) == "trial"
        about = upload_folder.looked_through(manifest)
        said = {path.name: why for path, why in about.left_out}
        assert "a prediction by its name" in said["FLAIR_pred.nii.gz"]
        assert "notes.txt" in said


def test_loose_files_go_through_the_indexer_too(own_cache, scans) -> None:
    files = [Upload(f"P1_{one.name.rsplit('/', 1)[-1]}", one.content) for one in as_folder(scans)
             if "/P1/" in one.name]  # fmt: skip
    (scan,) = read_manifest(upload_box.keep(files, [], "")).scans
    assert (scan.subject, scan.modality, list(scan.further)) == ("P1", "FLAIR", ["t1"])
    assert scan.mask
    assert scan.region


def test_the_page_says_what_was_unsure_and_left_out(own_cache, scans) -> None:
    manifest = upload_box.keep(as_folder(scans), [], "my study")
    at = AppTest.from_file(ROOT / "pages" / "data.py", default_timeout=60)
    at.query_params["cohort"] = str(manifest)
    at.run()
    assert not at.exception
    assert any(box.label.endswith("files left out") for box in at.expander)
    assert any("**my_study** · 2 subjects" in one.value for one in at.markdown)


def test_a_mask_that_is_left_out_is_said_in_its_row_and_in_an_open_box(own_cache, scans) -> None:
    second = "P1_mask2.nii.gz"
    image, mask = ((scans / "P1" / f"{name}.nii.gz").read_bytes() for name in ("FLAIR", "mask"))
    files = [Upload("P1_FLAIR.nii.gz", image), Upload("P1_mask.nii.gz", mask)]
    manifest = upload_box.keep([*files, Upload(second, mask)], [], "x")
    (scan,) = read_manifest(manifest).scans
    assert "a second mask beside" in scan.notes
    at = AppTest.from_file(ROOT / "pages" / "data.py", default_timeout=60)
    at.query_params["cohort"] = str(manifest)
    at.run()
    (box,) = (box for box in at.expander if box.label.endswith("left out"))
    assert box.proto.expanded
    (scan,) = read_manifest(upload_box.keep([files[0], Upload(second, b"")], [], "x")).scans
    assert not scan.mask
    assert f"without {second}: " in scan.notes


def test_a_series_without_endings_is_read(own_cache, tmp_path) -> None:
    make_series(tmp_path / "dicom", volume(), name="IM{}")
    (scan,) = read_manifest(upload_box.keep(as_folder(tmp_path / "dicom"), [], "d")).scans
    assert prepare_scan(scan).volume.data.shape[2] == len(volume())


def test_a_manifest_in_the_upload_is_taken_if_it_names_what_is_in_it(own_cache, scans) -> None:
    text = "subject,image,group\nA,P1/FLAIR.nii.gz,normal\nB,P2/FLAIR.nii.gz,anomalous\n"
    (scans / "manifest.csv").write_text(text)
    cohort = read_manifest(upload_box.keep(as_folder(scans), [], "x"))
    assert [(scan.subject, scan.group) for scan in cohort.scans] == [
        ("A", "normal"),
        ("B", "anomalous"),
    ]
    outside = scans.parent / "else.nii.gz"
    make_nifti(outside, shape=(24, 24, 4))
    (scans / "manifest.csv").write_text(f"subject,image\nA,{outside}\n")
    with pytest.raises(UserError, match=r"names else\.nii\.gz, which is not in it"):
        upload_box.keep(as_folder(scans), [], "y")
    assert len(left()) == 1


def test_nothing_leads_out_of_the_upload(own_cache, scans) -> None:
    scan = (scans / "P1" / "FLAIR.nii.gz").read_bytes()
    paths = ["../../P1/FLAIR.nii.gz", "/etc/P2/FLAIR.nii.gz", "C:\\x\\P3\\FLAIR.nii.gz"]
    manifest = upload_box.keep([packed(dict.fromkeys(paths, scan))], [], "../../../evil")
    cohort = read_manifest(manifest)
    assert len(cohort.scans) == 3
    inside = access.uploads_folder().resolve()
    assert all(one.image.resolve().is_relative_to(inside) for one in cohort.scans)
    assert manifest.resolve().is_relative_to(inside)
    assert [path.name for path in own_cache.iterdir()] == ["uploads"]


@given(some.text(max_size=300))
def test_any_path_stays_inside(name: str) -> None:
    parts = upload_folder._safe(name).parts
    assert parts
    assert not any(part in ("..", ".", "/") or "\\" in part for part in parts)


def test_two_paths_that_are_one_to_some_disks_are_both_kept(own_cache, scans) -> None:
    scan = (scans / "P1" / "FLAIR.nii.gz").read_bytes()
    upload = packed({"Anna/FLAIR.nii.gz": scan, "ANNA/FLAIR.nii.gz": scan})
    found = read_manifest(upload_box.keep([upload], [], "x")).scans
    assert len({str(one.image).casefold() for one in found}) == 2


def test_links_and_hidden_files_of_a_zip_are_left(own_cache, scans) -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.write(scans / "P1" / "FLAIR.nii.gz", "P1/FLAIR.nii.gz")
        link = zipfile.ZipInfo("P2/FLAIR.nii.gz")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("__MACOSX/P3/FLAIR.nii.gz", b"x")
    cohort = read_manifest(upload_box.keep([Upload("a.zip", held.getvalue())], [], "x"))
    assert len(cohort.scans) == 1


@pytest.mark.parametrize("kind", ["said", "hidden", "gz"])
def test_bombs_are_refused_and_nothing_is_left(own_cache, monkeypatch, kind) -> None:
    monkeypatch.setattr(uploads.st, "get_option", lambda name: 1)
    content = bytes(5 << 20)
    if kind == "gz":
        upload = packed({"a/x.nii.gz": gzip.compress(content)})
    else:
        upload = packed({"a/x.nii": content})
    if kind == "hidden":  # the zip lies of its size
        size = (5 << 20).to_bytes(4, "little")
        upload = Upload("a.zip", upload.content.replace(size, (9).to_bytes(4, "little")))
    with pytest.raises(UserError, match=r"unfolds to more than 4 MB|is damaged at"):
        upload_box.keep([upload], [], "x")
    assert left() == []


@pytest.mark.parametrize(
    ("upload", "said"),
    [
        (Upload("a.zip", b"PK nothing"), "is no readable zip"),
        (packed({"a/readme.txt": b"x"}), "^x holds no scans of a known layout"),
        (packed({}), "holds no file"),
        (Upload("zero.nii.gz", b""), r"^zero\.nii\.gz (is|cannot|has|holds) .*[^.]\.$"),
        (Upload("torn.png", b"no picture"), r"^torn\.png .*[^.]\.$"),
        (
            packed({"in.zip": packed({"p1.nii.gz": b"x"}).content}),
            "a zip without DICOM.*unpack it",
        ),
    ],
)
def test_what_holds_no_scans_is_said(own_cache, upload, said) -> None:
    with pytest.raises(UserError, match=said):
        upload_box.keep([upload], [], "x")
    assert left() == []


def test_the_same_upload_is_the_same_cohort_and_what_was_cut_off_is_swept(own_cache, scans) -> None:
    first = upload_box.keep(as_folder(scans), [], "x")
    rest, new = (access.uploads_folder() / f"{uploads.ASIDE}{name}" for name in "ab")
    for folder in (rest, new):
        folder.mkdir()
    os.utime(rest, (time.time() - 2 * 86400,) * 2)
    assert upload_box.keep(as_folder(scans), [], "x") == first
    second = upload_box.keep(as_folder(scans), [], "other name")
    assert second != first
    assert first.is_file()
    assert not rest.exists()
    assert new.exists()


def test_masks_apart_and_twins_go_by_hand_and_pictures_are_images(own_cache, scans) -> None:
    image, mask = ((scans / "P1" / f"{name}.nii.gz").read_bytes() for name in ("FLAIR", "mask"))
    (scan,) = read_manifest(
        upload_box.keep([Upload("a.nii.gz", image)], [Upload("b.nii.gz", mask)], "x")
    ).scans
    assert scan.mask
    twins = read_manifest(upload_box.keep([Upload("a.nii.gz", image)] * 2, [], "x")).scans
    assert all("2 uploads are called" in one.notes for one in twins)
    from PIL import Image

    held = io.BytesIO()
    Image.fromarray(np.eye(32, dtype=np.uint8)).save(held, "png")
    (picture,) = read_manifest(upload_box.keep([Upload("p.png", held.getvalue())], [], "x")).scans
    assert picture.image.name == "p.png"


def test_names_are_suggested() -> None:
    for names, wanted in (
        (["study/a/x.nii", "study/b/y.nii"], "study"),
        (["my data.zip"], "my_data"),
        (["x.nii", "y.nii"], "upload"),
        ([], "upload"),
    ):
        assert upload_folder.suggested_name([Upload(name) for name in names]) == wanted
