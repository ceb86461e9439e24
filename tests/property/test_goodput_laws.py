"""Laws of goodput, and that events give what the closed form does."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rainier_fast as rf
from rainier_fast.operations.chain import Job, best_spares, chain
from rainier_fast.operations.poisson import at_most, probabilities
from rainier_fast.operations.simulate import simulate

MACHINE = rf.preset("rainier", chips=8192)
POLICIES = st.sampled_from(["restart", "spares", "elastic", "islands", "modes"])


def goodput(policy: str, factor: float = 1.0, spares: int | None = None, **more: float) -> float:
    rates = rf.FailureRates(
        chip_per_hour=1e-5 * factor, host_per_hour=2e-5 * factor, job_per_hour=1e-2 * factor
    )
    return MACHINE.goodput(
        "10 s",
        rates=rates,
        policy=policy,
        spares=spares,
        replicas=64,
        islands=4,
        slowdown={"pairs": 1.1},
        checkpoint=rf.Checkpoint(blocking="5 s", persist=more.pop("persist", 0.0)),
        **more,
    ).goodput


@given(POLICIES, st.floats(0.01, 20), st.floats(1.0, 10), st.integers(0, 40))
def test_goodput_falls_with_the_rate(policy: str, factor: float, more: float, spares: int) -> None:
    assert goodput(policy, factor * more, spares) <= goodput(policy, factor, spares) + 1e-12


@given(POLICIES, st.floats(0.01, 30), st.integers(0, 60), st.integers(0, 60))
def test_more_spares_never_hurt(policy: str, factor: float, spares: int, more: int) -> None:
    assert goodput(policy, factor, spares + more) >= goodput(policy, factor, spares) - 1e-12


@given(POLICIES, st.floats(0, 3600), st.floats(0, 3600), st.sampled_from(["repair", "rebuild"]))
def test_what_takes_longer_never_helps(policy: str, first: float, more: float, what: str) -> None:
    long = goodput(policy, spares=3, **{what: 60 + first + more})
    assert long <= goodput(policy, spares=3, **{what: 60 + first}) + 1e-12


@given(st.floats(1e-6, 1e4), st.floats(0, 1))
def test_units_in_repair_are_poisson(mean: float, at: float) -> None:
    counts, weights = probabilities(mean)
    assert weights.sum() == pytest.approx(1)
    assert (counts * weights).sum() == pytest.approx(mean, rel=1e-9)
    assert ((counts - mean) ** 2 * weights).sum() == pytest.approx(mean, rel=1e-9)
    most = int(counts[0] + at * (counts[-1] - counts[0]))
    if mean < 50:
        slow = sum(
            math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(most + 1)
        )
        assert at_most(mean, most) == pytest.approx(slow, abs=1e-12)


@given(
    POLICIES,
    st.floats(-12, 3),
    st.floats(-4, 6),
    st.floats(-6, 6),
    st.floats(-2, 7),
    st.sampled_from([None, 0, 3, 10**6]),
    st.booleans(),
)
def test_whatever_is_asked_is_a_share_or_refused(
    policy: str,
    rate: float,
    step: float,
    blocking: float,
    repair: float,
    spares: int | None,
    simulated: bool,  # noqa: FBT001 - drawn
) -> None:
    try:
        found = MACHINE.goodput(
            10**step,
            rates=rf.FailureRates(chip_per_hour=10**rate),
            policy=policy,
            spares=spares,
            replicas=8,
            islands=2,
            slowdown={"instances": 1.5},
            repair=10**repair,
            checkpoint=rf.Checkpoint(blocking=10**blocking),
            hours=1.0,
            simulate=simulated,
        )
    except rf.RainierError:
        return
    assert 0 <= found.low <= found.goodput <= found.high <= 1 + 1e-12
    assert math.prod(found.parts.values()) == pytest.approx(found.goodput, abs=1e-12)
    assert found.simulated is None or -1e-9 <= found.simulated <= 1 + 1e-9


def random_job(random: np.random.Generator) -> Job:
    """Return a job whose own luck evens out within a run: few units are in repair at once."""
    mean = float(10 ** random.uniform(-1, 2))
    down = random.uniform(0, 4)
    job = Job(
        unit_rate=1 / mean,
        job_rate=float(random.choice([0, 0.3])) / mean,
        repair=down * mean,
        restart=mean * random.uniform(0, 0.5),
        blocking=mean * 10 ** random.uniform(-4, -1),
        interval=mean * random.uniform(0.05, 0.5),
        persist=mean * random.uniform(0, 0.05),
        spares=int(down + random.uniform(1, 3) * math.sqrt(down) + 1),
    )
    if random.random() < 0.5:
        return job
    units = float(random.integers(20, 400))
    small = {"rebuild": mean * random.uniform(0, 0.1), "step": mean * random.uniform(0, 0.02)}
    return job.but(teams=int(random.integers(2, 40)), units_per_team=units, **small)


def test_events_give_what_the_closed_form_does() -> None:
    random = np.random.default_rng(5)
    apart = []
    for seed in range(500):
        job = random_job(random)
        hours = 1e5 / job.unit_rate
        apart.append(simulate(job, hours, seed).goodput / chain(job).goodput - 1)
    found = np.abs(apart)
    assert found.max() < 0.01
    assert abs(np.mean(apart)) < 0.001


def test_a_year_of_a_large_job_by_events() -> None:
    machine = rf.preset("rainier")
    saved = rf.Checkpoint(blocking="10 s")
    for policy in ("restart", "spares", "elastic", "islands"):
        found = machine.goodput(
            "20 s", policy=policy, checkpoint=saved, replicas=256, simulate=True, rebuild="30 s"
        )
        assert found.simulated == pytest.approx(found.goodput, rel=0.01)
        again = machine.goodput(
            "20 s", policy=policy, checkpoint=saved, replicas=256, simulate=True, rebuild="30 s"
        )
        assert again == found


@pytest.mark.alone
def test_a_year_of_half_a_million_chips_takes_less_than_a_second() -> None:
    machine = rf.preset("rainier")
    begun = time.process_time()
    machine.goodput("20 s", checkpoint=rf.Checkpoint(blocking="10 s"), simulate=True)
    assert time.process_time() - begun < 1


@given(st.floats(0.01, 200), st.integers(1, 1000))
def test_the_best_number_of_spares(down: float, units: int) -> None:
    job = Job(down, 0.0, 1.0, 0.0, 0.0, 1.0)
    best = best_spares(job, units)

    def held(spares: int) -> float:
        return at_most(down, spares) * units / (units + spares)

    assert held(best) >= max(held(spares) for spares in range(int(down * 3) + 20)) - 1e-12
