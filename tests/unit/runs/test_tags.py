"""Tags of a run: kept in its folder, each once, in the order of the alphabet."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ascnet_core.errors import UserError
from ascnet_core.runs.tags import LONGEST, TAGS, check_tag, read_tags, write_tags

WORDS = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters=","), min_size=1,
                max_size=LONGEST)  # fmt: skip


def test_tags_are_kept_in_order_each_once(tmp_path):
    assert read_tags(tmp_path) == ()
    write_tags(tmp_path, ["skull", "Lecture", " skull "])
    assert read_tags(tmp_path) == ("Lecture", "skull")
    assert (tmp_path / TAGS).read_text(encoding="utf-8") == "Lecture\nskull\n"


def test_without_tags_there_is_no_file(tmp_path):
    write_tags(tmp_path, ["one"])
    write_tags(tmp_path, [])
    write_tags(tmp_path, [])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", "  ", "a,b", "two\nlines", "\udcff", "x" * (LONGEST + 1)])
def test_what_cannot_be_a_tag_is_refused_and_the_others_stay(tmp_path, text):
    write_tags(tmp_path, ["before"])
    with pytest.raises(UserError, match="cannot be a tag"):
        write_tags(tmp_path, ["good", text])
    assert read_tags(tmp_path) == ("before",)


@given(st.lists(WORDS))
def test_reading_gives_what_was_written(tmp_path_factory, tags):
    run = tmp_path_factory.mktemp("run")
    write_tags(run, tags)
    assert set(read_tags(run)) == {check_tag(tag) for tag in tags}


def test_a_run_that_is_gone_gets_no_tags(tmp_path):
    for tags in (["late"], []):
        with pytest.raises(UserError, match="no run gone any more"):
            write_tags(tmp_path / "gone", tags)
    assert list(tmp_path.iterdir()) == []
