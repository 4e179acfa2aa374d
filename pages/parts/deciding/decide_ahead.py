"""Prepares subjects before they are looked at: one thread of the server, for all sessions."""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from ascnet_core.errors import UserError

KEPT = 8
"""Results kept: each is as large as a subject's volumes, gzipped."""
_THREAD = "prepare ahead"

Wish = tuple[str, Callable[[], Any]]
"""A name of the work, and the work; it may ask nothing of a session."""


class Ahead:
    """Does what sessions wish for: first what each of them looks at now, then what comes next."""

    def __init__(self) -> None:
        self._wishes: dict[str, list[tuple[int, Wish]]] = {}  # with their ranks
        self._done: OrderedDict[str, Any] = OrderedDict()
        self._changed = threading.Condition()
        # Cached functions draw a spinner, or complain that there is no page to draw it on.
        told = logging.getLogger("streamlit.runtime.scriptrunner_utils.script_run_context")
        told.addFilter(lambda record: record.threadName != _THREAD)
        threading.Thread(target=self._work, name=_THREAD, daemon=True).start()

    def wish(self, session: str, wishes: Sequence[Wish]) -> None:
        """Replace what a session wishes for; what is looked at comes first."""
        with self._changed:
            self._wishes.pop(session, None)
            if left := [one for one in enumerate(wishes) if one[1][0] not in self._done]:
                self._wishes[session] = left
            self._changed.notify_all()

    def found(self, name: str, seconds: float = 0.0) -> Any:
        """A result, after at most so many seconds; None while there is none.

        Raises what the work raised; what no UserError says may go better another time.
        """
        with self._changed:
            self._changed.wait_for(lambda: name in self._done, seconds)
            if name not in self._done:
                return None
            self._done.move_to_end(name)
            result = self._done[name]
            if isinstance(result, Exception):
                if not isinstance(result, UserError):
                    del self._done[name]
                raise result
            return result

    def _next(self) -> Wish | None:
        """The wish to fulfil now: of all sessions' first wishes before any second one."""
        all_wishes = (one for wishes in self._wishes.values() for one in wishes)
        return min(all_wishes, key=lambda one: one[0], default=(0, None))[1]

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._next() is not None)
                wish = self._next()
            assert wish is not None
            name, work = wish
            try:
                result = work()
            except Exception as error:  # the session that waits for it says why
                result = error
            with self._changed:
                self._done[name] = result
                while len(self._done) > KEPT:
                    self._done.popitem(last=False)
                for session, wishes in list(self._wishes.items()):
                    self._wishes[session] = [one for one in wishes if one[1][0] != name]
                    if not self._wishes[session]:
                        del self._wishes[session]
                self._changed.notify_all()


@st.cache_resource(show_spinner=False)
def ahead() -> Ahead:
    """The server's one."""
    return Ahead()
