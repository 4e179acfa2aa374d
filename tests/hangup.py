"""Tests of what a hangup does, which whoever begins them under nohup has switched off."""

import signal

import pytest

heard = pytest.mark.skipif(
    signal.getsignal(signal.SIGHUP) is signal.SIG_IGN,
    reason="begun under nohup, which is respected",
)
