"""The options of collectives: stated once, known by name, taken by whatever asks for one."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, get_args

import numpy as np
import pytest

import rainier_fast as rf
from rainier_fast import _core
from rainier_fast.ask.options import (
    OPTIONS,
    AlgorithmName,
    Choices,
    DType,
    Model,
    Operation,
    Options,
)
from rainier_fast.ask.request import Request
from raising import raises

TRN2 = rf.preset("trn2")
MESH = TRN2.mesh(dp=4, tp=4)
JOBS = [rf.Tenant("a", "all_reduce", 1e6, instances=1)]
CALLS: dict[str, Callable[..., object]] = {
    "machine": lambda **given: TRN2.all_reduce(1e6, **given),
    "mesh": lambda **given: MESH.all_gather(1e6, axis="tp", **given),
    "machine.plan": lambda **given: TRN2.plan.broadcast(1e6, root=1, **given),
    "mesh.plan": lambda **given: MESH.plan.barrier(axis="tp", **given),
    "recoveries": lambda **given: TRN2.recoveries("all_reduce", 1e6, policies=["detour"], **given),
    "impact": lambda **given: TRN2.impact({"links": [0]}, "all_reduce", 1e6, **given),
    "monte_carlo": lambda **given: TRN2.monte_carlo("all_reduce", 1e6, draws=2, **given),
    "compare": lambda **given: rf.compare([TRN2], "all_reduce", 1e6, **given),
    "schedule": lambda **given: rf.schedule("all_reduce", TRN2, 1e6, **given),
    "tenants": lambda **given: rf.Tenant("b", "all_reduce", 1e6, 1, **given),
    "best_mapping": lambda **given: TRN2.best_mapping({"dp": 16}, {"dp": ("barrier", 0)}, **given),
}


def test_names_are_those_of_the_core() -> None:
    assert get_args(Operation) == _core.OPERATIONS
    assert get_args(Model) == _core.MODELS
    assert get_args(AlgorithmName) == (
        "auto",
        "runtime",
        *(name for name, _, _ in _core.algorithms(None)),
    )


def test_every_option_has_a_default_and_words() -> None:
    assert list(OPTIONS) == list(Options.__annotations__)
    for name, option in OPTIONS.items():
        assert option.text
        method = inspect.signature(rf.Machine.all_reduce).parameters[name]
        assert method.default is option.default
        assert f"\n{name}\n    {option.text.splitlines()[0]}" in (rf.Machine.scatter.__doc__ or "")
    assert Choices()._spelled() == {}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_an_unknown_option_is_refused_by_name(call: Callable[..., object]) -> None:
    with raises(rf.InvalidType, "option") as caught:
        call(chunk=2)
    assert "'chunk'" in str(caught.value)
    assert str(caught.value).endswith("did you mean 'chunks'?")
    assert isinstance(caught.value, TypeError)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_known_option_counts_everywhere(call: Callable[..., object]) -> None:
    call(routing="adaptive", chunks=1, dtype="bf16")
    with raises(rf.UnknownName, "routing"):
        call(routing="dorr")
    with raises(rf.InvalidArgument, "chunks"):
        call(chunks=0)
    with raises(rf.UnknownName, "dtype"):
        call(dtype="bf17")


def test_who_takes_part_is_said_by_group_or_axis() -> None:
    for wrong in (
        lambda: TRN2.all_reduce(1, axis="tp"),
        lambda: MESH.all_reduce(1, axis="tp", group=[1, 2]),
        lambda: TRN2.all_reduce(1, root=1),  # type: ignore[call-arg]
        lambda: rf.schedule("all_reduce", TRN2, 1, model="fluid"),
    ):
        with raises(rf.InvalidType, "option"):
            wrong()
    with raises(rf.InvalidType, "axis"):
        MESH.all_reduce(1)


def test_a_mapping_runs_with_its_options() -> None:
    many = rf.preset("rainier", chips=256)
    wanted: Options = {"algorithm": ("bucket", "ring"), "chunks": 3}
    best = many.best_mapping({"dp": -1}, {"dp": ("all_reduce", 1e8)}, **wanted).best
    result = best.results["dp"][0]
    assert result.chunks == 3
    assert result.time_s == best.time_s == many.all_reduce(1e8, **wanted).time_s


def test_what_was_chosen_can_be_asked_for_again() -> None:
    bucket = rf.Bucket({("x", "y"): 0.5, ("y", "x"): 0.5})
    for algorithm in ("ring", bucket, (bucket,)):
        request = TRN2.plan.all_gather(1e6, algorithm=algorithm).request
        assert isinstance(request, Choices)
        assert TRN2.plan.all_gather(1e6, **request._spelled()).request == request
        tenant = rf.Tenant("a", "all_gather", 1e6, 1, algorithm=algorithm, chunks=2)
        assert eval(repr(tenant), {name: getattr(rf, name) for name in rf.__all__}) == tenant


@pytest.mark.parametrize("dtype", get_args(DType))
def test_results_say_the_type_of_numbers(dtype: DType) -> None:
    result, plain = TRN2.all_reduce("1 MiB", dtype=dtype), TRN2.all_reduce("1 MiB")
    assert (result.dtype, plain.dtype) == (dtype, None)
    assert (result.to_dict()["dtype"], plain.to_dict()["dtype"]) == (dtype, None)
    assert result.time_s == plain.time_s  # documented: not yet
    assert str(result).startswith(f"all_reduce of 1.00 MiB in {dtype} over 16 chips")
    assert MESH.all_gather("1 MiB", axis="tp", dtype=dtype).dtype == dtype
    assert MESH.plan.barrier(axis="tp", dtype=dtype).run().dtype == dtype
    assert TRN2.recoveries("all_reduce", 1e6, policies=["detour"], dtype=dtype).best.dtype == dtype
    table = rf.compare([TRN2], "all_reduce", 1e6, dtype=dtype)
    assert [one.dtype for one in table.results if one] == [dtype]
    made = rf.schedule("all_reduce", TRN2, 1e6, dtype=dtype)
    assert TRN2.run(made).dtype == dtype
    best = TRN2.best_mapping({"dp": 16}, {"dp": ("barrier", 0)}, dtype=dtype).best
    assert best.results["dp"][0].dtype == dtype
    jobs = [rf.Tenant("a", "all_reduce", 1e6, instances=1, dtype=dtype)]
    plan = rf.preset("trn2-ultraserver").tenants(jobs).plans[0]
    assert plan.run().dtype == dtype


def test_the_core_knows_the_same_types_of_numbers() -> None:
    request = TRN2.plan.barrier().request
    assert isinstance(request, Request)
    row = {**request._core_row(TRN2), "dtype": "bf17"}
    groups = request.groups.core(TRN2._core)
    with raises(rf.UnknownName, "dtype") as caught:
        TRN2._core.collective(row, groups, request._routing_row(TRN2))
    known = str(caught.value).partition("must be one of ")[2]
    assert tuple(known.split(", ")) == get_args(DType)


@pytest.mark.parametrize("wrong", [True, 1.0])
def test_what_equals_a_checked_option_is_checked_too(wrong: Any) -> None:
    trn2 = rf.preset("trn2")
    right = trn2.broadcast("1 MiB", root=1)
    with raises(rf.InvalidType, "root"):
        trn2.broadcast("1 MiB", root=wrong)
    with raises(rf.UnknownName, "algorithm"):
        trn2.all_reduce(
            "1 MiB", algorithm=type("Text", (str,), {"__hash__": str.__hash__})("rings")
        )
    assert trn2.broadcast("1 MiB", root=np.int64(1)) == right
    assert trn2.broadcast(2**20, root=1).request == right.request
