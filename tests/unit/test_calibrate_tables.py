"""Which machine a table is of: fitted to that one, or refused with the reason."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import pytest

import rainier_fast as rf
import tables
from rainier_fast.errors import InvalidArgument, Unsupported
from rainier_fast.formats.read import read
from rainier_fast.measure.fitting import fit
from rainier_fast.measure.placed import placed
from rainier_fast.measure.space import neuron_space, with_server

SIZES = [2**20, 2**22, 2**24, 2**26, 2**28]
H100 = rf.preset("h100")
TWO = rf.preset("h100", chips=16)
TRN2 = rf.preset("trn2")
TWO_TRN2 = rf.Cluster(sites=[rf.Site("a", 2, rf.TRN2_INSTANCE)])


def run(
    machine: rf.Machine, algorithm: str = "auto", sizes: Sequence[int] = SIZES, **how: Any
) -> tables.Rows:
    """Return what a machine says of an all-reduce, as sizes and microseconds."""
    return [
        (size, round(machine.all_reduce(size, algorithm=algorithm, **how).time_s * 1e6, 3))
        for size in sizes
    ]


MANY = [2**power for power in range(14, 29)]


def chips(machine: rf.Machine, text: str) -> set[int | None]:
    """Return on how many chips the rows of a table are priced; None for all."""
    rows, notes = placed(machine, read(text, whole=machine.num_chips))
    assert any(f"fitted to all {machine.num_chips} chips" in note for note in notes)
    return {None if row.chips is None else len(row.chips) for row in rows}


ROWS = tables.times()


@pytest.mark.parametrize(
    ("machine", "text", "words"),
    [
        (TRN2, tables.nccom(ROWS, command="nccom-test -r 64 -N 2 allr --hosts a b"), "2 nodes"),
        (TRN2, tables.nccom(ROWS, command="nccom-test -r 64 --nnodes=4 allr"), "4 nodes"),
        (TRN2, tables.nccom(ROWS, 128, command="nccom-test -r 128 -N 2 allr"), "128 ranks"),
        (TRN2, tables.nccom(ROWS, 16), "16 ranks"),
        (TRN2, tables.nccom(ROWS, 32), "32 ranks"),
        (TRN2, tables.nccom(ROWS, 8, command="nccom-test allr"), "8 ranks"),
        (TWO_TRN2, tables.nccom(ROWS, command="nccom-test -r 64 -N 2 allr"), "64 ranks"),
        (TWO_TRN2, tables.nccom(ROWS, 128, command="nccom-test -r 128 allr -N 8"), "8 nodes"),
        (H100, tables.nccl(ROWS, 4), "4 ranks"),
        (H100, tables.nccl(ROWS, 4, command="all_reduce_perf", devices=False), "4 ranks"),
        (H100, tables.nccl(ROWS, 4, command="./all_reduce_perf -g 4", devices=False), "4 ranks"),
        (H100, tables.nccl(ROWS, 16), "16 ranks"),
        (
            H100,
            tables.nccl(ROWS, 8) + tables.nccl(ROWS, 4, command="all_reduce_perf", devices=False),
            "4 ranks",
        ),
        (H100, tables.nccl(ROWS, 8, each_host=4), "2 nodes"),
        (H100, tables.nccl_json(ROWS, 8, hosts=2), "2 nodes"),
        (TWO, tables.nccl(ROWS, 8), "8 ranks"),
        (TWO, tables.nccl(ROWS, 16, each_host=16), "1 nodes"),
        (TWO, "ranks,bytes,time_us,op\n16,8,5,ar\n12,8,5,ar", "12 ranks"),
        (TWO, "ranks,nodes,bytes,time_us,op\n16,2,8,5,ar\n3,2,8,5,ar", "3 ranks on 2 nodes"),
        (TRN2, "ranks,bytes,time_us,op\n64,8,5,ar\n6,8,5,ar", "6 ranks"),
        (rf.preset("trn1"), tables.nccom(ROWS, 32), "ranks_per_chip"),
    ],
)
def test_a_table_of_another_machine_is_refused(machine: rf.Machine, text: str, words: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        rf.calibrate(machine, text)
    assert words in str(caught.value)


def test_lnc_of_the_run_must_be_the_machines() -> None:
    command = "NEURON_LOGICAL_NC_CONFIG=1 nccom-test -r 128 allr"
    with pytest.raises(InvalidArgument, match="configuration 1"):
        rf.calibrate(TRN2, tables.nccom(ROWS, 128, command=command))
    neuron = dataclasses.replace(TRN2.ultraserver.neuron, lnc=1)
    machine = with_server(TRN2, dataclasses.replace(TRN2.ultraserver, neuron=neuron))
    assert chips(machine, tables.nccom(ROWS, 128, command=command)) == {None}


@pytest.mark.parametrize(
    ("machine", "text"),
    [
        (TRN2, tables.nccom(ROWS)),
        (TRN2, tables.nccom(ROWS, command="nccom-test -r 64 -N 1 allr")),
        (TWO_TRN2, tables.nccom(ROWS, 128, command="nccom-test -r 128 -N 2 allr")),
        (
            rf.preset("trn2-ultraserver"),
            tables.nccom(ROWS, 256, command="nccom-test -N 4 -r 256 allr"),
        ),
        (H100, tables.nccl(ROWS, 8)),
        (H100, tables.nccl_json(ROWS, 8)),
        (TWO, tables.nccl(ROWS, 16)),
        (rf.preset("gb200-nvl72"), tables.nccl(ROWS, 72, each_host=4)),
        (H100, tables.osu(ROWS)),
    ],
)
def test_a_table_of_the_machine_is_taken(machine: rf.Machine, text: str) -> None:
    assert chips(machine, text) == {None}


def test_rows_of_fewer_ranks_are_priced_on_as_many() -> None:
    several = "".join(tables.nccl(ROWS, ranks) for ranks in (2, 8, 16))
    assert chips(TWO, several) == {2, 8, None}
    spread = "ranks,nodes,bytes,time_us,op\n16,2,8,5,ar\n4,2,8,5,ar\n8,1,8,5,ar"
    rows, _ = placed(TWO, read(spread))
    assert [row.chips for row in rows] == [None, (0, 1, 8, 9), tuple(range(8))]
    assert chips(TRN2, "ranks,bytes,time_us,op\n64,8,5,ar\n16,8,5,ar") == {None, 4}


def test_one_fit_over_several_numbers_of_ranks() -> None:
    truth = rf.switch(8, "360 GB/s", "2 us")
    table = [
        {"op": "all_reduce", "bytes": size, "time_us": us, "ranks": ranks}
        for ranks in (2, 4, 8)
        for size, us in run(truth, group=range(ranks))
    ]
    fit = rf.calibrate(rf.switch(8, "450 GB/s", "1 us"), table)
    assert fit.parameters["link_efficiency"] == pytest.approx(0.8, rel=0.02)
    assert fit.parameters["link_latency"] == pytest.approx(2e-6, rel=0.05)
    assert fit.residuals["ranks"].tolist() == [2] * 5 + [4] * 5 + [8] * 5
    near = fit.machine.all_reduce("5 MiB", group=range(4)).nearest_measurements
    assert near["measured_s"][0] == table[6]["time_us"] * 1e-6


def test_a_fit_of_nccl_finds_its_figures() -> None:
    gpu = H100.ultraserver.gpu
    timing = dataclasses.replace(gpu.timing, nvls_start=40e-6, rate=0.8)
    changed = dataclasses.replace(H100.ultraserver, gpu=dataclasses.replace(gpu, timing=timing))
    text = tables.nccl(run(with_server(H100, changed), "nccl", MANY), 8)
    fit = rf.calibrate(H100, text, algorithm="nccl")
    assert fit.residuals.worst < 0.01
    assert fit.parameters["rate"] == pytest.approx(0.8, rel=0.02)
    assert fit.parameters["nvls_start"] == pytest.approx(40e-6, rel=0.02)
    assert "send_rate" not in fit.parameters  # no row depends on it
    near = fit.machine.all_reduce("3 MiB", algorithm="nccl").nearest_measurements
    assert near["bytes"][0] == 2**22
    for other in ("auto", "ring"):
        with pytest.raises(Unsupported):
            _ = fit.machine.all_reduce("3 MiB", algorithm=other).nearest_measurements


def test_a_fit_over_two_nodes_of_trainium_finds_the_network() -> None:
    server = rf.TRN2_INSTANCE
    neuron = dataclasses.replace(server.neuron, efa_step=25e-6, efa_instance_goodput=200e9)
    truth = with_server(TWO_TRN2, dataclasses.replace(server, neuron=neuron))
    text = tables.nccom(run(truth, "neuron", MANY[::2]), 128, command="nccom-test -r 128 -N 2 allr")
    rows, _ = placed(TWO_TRN2, read(text))
    space = neuron_space(TWO_TRN2)  # the fit alone: all of `calibrate` takes a minute here
    values, measured = fit(space, rows)
    found = dict(zip((one.name for one in space.parameters), values.tolist(), strict=True))
    assert max(abs(row.error) for row in measured) < 0.02
    assert found["efa_step"] == pytest.approx(25e-6, rel=0.2)
    assert found["efa_instance_goodput"] == pytest.approx(200e9, rel=0.05)


def test_what_ends_far_away_or_at_a_limit_says_so() -> None:
    slow = [(size, us + 900) for size, us in run(TRN2, "neuron")]
    fit = rf.calibrate(TRN2, tables.nccom(slow))
    assert any("call is 1" in note and "times what it was" in note for note in fit.notes)
    fast = [(size, us * 0.6) for size, us in run(TRN2, "neuron")]
    fit = rf.calibrate(TRN2, tables.nccom(fast))
    assert any("ends at its limit" in note for note in fit.notes)


def ran_as(mesh: int, halving: int) -> Any:
    return lambda size: "mesh" if size <= mesh else "rdh" if size <= halving else "KangaRing"


@pytest.mark.parametrize(("mesh", "halving"), [(2**20, 2**21), (2**22, 2**24), (2**20, 2**27)])
def test_the_column_of_algorithms_sets_the_thresholds(mesh: int, halving: int) -> None:
    neuron = dataclasses.replace(TRN2.ultraserver.neuron, mesh_most=mesh, halving_most=halving)
    truth = with_server(TRN2, dataclasses.replace(TRN2.ultraserver, neuron=neuron))
    text = tables.nccom(run(truth, "neuron"), ran=ran_as(mesh, halving))
    fit = rf.calibrate(TRN2, text)
    assert fit.residuals.worst < 0.01
    said = [
        ran_as(mesh, halving)(size).lower() in ours.lower()
        for size, ours in zip(fit.residuals["bytes"], fit.residuals["algorithm"], strict=True)
    ]
    assert all(said)


def test_a_column_that_no_threshold_explains_is_refused() -> None:
    rows = run(TRN2, "neuron")
    for ran in (lambda size: "rdh" if size == 2**20 else "mesh", lambda size: "hier"):
        with pytest.raises(InvalidArgument, match="algorithm"):
            rf.calibrate(TRN2, tables.nccom(rows, ran=ran))


def test_algorithms_that_a_fit_cannot_have_are_refused() -> None:
    for machine, algorithm in ((H100, "neuron"), (TRN2, "nccl"), (H100, "xla")):
        with pytest.raises(Unsupported):
            rf.calibrate(machine, tables.csv(ROWS), algorithm=algorithm)
    with pytest.raises(InvalidArgument):
        rf.calibrate(H100, tables.csv(ROWS), algorithm="fastest")
    fit = rf.calibrate(H100, tables.csv(ROWS), algorithm="ring")
    assert set(fit.residuals["algorithm"]) == {"ring"}
