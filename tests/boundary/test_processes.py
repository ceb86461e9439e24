"""Children of a process that has used its threads, and what travels between processes."""

from __future__ import annotations

import multiprocessing
import pickle
import signal
import sys
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np
import pytest

import rainier_fast as rf

WATCHDOG_S = 60
METHODS = [
    method
    for method in ("fork", "spawn", "forkserver")
    if method in multiprocessing.get_all_start_methods()
]
SERVER = rf.UltraServer("pair", None, (rf.Axis("x", 2, "line"),), rf.Nic("25 GB/s", "1 us"))
MACHINES: dict[str, rf.Machine] = {
    "torus": rf.torus((8, 8, 4), 50e9, "1 us", wrap=(True, False, True), name="mine"),
    "switch": rf.switch(16, 50e9, tiers=[rf.Tier(4, 2.0)]),
    "full mesh": rf.full_mesh(8, 50e9),
    "preset": rf.preset("rainier", chips=4096, sites=3),
    "trn3": rf.domain(rf.TRN3_ULTRASERVER_GEN1),
    "cluster": rf.Cluster(
        [rf.Site("a", 5, SERVER), rf.Site("b", 3, SERVER, rf.Fabric())], rf.Wan(1e12, 6e-3, "hub")
    ),
}


def columns(machine: rf.Machine, count: int = 200_000) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(9)
    src, dst = rng.integers(0, machine.num_chips, (2, count))
    return src, dst, 10.0 ** rng.uniform(-15, 15, count)


def work(machine: rf.Machine) -> tuple[bytes, float, rf.LinkLoads, rf.CollectiveResult, rf.Route]:
    """Use threads, and return something of every kind."""
    signal.alarm(WATCHDOG_S)  # a child that hangs dies, and the pool says so
    src, dst, nbytes = columns(machine)
    loads = machine.link_loads(src, dst, nbytes, n_threads=3)
    result = machine.all_reduce("1 MiB")
    signal.alarm(0)
    return loads.bytes.tobytes(), result.time_s, loads, result, machine.route(0, 1)


@pytest.mark.skipif(sys.platform == "win32", reason="alarms of POSIX")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("method", METHODS)
def test_children_compute_what_their_parent_does(method: str) -> None:
    machines = [MACHINES["torus"], MACHINES["preset"]]
    expected = [work(machine) for machine in machines]  # the parent's threads have run
    context = multiprocessing.get_context(method)
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        found = list(pool.map(work, machines, timeout=WATCHDOG_S))
    for machine, (raw, seconds, loads, result, route), mine in zip(
        machines, found, expected, strict=True
    ):
        assert raw == mine[0]
        assert seconds == mine[1]
        assert loads == mine[2]
        assert loads.machine == machine
        assert result.to_dict() == mine[3].to_dict()
        assert result.link_loads() == mine[3].link_loads()
        assert route == mine[4]
    assert work(machines[0])[0] == expected[0][0]  # and the parent goes on


def forked(machine: rf.Machine, answer: Any) -> None:
    signal.alarm(WATCHDOG_S)
    src, dst, nbytes = columns(machine)
    answer.send_bytes(machine.link_loads(src, dst, nbytes, n_threads=2).bytes.tobytes())
    answer.close()


@pytest.mark.skipif("fork" not in METHODS, reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork.*:DeprecationWarning")
def test_a_fork_during_a_call_of_another_thread_works() -> None:
    import threading

    machine = MACHINES["torus"]
    src, dst, nbytes = columns(machine)
    right = machine.link_loads(src, dst, nbytes).bytes.tobytes()
    many = np.tile(src, 20), np.tile(dst, 20)
    stop = threading.Event()

    def busy() -> None:
        while not stop.is_set():
            machine.link_loads(*many, 8, n_threads=2)

    other = threading.Thread(target=busy)
    other.start()
    try:
        context = multiprocessing.get_context("fork")
        for _ in range(3):
            here, there = context.Pipe(duplex=False)
            child = context.Process(target=forked, args=(machine, there))
            child.start()
            there.close()
            assert here.poll(WATCHDOG_S), "the child hangs"
            assert here.recv_bytes() == right
            child.join(WATCHDOG_S)
            assert child.exitcode == 0
    finally:
        stop.set()
        other.join()


@pytest.mark.parametrize("name", MACHINES)
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_everything_travels(name: str, protocol: int) -> None:
    machine = MACHINES[name]
    copy = pickle.loads(pickle.dumps(machine, protocol))
    assert copy == machine
    assert hash(copy) == hash(machine)
    assert repr(copy) == repr(machine)
    assert type(copy) is type(machine)
    assert len(pickle.dumps(machine, protocol)) < 20_000
    mesh = machine.mesh(dp=-1, tp=2)
    things: list[Any] = [
        machine.route(0, machine.num_chips - 1),
        machine.link_loads([0, 1], [1, 0], [8, 9]),
        mesh,
        mesh.axis_groups("tp"),
        machine.link(0),
        machine.all_reduce("1 MiB").bottleneck,
    ]
    for thing in things:
        assert pickle.loads(pickle.dumps(thing, protocol)) == thing
    result = mesh.all_reduce("1 MiB", axis="tp")
    again = pickle.loads(pickle.dumps(result, protocol))
    assert again.to_dict() == result.to_dict()
    assert again.link_loads() == result.link_loads()
    assert str(again) == str(result)
