"""The page list of ASC-Net Explorer; `streamlit run app.py` opens it."""

from pathlib import Path

import streamlit as st

from pages.parts.links import served
from pages.parts.shared import late
from pages.parts.start import tour

# Our own picture: for an icon given by name the browser would ask a server outside.
ICON = Path(__file__).parent / "pages" / "parts" / "shared" / "browser" / "icon.png"
# With an entry of its own the menu is shown, and with it the choice of the theme.
ABOUT = "ASC-Net Explorer: unsupervised anomaly segmentation by two cuts and one histogram."
PAGES = [
    ("start", "Start", ":material/home:"),
    ("lessons", "Lessons", ":material/school:"),
    ("data", "Data", ":material/folder_open:"),
    ("cuts", "Cuts", ":material/content_cut:"),
    ("threshold", "Threshold", ":material/equalizer:"),
    ("tuning", "Tuning", ":material/tune:"),
    ("training", "Training", ":material/model_training:"),
    ("evaluation", "Evaluation", ":material/table_chart:"),
]


def draw() -> None:
    """Draw the page that the browser asks for."""
    st.set_page_config(
        page_title="ASC-Net Explorer", page_icon=ICON, layout="wide", menu_items={"About": ABOUT}
    )
    pages = [
        st.Page(f"pages/{name}.py", title=title, icon=icon, default=name == "start")
        for name, title, icon in PAGES
    ]
    page = st.navigation(pages)
    tour.show_bar(page.title)
    try:
        page.run()
    finally:
        late.run_ended()


if __name__ == "__main__":  # Streamlit runs this file for each visitor
    draw()
else:  # and imports it once, to serve it
    app = st.App(
        __file__,
        routes=served.routes(["", *(name for name, _, _ in PAGES)]),
        lifespan=served.open_browser,
    )
