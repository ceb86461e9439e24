"""ASTRA-sim's own times to the nanosecond: public cases, random runs of the peer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rainier_fast import Unsupported, astra_sim
from rainier_fast.validation.data import read
from raising import raises

CASES = {case["name"]: case for case in read("astra_sim")["cases"]}
RUNS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "data" / "astra_sim_runs.json").read_text()
)["runs"]


def of_case(case: dict[str, Any], backend: str) -> astra_sim.AstraRun:
    columns = ("topology", "npus_count", "bandwidth_GiBps", "latency_ns")
    system = astra_sim.System(
        {one: tuple(case["algorithms"]) for one in ("all-reduce", "all-to-all")},
        endpoint_delay_ns=case["endpoint_delay_ns"],
        active_chunks=case["active_chunks"],
        splits=case["splits"],
        optimization=case["optimization"],
        local_memory_gbps=case["local_mem_GBps"],
    )
    network = astra_sim.Network(*(tuple(case[name]) for name in columns))
    work = astra_sim.Workload.collective(case["collective"], case["bytes"], network.npus)
    return astra_sim.run(network, system, work, backend=backend)


@pytest.mark.parametrize("name", CASES)
def test_cases_to_the_nanosecond(name: str) -> None:
    case = CASES[name]
    answer = of_case(case, "unaware")
    assert set(answer.time_ns.tolist()) == {case["congestion_unaware_ns"]}
    assert answer.ours_ns is not None
    assert answer.faults
    if case["congestion_aware_ns"] is not None:
        assert of_case(case, "aware").end_ns == case["congestion_aware_ns"]
    else:
        with raises(Unsupported, None, "one dimension"):
            of_case(case, "aware")


def test_random_runs_of_the_peer() -> None:
    # Sends, groups, trees, windows, several queues, remote memory, rooflines; -1 where it hangs.
    for run in RUNS:
        row = dict(run["system"])
        traces = tuple(
            tuple(
                astra_sim.Node(
                    one[0],
                    tuple(one[1]),
                    one[2],
                    one[3],
                    one[4],
                    tuple(one[5]),
                    None if one[6] is None else tuple(one[6]),
                    one[7],
                )
                for one in trace
            )
            for trace in run["traces"]
        )
        groups = tuple((number, tuple(ranks)) for number, ranks in run["groups"])
        work = astra_sim.Workload(traces, tuple(run["trace_of"]), groups)
        answer = astra_sim.run(
            run["network"],
            row,
            work,
            run["memory"],
            backend=run["backend"],
            num_queues_per_dim=run["queues"],
            rendezvous=run["rendezvous"],
            compare=False,
        )
        assert np.array_equal(answer.time_ns, run["time_ns"]), run


def test_concurrency_is_free_and_the_answer_says_so() -> None:
    network = astra_sim.Network(("Ring",) * 3, (4,) * 3, (50.0,) * 3, (500.0,) * 3)
    work = astra_sim.Workload.collective("all_reduce", 2**30, 64)
    system = astra_sim.System.of_algorithm("ring", 3, splits=64, active_chunks=64)
    answer = astra_sim.run(network, system, work)
    assert answer.end_ns is not None
    assert answer.ours_ns is not None
    # No machine with six links of 50 GiB/s does it in less than 6.5 ms.
    assert answer.end_ns < 0.7e6 < 6.5e6 < answer.ours_ns
    assert "free_concurrency" in [fault.name for fault in answer.faults]


def test_a_fifth_dimension_takes_no_part() -> None:
    ends = []
    for count in (4, 5):
        network = astra_sim.Network(
            ("Ring",) * count, (2,) * count, (50.0,) * count, (500.0,) * count
        )
        work = astra_sim.Workload.collective("all_reduce", 2**20, 2**count)
        ends.append(
            astra_sim.run(network, astra_sim.System.of_algorithm("ring", count), work).end_ns
        )
    assert ends == [25299, 25299]


def test_large_networks_answer_at_once() -> None:
    # Ring 32x32x32: 248 CPU s there.
    network = astra_sim.Network(("Ring",) * 3, (32,) * 3, (50.0,) * 3, (500.0,) * 3)
    work = astra_sim.Workload.collective("all_reduce", 2**30, 2**15)
    answer = astra_sim.run(network, astra_sim.System.of_algorithm("ring", 3), work, compare=False)
    assert answer.end_ns == 40_826_584
    ring = astra_sim.Network(("Ring",), (2048,), (50.0,), (500.0,))
    work = astra_sim.Workload.collective("all_reduce", 2**30, 2048)
    answer = astra_sim.run(ring, astra_sim.System.of_algorithm("ring"), work, compare=False)
    assert answer.end_ns == 50_315_300
