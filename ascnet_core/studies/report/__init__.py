"""The report of a study: one HTML file of what was decided, by whom and how."""
