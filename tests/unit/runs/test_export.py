"""A run as one file: the round trip, and files that mean harm."""

import hashlib
import io
import json
import shutil
import stat
import zipfile
from pathlib import Path

import pytest

from ascnet_core.errors import UserError
from ascnet_core.places import TRAINING
from ascnet_core.runs import export
from ascnet_core.runs import folder as run_folder
from ascnet_core.runs.card import _MARK
from ascnet_core.runs.export import CONTENTS, export_run, files_to_export, import_run, read_contents
from ascnet_core.runs.folder import Run
from ascnet_core.runs.lock import hold_lock
from tests.made_up import write_run
from tests.unit.runs.test_manage import in_a_killed_process

SETTINGS = "settings.toml"


@pytest.fixture
def run(tmp_path) -> Path:
    """A run with everything a run can have."""
    run = write_run(tmp_path / "first", "ms")
    (run / "model.safetensors").write_bytes(bytes(range(256)) * 50)
    (run / "training.safetensors").write_bytes(b"d" * 3000)
    (run / "snapshots" / "001-s1-c1" / "model.safetensors").write_bytes(b"m" * 2000)
    for name in ("manifest.csv", "reference.csv", "data.json", "command.txt", "log.txt"):
        (run / name).write_text("x\r\ny\n", "utf-8")
    (run / "card.md").write_text(f"{_MARK}\n# first\n", "utf-8")
    (run / "note.md").write_text("schön\n", "utf-8")
    return run


@pytest.fixture
def file(run, tmp_path) -> Path:
    export_run(run, tmp_path / "first.zip")
    return tmp_path / "first.zip"


def content_of(run: Path) -> dict[str, bytes]:
    return {p.relative_to(run).as_posix(): p.read_bytes() for p in run.rglob("*") if p.is_file()}


def changed(file: Path, target: Path, change) -> Path:
    """A copy of an archive: `change(name, content)` gives what is written, None to leave out."""
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(target, "w") as new:
        for entry in old.infolist():
            content = change(entry.filename, old.read(entry))
            if content is not None:
                new.writestr(entry.filename, content)
    return target


def with_member(file: Path, target: Path, entry: zipfile.ZipInfo | str, content: bytes) -> Path:
    """A copy with one more member, which its table of contents vouches for."""
    name = entry if isinstance(entry, str) else entry.filename

    def told(member: str, old: bytes) -> bytes:
        if member != CONTENTS:
            return old
        table = json.loads(old)
        digest = hashlib.sha256(content).hexdigest()
        table["members"][name] = {"bytes": len(content), "sha256": digest}
        return json.dumps(table).encode()

    changed(file, target, told)
    with zipfile.ZipFile(target, "a") as archive:
        archive.writestr(entry, content)
    return target


# --- the round trip ------------------------------------------------------------------------------


def test_a_run_comes_back_byte_by_byte(run, file, runs):
    new = import_run(file)
    assert new == runs / "first"
    assert content_of(new) == content_of(run)
    assert Run(new).settings() == Run(run).settings()
    assert Run(new).status() == "finished"


def test_the_same_run_is_the_same_file(run, file, tmp_path):
    for path in run.rglob("*"):
        path.touch()
    export_run(run, tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == file.read_bytes()
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
    assert names[0] == CONTENTS
    assert names[1:] == sorted(content_of(run), key=Path)


def test_a_run_takes_another_name_and_its_card_with_it(run, file, runs):
    new = import_run(file, "second")
    assert new == runs / "second"
    before, after = content_of(run), content_of(new)
    assert after.pop("card.md").decode() == f"{_MARK}\n# second\n"
    before.pop("card.md")
    assert after == before


def test_an_upload_is_read_like_a_file(file, runs):
    stream = io.BytesIO(file.read_bytes())
    contents = read_contents(stream)
    assert contents.name == "first"
    assert TRAINING in contents.members
    assert import_run(stream) == runs / "first"


def test_what_makes_it_large_can_be_left_out(run, tmp_path, runs):
    small = tmp_path / "small.zip"
    done = export_run(run, small, with_training=False, with_networks=False)
    assert done.size == small.stat().st_size
    assert TRAINING not in done.contents.members
    left = set(content_of(run)) - set(content_of(import_run(small)))
    assert left == {"training.safetensors", "snapshots/001-s1-c1/model.safetensors"}
    with_networks = files_to_export(run, with_training=False)[0]
    assert "snapshots/001-s1-c1/model.safetensors" in with_networks


def test_what_is_nothing_of_a_run_stays_behind_and_is_told(run, tmp_path):
    for name in ("run.lock", "control.json"):  # of a process that was killed
        (run / name).write_text("{}")
    (run / ".DS_Store").write_text("x")
    (run / "thesis.docx").write_text("x")
    (run / "secret.csv").symlink_to("/etc/passwd")
    (run / "snapshots" / ".tmp-002-s1-c2").mkdir()
    (run / "snapshots" / ".tmp-002-s1-c2" / "cuts.safetensors").write_text("x")
    done = export_run(run, tmp_path / "x.zip")
    assert done.left_out == (
        ".DS_Store", "secret.csv", "snapshots/.tmp-002-s1-c2/cuts.safetensors", "thesis.docx"
    )  # fmt: skip
    assert not set(done.contents.members) & {"run.lock", "control.json", *done.left_out}


def test_progress_ends_at_its_total(run, tmp_path, runs):
    told = []
    export_run(run, tmp_path / "x.zip", progress=lambda *now: told.append(now))
    assert told[-1][0] == told[-1][1] > 0
    import_run(tmp_path / "x.zip", progress=lambda *now: told.append(now))
    assert told[-1][0] == told[-1][1] == read_contents(tmp_path / "x.zip").size


# --- refusals of exporting -----------------------------------------------------------------------


def test_a_run_that_is_being_trained_is_not_exported(run, tmp_path):
    with hold_lock(run), pytest.raises(UserError, match="stop it before you export it"):
        export_run(run, tmp_path / "x.zip")
    assert not (tmp_path / "x.zip").exists()


def test_a_run_that_changes_meanwhile_leaves_no_file(run, tmp_path):
    def meddle(done: int, total: int) -> None:
        if done > total // 2:
            with (run / "training.safetensors").open("ab") as stream:
                stream.write(b"more")

    with pytest.raises(UserError, match=r"training\.safetensors changed"):
        export_run(run, tmp_path / "x.zip", progress=meddle)
    assert [path.name for path in tmp_path.iterdir()] == ["first"]


def test_a_place_that_cannot_be_written_is_said(run, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(UserError, match="choose another place"):
        export_run(run, tmp_path / "file" / "x.zip")


# --- refusals of importing -----------------------------------------------------------------------


def refused(file: Path, runs: Path, match: str) -> None:
    """Importing is refused in one line, and nothing is left of it."""
    with pytest.raises(UserError, match=match) as caught:
        import_run(file)
    assert "\n" not in str(caught.value)
    assert not runs.exists() or list(runs.iterdir()) == []


@pytest.mark.parametrize(
    "name",
    [
        "../evil.json",
        "../../evil.json",
        "/tmp/evil.json",
        "snapshots/../../evil.json",
        "snapshots/001-s1-c1/../../../evil.json",
        "..\\evil.json",
        "C:\\evil.json",
        "C:evil.json",
        "./settings.json",
        "//settings.json",
        "sub/evil.json",
        ".hidden.json",
        "snapshots/.tmp-1/cuts.safetensors",
        "snapshots/001-s1-c1/note.md",
        "run.lock",
        "control.json",
        "evil.py",
        "model.pt",
        "weights.pkl",
        "evil.json\n",
        "e\u0301vil.json",
        "x" * 300 + ".exe",
    ],
)
def test_names_that_are_no_part_of_a_run(file, tmp_path, runs, name):
    hostile = with_member(file, tmp_path / "hostile.zip", name, b"evil")
    refused(hostile, runs, "no part of a run; it is refused")
    assert not list(tmp_path.rglob("evil*"))


@pytest.mark.parametrize("hidden", [b"\0QQQ.json", b"log.\0json"])
def test_names_with_a_null_byte(file, tmp_path, runs, hidden):
    hostile = tmp_path / "h.zip"
    shutil.copy(file, hostile)
    with zipfile.ZipFile(hostile, "a") as archive:
        archive.writestr("QQQQ.json", "evil")
    hostile.write_bytes(hostile.read_bytes().replace(b"QQQQ.json", hidden))
    refused(hostile, runs, "no part of a run")


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFDIR, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices(file, tmp_path, runs, kind):
    entry = zipfile.ZipInfo("evil.json")
    entry.create_system = 3
    entry.external_attr = (kind | 0o777) << 16
    refused(with_member(file, tmp_path / "h.zip", entry, b"/etc/passwd"), runs, "no part of a run")


def test_a_folder_as_a_member(file, tmp_path, runs):
    refused(with_member(file, tmp_path / "h.zip", "snapshots/", b""), runs, "no part of a run")


def test_another_content_under_the_same_size(file, tmp_path, runs):
    def flip(name: str, content: bytes) -> bytes:
        return content[::-1] if name == "model.safetensors" else content

    refused(
        changed(file, tmp_path / "h.zip", flip), runs, r"model\.safetensors is not what its SHA"
    )


@pytest.mark.parametrize("more", [b"", b"longer than it says"])
def test_another_size_or_a_missing_member(file, tmp_path, runs, more):
    def alter(name: str, content: bytes) -> bytes | None:
        return content if name != "log.txt" else (content + more if more else None)

    refused(changed(file, tmp_path / "h.zip", alter), runs, r"log\.txt is not as its contents")


def test_a_member_that_nobody_vouches_for(file, tmp_path, runs):
    target = tmp_path / "h.zip"
    shutil.copy(file, target)
    with zipfile.ZipFile(target, "a") as archive:
        archive.writestr("extra.json", "{}")
    refused(target, runs, r"extra\.json is not as its contents")


@pytest.mark.parametrize("name", ["log.txt", "LOG.txt"])
def test_a_member_twice(file, tmp_path, runs, name):
    target = tmp_path / "h.zip"
    shutil.copy(file, target)
    with zipfile.ZipFile(target, "a") as archive:
        if name == "log.txt":
            with pytest.warns(UserWarning, match="Duplicate"):
                archive.writestr(name, "x\r\ny\n")
        else:
            archive.writestr(name, "x\r\ny\n")
    refused(target, runs, "a file twice")


def told(file: Path, target: Path, **changes: object) -> Path:
    def alter(name: str, content: bytes) -> bytes:
        return json.dumps(json.loads(content) | changes).encode() if name == CONTENTS else content

    return changed(file, target, alter)


def test_a_newer_format(file, tmp_path, runs):
    refused(told(file, tmp_path / "h.zip", format=2), runs, "is of format 2.*update")


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "recipe"},
        {"format": "one"},
        {"format": None},
        {"format": 1e999},
        {"members": [1, 2]},
        {"members": {SETTINGS: 3}},
        {"members": None},
    ],
)
def test_a_table_of_contents_that_means_nothing(file, tmp_path, runs, changes):
    refused(told(file, tmp_path / "h.zip", **changes), runs, "no exported run")


@pytest.mark.parametrize("name", ["../evil", "/tmp/evil", "a/b", "", ".x", "presets", 3.5, None])
def test_a_name_that_leads_elsewhere_needs_another(file, tmp_path, runs, name):
    hostile = told(file, tmp_path / "h.zip", name=name)
    if name in (3.5, None):  # odd, but a name
        assert import_run(hostile).parent == runs
        return
    refused(hostile, runs, "name")
    assert import_run(hostile, "mine") == runs / "mine"


def test_a_bomb_is_refused_before_it_is_unpacked(file, tmp_path, runs, monkeypatch):
    bomb = with_member(file, tmp_path / "h.zip", "events.csv", bytes(10**6))
    monkeypatch.setattr(export, "LARGEST", 500_000)
    refused(bomb, runs, r"would unpack to 1\.\d MB, more than the 500\.0 kB")


def test_a_bomb_that_lies_about_its_size_is_not_unpacked_further(file, tmp_path, runs):
    """Both tables say 1000 bytes, and the packed stream holds 20 MB."""
    big = bytes(20 * 10**6)
    target = with_member(file, tmp_path / "h.zip", "zeros.csv", bytes(1000))
    packed = zipfile.ZipInfo("zeros.csv")
    packed.compress_type = zipfile.ZIP_DEFLATED
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(packed, big)
    small = changed(target, tmp_path / "i.zip", lambda n, c: None if n == "zeros.csv" else c)
    with zipfile.ZipFile(small, "a") as archive:
        archive.writestr(packed, big)
        archive.getinfo("zeros.csv").file_size = 1000
    refused(small, runs, "zeros.csv|damaged")


def test_a_full_disk_is_said_beforehand(file, runs, monkeypatch):
    usage = shutil.disk_usage("/")._replace(free=10)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    refused(file, runs, "has 10 bytes left; make room")


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04" + bytes(100)])
def test_what_is_no_archive(tmp_path, runs, content):
    (tmp_path / "h.zip").write_bytes(content)
    refused(tmp_path / "h.zip", runs, "no exported run")


def test_an_archive_of_something_else(tmp_path, runs):
    with zipfile.ZipFile(tmp_path / "h.zip", "w") as archive:
        archive.writestr("thesis.txt", "x")
    refused(tmp_path / "h.zip", runs, "no exported run: it has no contents.json")


def test_a_table_nested_beyond_reason(tmp_path, runs):
    with zipfile.ZipFile(tmp_path / "h.zip", "w") as archive:
        archive.writestr(CONTENTS, "[" * 10**6)
    refused(tmp_path / "h.zip", runs, "no exported run")


def test_a_file_that_is_not_there(tmp_path, runs):
    refused(tmp_path / "nowhere.zip", runs, "cannot be read")


def test_a_cut_download_at_any_length(file, tmp_path, runs):
    whole = file.read_bytes()
    for share in range(1, 20):
        (tmp_path / "h.zip").write_bytes(whole[: len(whole) * share // 20])
        refused(tmp_path / "h.zip", runs, "no exported run")


def test_any_byte_that_is_wrong_is_found_or_changes_nothing(run, file, tmp_path, runs):
    """Flip single bytes all over the file: no run arrives that differs from what was exported."""
    whole, expected = file.read_bytes(), content_of(run)
    for place in range(0, len(whole), max(len(whole) // 60, 1)):
        (tmp_path / "h.zip").write_bytes(
            whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :]
        )
        try:
            new = import_run(tmp_path / "h.zip", "arrived")
        except UserError:
            assert not runs.exists() or list(runs.iterdir()) == []
        else:
            assert {**content_of(new), "card.md": b""} == {**expected, "card.md": b""}
            shutil.rmtree(new)


def test_settings_that_mean_nothing(run, tmp_path, runs):
    (run / SETTINGS).write_text("no toml at all [")
    export_run(run, tmp_path / "h.zip")
    refused(tmp_path / "h.zip", runs, r"would open nowhere.*no valid TOML")


def test_an_archive_without_settings(file, tmp_path, runs):
    def drop(name: str, content: bytes) -> bytes | None:
        if name == SETTINGS:
            return None
        if name == CONTENTS:
            table = json.loads(content)
            del table["members"][SETTINGS]
            return json.dumps(table).encode()
        return content

    refused(changed(file, tmp_path / "h.zip", drop), runs, r"holds no settings\.toml")


@pytest.mark.parametrize("name", ["first", "demo-flair"])
def test_a_name_that_is_taken(file, runs, name):
    (runs / name).mkdir(parents=True)
    (runs / name / "mine.txt").write_text("x")
    with pytest.raises(UserError, match=f"{name} is there already; choose another name"):
        import_run(file, name)
    assert content_of(runs / name) == {"mine.txt": b"x"}


def test_an_import_that_is_killed_leaves_nothing_under_the_name(file, runs):
    in_a_killed_process(f"""
        import os, signal
        from pathlib import Path
        from ascnet_core import places
        from ascnet_core.runs import export
        places.RUNS = Path({str(runs)!r})

        def kill(done, total):
            if done > total // 2:
                os.kill(os.getpid(), signal.SIGKILL)

        export.import_run(Path({str(file)!r}), progress=kill)
    """)
    assert run_folder.list_runs(runs) == []
    (left,) = runs.iterdir()
    assert left.name.startswith(".tmp-run-")
    new = import_run(file)
    assert list(runs.iterdir()) == [new]  # what was left over is gone too
