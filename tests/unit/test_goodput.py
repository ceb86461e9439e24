"""What failures leave of a machine's time: closed forms, policies, words."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest

import rainier_fast as rf
from raising import raises

RAINIER = rf.preset("rainier")
ULTRASERVER = rf.preset("rainier", chips=64)
SAVED = rf.Checkpoint(blocking="30 s")


def chips(count: int) -> rf.Machine:
    """Return chips whose failures are theirs alone."""
    return rf.switch(count, "1 GB/s")


def per_chip(hours: float, job: float = 0.0) -> rf.FailureRates:
    return rf.FailureRates(chip_per_hour=1 / hours, job_per_hour=job)


def test_parts_multiply_and_losses_add_up() -> None:
    for policy in ("restart", "spares", "elastic", "islands", "modes"):
        found = RAINIER.goodput(
            "20 s",
            policy=policy,
            checkpoint=SAVED,
            replicas=512,
            slowdown={"pairs": 1.1},
            stragglers=0.05,
        )
        assert math.prod(found.parts.values()) == pytest.approx(found.goodput, rel=1e-12)
        assert sum(found.lost.values()) + found.goodput == pytest.approx(1, rel=1e-12)
        assert 0 < found.low <= found.goodput <= found.high < 1


def test_nothing_fails_and_nothing_is_lost() -> None:
    found = RAINIER.goodput("20 s", rates=rf.FailureRates())
    assert (found.goodput, found.failures) == (1.0, 0.0)
    assert found.interval_s == found.mtbf_s == math.inf
    every_hour = rf.Checkpoint(interval=3600, blocking=400)
    saved = RAINIER.goodput("20 s", rates=rf.FailureRates(), checkpoint=every_hour)
    assert saved.goodput == pytest.approx(0.9)


def test_a_job_that_waits_for_repairs() -> None:
    found = chips(100).goodput(1.0, rates=per_chip(1000), repair="5 h", checkpoint=SAVED, unit=1)
    assert found.parts["availability"] == pytest.approx(math.exp(-0.5))
    at_once = chips(100).goodput(1.0, rates=per_chip(1000), checkpoint=SAVED)
    assert at_once.parts["availability"] == 1.0


def test_the_interval_is_no_shorter_than_a_copy_takes_nor_than_a_step() -> None:
    slow = rf.Checkpoint(blocking="10 s", persist="20 min")
    found = RAINIER.goodput("20 s", checkpoint=slow)
    assert found.interval_s == pytest.approx(1200)
    assert (
        found.goodput < RAINIER.goodput("20 s", checkpoint=rf.Checkpoint(blocking="10 s")).goodput
    )
    free = rf.Checkpoint(blocking=0)
    assert RAINIER.goodput("20 s", checkpoint=free).interval_s == pytest.approx(20)


def test_the_state_decides_how_long_a_checkpoint_takes() -> None:
    whole = ULTRASERVER.goodput("20 s")
    link = rf.catalog()["practice"]["host_link"].number
    assert whole.blocking_s == pytest.approx(96 * 2**30 / link)
    assert [line.partition(":")[0] for line in whole.guesses] == ["state", "host_link"]
    faster = ULTRASERVER.goodput("20 s", checkpoint=rf.Checkpoint(host_link="50 GB/s"))
    assert faster.blocking_s == pytest.approx(96 * 2**30 / 50e9)
    step = a_step(weights=10e9, optimizer=20e9)
    told = ULTRASERVER.goodput(step)
    assert told.blocking_s == pytest.approx(30e9 / link)
    assert [line.partition(":")[0] for line in told.guesses] == ["host_link"]


def a_step(weights: float = 1e9, optimizer: float = 1e9, **layout: Any) -> Any:
    """Return what stands for a training step: no more than is read of one."""
    columns = {"weights_bytes": [weights, weights / 2], "optimizer_bytes": [optimizer, 0.0]}
    return SimpleNamespace(
        time_s=2.0,
        tokens_per_s=1e6,
        parts={"matmul": 1.5, "dp": 0.5},
        memory=rf.Table(columns),
        layout=SimpleNamespace(**({"tp": 16, "pp": 1, "cp": 1, "islands": 1} | layout)),
        chips=64,
    )


def test_a_step_says_replicas_islands_tokens_and_chips() -> None:
    machine = rf.preset("rainier", chips=128)
    found = machine.goodput(a_step(), policy="elastic", unit="instance")
    assert found.chips == 64
    assert "4 replicas" in found._plan.note
    assert found.tokens_per_s == pytest.approx(1e6 * found.goodput)
    half = machine.goodput("2 s").failures - 8760 * rf.FailureRates.published("llama3").job_per_hour
    own = found.failures - 8760 * rf.FailureRates.published("llama3").job_per_hour
    assert own == pytest.approx(half / 2)
    apart = machine.goodput(a_step(islands=2), policy="islands", unit="instance")
    assert apart._plan.parts == 2


def test_all_policies_stand_side_by_side() -> None:
    found = RAINIER.goodput("20 s", policy="spares", checkpoint=SAVED, replicas=1024)
    rows = {row["policy"]: row for row in found.policies}
    assert set(rows) == {"restart", "spares", "elastic", "islands", "modes"}
    assert rows["spares"]["per_chip"] == found.per_chip
    assert "slowdown=" in rows["modes"]["note"]
    assert math.isnan(rows["modes"]["goodput"])
    assert list(found.policies["per_chip"][:4]) == sorted(found.policies["per_chip"][:4])[::-1]
    soon = RAINIER.goodput("20 s", checkpoint=SAVED, replicas=1024, rebuild="30 s")
    assert soon.policies["policy"][0] == "elastic"


def test_policies_break_even_where_they_say() -> None:
    rates = rf.FailureRates.published("llama3")
    options: dict[str, Any] = {"checkpoint": SAVED, "slowdown": {"pairs": 1.02}, "repair": "24 h"}
    found = RAINIER.goodput("20 s", rates=rates, policy="spares", **options)
    rows = {row["policy"]: row for row in found.policies}
    factor = found.mtbf_s / 3600 / rows["modes"]["break_even_mtbf_h"]
    names = ("chip", "cable", "nic", "host", "job")
    scaled = rf.FailureRates(
        **{f"{one}_per_hour": factor * getattr(rates, f"{one}_per_hour") for one in names}
    )
    both = [
        RAINIER.goodput("20 s", rates=scaled, policy=policy, **options).per_chip
        for policy in ("spares", "modes")
    ]
    assert both[0] == pytest.approx(both[1], rel=1e-3)


def test_as_many_spares_as_pay() -> None:
    free = RAINIER.goodput("20 s", policy="spares", checkpoint=SAVED)
    count = free.spare_chips // 64
    others = [
        RAINIER.goodput("20 s", policy="spares", checkpoint=SAVED, spares=count + by).per_chip
        for by in (-20, -1, 1, 20)
    ]
    assert free.per_chip >= max(others)


def test_modes_take_smaller_units_and_leave_cables_alone() -> None:
    options: dict[str, Any] = {"policy": "modes", "checkpoint": SAVED}
    pairs = RAINIER.goodput("20 s", slowdown={"pairs": 1.0}, **options)
    single = RAINIER.goodput("20 s", slowdown={"instances": 1.0}, **options)
    whole = RAINIER.goodput("20 s", policy="spares", checkpoint=SAVED)
    assert (pairs.unit_chips, single.unit_chips) == (32, 16)
    assert single.failures < pairs.failures < whole.failures
    assert RAINIER.goodput("20 s", slowdown={"pairs": 1.2}, **options).goodput < pairs.goodput


def test_rates_of_every_source_stand_side_by_side() -> None:
    found = RAINIER.goodput("20 s", checkpoint=SAVED)
    rows = {row["rates"]: row for row in found.by_source}
    assert set(rows) == {"llama3", "rsc-1", "rsc-2", "tpu-v4"}
    assert rows["llama3"]["goodput"] == found.goodput
    assert rows["rsc-1"]["mtbf_h"] < rows["rsc-2"]["mtbf_h"]


def test_what_was_not_said_moves_the_answer() -> None:
    found = RAINIER.goodput("20 s", policy="spares", spares=400)
    table = found.sensitivity
    assert set(table["what"]) == {"blocking", "swap", "repair"}
    for row in table:
        assert found.low <= row["worst"] <= found.goodput <= row["best"] <= found.high
    spread = table["best"] - table["worst"]
    assert list(spread) == sorted(spread, reverse=True)
    said = RAINIER.goodput("20 s", checkpoint=SAVED)
    assert len(said.sensitivity) == 0
    assert said.low == said.goodput == said.high


def test_too_few_spares_say_so() -> None:
    found = RAINIER.goodput("20 s", policy="spares", spares=64, checkpoint=SAVED, repair="24 h")
    assert found.goodput < 1e-9
    assert "too few for the 239" in str(found)
    enough = RAINIER.goodput("20 s", policy="spares", spares=64, checkpoint=SAVED, repair="4 h")
    assert enough.parts["availability"] > 0.99


def test_it_says_itself() -> None:
    found = RAINIER.goodput("20 s", policy="spares", spares=64, checkpoint=SAVED, simulate=True)
    text = str(found)
    assert "64 spare units of 64 chips" in text
    assert "by events" in text
    assert "no figure" not in text.splitlines()[0]
    told = found.to_dict()
    assert told["policy"] == "spares"
    assert told["parts"]["restart"] == found.parts["restart"]
    never = ULTRASERVER.goodput("20 s", rates=rf.FailureRates())
    assert "never between failures" in str(never)


BAD: list[tuple[dict[str, Any], type[rf.RainierError], str | None]] = [
    ({"step": 0}, rf.InvalidArgument, "step"),
    ({"step": -1.0}, rf.InvalidArgument, "step"),
    ({"step": "long"}, rf.InvalidArgument, "step"),
    ({"step": None}, rf.InvalidType, "step"),
    ({"step": math.nan}, rf.InvalidArgument, "step"),
    ({"rates": "llama9"}, rf.UnknownName, "rates"),
    ({"rates": 3.0}, rf.InvalidType, "rates"),
    ({"rates": rf.FailureRates(chip_per_hour=1e300)}, rf.Unsupported, None),
    ({"checkpoint": "30 s"}, rf.InvalidType, "checkpoint"),
    ({"checkpoint": rf.Checkpoint(blocking="10 min")}, rf.InvalidArgument, "blocking"),
    ({"policy": "hope"}, rf.UnknownName, "policy"),
    ({"spares": -1}, rf.OutOfRange, "spares"),
    ({"spares": 1.5}, rf.InvalidType, "spares"),
    ({"swap": -1}, rf.InvalidArgument, "swap"),
    ({"repair": "soon"}, rf.InvalidArgument, "repair"),
    ({"rebuild": math.inf}, rf.InvalidArgument, "rebuild"),
    ({"unit": "rack"}, rf.UnknownName, "unit"),
    ({"unit": 48}, rf.InvalidArgument, "unit"),
    ({"replicas": 1}, rf.InvalidArgument, "replicas"),
    ({"policy": "elastic"}, rf.Unsupported, None),
    ({"policy": "modes"}, rf.Unsupported, None),
    ({"slowdown": {"pairs": 0.9}}, rf.InvalidArgument, "slowdown"),
    ({"slowdown": {"triples": 1.1}}, rf.UnknownName, "slowdown"),
    ({"slowdown": 1.1}, rf.InvalidType, "slowdown"),
    ({"stragglers": 1.0}, rf.InvalidArgument, "stragglers"),
    ({"hours": 0}, rf.InvalidArgument, "hours"),
    ({"hours": math.inf}, rf.InvalidArgument, "hours"),
    ({"seed": -1}, rf.OutOfRange, "seed"),
    ({"simulate": 1}, rf.InvalidType, "simulate"),
    ({"simulate": True, "hours": 1e9}, rf.Unsupported, None),
]


@pytest.mark.parametrize(("changed", "kind", "argument"), BAD)
def test_bad_input_is_named(
    changed: dict[str, Any], kind: type[rf.RainierError], argument: str | None
) -> None:
    arguments: dict[str, Any] = {"step": "20 s", **changed}
    step = arguments.pop("step")
    with raises(kind, argument):
        RAINIER.goodput(step, **arguments)


@pytest.mark.parametrize(
    ("changed", "argument"),
    [({"interval": 0}, "interval"), ({"blocking": -1}, "blocking"), ({"restart": "x"}, "restart")],
)
def test_bad_checkpoints_are_named(changed: dict[str, Any], argument: str) -> None:
    with raises(rf.InvalidArgument, argument):
        rf.Checkpoint(**changed)


def test_what_is_needed_is_said() -> None:
    with raises(rf.Unsupported, None, "blocking"):
        chips(64).goodput("20 s")
    with raises(rf.Unsupported, None, "islands="):
        chips(64).goodput("20 s", policy="islands", checkpoint=SAVED)


def test_replicas_and_islands_are_those_of_the_step() -> None:
    machine = rf.preset("rainier", chips=1024)
    job = rf.Training("llama-3.1-8b", sequence=8192, batch=256)
    step = machine.training_step(job, rf.Layout(tp=16, ranks_per_chip=4))
    groups = machine.goodput(step, policy="elastic", replicas=128, checkpoint=SAVED)
    assert groups.goodput <= machine.goodput(step, policy="elastic", checkpoint=SAVED).goodput
    for count in (7, 512):
        with raises(rf.InvalidArgument, "replicas"):
            machine.goodput(step, policy="elastic", replicas=count, checkpoint=SAVED)
    with raises(rf.InvalidArgument, "replicas"):
        machine.goodput("10 s", policy="elastic", replicas=7, checkpoint=SAVED)
    two = machine.training_step(job, rf.Layout(tp=16, ranks_per_chip=4, islands=2))
    with raises(rf.InvalidArgument, "islands"):
        machine.goodput(two, policy="islands", islands=4, checkpoint=SAVED)


@pytest.mark.parametrize("long", [{"restart": "1000 h"}, {"interval": "1000 h"}])
def test_what_takes_longer_than_failures_leave_is_said(long: dict[str, str]) -> None:
    saved = rf.Checkpoint(blocking="10 s", **long)
    assert "too long" in str(RAINIER.goodput("20 s", checkpoint=saved))
    assert "too long" not in str(RAINIER.goodput("20 s", checkpoint=SAVED))


def test_policies_are_said_in_words() -> None:
    options: dict[str, Any] = {"checkpoint": SAVED, "slowdown": {"pairs": 1.02}, "repair": "24 h"}
    found = RAINIER.goodput("20 s", policy="spares", **options)
    text = str(found)
    best = found.policies["policy"][0]
    assert f"{best} gets most done" in text
    rows = {row["policy"]: row for row in found.policies}
    for policy, row in rows.items():
        if policy == "spares" or math.isnan(row["per_chip"]):
            continue
        never = math.isnan(row["break_even_mtbf_h"])
        assert (f"{policy} does as well as spares" in text) != never
    assert "elastic: not known; how many replicas" in text
