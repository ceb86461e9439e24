"""Gates on small calls: those that differ from earlier ones in size alone, and first ones."""

from __future__ import annotations

from functools import partial

import numpy as np

import rainier_fast as rf
from gates import Gate, at_most
from scale import sorting

# Most CPU times of a stable sort of 10,000 numbers that a call takes whose like was asked for
# before at another size, and a first call.
OF_A_CALL: tuple[tuple[str, dict[str, str], float], ...] = (
    ("trn2", {"algorithm": "bucket"}, 0.08),
    ("trn2", {}, 0.08),
    ("trn2-ultraserver", {}, 0.1),
    ("rainier", {"algorithm": "ring"}, 0.3),
)
OF_A_FIRST_CALL: tuple[tuple[str, dict[str, str], float], ...] = (
    ("trn2", {"algorithm": "bucket"}, 0.2),
    ("trn2", {}, 0.4),
)
CALLS = 200


def small_calls() -> list[Gate]:
    """Calls that differ from earlier ones in size alone, and first calls, beside a sort."""
    gates = []
    sizes = (2.0 ** np.linspace(10, 36, CALLS)).tolist()
    for again, rows in ((True, OF_A_CALL), (False, OF_A_FIRST_CALL)):
        for name, options, factor in rows:
            machine = rf.preset(name)
            calls = _asked_again if again else _asked_first
            kind = "at another size" if again else "of a new machine"
            words = ", ".join(options.values()) or "auto"
            label = f"all_reduce of {name} by {words} {kind} / stable sort of 10,000"
            ours = partial(calls, machine, sizes, options)
            gates.append(at_most(label, factor, ours, sorting(CALLS)))
    return gates


def _asked_again(machine: rf.Machine, sizes: list[float], options: dict[str, str]) -> None:
    for size in sizes:
        machine.all_reduce(size, **options)  # type: ignore[arg-type]


def _asked_first(machine: rf.Machine, sizes: list[float], options: dict[str, str]) -> None:
    for size in sizes:
        machine.healthy().all_reduce(size, **options)  # type: ignore[arg-type]
