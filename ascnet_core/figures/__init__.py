"""Data to plotly figures."""
