"""Manifests: what is read, what is refused, what is written."""

import csv
from pathlib import Path

import pytest

from ascnet_core.errors import UserError
from ascnet_core.imaging.cohort import read_manifest, write_manifest


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "data").mkdir()
    for name in ("a", "b", "c", "a_mask", "a_t2"):
        (tmp_path / "data" / f"{name}.nii").touch()
    return tmp_path


def manifest(folder, text, encoding="utf-8", name="study.csv"):
    (folder / name).write_bytes(text.encode(encoding))
    return folder / name


def test_everything_a_row_may_say(folder):
    path = manifest(
        folder,
        "subject,scan,image,mask,region,modality,image:t2,channel,group,fold,notes\n"
        'A,A1,data/a.nii,data/a_mask.nii,,FLAIR,data/a_t2.nii,1,Anomalous,2,"one, two"\n'
        "A,A2,data/b.nii,,data/a_mask.nii,FLAIR,,,,,\n",
        "utf-8-sig",
    )
    cohort = read_manifest(path)
    assert (cohort.name, cohort.manifest, cohort.subjects) == ("study", path, ("A",))
    one, two = cohort.scans_of("A")
    assert one.image == folder / "data/a.nii"
    assert one.mask == folder / "data/a_mask.nii"
    assert one.further == {"t2": folder / "data/a_t2.nii"}
    assert (one.group, one.fold, one.notes, one.channel) == ("anomalous", "2", "one, two", 1)
    assert (one.region, two.mask, two.group, two.fold, two.channel) == (None,) * 5
    assert cohort.scan("A2") is two
    with pytest.raises(UserError, match="no scan 'A3'"):
        cohort.scan("A3")


def test_scans_are_numbered_where_a_subject_has_several(folder):
    rows = "B,data/a.nii\nA,data/b.nii\nB,data/c.nii\n"
    cohort = read_manifest(manifest(folder, f"subject,image\n{rows}"))
    assert [scan.scan for scan in cohort.scans] == ["B_1", "A", "B_2"]
    assert cohort.subjects == ("B", "A")
    many = "\n".join(f"B,data/{'abc'[n % 3]}.nii" for n in range(12))
    cohort = read_manifest(manifest(folder, f"subject,image\n{many}\n"))
    assert [cohort.scans[n].scan for n in (0, 11)] == ["B_01", "B_12"]


def test_spreadsheets_write_semicolons_and_windows_backslashes(folder):
    for separator in ";\t":
        text = f"Subject{separator} Image\r\nA{separator}data\\a.nii\r\n{separator}\r\n"
        assert read_manifest(manifest(folder, text)).scans[0].image == folder / "data/a.nii"


def test_a_folder_stands_for_its_manifest(folder):
    manifest(folder, "subject,image\nA,data/a.nii\n", name="manifest.csv")
    cohort = read_manifest(folder)
    assert cohort.name == folder.name
    assert cohort.manifest == folder / "manifest.csv"


def test_a_series_knows_its_slices(folder):
    text = "subject,image,series\nA,data/a.nii,one\nA,data/b.nii,one\nA,data/c.nii,\n"
    one, two, alone = read_manifest(manifest(folder, text)).scans
    assert one.series == two.series
    assert [image.name for image, _ in one.series] == ["a.nii", "b.nii"]
    assert alone.series == ()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "lists no scans"),
        ("subject,image\n", "lists no scans"),
        ("subject,picture\nA,data/a.nii\n", "no column 'image'"),
        ("subject,image\nA,\n", "row 2: the cell 'image' is empty"),
        ("subject,image\nA,data/a.nii\n,data/b.nii\n", "row 3: the cell 'subject' is empty"),
        ("subject,image\nA,data/x.nii\n", r"row 2: .*x\.nii is not there"),
        ("subject,image,image:t1\nA,data/a.nii,data/x.nii\n", r"x\.nii is not there"),
        ("subject,image,group\nA,data/a.nii,sick\n", "group 'sick' is unknown"),
        ("subject,image,channel\nA,data/a.nii,red\n", "channel 'red'"),
        (
            f"subject,image,channel\nA,data/a.nii,{'9' * 5000}\n",
            r"channel '9+\.\.\.9+' is no number",
        ),
        (f"subject,image,label\nA,data/a.nii,{'9' * 5000}\n", r"label '9+\.\.\.9+' is no number"),
        ("subject,scan,image\nA,s,data/a.nii\nB,s,data/b.nii\n", "two scans 's'"),
        ("subject,image,image\nA,data/a.nii,data/b.nii\n", "'image' twice"),
        ("subject,image\nA,data/a.nii,x, y\n", "more cells than columns"),
        ('subject,image\nA,"data/a.nii\n', "no CSV table"),
    ],
)
def test_refused_in_one_sentence(folder, text, says):
    path = manifest(folder, text)
    with pytest.raises(UserError, match=says) as caught:
        read_manifest(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_and_foreign_files(folder):
    with pytest.raises(UserError, match="is not there"):
        read_manifest(folder / "none.csv")
    with pytest.raises(UserError, match=r"manifest\.csv is not there"):
        read_manifest(folder)
    with pytest.raises(UserError, match="UTF-8"):
        read_manifest(manifest(folder, "subject,image\nMüller,data/a.nii\n", "latin-1"))


def test_written_and_read_again(folder):
    rows = [
        {"subject": "A, B", "image": folder / "data/a.nii", "mask": folder / "data/a_mask.nii",
         "image:t2": folder / "data/a_t2.nii", "channel": 0, "group": "normal", "notes": "ä"},
        {"subject": "C", "image": str(folder / "data/b.nii"), "mask": None, "region": ""},
    ]  # fmt: skip
    write_manifest(folder / "lists/m.csv", rows)
    with (folder / "lists/m.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.reader(file))
    assert lines[0] == ["subject", "image", "mask", "channel", "group", "image:t2", "notes"] or (
        lines[0] == ["subject", "image", "mask", "channel", "group", "notes", "image:t2"]
    )
    assert lines[1][1] == "../data/a.nii"
    one, two = read_manifest(folder / "lists/m.csv").scans
    assert one.subject == "A, B"
    assert one.image.resolve() == folder / "data/a.nii"
    assert one.further["t2"].resolve() == folder / "data/a_t2.nii"
    assert (one.group, one.notes, one.channel) == ("normal", "ä", 0)
    assert (two.mask, two.region, two.channel) == (None, None, None)
    with pytest.raises(UserError, match="no scans"):
        write_manifest(folder / "m.csv", [])


def test_relative_cells_are_kept_as_they_are(folder):
    write_manifest(folder / "m.csv", [{"subject": "A", "image": "data/a.nii"}])
    assert read_manifest(folder / "m.csv").scans[0].image == folder / "data/a.nii"
    assert Path(folder / "m.csv").read_text() == "subject,image\nA,data/a.nii\n"


def test_files_are_found_from_a_folder_that_is_a_link(tmp_path):
    (tmp_path / "elsewhere/deep").mkdir(parents=True)
    (tmp_path / "link").symlink_to("elsewhere/deep")
    (tmp_path / "scans").mkdir()
    (tmp_path / "scans/a.nii").touch()
    rows = [{"subject": "A", "image": tmp_path / "scans/a.nii"}]
    write_manifest(tmp_path / "link/manifest.csv", rows)
    assert read_manifest(tmp_path / "link").scans[0].image.samefile(tmp_path / "scans/a.nii")


def as_excel_writes(rows, separator, encoding="utf-8-sig", first=""):
    lines = [first] * bool(first) + [separator.join(row) for row in rows]
    return "".join(f"{line}\r\n" for line in lines).encode(encoding)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("first", ["", "sep="])
def test_tables_of_windows_programs_are_read(tmp_path, separator, first):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "é.nii").touch()
    rows = [["Subject", "Image", "Notes"], ["Ä", "data\\é.nii", "1,5"], ["", "", ""]]
    if separator == ",":
        rows[1][2] = '"1,5"'
    path = tmp_path / "m.csv"
    path.write_bytes(as_excel_writes(rows, separator, first=first and first + separator))
    (scan,) = read_manifest(path).scans
    assert (scan.subject, scan.notes) == ("Ä", "1,5")
    assert scan.image == tmp_path / "data" / "é.nii"


def test_a_table_in_utf_16_says_so(tmp_path):
    path = tmp_path / "m.csv"
    path.write_bytes(as_excel_writes([["subject", "image"], ["a", "b"]], "\t", "utf-16"))
    with pytest.raises(UserError, match="is in UTF-16; save it again in UTF-8"):
        read_manifest(path)


@pytest.mark.parametrize(
    "content",
    [
        "root:x:0:0:root,,,:/root:/bin/sh\nsecret:x:1:1:secret:/:/bin/sh\n",
        "secret\nsecret,secret\n",
        "subject,image\nA,b.nii,secret,secret\n",
        '"secret" words\n"',
        "[secret]\nkey = secret\n",
    ],
)
def test_what_is_no_manifest_is_refused_and_not_quoted(tmp_path, content):
    path = tmp_path / "passwd"
    path.write_text(content)
    with pytest.raises(UserError) as caught:
        read_manifest(path)
    assert "secret" not in str(caught.value)
    assert "root" not in str(caught.value).replace(str(path), "")


@pytest.mark.parametrize(
    "content",
    [
        "root:x:0:0:secret,,,:/root\nroot:x:0:0:secret,,,:/root,\n",
        "secret,secret\n1,2\n",
        "a,b\nsecret,2,3\n",
        "subject,image\nsecret,b,c\n",
    ],
)
def test_the_refusal_of_another_file_quotes_nothing_of_it(tmp_path, content):
    (tmp_path / "file").write_text(content)
    with pytest.raises(UserError) as caught:
        read_manifest(tmp_path / "file")
    assert "secret" not in str(caught.value)
