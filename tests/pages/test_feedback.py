"""Sentences on pages: nothing in them becomes Markdown, and the file system's errors get one."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts.shared import jobs
from pages.parts.shared.feedback import plain


@pytest.mark.parametrize("text", ["![x](y)", "[a](b)", "**bold**", "$x$", "C:\\new", "a\\[b"])
def test_words_of_a_link_or_a_file_stay_words(text: str) -> None:
    def page(text: str) -> None:
        import streamlit as st

        st.markdown(text)

    said = AppTest.from_function(page, kwargs={"text": plain(text)}).run().markdown[0].value
    unescaped = said.replace("\\\\", "\0")
    for mark in "[]*$":
        assert unescaped.count(f"\\{mark}") == text.count(mark)


def test_what_is_written_in_backticks_stays_code() -> None:
    assert plain("run `pip install streamlit` in a_b_c.nii") == (
        "run `pip install streamlit` in a_b_c.nii"
    )


def test_brackets_in_code_are_shown_as_one_types_them() -> None:
    assert plain("run `pip install '.[formats]'` for [a]") == (
        "run `pip install '.[formats]'` for \\[a\\]"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("`` `![x](u)` ```![x](u) `", "`` `![x](u)` ```!\\[x\\](u) `"),
        ("`a\n\nb` `![x](u)` `c", "`a  b` `![x](u)` `c"),
        ("<a b='`'>![x](u)` and `c`", "\\<a b='`'>![x](u)` and `c`"),
        ("a\\`![x](u) `b", "a\\\\`![x](u) `b"),
        ("`a\n![x](u)", "`a !\\[x\\](u)"),
    ],
)
def test_backticks_and_tags_of_a_name_open_no_picture(text: str, said: str) -> None:
    assert plain(text) == said  # in which Markdown finds words and code, and nothing else


def test_a_file_that_the_system_refuses_is_a_sentence() -> None:
    def page() -> None:
        import streamlit as st

        from pages.parts.shared import feedback

        with feedback.show_user_errors():
            raise PermissionError(13, "Permission denied", "/data/closed/manifest.csv")
        st.text("after")

    at = AppTest.from_function(page).run()
    assert not at.exception
    assert "/data/closed/manifest.csv" in at.error[0].value
    assert "permission denied" in at.error[0].value
    assert not at.text


def test_a_long_label_makes_a_folder_that_the_disk_takes(tmp_path: Path) -> None:
    folder = jobs.folder_for(tmp_path, "脳" * 300, ["x"], ["y"])
    folder.mkdir()
    assert folder.parent == tmp_path


def refused_page(kind):
    import errno

    from ascnet_core.errors import UserError
    from pages.parts.shared import feedback

    errors = {
        "user": UserError("The scan is not there; check the path."),
        "full": OSError(errno.ENOSPC, "No space left on device", "/tmp/mask.nii.gz"),
        "memory": MemoryError(),
        "ours": OSError("a library is missing"),
    }
    with feedback.show_user_errors(stop=False):
        raise errors[kind]


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("user", "The scan is not there; check the path."),
        ("full", "/tmp/mask.nii.gz cannot be read or written: the disk is full"),
        ("memory", "Memory does not suffice"),
    ],
)
def test_what_can_be_mended_is_one_sentence(kind, said):
    page = AppTest.from_function(refused_page, args=(kind,)).run()
    assert not page.exception
    assert len(page.error) == 1
    assert said in page.error[0].value


def test_a_fault_of_the_program_stays_one():
    page = AppTest.from_function(refused_page, args=("ours",)).run()
    assert page.exception
    assert not page.error
