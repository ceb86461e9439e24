"""Services, layouts and loads that do not fit each other: which argument is named."""

from __future__ import annotations

import math
from typing import Any

import pytest

import rainier_fast as rf
from raising import raises

TRN2 = rf.preset("trn2")
H100 = rf.preset("h100")
SERVICE = rf.Serving("llama-3.1-8b", input=1024, output=256)
GPU = SERVICE.with_(engine="vllm")
TP8 = rf.Layout(tp=8)


@pytest.mark.parametrize(
    ("fields", "argument"),
    [
        ({"input": 0}, "input"),
        ({"input": -5}, "input"),
        ({"output": math.nan}, "output"),
        ({"output": math.inf}, "output"),
        ({"precision": "fp7"}, "precision"),
        ({"kv": "int2"}, "kv"),
        ({"engine": "tgi"}, "engine"),
        ({"max_model_len": 1000}, "max_model_len"),
        ({"prefix_hit": 1}, "prefix_hit"),
        ({"prefix_hit": -0.1}, "prefix_hit"),
        ({"chunk": 0}, "chunk"),
        ({"batch_buckets": (8, 4)}, "batch_buckets"),
        ({"engine": "vllm", "context_buckets": (4096,)}, "context_buckets"),
        ({"imbalance": 2}, "imbalance"),  # no experts
        ({"memory_share": 0}, "memory_share"),
        ({"cache_share": 1.5}, "cache_share"),
        ({"batching": "some"}, "batching"),
        ({"sampling": "moon"}, "sampling"),
        ({"speculative": 3}, "speculative"),
        ({"model": "llama-9"}, "model"),
        ({"model": 3}, "model"),
    ],
)
def test_a_service_that_cannot_be_is_named(fields: dict[str, Any], argument: str) -> None:
    given = {"model": "llama-3.1-8b", "input": 1024, "output": 256} | fields
    with raises(rf.RainierError, argument):
        rf.Serving(**given)


def test_a_context_above_the_models_positions_is_refused() -> None:
    small = rf.model("gpt-2")
    with raises(rf.InvalidArgument, "input"):
        rf.Serving(small, input=1000, output=1000)


@pytest.mark.parametrize(
    ("load", "argument"),
    [
        ({}, "concurrency"),
        ({"concurrency": 4, "rate": 1.0}, "concurrency"),
        ({"concurrency": 0}, "concurrency"),
        ({"concurrency": math.inf}, "concurrency"),
        ({"rate": 0}, "rate"),
        ({"rate": math.inf}, "rate"),
        ({"rate": 1e9}, "rate"),  # more than can be served
        ({"concurrency": 8, "requests": 4}, "requests"),
        ({"rate": 1.0, "requests": 40}, "requests"),
        ({"concurrency": 8, "chips": 3}, "chips"),
        ({"concurrency": 8, "pace": 3}, "pace"),
        ({"concurrency": 8, "algorithm": "neuron"}, "algorithm"),
    ],
)
def test_a_load_that_cannot_be_is_named(load: dict[str, Any], argument: str) -> None:
    with raises(rf.RainierError, argument):
        H100.serve(GPU, TP8, **load)


@pytest.mark.parametrize(
    ("model", "layout", "argument"),
    [
        ("llama-3.1-8b", {"tp": 16}, "tp"),
        ("llama-3.1-8b", {"tp": 4, "dp": 3}, "tp"),
        ("llama-3.1-8b", {"cp": 2}, "cp"),
        ("llama-3.1-8b", {"ep": 2}, "ep"),
        ("llama-3.1-405b", {"tp": 8}, "layout"),  # weights above the memory
        ("qwen3-30b-a3b", {"tp": 2, "ep": 3}, "ep"),
    ],
)
def test_a_layout_that_does_not_fit_is_named(
    model: str, layout: dict[str, Any], argument: str
) -> None:
    with raises(rf.InvalidArgument, argument):
        H100.serve(GPU.with_(model=model), rf.Layout(**layout), concurrency=4)


def test_the_wrong_types_are_named() -> None:
    with raises(rf.InvalidType, "service"):
        H100.serve("llama-3.1-8b", TP8, concurrency=4)  # type: ignore[arg-type]
    with raises(rf.InvalidType, "layout"):
        H100.serve(GPU, {"tp": 8}, concurrency=4)  # type: ignore[arg-type]
    with raises(rf.InvalidArgument, "concurrency"):
        H100.serve_times(GPU, TP8, [])


def test_what_nothing_is_known_of_is_refused() -> None:
    with raises(rf.Unsupported, "engine"):
        H100.serve(SERVICE, TP8, concurrency=4)  # neuron on a GPU
    with raises(rf.Unsupported, "sampling"):
        TRN2.serve(SERVICE.with_(sampling="host"), TP8, concurrency=4)


@pytest.mark.parametrize(
    ("fields", "argument"),
    [
        ({"tokens": 0}, "tokens"),
        ({"acceptance": 1.5}, "acceptance"),
        ({"acceptance": (0.5,)}, "acceptance"),
        ({"acceptance": (0.5, 0.6, 0.4)}, "acceptance"),
        ({"draft": "llama-9"}, "draft"),
        ({"draft": 5}, "draft"),
    ],
)
def test_a_speculation_that_cannot_be_is_named(fields: dict[str, Any], argument: str) -> None:
    with raises(rf.RainierError, argument):
        rf.Speculation(**({"tokens": 3, "acceptance": 0.7} | fields))


@pytest.mark.parametrize(
    ("given", "argument"),
    [
        ({"ttft": 0}, "ttft"),
        ({"tpot": "-1 s"}, "tpot"),
        ({"tpot": "fast"}, "tpot"),
        ({"keep": 0}, "keep"),
        ({"chips": 5}, "chips"),
    ],
)
def test_an_objective_that_cannot_be_is_named(given: dict[str, Any], argument: str) -> None:
    with raises(rf.RainierError, argument):
        H100.best_serving(GPU, **given)


def test_a_service_that_fits_nowhere_says_why() -> None:
    with raises(rf.InvalidArgument, "service"):
        H100.best_serving(GPU.with_(model="deepseek-v3"))
