"""Chakra traces: read, written, refused by the byte; ASTRA-sim's files."""

from __future__ import annotations

import contextlib
import json
import random
from pathlib import Path

import pytest

import rainier_fast as rf
from rainier_fast import astra_sim
from rainier_fast.errors import InvalidArgument, InvalidType, RainierError, Unsupported
from raising import raises

# The first file of ASTRA-sim's all_gather/4npus_1MB, written by its own generator.
SHIPPED = bytes.fromhex(
    "070a05302e302e34481214616c6c5f6761746865725f346e7075735f314d421807520e0a0969735f6370755f6f70"
    "d80100520d0a09636f6d6d5f747970654802520f0a09636f6d6d5f73697a6548808040"
)
NETWORK = "topology: [ Ring ]\nnpus_count: [ 8 ]\nbandwidth: [ 50.0 ]  # GB/s\nlatency: [ 500.0 ]\n"


def program() -> rf.Program:
    groups, one = rf.ProgramGroups, rf.ProgramCollective
    everyone = groups.everyone(4)
    rows = (
        one(
            "ag",
            "all_gather",
            1024,
            2048,
            "bf16",
            groups.of_iota(2, 2),
            after_flops=1e9,
            after_bytes=1e6,
        ),
        one("ar", "all_reduce", 4096, 4096, "fp32", everyone, count=2),
        one("pp", "collective_permute", 64, 64, "bf16", groups.pairs([(0, 1), (1, 2)])),
        one("rs", "reduce_scatter", 4096, 1024, "bf16", everyone, asynchronous=True, waited_by=4),
        one("ba", "barrier", groups=everyone),
    )
    return rf.Program(rows, 4)


def test_a_shipped_trace_is_known_by_its_content() -> None:
    found = rf.read(SHIPPED)
    assert isinstance(found, rf.Program)
    assert [(one.op, one.bytes_in, one.bytes_out, one.groups) for one in found] == [
        ("all_gather", 2**20, None, None)
    ]


def test_programs_become_traces_and_come_back(tmp_path: Path) -> None:
    work = astra_sim.Workload.of_program(rf.Program(program().collectives[:4], 4))
    assert work.groups == ((1, (0, 1)), (2, (2, 3)))
    work.save(tmp_path / "step")
    again = astra_sim.Workload.read(tmp_path / "step", tmp_path / "step.groups.json")
    assert again == work
    back = rf.read(tmp_path / "step.1.et")
    assert back.rank == 1
    assert [one.op for one in back] == [
        "all_gather", "all_reduce", "all_reduce", "send", "recv", "reduce_scatter",
    ]  # fmt: skip
    assert (back[0].after_flops, back[0].after_bytes, back[0].dtype) == (1e9, 1e6, "bf16")
    answer = astra_sim.run(
        rf.astra_sim.Network(("Ring",), (4,), (50.0,), (500.0,)),
        astra_sim.System.of_algorithm("ring"),
        again,
    )
    assert answer.end_ns is not None


def test_one_rank_names_its_groups() -> None:
    own = rf.ProgramGroups.own(start=0, stride=4, size=4)
    one = rf.ProgramCollective("ag", "all_gather", 8, 32, "bf16", own)
    back = rf.read(astra_sim.chakra(rf.Program((one,), 16, 0)))
    assert (back[0].groups, back[0].bytes_out) == (own, 32)
    with pytest.raises(Unsupported, match="ag"):
        astra_sim.chakra(rf.Program((one,), 16, 0), 5)
    looped = rf.ProgramCollective("x", "all_reduce", 8, 8, groups=own, count=None)
    with pytest.raises(Unsupported, match="x"):
        astra_sim.chakra(rf.Program((looped,), 16, 0))


@pytest.mark.parametrize("algorithm", ["ring_one_way", "halving_doubling", "direct"])
def test_schedules_come_back(tmp_path: Path, algorithm: str) -> None:
    machine = rf.torus((4, 2), "50 GiB/s", "500 ns")
    made = rf.schedule("all_reduce", machine, 2**16, algorithm=algorithm)
    own = rf.Schedule(made.operation, made.size_bytes, made.chips, made.sends, made.blocks)
    for one in (made, own):
        astra_sim.save_schedule(one, tmp_path / "ring")
        back = astra_sim.read_schedule(tmp_path / "ring")
        assert back == one
        assert machine.run(back).time_s == machine.run(one).time_s
    assert machine.run(back, model="fluid").time_s == machine.run(own, model="fluid").time_s
    # ASTRA-sim runs it as sends and receives.
    answer = astra_sim.run(
        astra_sim.Network.of_machine(machine),
        astra_sim.System.of_algorithm("ring", 2),
        astra_sim.Workload.read(tmp_path / "ring"),
    )
    assert answer.end_ns is not None
    (tmp_path / "ring.3.et").unlink()
    with raises(InvalidArgument, "name"):
        astra_sim.read_schedule(tmp_path / "ring")


def test_broken_traces_name_the_byte() -> None:
    for at in range(1, len(SHIPPED)):
        with contextlib.suppress(InvalidArgument):
            rf.read(SHIPPED[:at], format="chakra")
    with pytest.raises(InvalidArgument, match="byte 8"):
        rf.read(SHIPPED[:40])
    with pytest.raises(InvalidArgument, match="byte 8"):
        rf.read(SHIPPED[:60], format="chakra")
    with pytest.raises(InvalidArgument, match="64 bits"):
        rf.read(SHIPPED[:8] + b"\xff" * 12, format="chakra")


def test_damaged_traces_raise_what_they_should() -> None:
    random.seed(1)
    whole = astra_sim.chakra(program(), 1)
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(random.randint(1, 4)):
            data[random.randrange(len(data))] ^= 1 << random.randrange(8)
        with contextlib.suppress(RainierError):
            rf.read(bytes(data), format="chakra")


def test_circles_are_refused_where_they_matter(tmp_path: Path) -> None:
    nodes = (astra_sim.Node(0, (1,)), astra_sim.Node(1, (0,)), astra_sim.Node(2))
    astra_sim.Workload((nodes,), (0,)).save(tmp_path / "a")
    assert any("circle" in note for note in rf.read(tmp_path / "a.0.et").notes)
    with pytest.raises(InvalidArgument, match="circle"):
        astra_sim.Workload.read(tmp_path / "a")


def test_graphs_in_json() -> None:
    node = {"Id": 1, "Name": "ncclKernel_AllReduce_RING", "NodeType": 7, "data_deps": []}
    found = rf.read(json.dumps({"workload_graph": [node]}).encode())
    assert (found[0].op, found[0].bytes_in) == ("all_reduce", None)
    for bad in ({"Id": -1}, {"Id": "x"}, {"data_deps": 3}, {"NodeType": 7, "Name": 3}):
        with pytest.raises(InvalidArgument):
            rf.read(json.dumps({"workload_graph": [node | bad]}).encode())


def test_network_files() -> None:
    network = rf.read(NETWORK.encode())
    assert network == astra_sim.Network(("Ring",), (8,), (50.0,), (500.0,))
    machine = network.to_machine()
    # "50 GB/s" there are 50 * 2**30 bytes/s.
    assert machine.ultraserver.axes[0].bandwidth_Bps == 50 * 2**30
    assert astra_sim.Network.of_machine(machine) == network
    assert rf.read(network.to_yaml().encode()) == network
    for bad, where in (
        (NETWORK.replace("[ 8 ]", "[ 8, 8 ]"), "npus_count"),
        (NETWORK.replace("50.0", "fast"), "bandwidth"),
        (NETWORK.replace("Ring", "Torus"), "topology"),
        (NETWORK.replace("[ 500.0 ]", "[ 500.0"), "line"),
        (NETWORK.replace("[ 8 ]", "[ 1 ]"), "npus_count"),
    ):
        with pytest.raises(RainierError, match=where):
            rf.read(bad.encode(), format="astra-sim-network")


def test_system_and_memory_files() -> None:
    system = astra_sim.System.of_algorithm("direct4", 2, splits=2)
    assert rf.read(json.dumps(system.to_settings()).encode()) == system
    for bad in (
        {"all-reduce-implementation": ["tree"]},
        {"model-shared-bus": 1},
        {"preferred-dataset-splits": 0},
        {"local-mem-bw": float("inf")},
        {"all-reduce-implementation-custom": ["x"]},
    ):
        with pytest.raises(RainierError):
            astra_sim.System.read(system.to_settings() | bad)
    assert rf.read(b'{"memory-type": "NO_MEMORY_EXPANSION"}') == astra_sim.Memory()
    with pytest.raises(RainierError):
        astra_sim.Memory("MEMORY_POOL", 100, 0)


def test_runs_name_what_does_not_fit() -> None:
    network, system = rf.read(NETWORK.encode()), astra_sim.System.of_algorithm("ring")
    work = astra_sim.Workload.collective("all_reduce", 2**20, 8)
    with raises(InvalidArgument, "workload"):
        astra_sim.run(network, system, astra_sim.Workload.collective("all_reduce", 64, 4))
    with raises(InvalidType, "network"):
        astra_sim.run(3, system, work)  # type: ignore[arg-type]
    with raises(rf.UnknownName, "backend"):
        astra_sim.run(network, system, work, backend="both")
    with pytest.raises(Unsupported, match="divides by zero"):
        astra_sim.run(network, astra_sim.System.of_algorithm("ring", local_memory_gbps=None), work)
    with pytest.raises(Unsupported, match="0 ns"):
        astra_sim.run(network, astra_sim.System.of_algorithm("ring", endpoint_delay_ns=0), work)


def test_schedules_save_as_chakra_and_errors_name_every_format(tmp_path: Path) -> None:
    made = rf.schedule("all_gather", rf.torus((4,), "1 GB/s"), "1 MiB", algorithm="ring")
    made.save(tmp_path / "ring", format="chakra")
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"ring.{at}.et" for at in range(4)]
    assert astra_sim.read_schedule(tmp_path / "ring") == made
    with pytest.raises(rf.UnknownName, match=r"^format: .*'msccl', 'goal', 'chakra'"):
        made.save(tmp_path / "ring", format="mscl")


@pytest.mark.parametrize(
    "text",
    [
        NETWORK + "npus_count: [ 4 ]\n",
        json.dumps({"topology": ["Ring"]})[:-1] + ', "npus_count": [8], "npus_count": [4]}',
        NETWORK.replace("[ 8 ]", "&n [ 8 ]").replace("[ 50.0 ]", "*n"),
    ],
)
def test_settings_that_may_be_read_in_two_ways_are_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "network.yml"
    path.write_text(text)
    with pytest.raises(InvalidArgument, match=r"network\.yml"):
        astra_sim.Network.read(path)


def test_names_of_traces_that_cannot_be_written(tmp_path: Path) -> None:
    pair = rf.Schedule("all_reduce", 64, [0, 1], [rf.Send(0, 1, [0], step=0, reduce=True)])
    work = astra_sim.Workload.collective("all_reduce", 64, 2)
    for save in (work.save, lambda name: astra_sim.save_schedule(pair, name)):
        for name, kind in ((None, InvalidType), ("", InvalidArgument), ("a\0", InvalidArgument)):
            with raises(kind, "name"):
                save(name)
        with raises(InvalidArgument, "name", "no/step.0.et"):
            save(tmp_path / "no" / "step")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("bad", [None, 3, [None], [3], b"x"])
def test_what_names_no_file_is_refused_by_its_argument(bad: object) -> None:
    with raises(InvalidType, "workload"):
        astra_sim.Workload.read(bad)
    with raises(InvalidType, "name"):
        astra_sim.read_schedule(bad)
    with raises(InvalidType, "path"):
        rf.Faults.load(bad)


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(RainierError):
        astra_sim.Memory.read({"memory-type": "MEMORY_POOL", "remote-mem-bw": float("inf")})
