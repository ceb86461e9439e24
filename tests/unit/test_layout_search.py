"""The search of layouts: counts, words, places, and what is refused by name."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import rainier_fast as rf
from raising import raises

SERVER = rf.preset("trn2-ultraserver")
JOB = rf.Training("llama-3.1-8b", sequence=8192, batch=64)
FEW = {"cp": 1, "schedule": "1f1b", "microbatch": [1, 2]}


@pytest.fixture(scope="module")
def ranking() -> rf.LayoutRanking:
    return SERVER.best_layouts(JOB, keep=7, **FEW)


def test_rows_ascend_and_steps_are_those_of_layouts(ranking: rf.LayoutRanking) -> None:
    times = ranking["time_s"]
    assert len(ranking) == len(ranking.layouts) == 7
    assert (np.diff(times) >= 0).all()
    for row in (0, 6, -1):
        step = ranking.step(row)
        assert step.time_s == times[row]
        assert step.mfu == pytest.approx(ranking["mfu"][row])
        assert step.fits
    with raises(rf.OutOfRange, "row"):
        ranking.step(7)


def test_counts_add_up(ranking: rf.LayoutRanking) -> None:
    fates = ranking.pruned
    assert sum(fates.values()) == ranking.total
    assert fates["does not fit"] + fates["bounded out"] + fates["simulated"] == ranking.searched
    assert fates["straddles"] == 0
    assert fates["bounded out"] > 0


def test_the_front_falls_in_memory(ranking: rf.LayoutRanking) -> None:
    assert (np.diff(ranking.pareto["time_s"]) > 0).all()
    assert (np.diff(ranking.pareto["memory_bytes"]) < 0).all()
    assert ranking.pareto["time_s"][0] == ranking["time_s"][0]
    texts = [str(layout) for layout in ranking.pareto_layouts]
    assert ranking.pareto["layout"].tolist() == texts


def test_it_pickles_and_tells(ranking: rf.LayoutRanking) -> None:
    again = pickle.loads(pickle.dumps(ranking))
    assert again == ranking
    assert again.layouts == ranking.layouts
    assert again.pruned == ranking.pruned
    text = str(ranking)
    assert len(text.splitlines()) <= 30
    assert "best:" in text
    assert ranking.runner_up in text
    assert len(ranking.to_pandas()) == 7


def test_the_runner_up_says_what_it_needs(ranking: rf.LayoutRanking) -> None:
    behind = ranking["time_s"][1] - ranking["time_s"][0]
    assert str(ranking.layouts[1]) in ranking.runner_up
    assert ("as fast" if behind == 0 else "behind") in ranking.runner_up
    alone = SERVER.best_layouts(JOB, tp=8, pp=4, zero=1, virtual=1, sequence_parallel=True, **FEW)
    assert SERVER.best_layouts(JOB, tp=8, pp=4, keep=1, **FEW).runner_up == "there is none"
    assert len(alone) == 2  # both microbatches


def test_keep_may_be_more_than_there_are() -> None:
    few = SERVER.best_layouts(JOB, tp=8, pp=[1, 2], keep=10_000, virtual=1, **FEW)
    fates = few.pruned
    assert len(few) == few.searched - fates["does not fit"] == fates["simulated"]
    assert fates["bounded out"] == 0


def test_threads_give_the_same(ranking: rf.LayoutRanking) -> None:
    for threads in (1, 2, 3):
        again = SERVER.best_layouts(JOB, keep=7, n_threads=threads, **FEW)
        assert again == ranking
        assert (again.pruned, again.pareto) == (ranking.pruned, ranking.pareto)


def test_places_that_must_not_be_left() -> None:
    machine = rf.preset("rainier", chips=256)
    free = machine.best_layouts(JOB, keep=500, **FEW)
    held = machine.best_layouts(
        JOB, keep=500, within={"tp": "instance", "dp": "ultraserver"}, **FEW
    )
    assert held.pruned["straddles"] > 0
    assert held.searched + held.pruned["straddles"] == free.searched
    for layout in held.layouts:
        assert 16 % layout.tp == 0
        assert 64 % (layout.tp * layout.cp * layout.dp) == 0
    assert any(64 % (layout.tp * layout.dp) for layout in free.layouts)
    with raises(rf.InvalidArgument, "within"):
        machine.best_layouts(JOB, pp=2, within={"pp": "ultraserver"}, **FEW)


def test_chips_are_a_part_of_the_machine() -> None:
    part = rf.preset("rainier").best_layouts(JOB, chips=128, keep=2, **FEW)
    alone = rf.preset("rainier", chips=128).best_layouts(JOB, keep=2, **FEW)
    assert part["time_s"].tolist() == alone["time_s"].tolist()
    assert {layout.ranks for layout in part.layouts} == {128}


def test_what_is_computed_again_is_the_jobs_own_or_searched() -> None:
    own = SERVER.best_layouts(JOB.with_(recompute="full"), keep=3, **FEW)
    assert set(own["recompute"].tolist()) == {"full"}
    words = {**FEW, "tp": 8, "recompute": ["none", "selective", "full"]}
    all_of_them = SERVER.best_layouts(JOB, keep=10_000, **words)
    assert set(all_of_them["recompute"].tolist()) == {"none", "selective", "full"}
    row = all_of_them["recompute"].tolist().index("full")
    assert all_of_them.step(row).training.recompute == "full"
    assert all_of_them.step(row).time_s == all_of_them["time_s"][row]


def test_progress_counts_up() -> None:
    seen: list[tuple[int, int]] = []
    SERVER.best_layouts(JOB, progress=lambda *counts: seen.append(counts), **FEW)
    assert seen[-1][0] == seen[-1][1] > 1
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


@pytest.mark.parametrize(
    ("argument", "options"),
    [
        ("keep", {"keep": 0}),
        ("tp", {"tp": 0}),
        ("tp[1]", {"tp": [1, -2]}),
        ("tp", {"tp": [2, 2]}),
        ("pp", {"pp": []}),
        ("zero", {"zero": 4}),
        ("microbatch", {"microbatch": 2.5}),
        ("schedule", {"schedule": "2f2b"}),
        ("schedule[0]", {"schedule": ["2f2b"]}),
        ("recompute", {"recompute": "some"}),
        ("sequence_parallel", {"sequence_parallel": "yes"}),
        ("memory", {"memory": 0}),
        ("memory", {"memory": "much"}),
        ("order", {"order": "other"}),
        ("axis of within", {"within": {"xp": "site"}}),
        ("within['tp']", {"within": {"tp": "rack"}}),
        ("within", {"within": 3}),
        ("chips", {"chips": 3}),
        ("algorithm", {"algorithm": "ring"}),
        ("executor", {"executor": 3}),
        ("progress", {"progress": 3}),
        ("n_threads", {"n_threads": -1}),
        ("efficiency", {"efficiency": 0.5}),
    ],
)
def test_bad_input_is_refused_by_name(argument: str, options: dict[str, object]) -> None:
    with raises(rf.RainierError, argument):
        SERVER.best_layouts(JOB, **{**FEW, **options})  # type: ignore[arg-type]


def test_a_job_must_be_one() -> None:
    with raises(rf.InvalidType, "job"):
        SERVER.best_layouts("llama-3.1-8b")  # type: ignore[arg-type]


def test_nothing_that_fits_says_what_the_smallest_takes() -> None:
    with raises(rf.InvalidArgument, "memory") as caught:
        SERVER.best_layouts(JOB, memory="1 GiB", **FEW)
    words = str(caught.value)
    least = float(words.split("at least ")[1].split(" bytes")[0])
    assert len(SERVER.best_layouts(JOB, memory=least + 1, **FEW)) >= 1
    with raises(rf.InvalidArgument, "memory"):
        SERVER.best_layouts(JOB, memory=least - 1, **FEW)


def test_nothing_that_divides_says_why() -> None:
    with raises(rf.InvalidArgument, "tp"):
        SERVER.best_layouts(JOB, tp=3)
    with raises(rf.InvalidArgument, "pp"):
        SERVER.best_layouts(JOB, tp=8, pp=5)
    with raises(rf.InvalidArgument, "ep"):
        SERVER.best_layouts(JOB, ep=2)
    with raises(rf.InvalidArgument, "batch"):
        SERVER.best_layouts(JOB.with_(batch=7), tp=8, pp=1, cp=1)
