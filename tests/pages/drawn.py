"""What a page drew, as AppTest sees it."""

from typing import Any

from streamlit.testing.v1 import AppTest

UNSEEN = ("around page", "form of the new run in the tab")
"""Components that a page has whatever it shows."""


def components(at: AppTest) -> list[Any]:
    """Our own components that show something, in their order."""
    return [one for one in at.get("bidi_component") if one.key not in UNSEEN]
