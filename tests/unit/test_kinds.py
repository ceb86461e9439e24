"""Two kinds of number: what a schedule takes on the links alone, and what software takes."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from typing import Any

import pytest

import rainier_fast as rf
from raising import raises

RUNTIMES = {"trn2": "neuron", "h100": "nccl", "tpu-v5e": "xla"}
"""A machine of each maker whose software is modelled."""
TRN2 = rf.preset("trn2")


@pytest.mark.parametrize(("name", "runtime"), RUNTIMES.items())
def test_the_runtime_is_the_algorithm_of_its_name_everywhere(name: str, runtime: str) -> None:
    machine = rf.preset(name)
    assert machine.runtime == machine.ultraserver.runtime == runtime
    mesh = machine.mesh(dp=2, tp=-1)
    for size in (1024, "1 MiB", "1 GiB"):
        asked = machine.all_gather(size, algorithm="runtime")
        assert asked == machine.all_gather(size, algorithm=runtime)  # type: ignore[arg-type]
        assert asked.request.algorithm == runtime
    inside = mesh.all_reduce("1 MiB", axis="tp", algorithm="runtime")
    assert inside == mesh.all_reduce("1 MiB", axis="tp", algorithm=runtime)
    sizes = ["1 KiB", "64 KiB", "16 MiB"]
    times = machine.times("all_reduce", sizes, algorithm="runtime")
    single = [machine.all_reduce(size, algorithm=runtime).time_s for size in sizes]
    assert times.time_s.tolist() == single
    plan = mesh.plan.all_reduce("1 MiB", axis="tp", algorithm="runtime")
    assert plan.run() == inside
    assert plan.prepared().times(["1 MiB"]).time_s.tolist() == [inside.time_s]
    traffic = {"tp": ("all_reduce", "1 MiB")}
    ranking = machine.best_mapping({"dp": 2, "tp": -1}, traffic, algorithm="runtime")
    assert ranking == machine.best_mapping({"dp": 2, "tp": -1}, traffic, algorithm=runtime)
    assert ranking.kind == ranking.best.kind == f"as {runtime} runs it"
    assert str(ranking).splitlines()[0].endswith(ranking.kind)


@pytest.mark.parametrize(("name", "runtime"), RUNTIMES.items())
def test_the_first_line_says_which_kind(name: str, runtime: str) -> None:
    machine = rf.preset(name)
    for algorithm, kind in (
        ("auto", "links alone"),
        ("ring", "links alone"),
        (runtime, f"as {runtime} runs it"),
    ):
        result = machine.all_reduce("1 MiB", algorithm=algorithm)
        times = machine.times("all_reduce", [2**20], algorithm=algorithm)
        for one in (result, times):
            assert one.kind == kind
            assert str(one).splitlines()[0].endswith(kind)
            assert kind in one._repr_html_().partition("</p>")[0]
            assert json.loads(json.dumps(one.to_dict()))["kind"] == kind
        assert repr(result).endswith(f"{kind}>")
        assert pickle.loads(pickle.dumps(result)).kind == kind


def test_a_schedule_that_was_given_is_of_the_links() -> None:
    made = rf.schedule("all_reduce", TRN2, "1 MiB", algorithm="ring")
    there = rf.Send(src=0, dst=1, blocks=[0], step=0, reduce=True)
    back = rf.Send(src=1, dst=0, blocks=[0], step=1)
    own = rf.Schedule("all_reduce", "1 MiB", chips=[0, 1], sends=[there, back])
    assert TRN2.run(own).kind == TRN2.run(made).kind == "links alone"
    assert TRN2.run(own).as_run is None


@pytest.mark.parametrize("name", RUNTIMES)
def test_what_the_runtime_takes_stands_beside_auto(name: str) -> None:
    machine = rf.preset(name)
    group = range(4)
    best = machine.all_reduce("1 MiB", group=group, dtype="bf16")
    runs = machine.all_reduce("1 MiB", group=group, dtype="bf16", algorithm="runtime")
    assert best.as_run == runs
    assert best.as_run is not None
    assert best.as_run.as_run is None
    line = next(one for one in str(best).splitlines() if "as it runs" in one)
    assert f"{runs.kind}, by {runs.algorithm}" in line
    assert f" {runs.time_s / best.time_s:.3g} times" in line
    assert "as it runs" not in str(runs)
    named = machine.all_reduce("1 MiB", group=group, algorithm="ring")
    assert named.as_run is None
    assert "as it runs" not in str(named)


@pytest.mark.parametrize("name", RUNTIMES)
@pytest.mark.parametrize("model", ["alpha_beta", "fluid", "fifo"])
@pytest.mark.parametrize("chunks", [None, 1])
def test_the_runtime_is_asked_with_every_option(name: str, model: Any, chunks: int | None) -> None:
    def ask(algorithm: Any) -> rf.CollectiveResult:
        return rf.preset(name).all_reduce(
            "1 MiB", group=range(4), model=model, chunks=chunks, algorithm=algorithm
        )

    best, takes = ask("auto"), RUNTIMES[name] != "nccl" and model == "alpha_beta"
    if takes:
        assert best.as_run == ask("runtime")
        assert best.as_run is not None
        assert best.as_run.request == ask("runtime").request
        return
    assert best.as_run is None
    with pytest.raises(rf.Unsupported) as caught:
        ask("runtime")
    assert str(caught.value) in str(best)


def test_chunks_are_not_dropped() -> None:
    cluster = rf.Cluster([rf.Site("here", 2, rf.TRN2_ULTRASERVER)])
    assert cluster.all_reduce("1 GiB").as_run is not None
    best = cluster.all_reduce("1 GiB", chunks=8)
    with pytest.raises(rf.Unsupported) as caught:
        cluster.all_reduce("1 GiB", chunks=8, algorithm="runtime")
    assert best.as_run is None
    assert str(caught.value) in str(best)


def test_what_the_runtime_refuses_has_its_reason() -> None:
    cluster = rf.Cluster([rf.Site("here", 2, rf.TRN2_ULTRASERVER)])
    with pytest.raises(rf.Unsupported) as caught:
        cluster.all_to_all("1 GiB", algorithm="runtime")
    with pytest.raises(rf.Unsupported) as named:
        cluster.all_to_all("1 GiB", algorithm="neuron")
    assert str(caught.value) == str(named.value)
    best = cluster.all_to_all("1 GiB")
    assert best.as_run is None
    assert str(caught.value) in str(best)
    broadcast = TRN2.broadcast("1 MiB")
    assert broadcast.as_run is None
    assert "neuron" in str(broadcast)


@pytest.mark.parametrize("name", ["mi300x", "maia-200", "trn1"])
def test_a_machine_without_one_says_what_to_do(name: str) -> None:
    machine = rf.preset(name)
    assert machine.runtime is None
    for call in (
        lambda: machine.all_reduce("1 MiB", algorithm="runtime"),
        lambda: machine.mesh(dp=-1).all_reduce("1 MiB", axis="dp", algorithm="runtime"),
        lambda: machine.times("all_reduce", ["1 MiB"], algorithm="runtime"),
        lambda: machine.plan.all_reduce("1 MiB", algorithm="runtime"),
        lambda: machine.best_mapping({"a": -1}, {"a": ("barrier", 0)}, algorithm="runtime"),
        lambda: rf.schedule("all_reduce", machine, "1 MiB", algorithm="runtime"),
        lambda: machine.monte_carlo("all_reduce", "1 MiB", draws=1, algorithm="runtime"),
    ):
        with raises(rf.Unsupported, "algorithm", "auto", "neuron=", "gpu=", "tpu="):
            call()
    best = machine.all_reduce("1 MiB")
    assert best.as_run is None
    assert "as it runs" not in str(best)


def test_of_several_runtimes_none_is_taken() -> None:
    server = replace(TRN2.ultraserver, gpu=rf.preset("h100").ultraserver.gpu)
    both = rf.domain(server)
    assert both.runtime is None
    with raises(rf.Unsupported, "algorithm", "'neuron'", "'nccl'"):
        both.all_reduce("1 MiB", algorithm="runtime")
    assert both.all_reduce("1 MiB", algorithm="neuron").kind == "as neuron runs it"


def test_a_tier_has_no_runtime() -> None:
    with raises(rf.InvalidArgument, "algorithm"):
        rf.preset("rainier").all_reduce("1 GiB", algorithm=("runtime", "ring", "ring"))


def test_rows_of_a_comparison_are_each_by_their_own_software() -> None:
    names = [*RUNTIMES, "mi300x", "trn1"]
    table = rf.compare(names, "all_reduce", "1 MiB", algorithm="runtime")
    for row, (name, runtime) in zip(table, RUNTIMES.items(), strict=False):
        assert row["kind"] == f"as {runtime} runs it"
        assert row["time_s"] == rf.preset(name).all_reduce("1 MiB", algorithm=runtime).time_s
    assert table["kind"].tolist()[3:] == ["", ""]
    assert all(table["reason"].tolist()[3:])
    assert not any(table["reason"].tolist()[:3])
    first = str(table).splitlines()[0]
    assert all(f"as {runtime} runs it" in first for runtime in RUNTIMES.values())
    alone = rf.compare(names, "all_reduce", "1 MiB")
    assert set(alone["kind"].tolist()) == {"links alone"}
    assert "links alone" in str(alone).splitlines()[0]
    none = rf.compare(["mi300x"], "all_reduce", "1 MiB", algorithm="runtime")
    assert none.results == (None,)
    assert str(none)


def test_plans_that_run_together_keep_their_kinds() -> None:
    mesh = TRN2.mesh(dp=4, tp=4)
    plans = [
        mesh.plan.all_gather("64 MiB", axis="tp", algorithm="runtime"),
        mesh.plan.all_reduce("64 MiB", axis="dp"),
        TRN2.plan.compute("1 ms", "2 GiB"),
    ]
    both = TRN2.together(plans)
    assert [plan.kind for plan in both] == ["as neuron runs it", "links alone", ""]
    assert both.kind == both.to_dict()["kind"] == "as neuron runs it, links alone"
    assert both[0].alone_s == plans[0].run().time_s
    assert str(both).splitlines()[0].endswith(both.kind)
    assert TRN2.together(plans[2:]).kind == ""
    jobs = [rf.Tenant(name, "all_reduce", "1 GiB", 1, algorithm="runtime") for name in "ab"]
    tenants = rf.preset("trn2-ultraserver").tenants(jobs)
    assert tenants.kind == tenants.to_dict()["kind"] == "as neuron runs it"
    assert tenants["a"].algorithm.startswith("neuron(")
    assert str(tenants).splitlines()[0].endswith(tenants.kind)


def test_studies_say_their_kind() -> None:
    drawn = rf.preset("h100").monte_carlo("all_reduce", "1 MiB", draws=2, algorithm="runtime")
    assert drawn.kind == drawn.to_dict()["kind"] == "as nccl runs it"
    assert str(drawn).splitlines()[0].endswith(drawn.kind)
    assert pickle.loads(pickle.dumps(drawn)) == drawn
    ways = TRN2.with_faults(links=[3]).recoveries("all_reduce", "1 MiB", policies=["detour"])
    assert ways["kind"].tolist() == ["links alone"]
    assert "links alone" in str(ways).splitlines()[0]


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "fp8"])
@pytest.mark.parametrize("operation", ["all_reduce", "reduce_scatter"])
def test_types_that_no_switch_adds_up_are_refused(operation: str, dtype: str) -> None:
    h100 = rf.preset("h100", chips=16)
    node = range(8)
    for name, group in (("in_switch", node), (("in_switch", "ring", "ring"), None)):
        with raises(rf.Unsupported, None, dtype, "NCCL", "fp16", "auto"):
            getattr(h100, operation)("1 MiB", algorithm=name, group=group, dtype=dtype)
    for good in (None, "bf16", "fp32", "int64"):
        result = getattr(h100, operation)("1 MiB", algorithm="in_switch", group=node, dtype=good)
        assert result.algorithm == "in_switch"
    assert h100.all_gather("1 MiB", algorithm="in_switch", group=node, dtype=dtype).time_s > 0
    with_sums = h100.all_reduce("1 GiB", algorithm="runtime", group=node)
    assert with_sums.choice["algorithm"] == "nvls"
    without = h100.all_reduce("1 GiB", algorithm="runtime", group=node, dtype=dtype)
    assert without.choice["algorithm"] != "nvls"


REFUSED: list[tuple[str, str, dict[str, Any], tuple[str, ...]]] = [
    ("trn2", "all_to_all", {"group": range(3)}, ("4, 8, 16 or a multiple of 32", "use direct")),
    ("tpu-v5p", "all_reduce", {"dtype": "fp64"}, ("64 bits", "use 32 bits")),
    ("tpu-v5p", "reduce_scatter", {"dtype": "int64"}, ("64 bits", "use 32 bits")),
    ("tpu-ironwood", "all_gather", {}, ("SparseCores", "use algorithm='auto'")),
    ("h100", "broadcast", {}, ("all_reduce", "name another algorithm")),
]


@pytest.mark.parametrize(("name", "operation", "options", "words"), REFUSED)
def test_what_a_runtime_refuses_has_its_rule_and_what_to_do(
    name: str, operation: str, options: dict[str, Any], words: tuple[str, ...]
) -> None:
    machine = rf.preset(name)
    with raises(rf.Unsupported, None, *words) as caught:
        getattr(machine, operation)("1 MiB", algorithm="runtime", **options)
    (row,) = rf.compare([machine], operation, "1 MiB", algorithm="runtime", **options)
    assert row["reason"] == str(caught.value)
    assert getattr(machine, operation)("1 MiB", **options).as_run is None


def test_no_slowdown_compares_two_kinds() -> None:
    cluster = rf.Cluster([rf.Site("one", 4, rf.TRN2_ULTRASERVER)])
    cable = {"links": rf.LinkAt("z", x=1)}
    left = cluster.impact(cable, "all_reduce", "1 MiB", policies=["drop_ultraserver"])
    assert left.whole.kind == left.best.kind == "links alone"
    runs = TRN2.impact({"links": [3]}, "all_reduce", "1 MiB", algorithm="runtime")
    assert runs.whole.kind == "as neuron runs it"
    assert set(runs["kind"].tolist()) <= {"as neuron runs it", ""}
    reason = runs.reasons[runs.policies.index("synthesized")]
    assert "links alone" in reason
    assert "as neuron runs it" in reason
    damaged = TRN2.with_faults(links=[3])
    made = damaged.recoveries("all_reduce", "1 MiB", policies=["detour", "synthesized"])
    assert set(made["kind"].tolist()) == {"links alone"}
