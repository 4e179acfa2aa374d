"""Messages that were on their way when the URL was written."""

from types import SimpleNamespace

import pytest

from pages.parts.shared import late


def test_what_a_long_run_left_counts_from_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(late, "st", SimpleNamespace(session_state={}))
    monkeypatch.setattr(late.time, "monotonic", lambda: now[0])
    late.run_ended()
    now[0] += 1
    late.leave("a", "old")
    now[0] += 3 * late.STEP_BEHIND  # the run takes long, and a message waits for its end
    late.leave("b", "old")
    late.run_ended()
    now[0] += late.STEP_BEHIND / 2
    assert late.just_left("a", "old")
    assert late.just_left("b", "old")
    assert not late.just_left("a", "other")
    late.run_ended()  # another run, which left nothing
    now[0] += late.STEP_BEHIND
    assert not late.just_left("a", "old")
    late.run_ended()
    assert late.st.session_state[late.LEFT] == {}
