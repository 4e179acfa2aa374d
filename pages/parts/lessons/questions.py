"""Questions that students ask, with honest answers, at the stop (by its file) where they arise."""

from pages.parts.lessons.stop import Question

QUESTIONS: dict[str, tuple[Question, ...]] = {}
