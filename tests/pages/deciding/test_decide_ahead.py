"""The thread that prepares subjects: order, results kept, what fails."""

import threading

import pytest

from ascnet_core.errors import UserError
from pages.parts.deciding.decide_ahead import KEPT, Ahead

PATIENCE = 20.0


def test_what_is_looked_at_comes_before_what_comes_next() -> None:
    done: list[str] = []
    begun, go = threading.Event(), threading.Event()

    def wish(name: str):
        return name, lambda: done.append(name) or name

    def first() -> str:
        begun.set()
        go.wait(PATIENCE)
        return "first"

    ahead = Ahead()
    ahead.wish("anna", [("first", first), wish("a1"), wish("a2")])
    assert begun.wait(PATIENCE)
    ahead.wish("ben", [wish("b0"), wish("b1")])
    ahead.wish("anna", [wish("a1"), wish("a2")])
    go.set()
    for name in ("a2", "b1"):
        assert ahead.found(name, PATIENCE) == name
    assert set(done[:2]) == {"a1", "b0"}
    assert set(done[2:]) == {"a2", "b1"}


def test_a_wish_that_was_replaced_is_not_fulfilled() -> None:
    ahead, begun, go = Ahead(), threading.Event(), threading.Event()
    ahead.wish("anna", [("slow", lambda: begun.set() or go.wait(PATIENCE)), ("old", lambda: 1)])
    assert begun.wait(PATIENCE)
    ahead.wish("anna", [("new", lambda: 2)])
    go.set()
    assert ahead.found("new", PATIENCE) == 2
    assert ahead.found("old") is None


def test_few_results_are_kept() -> None:
    ahead = Ahead()
    for number in range(3 * KEPT):
        ahead.wish("anna", [(f"{number}", lambda number=number: number + 1)])
        assert ahead.found(f"{number}", PATIENCE) == number + 1
    assert len(ahead._done) == KEPT
    assert ahead._wishes == {}


def test_what_fails_is_told_to_who_asks_and_the_thread_goes_on() -> None:
    def fails(error: Exception) -> None:
        raise error

    ahead = Ahead()
    ahead.wish("anna", [("bad", lambda: fails(UserError("The scan is damaged.")))])
    for _ in range(2):
        with pytest.raises(UserError, match="damaged"):
            ahead.found("bad", PATIENCE)
    ahead.wish("anna", [("full", lambda: fails(MemoryError()))])
    with pytest.raises(MemoryError):
        ahead.found("full", PATIENCE)
    ahead.wish("anna", [("full", lambda: 3)])
    assert ahead.found("full", PATIENCE) == 3
