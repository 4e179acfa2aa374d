"""Every odd manifest, and every odd name of a file: its scans, or one sentence."""

import csv
import os
import re
import subprocess
import sys
import time

import pytest

from ascnet_core.cli import main
from ascnet_core.errors import UserError
from ascnet_core.imaging.cohort import read_manifest
from tests.corpus.case import EVERYTHING, Case, everything_in, nifti, put
from tests.corpus.manifests import MANIFESTS


@pytest.mark.parametrize("case", MANIFESTS.values(), ids=list(MANIFESTS))
def test_a_manifest_lists_its_scans_or_is_refused(case: Case, tmp_path):
    (tmp_path / "given").mkdir()
    path = case.make(tmp_path / "given")
    before = everything_in(tmp_path)
    cohort, sentence = None, ""
    try:
        cohort = read_manifest(path)
    except UserError as error:
        sentence = str(error)
    assert everything_in(tmp_path) == before
    if cohort is None:
        assert case.ml is None, sentence
        assert re.search(case.says, sentence, re.IGNORECASE), sentence
        assert len(sentence) < 1000
        assert sentence.isprintable()
    else:
        assert not case.says, "this should have been refused"
        assert case.ml is None or len(cohort.scans) == case.ml


@pytest.mark.parametrize("case", MANIFESTS.values(), ids=list(MANIFESTS))
def test_segment_takes_every_scan_of_a_manifest_or_ends_with_2(case, small_run, tmp_path, capfd):
    (tmp_path / "given").mkdir()
    path, out = case.make(tmp_path / "given"), tmp_path / "out"
    before = everything_in(tmp_path / "given")
    capfd.readouterr()
    status = main(["segment", str(small_run), str(path), "-o", str(out), *EVERYTHING])
    said = capfd.readouterr().err
    assert everything_in(tmp_path / "given") == before
    masks = sorted(out.glob("*_mask*")) if out.is_dir() else []
    assert set(tmp_path.iterdir()) <= {tmp_path / "given", out}
    if status == 2:
        assert case.ml is None, said
        assert not masks
        assert re.search(case.says, said, re.IGNORECASE), said
        return
    assert status == 0, said
    assert not case.says, "this should have been refused"
    with (out / "segmentation.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    # each scan has a mask of its own
    assert len({row["mask"] for row in rows}) == len(rows) == len(masks)
    assert case.ml is None or len(masks) == case.ml


def test_twenty_thousand_rows_are_read_in_seconds(tmp_path):
    """Of time that grows with the square of the rows, minutes would come."""
    put(tmp_path / "x.nii", nifti())
    rows = "".join(f"s{number},x.nii\n" for number in range(20_000))
    put(tmp_path / "m.csv", f"subject,image\n{rows}".encode())
    start = time.process_time()
    assert len(read_manifest(tmp_path / "m.csv").scans) == 20_000
    assert time.process_time() - start < 10


NAMES = {
    "spaces": "a scan of mine.nii",
    "umlauts": "Jörg Müller.nii",
    "Chinese": "扫描.nii",
    "Arabic, from right to left": "صورة.nii",
    "emoji": "🧠.nii",
    "a combined letter": "Jo\u0308rg.nii",
    "quotes and a comma": "a\"b',c.nii",
    "a new line": "a\nb.nii",
    "a tab": "a\tb.nii",
    "an escape sequence": "a\x1b[31mb.nii",
    "marks of direction": "a\u202eb.nii",
    "a percent sign": "100%s.nii",
    "a star": "a*b?.nii",
    "braces": "{a}{0}.nii",
    "a backslash": "a\\b.nii",
    "a colon": "P:1.nii",
    "a leading dash": "-o.nii",
    "a leading dot": ".hidden.nii",
    "dots": "a.b.c.nii",
    "nothing but the suffix": ".nii",
    "a device of Windows": "CON.nii",
    "a dot at the end": "a..nii",
    "as long as may be": "x" * 251 + ".nii",
    "as long as may be in bytes": "ö" * 125 + ".nii",
    "bytes that are no UTF-8": b"J\xf6rg.nii",
    "bytes of a half letter": b"a\xe6\x89.nii",
}


@pytest.mark.parametrize("name", NAMES.values(), ids=list(NAMES))
def test_a_scan_of_any_name_gets_its_mask_or_one_sentence(name, small_run, tmp_path, capfd):
    path = os.path.join(os.fsencode(tmp_path), os.fsencode(name))  # noqa: PTH118
    with open(path, "wb") as stream:  # noqa: PTH123
        stream.write(nifti())
    out = tmp_path / "out"
    status = main(["segment", str(small_run), os.fsdecode(path), "-o", str(out), *EVERYTHING])
    told = capfd.readouterr()
    left = list(out.iterdir()) if out.is_dir() else []
    assert not [p for p in left if ".tmp" in p.name]
    masks = [p for p in left if "_mask" in p.name]
    if status == 2:
        assert len(told.err.splitlines()) == 1, told.err
        assert not masks
    else:
        assert status == 0, told.err
        assert len(masks) == 1
        assert masks[0].parent == out
        # no name moves the cursor or forges a line
        assert "\x1b" not in told.out
        assert len(told.out.splitlines()) == 1


@pytest.mark.parametrize(
    "pair",
    [("P:1", "P?1"), ("a b", "a_b"), ("a/b", "a_b"), ("A", "a"), ("é", "e\u0301"), ("a", "a ")],
    ids=repr,
)
def test_two_scans_never_share_a_mask(pair, small_run, tmp_path, capfd):
    """Two masks, or a refusal before anything is written."""
    put(tmp_path / "x.nii", nifti())
    other = nifti(endian=">")
    put(tmp_path / "y.nii", other)
    with (tmp_path / "m.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerows([["subject", "scan", "image"], ["a", pair[0], "x.nii"]])
        writer.writerow(["b", pair[1], "y.nii"])
    out = tmp_path / "out"
    status = main(["segment", str(small_run), str(tmp_path / "m.csv"), "-o", str(out), *EVERYTHING])
    masks = [p.name for p in out.glob("*_mask.nii.gz")] if out.is_dir() else []
    if status == 2:
        assert not masks
        assert "error: " in capfd.readouterr().err
    else:
        assert status == 0
        assert len(set(masks)) == 2


def test_index_and_segment_go_on_where_a_name_is_no_utf8(small_run, tmp_path):
    """In processes of their own, as a user has them: their streams are really UTF-8."""
    folder = tmp_path / "scans"
    put(folder / "a_flair.nii", nifti())
    with open(os.fsencode(folder) + b"/J\xf6rg_flair.nii", "wb") as stream:  # noqa: PTH123
        stream.write(nifti())
    for words in (
        ["index", str(folder), "-o", str(tmp_path / "m.csv")],
        [
            "segment",
            str(small_run),
            str(tmp_path / "m.csv"),
            "-o",
            str(tmp_path / "out"),
            *EVERYTHING,
        ],
    ):
        done = subprocess.run(
            [sys.executable, "-m", "ascnet_core", *words], capture_output=True, check=False
        )
        assert done.returncode in (0, 2), done.stderr
        assert b"fault of this program" not in done.stderr
        assert b"Traceback" not in done.stderr
    assert list((tmp_path / "out").glob("a*_mask.nii.gz"))
