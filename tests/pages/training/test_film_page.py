"""The film as one HTML file: what it says, and that it fetches nothing."""

import base64
import gzip
import re

import pytest

from ascnet_core.monitoring.history import read_history
from ascnet_core.runs.folder import Run
from pages.parts.film import film, film_export
from pages.parts.shared import components
from tests import made_up


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = made_up.write_run(tmp_path_factory.mktemp("runs") / "told <b>", "mss")
    (folder / "card.md").write_text(
        "# told\n\nWhat it is.\n\n- **Data and licence**: made up,\n  `CC0`.\n- Other things.\n"
    )
    return Run(folder)


@pytest.fixture(scope="module")
def packed(run: Run) -> bytes:
    history = read_history(run)
    datas = [run.load_snapshot(point.index) for point in history.points]
    header = film.header_of(history, range(4), (0, 1), made_up.SIZE, [], "x")
    return film.pack(header, datas, (0, 1))


def test_the_file_names_run_preset_what_is_left_out_and_the_licence(
    run: Run, packed: bytes
) -> None:
    page = film_export.page_of(run, packed, "2 of 4 snapshots are in the film.")
    assert "<title>Film of told &lt;b&gt;</title>" in page
    assert "preset teaching · 4 snapshots · 2 watched slices of 32 x 32 pixels" in page
    assert "<b>Left out.</b> 2 of 4 snapshots are in the film." in page
    assert "<b>Licence, from the run&#x27;s card.</b> made up, CC0.</p>" in page


def test_nothing_is_said_of_what_there_is_not(run: Run, packed: bytes) -> None:
    (run.path / "card.md").unlink()
    page = film_export.page_of(run, packed, "")
    assert "Licence" not in page
    assert "Left out" not in page


def test_the_file_holds_the_frames_and_asks_for_nothing(run: Run, packed: bytes) -> None:
    page = film_export.page_of(run, packed, "")
    held = re.search(r'id="frames">([^<]*)<', page)
    assert held is not None
    assert gzip.decompress(base64.b64decode(held[1])) == packed
    assert not re.search(r"(src|href)\s*=|@import|url\(|https?://|fetch\(|import ", page)
    script = components.script(film.BROWSER.with_suffix(".js"))
    assert script in page  # the film of the page itself, not another one


@pytest.mark.parametrize(
    ("card", "note"),
    [
        ("# run\n\nNothing.\n", ""),
        ("# run\n\n| | |\n| --- | --- |\n| license | CC BY 4.0 |\n| by | us |\n", "CC BY 4.0"),
        ("Text.\n\nPassed on under the MIT licence,\nas it came.\n\nMore.\n",
         "Passed on under the MIT licence, as it came."),
        ("- **Licence**: CC BY\n- **Command**: train\n", "CC BY"),
    ],
)  # fmt: skip
def test_a_cards_licence_is_found(card: str, note: str) -> None:
    assert film_export.licence_note(card) == note
