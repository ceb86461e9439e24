"""Collectives and their answers as plain rows; what is read is asked again."""

from __future__ import annotations

from typing import Final

from rainier_fast.ask.question_file import asked, question
from rainier_fast.errors import Unsupported
from rainier_fast.files import kinds
from rainier_fast.files.answers import answered, compare, needed, only, tried
from rainier_fast.files.fields import Plain
from rainier_fast.results.collective import CollectiveResult

_KEYS: Final = ("question", "machine", "answer")
_UNTOLD: Final = ("candidates", "machine")


def describe(result: CollectiveResult) -> Plain:
    """Return what was asked, of which machine, and the answer."""
    if result.request.schedule_of_own is not None:
        raise Unsupported(
            "the result of a schedule of your own, or of uneven sizes: save the schedule, and run "
            "it again with machine.run"
        )
    told = _told(result)
    machine = kinds.told(result.machine, "machine")
    return {
        "question": question(result.request),
        "answer": answered(told),
        "machine": machine,
    }


def made(plain: Plain) -> CollectiveResult:
    """Ask again what a dict asks, and see whether the answer is the same."""
    only(plain, _KEYS)
    machine = kinds.inner("machine", needed(plain, "machine"), ("machine",))
    request = asked(needed(plain, "question"), machine, ("question",))
    result = tried(
        lambda: CollectiveResult._of(machine, request, request.outcome(machine)), ("question",), {}
    )
    if plain.get("answer") is not None:
        compare(plain, _told(result))
    return result


def _told(result: CollectiveResult) -> Plain:
    told = result.to_dict()
    return {name: value for name, value in told.items() if name not in _UNTOLD}
