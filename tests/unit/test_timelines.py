"""Timelines: what happens when, and files that trace viewers and tools of PyTorch read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import rainier_fast as rf
from raising import raises

RING = rf.torus((4,), "1 GB/s")


def load(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text())


@pytest.mark.parametrize("algorithm", ["ring", "direct", "halving_doubling", "bruck"])
@pytest.mark.parametrize("model", ["fluid", "fifo"])
@pytest.mark.parametrize("machine", [RING, rf.preset("trn2")])
def test_the_last_message_ends_when_the_schedule_does(
    machine: rf.Machine, model: str, algorithm: str
) -> None:
    made = rf.schedule("all_reduce", machine, "16 MB", algorithm=algorithm).at("16 MB")
    line = rf.timeline(made, machine, model=model)
    assert line.time_s == pytest.approx(machine.run(made, model=model).time_s, rel=1e-12)
    spans = line.spans
    assert (spans["start_s"] <= spans["end_s"]).all()
    assert len(spans) == len(made)


def test_messages_start_when_what_they_wait_for_is_over() -> None:
    path = rf.torus((3,), "1 GB/s", wrap=False)
    chain = rf.schedule("broadcast", path, "1 MB", algorithm="chain")
    assert rf.timeline(chain, path).spans["start_s"].tolist() == [0.0, 1e-3]
    sends = [rf.Send(0, 1, [0], 0), rf.Send(1, 2, [0], 0, lane=1, after=[0])]
    named = rf.Schedule("broadcast", 1e6, [0, 1, 2], sends)
    assert rf.timeline(named, path).spans["start_s"].tolist() == [0.0, 1e-3]
    stages = [rf.Send(0, 1, [0], 0), rf.Send(1, 2, [0], 0, stage=1)]
    staged = rf.Schedule("broadcast", 1e6, [0, 1, 2], stages)
    assert rf.timeline(staged, path).spans["start_s"].tolist() == [0.0, 1e-3]
    counters = rf.timeline(staged, path).counters
    assert counters["value"].tolist() == [1.0, 1.0, 0.0]


def test_spans_of_links_are_on_the_links_of_the_route() -> None:
    line = rf.timeline(
        rf.schedule("all_gather", RING, 4000, algorithm="ring_one_way"), RING, by="link"
    )
    assert set(line.spans["track"].tolist()) == {f"link {at}" for at in range(4)}


def test_spans_of_one_track_follow_or_hold_each_other(tmp_path: Path) -> None:
    made = rf.schedule("all_reduce", RING, "16 MB", algorithm="direct")
    rf.timeline(made, RING).save(tmp_path / "trace.json")
    trace = load(tmp_path / "trace.json")
    events = [one for one in trace["traceEvents"] if one["ph"] == "X"]
    assert len(events) == len(made)
    for one in events:
        for other in events:
            if one["tid"] == other["tid"]:
                first, second = sorted(((one["ts"], one["dur"]), (other["ts"], other["dur"])))
                apart = first[0] + first[1] <= second[0]
                assert apart or second[0] + second[1] <= first[0] + first[1]
    names = [one for one in trace["traceEvents"] if one.get("name") == "thread_name"]
    assert len(names) == len({one["tid"] for one in events})
    assert any(one["ph"] == "C" for one in trace["traceEvents"])


def test_nanoseconds_are_kept() -> None:
    from rainier_fast.formats.trace_events import Span, kineto, perfetto

    span = Span(0, "here", "one", "compute", 1.2345678e-3, 1.2345699e-3, {})
    event = json.loads(perfetto([span], [], ""))["traceEvents"][-1]
    assert (event["ts"], event["dur"]) == (1234.568, 0.002)
    times = [json.loads(kineto([span], 0, 1, scale))["traceEvents"][0] for scale in ("us", "ns")]
    assert [(one["ts"], one["dur"]) for one in times] == [(1235, 0), (1234568, 2)]


@pytest.mark.parametrize("scale", ["us", "ns"])
def test_what_holistic_trace_analysis_asks_of_a_file(scale: str, tmp_path: Path) -> None:
    """Its own breakdown of these files was compared by hand; here are the rules that it has."""
    job = rf.Training("llama-3.1-8b", sequence=8192, batch=32)
    step = rf.preset("trn2-ultraserver").training_step(job, rf.Layout(tp=8, pp=2))
    line = rf.timeline(step)
    assert line.time_s == pytest.approx(step.time_s)
    for rank in range(2):
        line.save(tmp_path / "rank.json", format="kineto", rank=rank, scale=scale)
        text = (tmp_path / "rank.json").read_text()
        assert f'"rank": {rank}' in text.partition("traceEvents")[0]
        trace = json.loads(text)
        events = trace["traceEvents"]
        by = {"us": 1e6, "ns": 1e9}[scale]
        for one in events:
            assert type(one["ts"]) is type(one["dur"]) is type(one["args"]["stream"]) is int
            assert one["dur"] >= 0
        row = list(line.breakdown())[rank]
        compute = sum(one["dur"] for one in events if not one["name"].startswith("nccl"))
        assert compute == pytest.approx(row["compute_s"] * by, abs=len(events))
        assert sum(row[name] for name in ("idle_s", "compute_s", "non_compute_s")) == pytest.approx(
            row["time_s"]
        )


def test_breakdown_counts_what_overlaps_once() -> None:
    from rainier_fast.formats.trace_events import Span
    from rainier_fast.timelines import Timeline

    rows = [("compute", 0, 4), ("compute", 1, 2), ("communication", 3, 7), ("compute", 9, 10),
            ("communication", 8, 8)]  # fmt: skip
    spans = tuple(Span(0, "t", "x", kind, start, end, {}) for kind, start, end in rows)
    found = Timeline(spans, (), "links alone", "", 1).breakdown()
    assert list(found) == [
        {"rank": 0, "time_s": 10, "idle_s": 2.0, "compute_s": 5.0, "non_compute_s": 3.0}
    ]


def test_costs_of_programs_are_what_they_say() -> None:
    groups = rf.ProgramGroups.own(start=0, stride=1, size=16)
    words = {"after_flops": 1e12, "after_bytes": 1e6}
    ones = [
        rf.ProgramCollective(f"ar.{at}", "all_reduce", 2**24, 2**24, "bf16", groups, **words)
        for at in range(3)
    ]
    cost = rf.preset("trn2").cost_of(rf.Program(tuple(ones)))
    row = next(iter(rf.timeline(cost).breakdown()))
    assert cost.time_s is not None
    assert cost.exposed_s is not None
    assert row["time_s"] == pytest.approx(cost.time_s)
    assert row["compute_s"] == pytest.approx(cost.computation_s)
    assert row["non_compute_s"] == pytest.approx(cost.exposed_s, abs=1e-15)
    bare = rf.preset("trn2").cost_of(
        rf.Program((rf.ProgramCollective("a", "all_reduce", 8, 8, "fp32", groups),))
    )
    assert rf.timeline(bare).time_s == pytest.approx(bare.communication_s)


def test_measured_programs_have_timelines() -> None:
    ones = [rf.ProgramCollective("a", "all_reduce", 8, 8, start_s=0.5, duration_s=0.25)]
    line = rf.timeline(rf.Program(tuple(ones), 4, 3, "a trace"))
    assert line.spans["end_s"].tolist() == [0.75]
    assert line.ranks == 4
    with raises(rf.InvalidArgument, "what"):
        rf.timeline(rf.Program((rf.ProgramCollective("a", "all_reduce", 8, 8),)))


def test_what_does_not_go_together_is_named(tmp_path: Path) -> None:
    made = rf.schedule("all_reduce", RING, "16 MB", algorithm="direct")
    with raises(rf.InvalidType, "machine"):
        rf.timeline(made)
    with raises(rf.InvalidType, "what"):
        rf.timeline(3)  # type: ignore[arg-type]
    with raises(rf.UnknownName, "model"):
        rf.timeline(made, RING, model="link_load")
    line = rf.timeline(made, RING)
    with raises(rf.UnknownName, "format"):
        line.save(tmp_path / "x", format="csv")
    with raises(rf.OutOfRange, "rank"):
        line.save(tmp_path / "x", format="kineto", rank=4)
