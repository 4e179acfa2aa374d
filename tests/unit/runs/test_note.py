import pytest
from hypothesis import given
from hypothesis import strategies as st

from ascnet_core.errors import UserError
from ascnet_core.runs.manage import first_line, read_note, write_note


def test_a_note_is_free_text_in_the_runs_folder(tmp_path):
    assert read_note(tmp_path) == first_line(tmp_path) == ""
    write_note(tmp_path, "  # Drei Gipfel, schön getrennt\r\n\r\nmehr dazu\n\n")
    assert (tmp_path / "note.md").read_bytes().endswith("schön getrennt\n\nmehr dazu\n".encode())
    assert read_note(tmp_path) == "# Drei Gipfel, schön getrennt\n\nmehr dazu"
    assert first_line(tmp_path) == "Drei Gipfel, schön getrennt"


def test_an_empty_note_is_none(tmp_path):
    write_note(tmp_path, "something")
    write_note(tmp_path, " \n ")
    write_note(tmp_path, "")
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_text_is_refused_and_the_note_stays(tmp_path):
    write_note(tmp_path, "before")
    with pytest.raises(UserError, match="no UTF-8"):
        write_note(tmp_path, "\udcff")
    assert read_note(tmp_path) == "before"


@given(text=st.text(st.characters(exclude_categories=["Cs"])))
def test_reading_gives_what_was_written(text, tmp_path_factory):
    run = tmp_path_factory.mktemp("run")
    write_note(run, text)
    once = read_note(run)
    assert once.split() == text.split()
    write_note(run, once)
    assert read_note(run) == once


def test_a_run_that_is_gone_gets_no_note(tmp_path):
    for text in ("late", ""):
        with pytest.raises(UserError, match="no run gone any more"):
            write_note(tmp_path / "gone", text)
    assert list(tmp_path.iterdir()) == []
