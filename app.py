"""The page list of ASC-Net Explorer; `streamlit run app.py` opens it."""

import streamlit as st

# No page_icon by name: the browser would fetch its picture from outside.
st.set_page_config(page_title="ASC-Net Explorer", layout="wide")

PAGES = [
    st.Page("pages/start.py", title="Start", icon=":material/home:", default=True),
    st.Page("pages/data.py", title="Data", icon=":material/folder_open:"),
    st.Page("pages/cuts.py", title="Cuts", icon=":material/content_cut:"),
    st.Page("pages/threshold.py", title="Threshold", icon=":material/equalizer:"),
    st.Page("pages/training.py", title="Training", icon=":material/model_training:"),
    st.Page("pages/evaluation.py", title="Evaluation", icon=":material/table_chart:"),
]

st.navigation(PAGES).run()
