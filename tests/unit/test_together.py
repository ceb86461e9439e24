"""Plans, plans together, and computation beside collectives."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import json
import pickle

import pytest

import rainier_fast as rf
from rainier_fast.ask.request import OPERATIONS, Request
from rainier_fast.collectives.plan import MachinePlans, MeshPlans
from raising import raises

TRN2 = rf.preset("trn2")
MESH = TRN2.mesh(dp=4, tp=4)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_collective_can_be_planned_with_its_own_arguments(operation: str) -> None:
    for plans, runs in ((MachinePlans, rf.Machine), (MeshPlans, rf.DeviceMesh)):
        mine = list(inspect.signature(getattr(plans, operation)).parameters.items())
        theirs = list(inspect.signature(getattr(runs, operation)).parameters.items())
        assert mine == theirs
    size = () if operation == "barrier" else (1e6,)
    plan = getattr(TRN2.plan, operation)(*size, algorithm="auto", group=[3, 1, 2])
    result = getattr(TRN2, operation)(*size, group=[3, 1, 2])
    assert plan.run() == result
    plan = getattr(MESH.plan, operation)(*size, axis="dp")
    assert plan.run() == getattr(MESH, operation)(*size, axis="dp")
    assert plan.name == f"{operation} dp"
    assert TRN2.together([plan])[0].time_s == plan.run().time_s


def test_a_plan_says_what_it_is_and_does_not_change() -> None:
    plan = MESH.plan.send_recv("1 MiB", axis=("dp", "tp"), shift=3)
    assert plan.name == "send_recv dp+tp"
    assert isinstance(plan.request, Request)
    assert plan.request.shift == 3
    assert (
        str(plan.starting("1 ms"))
        == "plan send_recv dp+tp (1.00 MiB, from 1.00 ms on, as it was given)"
    )
    assert pickle.loads(pickle.dumps(plan)) == copy.deepcopy(plan) == plan
    assert hash(plan) == hash(pickle.loads(pickle.dumps(plan)))
    with pytest.raises(AttributeError):
        plan.name = "other"  # type: ignore[misc]


def test_bad_plans_are_refused_as_the_collectives_do() -> None:
    with pytest.raises(TypeError):
        MESH.plan.all_reduce("1 MiB")  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        TRN2.plan.all_reduce("1 MiB", axis="dp")  # type: ignore[call-arg]
    with pytest.raises(rf.UnknownName):
        MESH.plan.all_reduce("1 MiB", axis="pp")
    with raises(rf.InvalidArgument, "size"):
        TRN2.plan.all_reduce(-1)
    with raises(rf.InvalidType, "name"):
        TRN2.plan.barrier().named(3)  # type: ignore[arg-type]
    with raises(rf.InvalidArgument, "start"):
        TRN2.plan.barrier().starting(-1)


def test_bad_calls_are_named() -> None:
    plan = TRN2.plan.all_reduce("1 MiB")
    with raises(rf.InvalidArgument, "plans"):
        TRN2.together([])
    with raises(rf.InvalidType, "plans[1]"):
        TRN2.together([plan, 3])  # type: ignore[list-item]
    with raises(rf.InvalidType, "plans"):
        TRN2.together(plan)  # type: ignore[arg-type]
    with raises(rf.InvalidArgument, "plans[0]"):
        rf.preset("trn2-ultraserver").together([plan])
    with raises(rf.UnknownName, "model"):
        TRN2.together([plan], "magic")
    with raises(rf.Unsupported, None, "'fifo'", "'link_load'"):
        TRN2.together([TRN2.plan.all_reduce("1 MiB", model="fifo")])
    fluid = TRN2.plan.all_reduce("1 MiB", model="fluid")
    assert TRN2.together([fluid, plan]).model == "fluid"
    with raises(rf.InvalidArgument, "model"):
        TRN2.together([fluid], "link_load")
    h100 = rf.preset("h100")
    with raises(rf.Unsupported, None, "'nccl'"):
        h100.together([h100.plan.all_reduce("1 GiB", algorithm="nccl")])
    with raises(rf.InvalidArgument, "collective_packet"):
        TRN2.together([plan], collective_packet=0)


def test_too_many_messages_are_refused_by_name() -> None:
    machine = rf.preset("rainier", chips=4096, sites=3)
    mesh = machine.mesh(dp=-1, tp=64)
    with raises(rf.Unsupported, None, "messages", '"link_load"'):
        machine.together([mesh.plan.all_to_all("1 MiB", axis="tp")] * 5, "fluid")
    with raises(rf.Unsupported, None, "messages", '"link_load"'):
        machine.together([machine.plan.all_to_all("1 MiB", algorithm="direct")], "fluid")


def test_half_a_million_chips_take_no_time() -> None:
    rainier = rf.preset("rainier")
    mesh = rainier.mesh(dp=-1, tp=64)
    result = rainier.together(
        [
            mesh.plan.all_gather("64 MiB", axis="tp"),
            mesh.plan.all_reduce("1 GiB", axis=("dp", "tp")),
        ]
    )
    gather, reduce = result
    assert gather.alone_s == mesh.all_gather("64 MiB", axis="tp").time_s
    assert gather.slowdown > 1
    assert gather.link_class == "x"
    assert reduce.slowdown > 1
    # Rails meet nothing that stays inside UltraServers.
    apart = rainier.together(
        [mesh.plan.all_gather("64 MiB", axis="tp"), mesh.plan.all_reduce("1 GiB", axis="dp")]
    )
    assert [plan.slowdown for plan in apart] == [1, 1]
    assert apart.makespan_s == mesh.all_reduce("1 GiB", axis="dp").time_s


def test_starts_and_ends() -> None:
    line = rf.torus((2,), bandwidth="1 GB/s", wrap=False)
    made = [line.plan.broadcast(1e6, algorithm="direct").starting(at) for at in (0, "0.5 ms", 1)]
    for model in ("link_load", "fluid"):
        result = line.together(made, model)
        # Half a millisecond alone, one at half speed, and half a millisecond alone again.
        assert [plan.time_s for plan in result] == pytest.approx([1.5e-3, 1.5e-3, 1e-3])
        assert result.makespan_s == pytest.approx(1.001)
        assert [plan.name for plan in result] == ["broadcast", "broadcast (2)", "broadcast (3)"]
        assert result.one_after_another_s == pytest.approx(3e-3)
        assert result["broadcast (3)"].slowdown == 1


def test_a_result_reads_and_converts() -> None:
    result = TRN2.together([MESH.plan.all_gather("64 MiB", axis="tp")] * 2)
    text = str(result)
    assert "2 plans together" in text
    assert "all_gather tp (2)" in text
    assert "<table>" in result._repr_html_()
    assert json.loads(json.dumps(result.to_dict())) == result.to_dict()
    assert result.to_dict()["plans"][0]["slowed_by"]["class"] == result[0].link_class
    assert pickle.loads(pickle.dumps(result)) == result
    assert "slowdown at most" in repr(result)
    assert len(result.table) == len(result) == 2
    with pytest.raises(rf.UnknownName):
        result["other"]


def test_a_group_of_one_costs_nothing_and_slows_nobody() -> None:
    mesh = TRN2.mesh(dp=16, tp=1)
    for model in ("link_load", "fluid"):
        made = [mesh.plan.all_reduce(1e6, axis="tp"), mesh.plan.all_reduce(1e6, axis="dp")]
        nothing, all_of_it = TRN2.together(made, model)
        assert nothing.time_s == nothing.alone_s == 0
        assert nothing.slowdown == all_of_it.slowdown == 1


def test_a_launch_counts_once() -> None:
    tpu = rf.preset("tpu-v5p", shape=(4, 4, 4))
    assert tpu.ultraserver.launch_s > 0
    for model in ("link_load", "fluid"):
        result = tpu.together([tpu.plan.all_reduce(8)] * 2, model)
        assert result[0].alone_s == tpu.ultraserver.launch_s
        assert result[0].slowdown >= 1


# ------------------------------------------------------------------ computation

HBM = 2.9e12


def test_computation_and_a_collective_share_the_engines_by_packets() -> None:
    gather = TRN2.plan.all_gather("1 GiB", algorithm="neuron")
    touched = sum(row["bytes"] for row in gather.run().phases if row["bottleneck"] == "HBM")
    part = touched / (HBM * gather.run().time_s)
    work = TRN2.plan.compute(1.0, HBM)
    # The computation could use all that there is. The collective has packets 16 times as large, so
    # that it gets what it asks for.
    assert part < 16 / 17
    result = TRN2.together([gather, work])
    assert result[0].slowdown == 1
    lost = gather.run().time_s * part
    assert result[1].time_s == pytest.approx(1.0 + lost, rel=1e-9)
    assert result[1].link_class == "HBM by DMA"
    assert result[1].slowed_by is not None
    assert result[1].slowed_by.chip == 0
    assert "chip 0" in str(result)
    # Equal packets share evenly.
    even = TRN2.together([gather, TRN2.plan.compute(1.0, HBM, packet="64 KiB")])
    assert even[0].time_s == pytest.approx(gather.run().time_s * max(1, part / 0.5), rel=1e-9)
    # Packets of a kilobyte for the collective leave it the smaller share.
    small = TRN2.together([gather, work], collective_packet="1 KiB")
    assert small[0].slowdown == pytest.approx(part / 0.2, rel=1e-9)


def test_computation_that_leaves_enough_slows_nothing() -> None:
    made = [TRN2.plan.all_gather("1 GiB"), TRN2.plan.compute(1.0, HBM / 10)]
    assert [plan.slowdown for plan in TRN2.together(made)] == [1, 1]
    halves = [
        TRN2.plan.compute(1.0, HBM, group=range(8)),
        TRN2.plan.compute(1.0, HBM, group=range(8, 16)),
        TRN2.plan.compute(1.0, HBM / 2, group=range(4)),
    ]
    result = TRN2.together(halves)
    assert [plan.slowdown for plan in result] == pytest.approx([1.5, 1, 1], rel=1e-9)


def test_dma_engines_are_the_chips_own() -> None:
    def meeting(chip: rf.Chip) -> float:
        server = dataclasses.replace(TRN2.ultraserver, chip=chip)
        machine = rf.domain(server)
        gather = machine.plan.all_gather("1 GiB", algorithm="neuron")
        result = machine.together([gather, machine.plan.compute(1.0, HBM / 2)])
        return sum(plan.time_s for plan in result)

    chip = TRN2.ultraserver.chip
    assert chip is not None
    renamed = dataclasses.replace(chip, name="my-trn2")
    assert meeting(renamed) == meeting(chip)
    assert meeting(dataclasses.replace(chip, dma_bandwidth_Bps="1.5 TB/s")) > meeting(chip)
    # A name alone says nothing.
    named = rf.Chip("trainium2", chip.peak_flops, hbm_bandwidth_Bps=chip.hbm_bandwidth_Bps)
    assert named.dma_bandwidth_Bps is None
    with raises(rf.Unsupported, None, "neuron=", "dma_bandwidth_Bps="):
        meeting(named)


def test_computation_is_refused_where_nothing_is_known() -> None:
    with raises(rf.InvalidArgument, "hbm_bytes"):
        TRN2.together([TRN2.plan.compute(1.0, 2 * HBM)])
    with raises(rf.Unsupported, None, "'fluid'", "'link_load'"):
        TRN2.together([TRN2.plan.compute(1.0, 1)], "fluid")
    for name in ("h100", "trn1"):
        other = rf.preset(name)
        with raises(rf.Unsupported, None, "neuron=", "dma_bandwidth_Bps="):
            other.together([other.plan.compute(1.0, 1)])
    with raises(rf.Unsupported, None, "compute", "together()"):
        TRN2.plan.compute(1.0, 1).run()
    for bad in ({"time_s": 0}, {"packet": 0}):
        with raises(rf.InvalidArgument, next(iter(bad))):
            TRN2.plan.compute(**{"time_s": 1.0, "hbm_bytes": 1, **bad})
