"""The speaker's notes of each stop (Markdown), by the name of its file."""

NOTES: dict[str, str] = {}
