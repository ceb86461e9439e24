"""Commands of machines over months: goodput and cost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from rainier_fast.cli.jobs import TRAINED, job_of, layout_of, layout_options, made_layout
from rainier_fast.cli.machines import machine_of, whole
from rainier_fast.cli.options import MACHINE, OUTPUT, output
from rainier_fast.cli.show import Answer, show
from rainier_fast.errors import invalid
from rainier_fast.machine.machine import Machine
from rainier_fast.table import Table

_JOB = ("sequence", "batch", "precision", "optimizer", "recompute")


def commands() -> dict[str, click.Command]:
    """Return the commands by name."""
    return {"goodput": goodput, "cost": cost}


def _step_options(function: Any) -> Any:  # noqa: ANN401 - a function with options
    for decorator in reversed(
        (
            click.argument("model", required=False),
            click.option("--step", metavar="TIME", help="Time of a step, in place of MODEL."),
            click.option("--sequence", metavar="TOKENS", help="Tokens of a sequence."),
            click.option("--batch", metavar="N", help="Sequences of a step."),
            click.option("--precision", metavar="NAME", help="bf16, fp16, fp32, fp8 or mxfp8."),
            click.option("--optimizer", metavar="NAME", help="adamw, muon, sgd, ..."),
            click.option("--recompute", metavar="NAME", help="none, selective or full."),
            layout_options(*TRAINED),
        )
    ):
        function = decorator(function)
    return function


def _step_of(machine: Machine, given: dict[str, Any], *, needed: bool) -> Any:  # noqa: ANN401
    """Return what takes its time over and over: a step of a model, or the time of one."""
    model, seconds = given.pop("model"), given.pop("step")
    job = {name: given.pop(name) for name in _JOB}
    fields = layout_of(given, TRAINED)
    if model is None:
        for name, value in (*job.items(), *fields.items()):
            if value is not None:
                raise invalid(name, value, "needs a MODEL")
        if seconds is None and needed:
            raise invalid(
                "step", None, "must be a time such as '20 s', or give a MODEL with a layout"
            )
        return seconds
    if seconds is not None:
        raise invalid("step", seconds, "must be left out where a MODEL is given")
    if job["batch"] is None:
        allowed = "must be the sequences of a step, such as 2048"
        if Path(model).is_file():
            allowed += "; a program in a file is costed by: rainier-fast read FILE --cost"
        raise invalid("batch", None, allowed)
    usual = {"sequence": "8192", "precision": "bf16", "optimizer": "adamw", "recompute": "none"}
    asked = {name: job[name] or usual.get(name) for name in job}
    if not fields:
        raise invalid(
            "tp", None, "a step needs a layout, such as --tp 16 --pp 16; train ranks them"
        )
    return machine.training_step(job_of({"model": model, **asked}), made_layout(fields))


@click.command("goodput")
@_step_options
@click.option("--rates", metavar="NAME", default="llama3", show_default=True,
              help="Failure rates: llama3, rsc-1, rsc-2 or tpu-v4.")  # fmt: skip
@click.option("--policy", metavar="NAME", default="restart", show_default=True,
              help="restart, spares, elastic, islands or modes.")  # fmt: skip
@click.option("--spares", metavar="N", help="Units that stand by.")
@click.option("--blocking", metavar="TIME", help="How long a checkpoint stops the job.")
@click.option("--restart", metavar="TIME", help="From a failure to the first step.")
@click.option("--interval", metavar="TIME", help="Between checkpoints; left out, the best.")
@click.option("--repair", metavar="TIME", help="Until a failed unit works again.")
@MACHINE
@OUTPUT
def goodput(
    rates: str,
    policy: Any,  # noqa: ANN401 - one of a few words, which goodput checks
    spares: str | None,
    blocking: str | None,
    restart: str | None,
    interval: str | None,
    repair: str | None,
    **given: Any,  # noqa: ANN401 - options by name
) -> None:
    """Say what failures, checkpoints and restarts leave of a job's work.

    The job is a training step of MODEL with a layout, or any step that takes --step.
    """
    from rainier_fast.operations.checkpoint import Checkpoint

    written = output(given)
    machine_words = {name: given.pop(name) for name in _MACHINE_NAMES}
    machine = machine_of(machine_words)
    step = _step_of(machine, given, needed=True)
    said = {"blocking": blocking, "restart": restart, "interval": interval}
    checkpoint = Checkpoint(**{name: value for name, value in said.items() if value is not None})
    found = machine.goodput(
        step, rates=rates, policy=policy, checkpoint=checkpoint, repair=repair,
        spares=None if spares is None else _count(spares),
    )  # fmt: skip
    rows = found.policies
    parts: list[str | Table] = [str(found), rows]
    show(Answer(parts, found.to_dict, rows), **written)


_MACHINE_NAMES = ("preset", "machine", "chips", "shape", "sites", "settings", "faults")


def _count(text: str) -> int:
    return 0 if text == "0" else whole("spares", text)


@click.command("cost")
@_step_options
@click.option("--prices", metavar="NAME", default="capacity-block", show_default=True,
              help="capacity-block, on-demand, reserved, spot, owner-hyperscaler, owner-neocloud, "
              "rental-3-years, or dollars of a chip and hour.")  # fmt: skip
@click.option("--date", metavar="MONTH", default="2026-07", show_default=True,
              help="Month of the price.")  # fmt: skip
@click.option("--region", metavar="NAME", help="Where, as the prices name it.")
@click.option("--hours", type=float, help="For how long.")
@MACHINE
@OUTPUT
def cost(
    prices: str,
    date: str,
    region: str | None,
    hours: float | None,
    **given: Any,  # noqa: ANN401 - options by name
) -> None:
    """Say what a machine costs an hour, and a step of MODEL, or of --step, and its tokens.

    How long the collectives of a program take, of HLO or a trace, says `read FILE --cost`.
    """
    written = output(given)
    machine = machine_of({name: given.pop(name) for name in _MACHINE_NAMES})
    step = _step_of(machine, given, needed=False)
    try:
        price: str | float = float(prices)
    except ValueError:
        price = prices
    found = machine.cost(step, prices=price, date=date, region=region, hours=hours)
    show(Answer([str(found)], found.to_dict), **written)
