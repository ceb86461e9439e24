"""Commands of jobs: train and serve, a layout that is given or the best of all."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from rainier_fast.cli.machines import machine_of, whole
from rainier_fast.cli.options import MACHINE, OUTPUT, output
from rainier_fast.cli.show import Answer, progress, show
from rainier_fast.table import Table

if TYPE_CHECKING:
    from rainier_fast.machine.machine import Machine
    from rainier_fast.serving.serving import Serving
    from rainier_fast.workload.layout import Layout
    from rainier_fast.workload.training import Training
    from rainier_fast.workload.transformer import Transformer

F = TypeVar("F", bound=Callable[..., Any])


def commands() -> dict[str, click.Command]:
    """Return the commands by name."""
    return {"train": train, "serve": serve}


_AXES: Final = {
    "tp": "ranks that share matrices",
    "pp": "stages of the pipeline",
    "dp": "replicas; left out, as many as the chips hold",
    "cp": "ranks that share a sequence",
    "ep": "ranks that share experts",
    "etp": "ranks that share one expert",
    "zero": "what replicas share: 0 to 3",
    "microbatch": "sequences that go through a stage at once",
    "virtual": "chunks of layers on each stage",
    "ranks_per_chip": "4 on Trainium2 where ranks are cores",
}
_WORDS: Final = {
    "schedule": "gpipe, 1f1b, interleaved, zb-h1, zb-h2, zb-v or dualpipe",
    "order": "megatron, torchtitan, deepspeed, neuronx or vllm, or axes such as tp-cp-dp-pp",
}


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def layout_options(*names: str) -> Callable[[F], F]:
    """Return the options of a layout, those of these names."""

    def apply(function: F) -> F:
        for name in reversed(names):
            said = f"Layout: {_AXES.get(name) or _WORDS[name]}."
            mark = "N" if name in _AXES else "NAME"
            function = click.option(_flag(name), name, metavar=mark, help=said)(function)
        return function

    return apply


TRAINED: Final = (*_AXES, *_WORDS)
SERVED: Final = ("tp", "pp", "dp", "ep", "ranks_per_chip", "order")


def layout_of(given: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """Take the fields of a layout out of all options, those that were given."""
    taken = {name: given.pop(name) for name in names}
    return {
        name: value if name in _WORDS else _count(name, value)
        for name, value in taken.items()
        if value is not None
    }


def _count(name: str, text: str) -> int:
    return int(text) if text in ("0", "-1") else whole(name, text)


def model_of(word: str) -> str | Transformer:
    """Return a model by name, or of the config.json in a file."""
    if not word.endswith(".json"):
        return word
    from rainier_fast.workload.transformer import Transformer

    return Transformer.from_config(word)


def job_options(function: F) -> F:
    """Add the options of a training job."""
    for decorator in reversed(
        (
            click.argument("model"),
            click.option("--sequence", metavar="TOKENS", default="8192", show_default=True,
                         help="Tokens of a sequence."),
            click.option("--batch", metavar="N", required=True,
                         help="Sequences of a step, over all replicas."),
            click.option("--precision", metavar="NAME", default="bf16", show_default=True,
                         help="bf16, fp16, fp32, fp8 or mxfp8."),
            click.option("--optimizer", metavar="NAME", default="adamw", show_default=True,
                         help="adamw, adamw-8bit, adamw-bf16, muon or sgd."),
            click.option("--recompute", metavar="NAME", default="none", show_default=True,
                         help="none, selective or full."),
        )
    ):  # fmt: skip
        function = decorator(function)
    return function


def job_of(given: dict[str, Any]) -> Training:
    """Take the options of a job out of all options, and make it."""
    from rainier_fast.workload.training import Training

    model = model_of(given.pop("model"))
    counts = {name: whole(name, given.pop(name)) for name in ("sequence", "batch")}
    words = {name: given.pop(name) for name in ("precision", "optimizer", "recompute")}
    fields: dict[str, Any] = counts | words
    return Training(model, **fields)


def made_layout(fields: dict[str, Any]) -> Layout:
    """Return a layout of some fields."""
    from rainier_fast.workload.layout import Layout

    return Layout(**fields)


@click.command("train")
@job_options
@layout_options(*TRAINED)
@click.option("--keep", metavar="N", default="10", show_default=True,
              help="How many layouts are ranked where none is given.")  # fmt: skip
@MACHINE
@OUTPUT
def train(keep: str, **given: Any) -> None:  # noqa: ANN401 - options by name
    """Time a training step of MODEL, or rank the layouts of the job.

    MODEL is a name such as llama-3.1-405b, or a config.json of Hugging Face's. Without an option
    of a layout all layouts that divide and fit are searched.
    """
    written, job = output(given), job_of(given)
    fields = layout_of(given, TRAINED)
    machine = machine_of(given)
    if not fields:
        show(_ranked(machine, job, whole("keep", keep)), **written)
        return
    step = machine.training_step(job, made_layout(fields))
    parts: list[str | Table] = [str(step), step.collectives]
    show(Answer(parts, step.to_dict, step.collectives), **written)


def _ranked(machine: Machine, job: Training, keep: int) -> Answer:
    with progress("layouts") as watch:
        ranking = machine.best_layouts(job, keep=keep, progress=watch)
    words = [str(layout) for layout in ranking.layouts]
    names = [name for name in ("time_s", "mfu", "memory_bytes") if name in ranking.columns]
    rows = Table({name: ranking[name] for name in names} | {"layout": words})
    said = f"{ranking.total:,} layouts, {ranking.searched:,} of them run; {ranking.kind}"
    head = f"best layouts of {job} on {machine.num_chips:,} chips: {said}"
    parts: list[str | Table] = [head, rows]
    if words:
        parts.append(str(ranking.step(0)))
    data = {
        "total": ranking.total,
        "searched": ranking.searched,
        "pruned": dict(ranking.pruned),
        "layouts": [layout.to_dict() for layout in ranking.layouts],
        "rows": ranking.to_dict(),
    }
    return Answer(parts, lambda: data, rows)


def service_options(function: F) -> F:
    """Add the options of a service."""
    for decorator in reversed(
        (
            click.argument("model"),
            click.option("--input", "prompt", metavar="TOKENS", required=True,
                         help="Tokens of a prompt, in the mean."),
            click.option("--output", "answer", metavar="TOKENS", required=True,
                         help="Tokens of its answer, in the mean."),
            click.option("--engine", metavar="NAME", default="neuron", show_default=True,
                         help="neuron, vllm, sglang, trtllm or ideal."),
            click.option("--precision", metavar="NAME", default="bf16", show_default=True,
                         help="Of weights: bf16, fp8, int8, fp4, mxfp4 or int4."),
            click.option("--kv", metavar="NAME", default="bf16", show_default=True,
                         help="Of the cache: bf16 or fp8."),
        )
    ):  # fmt: skip
        function = decorator(function)
    return function


def service_of(given: dict[str, Any]) -> Serving:
    """Take the options of a service out of all options, and make it."""
    from rainier_fast.serving.serving import Serving

    model = model_of(given.pop("model"))
    fields: dict[str, Any] = {
        "input": float(whole("input", given.pop("prompt"))),
        "output": float(whole("output", given.pop("answer"))),
    }
    fields |= {name: given.pop(name) for name in ("engine", "precision", "kv")}
    return Serving(model, **fields)


@click.command("serve")
@service_options
@click.option("--concurrency", type=float, help="Requests at once, over all replicas.")
@click.option("--rate", type=float, help="Requests a second, in place of those at once.")
@click.option("--ttft", metavar="TIME", help="Of a search: most time to the first token.")
@click.option("--tpot", metavar="TIME", help="Of a search: most time between tokens.")
@click.option("--keep", metavar="N", default="10", show_default=True,
              help="How many are ranked where no layout is given.")  # fmt: skip
@layout_options(*SERVED)
@MACHINE
@OUTPUT
def serve(
    concurrency: float | None,
    rate: float | None,
    ttft: str | None,
    tpot: str | None,
    keep: str,
    **given: Any,  # noqa: ANN401 - options by name
) -> None:
    """Time a service of MODEL, or rank its layouts and loads within --ttft and --tpot.

    Without an option of a layout all layouts and loads are searched.
    """
    from rainier_fast.errors import invalid

    written, service = output(given), service_of(given)
    fields = layout_of(given, SERVED)
    machine = machine_of(given)
    searched = {"concurrency": concurrency, "rate": rate}
    objectives = {"ttft": ttft, "tpot": tpot}
    apart, why = (objectives, "no layout") if fields else (searched, "a layout, such as --tp 16")
    for name, value in apart.items():
        if value is not None:
            raise invalid(name, value, f"needs {why}")
    if fields:
        result = machine.serve(service, made_layout(fields), concurrency=concurrency, rate=rate)
        show(Answer([str(result)], result.to_dict), **written)
        return
    rows = machine.best_serving(service, ttft=ttft, tpot=tpot, keep=whole("keep", keep))
    show(Answer([f"best of {service}", rows], rows.to_dict, rows), **written)
