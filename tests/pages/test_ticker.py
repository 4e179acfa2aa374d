"""The clock of live views: which fragments are due, and when."""

import dataclasses

from pages.parts.shared.ticker import Part, due


@dataclasses.dataclass
class Watched:
    state: int = 0

    def part(self, seconds: float) -> Part:
        return Part(lambda: self.state, seconds)


def test_nothing_is_due_until_it_changes_and_then_once() -> None:
    watched, seen = Watched(), {}
    parts = {"one": watched.part(0.0), "other": Watched().part(0.0)}
    assert due(parts, seen, 0.0) == []
    assert due(parts, seen, 1.0) == []
    watched.state = 1
    assert due(parts, seen, 2.0) == ["one"]
    assert due(parts, seen, 3.0) == []


def test_a_change_that_comes_too_soon_is_kept_for_later() -> None:
    watched, seen = Watched(), {}
    parts = {"one": watched.part(5.0)}
    due(parts, seen, 0.0)
    watched.state = 1
    assert due(parts, seen, 4.0) == []
    assert due(parts, seen, 5.0) == ["one"]
    watched.state = 2
    assert due(parts, seen, 9.0) == []
    assert due(parts, seen, 10.0) == ["one"]
