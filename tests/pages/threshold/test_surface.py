"""The mask in space: nothing before it is asked for, and a sentence where there is no surface."""

from collections.abc import Callable

from streamlit.testing.v1 import AppTest

from pages.parts.shared import state


def open_surface(app: AppTest) -> AppTest:
    next(one for one in app.button if one.label == "3-D").click()
    return app.run()


def test_it_is_drawn_on_request_and_stays_open_until_it_is_closed(
    open_page: Callable[..., AppTest],
) -> None:
    app = open_page(t="150")
    assert not app.get("plotly_chart")
    open_surface(app)
    assert len(app.get("plotly_chart")) == 1
    app.run()
    assert len(app.get("plotly_chart")) == 1
    app.session_state[state.SURFACE] = ""
    app.run()
    assert not app.get("plotly_chart")


def test_an_empty_mask_says_why_there_is_none(open_page: Callable[..., AppTest]) -> None:
    app = open_surface(open_page(rule="peak:99"))
    assert not app.get("plotly_chart")
    assert "The mask is empty" in app.info[0].value
