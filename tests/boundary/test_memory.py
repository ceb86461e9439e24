"""Calls that need more memory than there is: they answer or refuse, and the process goes on.

Each runs in a process of its own with little address space. Before memory was reckoned, most of
them ended it with SIGABRT, or did not end.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import rainier_fast as rf
from raising import raises

# As `ulimit -v 2000000`.
CHILD = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (2_000_000 << 10,) * 2)
import itertools
import numpy as np
import rainier_fast as rf

# What is imported late, while there is memory for it.
small = rf.torus(4, bandwidth=1)
small.link_loads(0, 1, 1), small.max_min_rates(0, 1), small.all_reduce(1).link_loads()

def pairs(machine, count):
    return np.random.default_rng(0).integers(0, machine.num_chips, (2, count))

def within(kibibytes):
    # As a smaller `ulimit -v`: a quarter of a machine in a quarter of the memory.
    resource.setrlimit(resource.RLIMIT_AS, (kibibytes << 10,) * 2)
    rf.memory_limit("default")

def starve():
    # Less than the stack of a thread is left.
    pages = int(open("/proc/self/statm").read().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + (1 << 20),) * 2)

try:
    eval(sys.argv[1])
    print("answer")
except rf.RainierError as error:
    print(type(error).__name__, error)
"""
CUBE = "(cube := rf.torus((32,) * 3, bandwidth='50 GB/s'))"
MESH = "rf.full_mesh({}, bandwidth='50 GB/s')"
RING = "rf.torus(64, bandwidth=1)"
MANY = (
    "rf.Cluster([rf.Site('s', 20_000, rf.UltraServer('u', None, (rf.Axis('x', 1, 'ring', 1, 0),), "
    "rf.Nic(1, 0, 0)), rf.Fabric((rf.Tier(2, 1.0, 0),)))])"
)
SEND = "rf.Send(0, 1, [0], step=0)"

NEEDS_TOO_MUCH = {
    "rates of spread messages": f"{CUBE}.max_min_rates(*pairs(cube, 2_000), routing='valiant')",
    "more of them": f"{CUBE}.max_min_rates(*pairs(cube, 10_000), routing='valiant')",
    "times of spread messages": f"{CUBE}.finish_times(*pairs(cube, 10_000), 1, routing='valiant')",
    "a collective over a full mesh": MESH.format(65536) + ".all_reduce('1 GiB')",
    "all-to-all over one": MESH.format(65536) + ".all_to_all('1 GiB')",
    "loads of one": MESH.format(20000) + ".link_loads(0, 1, 1)",
    "uniform traffic of one": MESH.format(20000) + ".traffic('uniform', 1)",
    "a long route": "rf.torus(2**32 - 1, bandwidth=1).route(0, 2**31)",
    "blocks of a schedule": f"rf.Schedule('broadcast', 1, [0, 1], [{SEND}], blocks=2**32 - 1)",
    "all groups of a machine": "rf.torus((4096,) * 2, bandwidth=1).mesh(a=4096, b=4096)"
    ".axis_groups('a').to_array() if rf.memory_limit('1 MiB') else None",
    "links of dead chips": f"{MESH.format(20_000)}.with_faults(chips=range(10_000))"
    ".unreachable([0], [1])",
    "a search for wild hops": "rf.torus((46_341,) * 2, bandwidth=1, wrap=False)"
    ".with_faults(links=[0]).finish_times([0], [1], 1, routing='wild_first')",
    "loads of a collective on a large machine": "rf.preset('rainier', chips=1 << 24)"
    ".all_reduce(1).link_loads()",
    "classes of links that are not alike": f"{MANY}.link_loads(0, 1, 1).by_class()"
    " if rf.memory_limit('1 MiB') else None",
}
ANSWER_OR_REFUSE = {
    "a full mesh": MESH.format(65536),
    "a collective over a smaller one": f"(within(600_000), {MESH.format(2048)}"
    ".all_reduce('1 GiB'))",
    "a collective over a large torus": "(within(600_000), rf.torus((40,) * 3, bandwidth=5e10)"
    ".all_reduce('1 GiB'))",
    "a report of pairs without end": "rf.torus((14_101, 20, 14_424), bandwidth=1).routing_report()",
    "a mesh on a domain without end": "rf.torus((91_780, 2, 317, 8), bandwidth=1)"
    ".best_mapping({'dp': -1, 'tp': 2}, {'dp': ('all_reduce', 1)})",
    "verification of many blocks": f"rf.Schedule('broadcast', 1, range(4096), [{SEND}], 2**20)"
    ".verify()",
}


def child(call: str) -> str:
    command = [sys.executable, "-c", CHILD, call]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("call", NEEDS_TOO_MUCH.values(), ids=NEEDS_TOO_MUCH)
def test_what_does_not_fit_is_refused_with_its_bytes(call: str) -> None:
    said = child(call)
    assert said.startswith("Unsupported ")
    assert " bytes " in said


@pytest.mark.parametrize("call", ANSWER_OR_REFUSE.values(), ids=ANSWER_OR_REFUSE)
def test_what_may_fit_answers_or_is_refused(call: str) -> None:
    assert child(call).startswith(("answer", "Unsupported ", "InvalidSchedule "))


def test_a_range_beyond_the_machine_names_its_first_chip() -> None:
    assert "chips[16]" in child("rf.torus(16, bandwidth=1).with_faults(chips=range(10**9))")


def test_names_without_end_are_refused() -> None:
    said = child(f"{RING}.with_faults(chips=map(int, itertools.count()))")
    assert said.startswith("InvalidArgument chips")


def test_random_calls_leave_their_process_alive() -> None:
    fuzz = Path(__file__).parents[2] / "benches" / "fuzz_memory.py"
    command = [sys.executable, str(fuzz), "--calls", "150", "--seed", "9", "--long", "0.1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_limit_is_set_and_read() -> None:
    before = rf.memory_limit()
    try:
        assert rf.memory_limit("64 KiB") == rf.memory_limit() == 65536
        with raises(rf.Unsupported, None, "65536"):
            rf.torus((64, 64), bandwidth=1).link_loads(0, 1, 1)
        with raises(rf.Unsupported, None, "65536"):
            rf.preset("rainier", chips=4096).best_mapping(
                {"dp": 64, "tp": 64}, {"tp": ("all_reduce", 1)}
            )
        with raises(rf.InvalidArgument, "limit"):
            rf.memory_limit(0)
        with raises(rf.InvalidType, "limit"):
            rf.memory_limit([])  # type: ignore[arg-type]
        assert rf.memory_limit("default") >= 1 << 20
    finally:
        rf.memory_limit(before)


def test_the_default_follows_the_limit_on_addresses() -> None:
    said = child("sys.exit(print(rf.memory_limit()))")
    assert 100 << 20 < int(said.split()[0]) < 1_000_000 << 10


def test_messages_of_errors_are_short() -> None:
    name = "x" * 1_000_000
    for call in (
        lambda: rf.preset(name),
        lambda: rf.torus(4, bandwidth=1, name=name).all_reduce(1, algorithm=name),
        lambda: rf.Machine.chip(rf.torus(4, bandwidth=1), **{name: 1}),
    ):
        with pytest.raises(rf.RainierError) as caught:
            call()
        assert len(str(caught.value)) <= 2000


def test_no_thread_to_watch_a_call_is_refused() -> None:
    said = child(f"(pairs_ := pairs({RING}, 10**5), starve(), {RING}.link_loads(*pairs_, 1))")
    assert said.startswith("Unsupported a thread")


def test_loads_are_counted_with_fewer_threads_than_asked() -> None:
    call = f"(pairs_ := pairs({RING}, 2**16), starve(), {RING}.link_loads(*pairs_, 1, n_threads=8))"
    assert child(call) == "answer\n"
