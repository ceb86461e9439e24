"""What hides behind what, by the rules of a machine's software, collective by collective."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from rainier_fast.program.collective import ProgramCollective
from rainier_fast.workload.overlap import rules

_DATA: Final = ("weights", "gradients")
_RULE: Final = {"weights": "data", "gradients": "data", "tensor": "tensor", "context": "context"}


class Window(NamedTuple):
    """Which computation may hide a collective: that before collectives `first` to `last`."""

    first: int
    last: int


def hidden(
    collectives: Sequence[ProgramCollective],
    times: Sequence[float],
    before: Sequence[float],
    known: Mapping[str, Any],
) -> list[float]:
    """Return the seconds of each collective that hide behind computation.

    Collectives of replicas hide within as many layers, from one such collective to the next, as
    the rule says; those of tensor parallelism behind the product beside them, where they do at
    all; a start and its wait behind what is between. Each second of computation hides one.
    """
    left = list(before)
    found = [0.0] * len(times)
    for at, window in enumerate(windows(collectives, known)):
        if window is None:
            continue
        places = range(window.first, min(window.last + 1, len(left)))
        need = times[at]
        for place in reversed(places) if collectives[at].role == "weights" else places:
            taken = min(need, left[place])
            left[place] -= taken
            need -= taken
            if need <= 0:
                break
        found[at] = times[at] - max(need, 0.0)
    return found


def windows(
    collectives: Sequence[ProgramCollective], known: Mapping[str, Any]
) -> list[Window | None]:
    """Return the window of each collective by some rules; None for one that nothing hides."""
    layers: dict[Any, list[int]] = {}
    order: dict[int, int] = {}
    for at, one in enumerate(collectives):
        if one.role in _DATA:
            alike = layers.setdefault(_kind(one), [])
            order[at] = len(alike)
            alike.append(at)
    early, late = int(known["data"]["early"]), int(known["data"]["late"])
    found: list[Window | None] = []
    for at, one in enumerate(collectives):
        rule = known.get(_RULE.get(one.role or "", ""), {"hidden": False})
        if one.waited_by is not None and one.waited_by > at:
            found.append(Window(at + 1, one.waited_by))
        elif not rule["hidden"]:
            found.append(None)
        elif one.role == "weights":
            start = order[at] - early
            first = layers[_kind(one)][start] + 1 if start >= 0 else 0
            found.append(Window(first, at))
        elif one.role == "gradients":
            end = order[at] + late
            ends = layers[_kind(one)]
            last = ends[end] if end < len(ends) else _pass_end(collectives, at)
            found.append(Window(at + 1, last))
        elif one.op == "reduce_scatter":
            found.append(Window(at, at))
        else:
            found.append(Window(at + 1, at + 1))
    return found


def _kind(one: ProgramCollective) -> tuple[Any, ...]:
    """Return what collectives of the same kind have in common, of which each layer has one."""
    groups = one.groups
    return one.role, one.op, None if groups is None else groups.form


def _pass_end(collectives: Sequence[ProgramCollective], at: int) -> int:
    """Return the last place of the phase that a collective is in: gradients are waited for then."""
    phase = collectives[at].phase
    last = at
    while last + 1 < len(collectives) and collectives[last + 1].phase == phase:
        last += 1
    return last


def said(collectives: Sequence[ProgramCollective], runtime: str | None) -> dict[str, str]:
    """Return what is said of each role that a program has: hidden or not, and by which source."""
    known = rules(runtime)
    words = {}
    for role, name in _RULE.items():
        if any(one.role == role for one in collectives):
            rule = known[name]
            how = "hides behind computation" if rule["hidden"] else "nothing hides it"
            words[role] = f"{how}: {rule['source']}"
    return words


def guessed(collectives: Sequence[ProgramCollective], runtime: str | None) -> list[str]:
    """Return which of the rules that matter rest on nothing published."""
    known = rules(runtime)
    found = [
        f"{role}: {'hidden' if known[name]['hidden'] else 'not hidden'}, {known[name]['source']}"
        for role, name in _RULE.items()
        if known[name].get("guess") and any(one.role == role for one in collectives)
    ]
    if collectives and not any(one.role or one.waited_by is not None for one in collectives):
        found.append("the source does not say what collectives move, so nothing is hidden")
    return found
