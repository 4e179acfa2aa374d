"""The stops with all that a lecturer has for them: notes, questions that are asked, an exercise."""

from pages.parts.lessons import exercises, notes, questions
from pages.parts.lessons.stop import Stop
from pages.parts.lessons.stops import STOPS


def name_of(stop: Stop) -> str:
    """The name of the file that a stop is written in; the notes and questions go by it."""
    return stop.view.__module__.rsplit(".", 1)[-1]


def _filled(stop: Stop) -> Stop:
    name = name_of(stop)
    return stop._replace(
        notes=stop.notes or notes.NOTES.get(name, ""),
        questions=stop.questions or questions.QUESTIONS.get(name, ()),
        exercise=stop.exercise or exercises.EXERCISES.get(name),
    )


COURSE = tuple(_filled(stop) for stop in STOPS)
