"""Whatever ends a command from outside ends it as Ctrl-C does: a signal of the system, a terminal that is closed."""

from __future__ import annotations

import signal
from types import FrameType
from typing import NoReturn


def listen() -> None:
    """From now on SIGTERM and SIGHUP raise KeyboardInterrupt; under ``nohup`` a closed terminal changes nothing."""
    signal.signal(signal.SIGTERM, _interrupt)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, _interrupt)


def ignore() -> None:
    """From now on no signal disturbs: the command is stopping what it started."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
