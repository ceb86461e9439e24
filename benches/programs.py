"""Gate on what a recorded program costs: alike collectives are priced once."""

from __future__ import annotations

from functools import partial

import rainier_fast as rf
from gates import Gate, at_most
from scale import sorting

# Most stable sorts of 10,000 numbers (0.45 ms each) that a program of 1,000 collectives takes on
# 65,536 chips. Seen: 4; pricing every one of them anew takes 200.
OF_A_PROGRAM = 10.0
CHIPS, COLLECTIVES, ROUNDS = 65_536, 1_000, 5


def recorded() -> rf.Program:
    """A program like one that FSDP and tensor parallelism record on one rank."""
    rows = []
    for at in range(COLLECTIVES):
        layer, part = divmod(at, 10)
        phase = "fwd" if layer < 50 else "bwd"
        if part == 0:
            groups = rf.ProgramGroups.own(start=0, stride=8, size=CHIPS // 8)
            sizes = 2**24 // (CHIPS // 8), 2**24
            role = "weights"
        else:
            groups = rf.ProgramGroups.own(start=0, stride=1, size=8)
            sizes = 2**21, 2**24
            role = "tensor"
        one = rf.ProgramCollective(
            f"{layer}.{part}", "all_gather", *sizes, "bf16", groups, phase=phase, role=role,
            after_flops=1e12, after_bytes=1e9,
        )  # fmt: skip
        rows.append(one)
    return rf.Program(tuple(rows), CHIPS, 0)


def costed() -> list[Gate]:
    """What 1,000 collectives take on 65,536 chips, beside a sort."""
    machine = rf.preset("rainier", chips=CHIPS)
    label = f"cost of {COLLECTIVES:,} collectives on {CHIPS:,} chips / stable sort of 10,000"
    ours = partial(_cost, machine, recorded())
    return [at_most(label, OF_A_PROGRAM, ours, sorting(ROUNDS))]


def _cost(machine: rf.Machine, program: rf.Program) -> None:
    for _ in range(ROUNDS):
        assert machine.cost_of(program).time_s is not None


if __name__ == "__main__":
    for gate in costed():
        print(gate.line(1.0))
