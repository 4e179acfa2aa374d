"""Presets of one's own: saved, listed, loaded by name or file, overwritten and deleted."""

import re
from pathlib import Path

import pytest

from ascnet_core import places
from ascnet_core.cli import build_parser, main
from ascnet_core.commands.options import first_settings
from ascnet_core.errors import UserError
from ascnet_core.runs.folder import list_runs, new_run_path
from ascnet_core.settings.presets import (
    delete_preset,
    load_preset,
    preset_names,
    save_preset,
    user_preset_names,
)
from ascnet_core.settings.text import apply_set, differing, keys, to_toml, value_of


@pytest.fixture
def runs(tmp_path, monkeypatch):
    monkeypatch.setattr(places, "RUNS", tmp_path)
    return tmp_path


@pytest.fixture
def mine():
    return apply_set(load_preset("teaching"), ["schedule.seed=9", "reference.share=0.5"])


def test_what_was_saved_is_loaded_by_its_name(runs, mine):
    path = save_preset("mine", mine, "half of the reference")
    assert path == runs / "presets" / "mine.toml"
    assert user_preset_names() == ("mine",)
    loaded = load_preset("mine")
    assert differing(loaded, mine) == ()
    assert (loaded.preset, loaded.description) == ("mine", "half of the reference")
    assert load_preset(str(path)) == loaded
    assert list_runs(runs) == []  # the folder of presets is no run


def test_a_saved_preset_holds_every_value(runs, mine):
    text = save_preset("mine", mine).read_text()
    unset = [key for key in keys() if value_of(mine, key) is None]
    for key in set(keys()) - set(unset):
        assert f"\n{key.split('.')[1]} = " in text, key


def test_overwriting_and_deleting_are_asked_for(runs, mine):
    save_preset("mine", mine)
    other = apply_set(mine, ["schedule.seed=10"])
    with pytest.raises(UserError, match="overwrite it"):
        save_preset("mine", other)
    assert load_preset("mine").schedule.seed == 9
    save_preset("mine", other, overwrite=True)
    assert load_preset("mine").schedule.seed == 10
    delete_preset("mine")
    assert user_preset_names() == ()
    with pytest.raises(UserError, match="no preset 'mine' to delete"):
        delete_preset("mine")


def test_a_preset_that_was_written_or_changed_by_hand_stays(runs, mine):
    path = save_preset("mine", mine)
    path.write_text(f"{path.read_text()}# a word by hand\n")
    (runs / "presets" / "own.toml").write_text(to_toml(mine))
    other = apply_set(mine, ["schedule.seed=10"])
    for name in ("mine", "own"):
        with pytest.raises(UserError, match=rf"{name}\.toml is there, and this tool did not write"):
            save_preset(name, other, overwrite=True)
        assert load_preset(name).schedule.seed == 9


def test_two_presets_do_not_share_a_file_anywhere(runs, mine):
    save_preset("mine", mine)
    for name in ("Mine", "Teaching"):
        with pytest.raises(UserError, match="one file with"):
            save_preset(name, mine, overwrite=True)


@pytest.mark.parametrize("name", ["", "a/b", "../x", ".hidden", "settings", "x.toml", "a b"])
def test_names_that_no_file_should_have_are_refused(runs, mine, name):
    with pytest.raises(UserError, match="cannot name a preset"):
        save_preset(name, mine)


@pytest.mark.parametrize("name", preset_names())
def test_shipped_presets_stay_as_they_are(runs, mine, name):
    with pytest.raises(UserError, match="shipped"):
        save_preset(name, mine, overwrite=True)
    with pytest.raises(UserError, match="shipped"):
        delete_preset(name)
    # nor does a file of that name take its place
    (runs / "presets").mkdir()
    (runs / "presets" / f"{name}.toml").write_text(to_toml(mine))
    assert user_preset_names() == ()
    assert load_preset(name).schedule.seed != 9


def test_train_takes_a_name_or_a_file(runs, mine, tmp_path):
    save_preset("mine", mine)
    file = tmp_path / "elsewhere.toml"
    file.write_text(to_toml(mine))
    for given in ("mine", str(file)):
        options = build_parser().parse_args(["train", "m.csv", "--name", "n", "--preset", given])
        assert differing(first_settings(options), mine) == ()


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path, mine):
    file = tmp_path / "windows.toml"
    file.write_text(to_toml(mine), encoding="utf-8-sig")
    assert differing(load_preset(str(file)), mine) == ()


def test_the_settings_of_a_run_are_a_preset_of_its_name(tmp_path, mine):
    run = tmp_path / "good-run"
    run.mkdir()
    (run / "settings.toml").write_text(to_toml(mine))
    assert load_preset(str(run / "settings.toml")).preset == "good-run"


def test_a_bad_file_is_said_and_hides_no_other(runs, mine, capsys):
    save_preset("mine", mine, "fine")
    (runs / "presets" / "broken.toml").write_text("[data]\nsize = 'large'\n")
    with pytest.raises(UserError, match=r"data\.size"):
        load_preset("broken")
    with pytest.raises(UserError, match="cannot be read"):
        load_preset(str(runs / "none.toml"))
    assert main(["train", "--list-settings"]) == 0
    text = capsys.readouterr().out
    assert "your preset mine: fine" in text
    assert "your preset broken: data.size" in text


def test_no_run_takes_the_folder_of_presets(runs):
    with pytest.raises(UserError, match="holds saved presets"):
        new_run_path("presets")


def test_the_readme_lists_the_presets_as_their_files_say():
    readme = (Path(__file__).parents[3] / "README.md").read_text("utf-8")
    rows = [
        f"| `{name}` | {re.split('[.:] ', load_preset(name).description)[0]}. |"
        for name in preset_names()
    ]
    assert "\n".join(["| preset | what it is |", "|---|---|", *rows, ""]) in readme


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_file_of_a_windows_editor_is_read(tmp_path, encoding, end):
    path = tmp_path / "mine.toml"
    path.write_bytes(f"description = 'für'{end}[data]{end}size = 32{end}".encode(encoding))
    assert load_preset(str(path)).data.size == 32


def test_a_file_in_utf_16_says_so(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("[data]\nsize = 32\n", encoding="utf-16")
    with pytest.raises(UserError, match="is in UTF-16; save it again in UTF-8"):
        load_preset(str(path))
