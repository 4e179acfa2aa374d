"""Exercises on a stop's controls, by the name of its file."""

from pages.parts.lessons.stop import Exercise

EXERCISES: dict[str, Exercise] = {}
