"""Presets, plans, exported runs and models that were edited, cut short or made to do harm."""

import json
import pickle
import re
import shutil
import stat
import zipfile
from pathlib import Path

import pytest

from ascnet_core import places
from ascnet_core.cli import main
from ascnet_core.crossval.plan import read_crossplan
from ascnet_core.errors import UserError
from ascnet_core.runs.export import export_run, import_run
from ascnet_core.settings.presets import FOLDER, load_preset
from tests.corpus.case import MARK, Evil, everything_in, nifti, put

TEACHING = (FOLDER / "teaching.toml").read_text(encoding="utf-8")
PRESETS = {
    "a byte order mark": "\ufeff" + TEACHING,
    "lines as Windows ends them": TEACHING.replace("\n", "\r\n"),
    "a comment in many letters": "# größer als — 大\n" + TEACHING,
    "empty": "",
}
REFUSED = {
    "no TOML": ("[data\n", "toml|valid"),
    "a table twice": ("[data]\nsize = 96\n[data]\nsize = 96\n", "p.toml"),
    "a key twice": ("[data]\nsize = 96\nsize = 96\n", "p.toml"),
    "a value of nan": ("[schedule]\nlearning_rate = nan\n", "learning_rate"),
    "a share of nan": ("[network]\ndropout = nan\n", "dropout"),
    "a cooling of inf": ("[schedule]\ncooling = inf\n", "cooling"),
    "a number beyond 64 bits": (f"[data]\nsize = {10**30}\n", "size"),
    "a negative seed": ("[schedule]\nseed = -1\n", "seed"),
    "a number of thousands of digits": (f"[data]\nsize = {'9' * 9000}\n", "p.toml|size"),
    "thousands of brackets": ("x = " + "[" * 9000 + "]" * 9000, "p.toml"),
    "an unknown key": ("[data]\nsise = 96\n", "size"),
    "an unknown table": ("[date]\nsize = 96\n", "date"),
    "another type": ("[data]\nsize = 'big'\n", "size"),
    "YAML": ("data:\n  size: 96\n", "p.toml"),
    "JSON": ('{"data": {"size": 96}}\n', "p.toml"),
    "Latin-1": ("# größer\n".encode("latin-1"), "p.toml"),
    "UTF-16": (TEACHING.encode("utf-16"), "p.toml"),
    "zero bytes": (bytes(100), "p.toml"),
    "a pickle": (pickle.dumps(Evil()), "p.toml"),
}


@pytest.mark.parametrize("text", PRESETS.values(), ids=list(PRESETS))
def test_a_preset_that_an_editor_saved_is_read(text, tmp_path):
    path = put(tmp_path / "p.toml", text.encode())
    assert load_preset(str(path)).data.size > 0


@pytest.mark.parametrize(("content", "words"), REFUSED.values(), ids=list(REFUSED))
def test_a_preset_that_says_nonsense_is_refused_and_leaves_no_run(
    content, words, small_cohort, tmp_path, monkeypatch, capfd
):
    monkeypatch.chdir(tmp_path)
    path = put(tmp_path / "p.toml", content.encode() if isinstance(content, str) else content)
    with pytest.raises(UserError, match=f"(?i){words}") as caught:
        load_preset(str(path))
    assert len(str(caught.value)) < 20_000
    assert "\n" not in str(caught.value)
    capfd.readouterr()
    run = tmp_path / "run"
    assert main(["train", str(small_cohort), "--name", str(run), "--preset", str(path)]) == 2
    said = capfd.readouterr().err.splitlines()
    assert len(said) == 1
    assert re.search(words, said[0], re.IGNORECASE)
    assert not run.exists()
    assert not Path(MARK).exists()


PLAN = '[data.x]\nmanifests = ["MANIFEST"]\nfolds = 2\n\n[run.one]\npreset = "teaching"\n'
PLANS = {
    "no TOML": ("[data.x\n", "toml"),
    "empty": ("", "plan.toml"),
    "no data": ('[run.one]\npreset = "teaching"\n', "data"),
    "folds of nan": (PLAN.replace("folds = 2", "folds = nan"), "folds"),
    "folds below 0": (PLAN.replace("folds = 2", "folds = -2"), "folds"),
    "folds beyond all": (PLAN.replace("folds = 2", f"folds = {10**20}"), "fold"),
    "a seed of nan": ("seeds = [nan]\n" + PLAN, "seeds"),
    "a rule of nan": (PLAN + 'rules = { wild = ["nan"] }\n', "nan|rule"),
    "a name that climbs": (PLAN.replace("[run.one]", '[run."../../one"]'), "name|run|plan"),
    "no such preset": (PLAN.replace("teaching", "teeching"), "teeching"),
    "no such manifest": (PLAN.replace("MANIFEST", "nowhere.csv"), "nowhere.csv"),
    "Latin-1": ("# größer\n".encode("latin-1"), "plan.toml"),
}


@pytest.mark.parametrize(("content", "words"), PLANS.values(), ids=list(PLANS))
def test_a_plan_that_says_nonsense_is_refused(content, words, small_cohort, tmp_path, capfd):
    if isinstance(content, str):
        content = content.replace("MANIFEST", str(small_cohort)).encode()
    path, out = put(tmp_path / "plan.toml", content), tmp_path / "out"
    capfd.readouterr()
    assert main(["crossval", str(path), "-o", str(out), "--list"]) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert re.search(words, line, re.IGNORECASE), line
    assert not out.exists()


def test_a_plan_with_a_byte_order_mark_is_read(small_cohort, tmp_path):
    text = "\ufeff" + PLAN.replace("MANIFEST", str(small_cohort))
    path = put(tmp_path / "plan.toml", text.replace("\n", "\r\n").encode())
    assert set(read_crossplan(path).data) == {"x"}


# --- exported runs ---------------------------------------------------------------------------
@pytest.fixture
def runs(tmp_path, monkeypatch):
    """An empty folder in the place of `checkpoints/`."""
    monkeypatch.setattr(places, "RUNS", tmp_path / "runs")
    return tmp_path / "runs"


@pytest.fixture
def exported(small_run, tmp_path):
    file = tmp_path / "r.zip"
    export_run(small_run, file)
    return file


def members(file: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def archived(file: Path, content: dict[str, bytes], **told: object) -> None:
    """Write an archive of these files, whose table of contents says `told` beside."""
    contents = json.loads(content["contents.json"]) | told
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("contents.json", json.dumps(contents))
        for name, one in content.items():
            if name != "contents.json":
                archive.writestr(name, one)


def spoilt(kind: str, file: Path) -> None:
    """Spoil an exported run in one of many ways."""
    whole, content = file.read_bytes(), members(file)
    table = json.loads(content["contents.json"])["members"]
    one = table["settings.toml"]
    match kind:
        case "empty":
            file.write_bytes(b"")
        case "text":
            file.write_text("no archive")
        case "cut short":
            file.write_bytes(whole[: len(whole) // 2])
        case "its table of contents cut off":
            file.write_bytes(whole[:-100])
        case "a byte changed":
            at = whole.index(content["model.safetensors"][-64:])
            file.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        case "another program's":
            with zipfile.ZipFile(file, "w") as archive:
                archive.writestr("word/document.xml", "<xml/>")
        case "no table of contents":
            archived(file, {"contents.json": b"{}", "settings.toml": b""})
        case "a table that is a list":
            with zipfile.ZipFile(file, "w") as archive:
                archive.writestr("contents.json", "[" * 100_000)
        case "a newer format":
            archived(file, content, format=99)
        case "a format of nan":
            archived(file, content, format=float("nan"))
        case "a name that climbs":
            archived(file, content, name="../../evil")
        case "a name of nothing":
            archived(file, content, name="")
        case "a file that climbs":
            entry = {"../../evil.txt": one}
            archived(file, content | {"../../evil.txt": b""}, members=table | entry)
        case "an absolute file":
            archived(file, content | {"/tmp/evil.txt": b""}, members=table | {"/tmp/evil.txt": one})
        case "a script":
            archived(file, content | {"evil.py": b""}, members=table | {"evil.py": one})
        case "a pickle":
            evil = pickle.dumps(Evil())
            archived(file, content | {"model.pt": evil}, members=table | {"model.pt": one})
        case "a hash that is another":
            changed = one | {"sha256": "0" * 64}
            archived(file, content, members=table | {"settings.toml": changed})
        case "a size that is another":
            archived(file, content, members=table | {"settings.toml": one | {"bytes": 5}})
        case "a size beyond all":
            archived(file, content, members=table | {"settings.toml": one | {"bytes": 10**18}})
        case "a file that is missing":
            del content["model.safetensors"]
            archived(file, content)
        case "a link":
            entry = zipfile.ZipInfo("note.md")
            entry.create_system, entry.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
            archived(file, content, members=table | {"note.md": one})
            with zipfile.ZipFile(file, "a") as archive:
                archive.writestr(entry, "/etc/passwd")


SPOILT = [
    "empty", "text", "cut short", "its table of contents cut off", "a byte changed",
    "another program's", "no table of contents", "a table that is a list", "a newer format",
    "a format of nan", "a name that climbs", "a name of nothing", "a file that climbs",
    "an absolute file", "a script", "a pickle", "a hash that is another", "a size that is another",
    "a size beyond all", "a file that is missing", "a link",
]  # fmt: skip


@pytest.mark.parametrize("kind", SPOILT)
def test_a_spoilt_archive_is_refused_and_leaves_nothing(kind, exported, runs, tmp_path, capfd):
    spoilt(kind, exported)
    before = everything_in(tmp_path)
    with pytest.raises(UserError) as caught:
        import_run(exported)
    assert str(caught.value).isprintable()
    capfd.readouterr()
    assert main(["run", "import", str(exported)]) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("error: ")
    after = {path for path in everything_in(tmp_path) if Path(path) != runs}
    assert after == set(before)


def test_a_sentence_on_an_archive_does_not_quote_what_is_in_it(exported, runs):
    """The name of a file as the archive's own header has it, say."""
    content = exported.read_bytes()
    at = content.index(b"contents.json")
    exported.write_bytes(content[:at] + b"SECRET-WORDS!" + content[at + 13 :])
    with pytest.raises(UserError) as caught:
        import_run(exported)
    assert "SECRET" not in str(caught.value)


# --- models ----------------------------------------------------------------------------------
MODELS = {
    "empty": b"",
    "text": b"no weights",
    "a header beyond the file": (2**40).to_bytes(8, "little") + b"{}",
    "a header that is no JSON": (8).to_bytes(8, "little") + b"{{{{{{{{",
    "a pickle": pickle.dumps(Evil()),
    "a pointer of Git LFS": b"version https://git-lfs.github.com/spec/v1\nsize 9\n",
}


@pytest.mark.parametrize("content", MODELS.values(), ids=list(MODELS))
def test_a_model_that_is_none_is_refused(content, small_run, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(small_run, tmp_path / "run")
    put(tmp_path / "run" / "model.safetensors", content)
    put(tmp_path / "x.nii", nifti())
    capfd.readouterr()
    for run in ("run", "run/model.safetensors"):
        assert main(["segment", run, "x.nii", "-o", "out"]) == 2
        (line,) = capfd.readouterr().err.splitlines()
        assert line.startswith("error: ")
    assert not Path(MARK).exists()
    assert not list(Path.cwd().glob("out/*mask*"))


def test_a_model_cut_short_is_refused(small_run, tmp_path, capfd):
    shutil.copytree(small_run, tmp_path / "run")
    model = tmp_path / "run" / "model.safetensors"
    model.write_bytes(model.read_bytes()[:-100])
    put(tmp_path / "x.nii", nifti())
    assert main(["segment", str(tmp_path / "run"), str(tmp_path / "x.nii"), "-o",
                 str(tmp_path / "out")]) == 2  # fmt: skip
    assert "model.safetensors" in capfd.readouterr().err
