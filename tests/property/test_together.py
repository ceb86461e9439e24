"""Laws of plans that run together, and two slow references: by messages and by loads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

import rainier_fast as rf
from property.slow_together import (
    Message,
    loads,
    messages_of,
    slow_course,
    slow_shares,
    written,
)

OPERATIONS = ("all_reduce", "all_gather", "reduce_scatter", "all_to_all", "broadcast")


def machines() -> list[rf.Machine]:
    return [
        rf.preset("trn2"),
        rf.preset("trn2-ultraserver"),
        rf.preset("rainier", chips=64 * 4, sites=3),
        rf.torus((3, 4), bandwidth=("3 GB/s", "1 GB/s"), latency="1 us"),
        rf.torus((2, 2, 3), bandwidth="2 GB/s", wrap=(True, False, True)),
    ]


def small() -> rf.Machine:
    """Two sites of UltraServers of four, whose messages are quickly simulated one by one."""
    axis = rf.Axis("x", 4, "ring", "8 GB/s", "1 us")
    server = rf.UltraServer("four", None, [axis], rf.Nic("3 GB/s", "5 us"))
    sites = [rf.Site(name, 2, server, rf.Fabric((rf.Tier(2, 2.0),))) for name in "ab"]
    return rf.Cluster(sites, rf.Wan("2 GB/s", "1 ms"))


@st.composite
def plans(
    draw: st.DrawFn, most: int = 4, *, starts: bool = False, quick: bool = False
) -> list[rf.Plan]:
    known = machines()
    machine = draw(st.sampled_from([small(), known[0], *known[3:]] if quick else known))
    chips = machine.num_chips
    sizes = [n for n in range(1, chips + 1) if chips % n == 0]
    tp = draw(st.sampled_from([n for n in sizes if n > 1]))
    mesh = machine.mesh(dp=chips // tp, tp=tp)
    made = []
    for number in range(draw(st.integers(1, most))):
        operation = draw(st.sampled_from(OPERATIONS))
        size = draw(st.sampled_from([1e3, 1e6, 3e7]))
        if draw(st.booleans()):
            plan = getattr(mesh.plan, operation)(size, axis=draw(st.sampled_from(["dp", "tp"])))
        else:
            first = draw(st.integers(0, chips - 2))
            count = draw(st.integers(2, min(8, chips - first)))
            plan = getattr(machine.plan, operation)(size, group=range(first, first + count))
        plan = plan.named(f"plan {number}")
        if starts:
            plan = plan.starting(draw(st.sampled_from([0.0, 1e-5, 1e-3])))
        made.append(plan)
    return made


def together(given_plans: list[rf.Plan], model: str = "link_load") -> rf.TogetherResult:
    try:
        return given_plans[0].machine.together(given_plans, model)
    except rf.Unsupported:
        reject()


@settings(max_examples=60)
@given(plans(starts=True))
def test_times_by_loads_are_those_of_the_slow_reference(given_plans: list[rf.Plan]) -> None:
    result = together(given_plans)
    assert [plan.time_s for plan in result] == pytest.approx(slow_shares(given_plans), rel=1e-9)


@given(plans(starts=True))
def test_nobody_is_faster_than_alone(given_plans: list[rf.Plan]) -> None:
    result = together(given_plans)
    for plan, shared in zip(given_plans, result, strict=True):
        assert shared.alone_s == plan.run().time_s
        assert shared.time_s >= shared.alone_s
        assert shared.slowdown == 1 or shared.slowed_by is not None
        if shared.slowed_by is not None:
            assert shared.name in shared.slowed_by.plans
            assert len(shared.slowed_by.plans) > 1


@given(plans())
def test_no_link_is_busier_than_it_can_be(given_plans: list[rf.Plan]) -> None:
    result = together(given_plans)
    bandwidth = given_plans[0].machine._core.link_bandwidths()
    busy = sum(loads(plan) for plan in given_plans) / bandwidth
    assert result.busiest_s == pytest.approx(busy.max(), rel=1e-12)
    assert result.makespan_s >= busy.max() * (1 - 1e-12)
    if not busy.any():
        assert result.bottleneck is None
        return
    assert result.bottleneck is not None
    assert busy[result.bottleneck.link] == pytest.approx(busy.max(), rel=1e-12)


@given(plans(starts=True), st.randoms(use_true_random=False))
def test_the_order_of_plans_does_not_matter(given_plans: list[rf.Plan], random: Any) -> None:
    result = together(given_plans)
    shuffled = list(given_plans)
    random.shuffle(shuffled)
    again = together(shuffled)
    for plan in result:
        assert again[plan.name].time_s == pytest.approx(plan.time_s, rel=1e-9)


@given(plans(most=5), st.sampled_from(["link_load", "fluid"]))
@settings(max_examples=60, deadline=None)
def test_plans_that_share_no_link_take_the_same_to_the_bit(
    given_plans: list[rf.Plan], model: str
) -> None:
    mine = loads(given_plans[0]) > 0
    others = [plan for plan in given_plans[1:] if not (mine & (loads(plan) > 0)).any()]
    result = together([given_plans[0], *others], model)
    alone = together(given_plans[:1], model)
    assert result[0].time_s == result[0].alone_s == alone[0].alone_s
    assert result[0].slowdown == 1
    assert result[0].slowed_by is None
    if model == "link_load":
        assert result[0].time_s == given_plans[0].run().time_s


# ------------------------------------------------------------------ by messages


@settings(max_examples=40, deadline=None)
@given(plans(most=1))
def test_what_is_written_out_loads_links_as_all_groups_do(given_plans: list[rf.Plan]) -> None:
    (plan,) = given_plans
    try:
        parts = written(plan)
    except rf.Unsupported:
        reject()
    src, dst, size = [], [], []
    for schedule, groups in parts:
        for send in schedule.sends:
            for chips in groups:
                src.append(chips[send[0]])
                dst.append(chips[send[1]])
                size.append(send[3])
    expected = loads(plan)
    if src:
        found = plan.machine.link_loads(np.array(src), np.array(dst), np.array(size)).bytes
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-6)
    else:
        assert not expected.any()


@st.composite
def simple_plans(draw: st.DrawFn) -> list[rf.Plan]:
    """Plans of one stage in one piece, on machines without overhead."""
    shape = draw(st.sampled_from([(4,), (3, 2), (2, 2, 2)]))
    machine = rf.torus(
        shape,
        bandwidth=tuple(draw(st.sampled_from([1e9, 2e9])) for _ in shape),
        latency=draw(st.sampled_from([0, 2.0**-20])),
        wrap=tuple(draw(st.booleans()) for _ in shape),
    )
    made = []
    chips = machine.num_chips
    for number in range(draw(st.integers(1, 3))):
        first = draw(st.integers(0, chips - 2))
        group = range(first, first + draw(st.integers(2, min(4, chips - first))))
        operation, algorithm = draw(
            st.sampled_from(
                [
                    ("all_reduce", "ring"),
                    ("all_gather", "ring_one_way"),
                    ("all_to_all", "direct"),
                    ("reduce_scatter", "ring"),
                    ("send_recv", "direct"),
                ]
            )
        )
        size = draw(st.sampled_from([3e3, 1e4, 25e3]))
        start = draw(st.sampled_from([0.0, 2.0**-18]))
        plan = getattr(machine.plan, operation)(size, group=group, algorithm=algorithm)
        made.append(plan.named(f"plan {number}").starting(start))
    return made


@settings(max_examples=60, deadline=None)
@given(simple_plans())
def test_times_by_messages_are_those_of_the_slow_reference(given_plans: list[rf.Plan]) -> None:
    machine = given_plans[0].machine
    result = together(given_plans, "fluid")
    rows: list[Message] = []
    spans = []
    for plan in given_plans:
        begin = len(rows)
        rows += messages_of(plan, begin)
        spans.append((begin, len(rows)))
    ends = slow_course(machine, rows)
    for plan, shared, (begin, end) in zip(given_plans, result, spans, strict=True):
        assert plan.start_s + shared.time_s == pytest.approx(max(ends[begin:end]), rel=1e-9)
        alone = slow_course(machine, messages_of(plan.starting(0), 0))
        assert shared.alone_s == pytest.approx(max(alone), rel=1e-9)


@settings(max_examples=40, deadline=None)
@given(plans(most=3, quick=True), st.randoms(use_true_random=False))
def test_messages_share_alike_in_any_order(given_plans: list[rf.Plan], random: Any) -> None:
    result = together(given_plans, "fluid")
    shuffled = list(given_plans)
    random.shuffle(shuffled)
    again = together(shuffled, "fluid")
    for plan in result:
        assert again[plan.name].time_s == pytest.approx(plan.time_s, rel=1e-6)
    assert result.makespan_s >= result.busiest_s * (1 - 1e-9)


@pytest.mark.parametrize("size", [1e6, 3e7])
def test_both_models_agree_where_both_are_exact(size: float) -> None:
    # One message each over one link without latency: halves while both run, all after that.
    line = rf.torus((3,), bandwidth="1 GB/s", wrap=False)
    made = [
        line.plan.broadcast(size, group=[0, 1], algorithm="direct"),
        line.plan.broadcast(2 * size, group=[0, 2], algorithm="direct"),
        line.plan.broadcast(size, group=[2, 1], algorithm="direct"),
    ]
    expected = [2 * size / 1e9, 3 * size / 1e9, size / 1e9]
    for model in ("link_load", "fluid"):
        result = line.together(made, model)
        assert [plan.time_s for plan in result] == pytest.approx(expected, rel=1e-12)
        assert result[2].time_s == result[2].alone_s
        assert result[0].link_class == "x"


@st.composite
def jobs_on_a_cluster(draw: st.DrawFn) -> tuple[rf.Machine, list[rf.Tenant], str, int]:
    server = rf.UltraServer(
        "pair", None, [rf.Axis("x", 2, "line", "8 GB/s", 2.0**-20)], rf.Nic("3 GB/s", 2.0**-18)
    )
    ratio = draw(st.sampled_from([1.0, 2.0, 3.0]))
    fabric = rf.Fabric((rf.Tier(2, oversubscription=ratio, latency=2.0**-19),))
    machine = rf.Cluster([rf.Site("here", ultraservers=8, ultraserver=server, fabric=fabric)])
    jobs = []
    for number in range(draw(st.integers(2, 3))):
        operation, algorithm = draw(
            st.sampled_from(
                [("all_gather", "ring"), ("send_recv", "direct"), ("all_to_all", "direct")]
            )
        )
        size = draw(st.sampled_from([3e3, 1e4, 25e3]))
        servers = draw(st.integers(1, 2))
        jobs.append(
            rf.Tenant(f"job {number}", operation, size, ultraservers=servers, algorithm=algorithm)
        )
    placement = draw(st.sampled_from(["packed", "spread", "random"]))
    return machine, jobs, placement, draw(st.integers(0, 99))


@settings(max_examples=40, deadline=None)
@given(jobs_on_a_cluster())
def test_tenants_slow_each_other_as_the_slow_reference_says(
    case: tuple[rf.Machine, list[rf.Tenant], str, int],
) -> None:
    machine, jobs, placement, seed = case
    result = machine.tenants(jobs, placement, seed=seed, model="fluid")
    rows: list[Message] = []
    spans = []
    for plan in result.plans:
        begin = len(rows)
        rows += messages_of(plan, begin)
        spans.append((begin, len(rows)))
    ends = slow_course(machine, rows)
    for plan, shared, (begin, end) in zip(result.plans, result, spans, strict=True):
        alone = max(slow_course(machine, messages_of(plan, 0)))
        assert shared.alone_s == pytest.approx(alone, rel=1e-9)
        assert shared.slowdown == pytest.approx(max(ends[begin:end]) / alone, rel=1e-9)
        links = [set().union(*(row[0] for row in rows[a:b])) for a, b in spans]
        mine = links[result.plans.index(plan)]
        others = [its for at, its in enumerate(links) if result.plans[at] is not plan]
        if not any(mine & its for its in others):
            assert shared.slowdown == 1.0
