"""The page list of ASC-Net Explorer; `streamlit run app.py` opens it."""

from pathlib import Path

import streamlit as st

# Our own picture: for an icon given by name the browser would ask a server outside.
ICON = Path(__file__).parent / "pages" / "parts" / "shared" / "icon.png"
# With an entry of its own the menu is shown, and with it the choice of the theme.
ABOUT = "ASC-Net Explorer: unsupervised anomaly segmentation by two cuts and one histogram."
st.set_page_config(
    page_title="ASC-Net Explorer", page_icon=ICON, layout="wide", menu_items={"About": ABOUT}
)

PAGES = [
    st.Page("pages/start.py", title="Start", icon=":material/home:", default=True),
    st.Page("pages/lessons.py", title="Lessons", icon=":material/school:"),
    st.Page("pages/data.py", title="Data", icon=":material/folder_open:"),
    st.Page("pages/cuts.py", title="Cuts", icon=":material/content_cut:"),
    st.Page("pages/threshold.py", title="Threshold", icon=":material/equalizer:"),
    st.Page("pages/tuning.py", title="Tuning", icon=":material/tune:"),
    st.Page("pages/training.py", title="Training", icon=":material/model_training:"),
    st.Page("pages/evaluation.py", title="Evaluation", icon=":material/table_chart:"),
]

st.navigation(PAGES).run()
