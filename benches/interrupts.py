"""A call that is interrupted after some CPU seconds, as Ctrl-C does, and how late it stops."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from typing import Any, NamedTuple


class Interrupted(BaseException):
    """What the alarm raises in a call that takes long."""


class Seen(NamedTuple):
    """How a call ended."""

    kind: str
    text: str
    seconds: float
    """CPU seconds that it took."""
    late: float
    """CPU seconds from the alarm to its end; negative where it ended before."""


def attempt(call: Callable[[], object], alarm: float, rf: Any) -> Seen:
    """Run `call` and interrupt it after `alarm` CPU seconds."""

    def interrupt(*_: object) -> None:
        raise Interrupted

    signal.signal(signal.SIGPROF, interrupt)
    kind, text, begun = "answer", "", time.process_time()
    # Again and again: a single one may strike where Python drops exceptions.
    signal.setitimer(signal.ITIMER_PROF, alarm, 1.0)
    try:
        try:
            call()
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
    except Interrupted:
        kind = "interrupted"
    except rf.RainierError as error:
        kind, text = type(error).__name__, str(error)
        if "bytes" in text and ("may take" in text or "more than" in text):
            kind += " for memory"
    except BaseException as error:
        kind, text = f"raw {type(error).__name__}", str(error)
    seconds = time.process_time() - begun
    return Seen(kind, text, seconds, seconds - alarm)
