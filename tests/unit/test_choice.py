"""What `auto` took is told apart from its display name, and can be asked for again."""

from __future__ import annotations

from typing import Any

import pytest

import rainier_fast as rf
from rainier_fast.results.answer import choice_of

RAINIER = rf.preset("rainier", chips=4096, sites=3)
NODES = rf.preset("h100", chips=64)
OPERATIONS = (
    "all_reduce",
    "reduce_scatter",
    "all_gather",
    "all_to_all",
    "broadcast",
    "reduce",
    "scatter",
    "gather",
)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("machine", [RAINIER, NODES, rf.preset("trn2")])
@pytest.mark.parametrize("size", ["1 KiB", "64 MiB"])
def test_a_choice_asks_for_the_same_again(machine: rf.Machine, operation: str, size: str) -> None:
    def run(**more: Any) -> rf.CollectiveResult:
        return getattr(machine, operation)(size, **more)

    found = run()
    again = run(algorithm=found._choice)
    assert (again.algorithm, again.time_s) == (found.algorithm, found.time_s)
    assert again._choice == found._choice
    if isinstance(found._choice, tuple):
        assert len(found._choice) > 1
        assert set(found._choice) <= set(rf.algorithms())


def test_a_name_stays_and_tiers_are_found() -> None:
    assert NODES.all_reduce("1 MiB", algorithm="nccl")._choice == "nccl"
    assert rf.preset("trn2").all_reduce("1 MiB", algorithm="neuron")._choice == "neuron"
    assert rf.preset("trn2").all_reduce("1 MiB", group=[3])._choice == "auto"
    tiers = RAINIER.all_reduce("1 MiB", algorithm="hierarchical")._choice
    assert len(tiers) == 3
    request = RAINIER.all_reduce("1 MiB", algorithm=tiers).request
    assert choice_of(request.outcome(RAINIER)) == tiers


def test_another_model_writes_out_what_it_chose() -> None:
    for machine in (NODES, rf.preset("trn2-ultraserver")):
        found = machine.broadcast("1 MiB", model="fluid")
        made = found.schedule()
        made.verify()
        assert made.algorithm == found.algorithm
