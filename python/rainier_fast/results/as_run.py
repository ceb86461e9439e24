"""What the machine's own software takes for what was asked of the links."""

from __future__ import annotations

from dataclasses import replace

from rainier_fast import _core
from rainier_fast.ask.request import Request
from rainier_fast.errors import RainierError
from rainier_fast.results.answer import Answer


def run_by_runtime(result: Answer) -> tuple[Request, _core.Outcome] | RainierError | None:
    """Return request and answer of the runtime beside one by `auto`, or why it refuses.

    None where there is nothing to set beside it: no runtime, or an algorithm that was named.
    """
    machine, asked = result.machine, result.request
    if asked.algorithm != "auto" or asked.schedule_of_own is not None or machine.runtime is None:
        return None
    request = replace(asked, algorithm=machine.runtime)
    try:
        return request, request.outcome(machine)
    except RainierError as error:  # what was asked is sound: the runtime does not do it
        return error
