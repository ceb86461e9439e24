"""Schedules, jobs, fits and answers save and load as machines do; answers are asked again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import rainier_fast as rf
from rainier_fast.files import kept, kinds

TRN2 = rf.preset("trn2")
RING = rf.torus(4, "50 GB/s", "1 us")
SENDS = [rf.Send(0, 1, [0], step=0, reduce=True), rf.Send(1, 0, [0], step=0, reduce=True)]
JOB = rf.Training("llama-3.1-8b", sequence=8192, batch=64)
SERVICE = rf.Serving("llama-3.1-8b", input=1024, output=256, engine="vllm")
ROWS = [{"op": "allr", "bytes": 2e6 * at, "time_us": 50 + 20 * at} for at in range(1, 7)]
EQUAL = {
    "own": rf.Schedule("all_reduce", 1e6, [0, 1], SENDS),
    "swing": rf.schedule("all_reduce", RING, "1 GiB", algorithm="swing"),
    "gather": rf.schedule("gather", RING, "1 MiB", root=3),
    "training": JOB,
    "speculation": rf.Serving(
        "llama-3.3-70b",
        input=100,
        output=20,
        prompt_buckets=(128, 256),
        speculative=rf.Speculation(tokens=2, acceptance=(0.7, 0.5), draft=rf.model("llama-3.1-8b")),
    ),
    "checkpoint": rf.Checkpoint(interval="10 min", host_link="32 GB/s"),
    "layout": rf.Layout(tp=16, pp=2, virtual=2, sequence_parallel=True),
    "serving": SERVICE,
    "model": rf.model("deepseek-v3"),
    "efficiency": rf.Efficiency.of("h100"),
    "fit": rf.calibrate(TRN2, ROWS),
    "faults": TRN2.with_faults(chips=[3], degrade={3: 0.5}).faults,
}


def asked() -> dict[str, Any]:
    cluster = rf.preset("rainier", chips=256)
    weights = rf.Bucket({"xy": 0.25, "yx": 0.75})
    order = rf.DimensionOrder("positive", ("y", "x"))
    trn2u = rf.preset("trn2-ultraserver")
    return {
        "runtime": TRN2.all_reduce("1 MiB", algorithm="runtime", dtype="bf16"),
        "mesh": cluster.mesh(dp=-1, tp=16).all_gather("1 MiB", axis="tp"),
        "cores": TRN2.mesh(dp=-1, tp=16, ranks_per_chip=4).all_gather("1 MiB", axis="tp"),
        "lists": TRN2.all_to_all("1 MiB", group=[[0, 1], [2, 3]]),
        "bucket": TRN2.all_reduce("1 MiB", algorithm=weights, routing=order),
        "tiers": cluster.all_reduce("1 GiB", algorithm=("bucket", "ring"), chunks=4),
        "damaged": TRN2.with_faults(chips=[3]).broadcast(12345, group=[0, 1, 2, 5], root=2),
        "shift": TRN2.send_recv("1 KiB", shift=-3),
        "step": trn2u.training_step(JOB, rf.Layout(tp=16)),
        "served": rf.preset("h100").serve(SERVICE, rf.Layout(tp=8), concurrency=16, requests=32),
    }


@pytest.mark.parametrize("notation", ["toml", "yaml", "json"])
@pytest.mark.parametrize("name", EQUAL)
def test_what_is_loaded_is_what_was_saved(name: str, notation: str, tmp_path: Path) -> None:
    one, path = EQUAL[name], tmp_path / f"x.{notation}"
    if name == "faults":  # a form of its own
        path = tmp_path / "x.json"
        one.save(path)
    else:
        one.save(path)
    for loaded in (type(one).load(path), rf.read(path)):
        assert loaded == one
        assert type(loaded) is type(one)


def test_every_known_model_comes_back() -> None:
    for name in rf.models():
        for notation in kept.NOTATIONS:
            text = kept.text_of(kinds.told(rf.model(name), "model"), notation)
            assert kinds.of_text(kept.text_in(text.encode(), "m"), "model") == rf.model(name)


def test_a_schedule_that_is_loaded_costs_the_same() -> None:
    for name in ("own", "swing", "gather"):
        one = EQUAL[name]
        other = rf.Schedule.from_dict(json.loads(json.dumps(one.to_dict())))
        for model in ("link_load", "fluid"):
            machine = rf.torus(2, "1 GB/s") if name == "own" else RING
            mine, theirs = (machine.run(each, model=model) for each in (one, other))
            assert (mine.time_s, mine.algorithm) == (theirs.time_s, theirs.algorithm)


def test_answers_are_asked_again_and_come_out_the_same(tmp_path: Path) -> None:
    for name, one in asked().items():
        for notation in ("json", "yaml"):
            path = tmp_path / f"{name}.{notation}"
            one.save(path)
            loaded = rf.read(path)
            assert type(loaded) is type(one)
            mine, theirs = (each.to_dict() | {"machine": None} for each in (one, loaded))
            assert mine == theirs
            assert loaded.machine == one.machine


def test_an_answer_that_differs_is_told(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    TRN2.all_reduce("1 MiB").save(path)
    content = json.loads(path.read_text())
    content["answer"] |= {"time_s": 1.0, "rainier_fast": "0.0.9"}
    path.write_text(json.dumps(content))
    with pytest.warns(rf.AnswerChanged, match="0.0.9"):
        assert rf.read(path).time_s == TRN2.all_reduce("1 MiB").time_s


def test_a_question_by_hand_is_answered(tmp_path: Path) -> None:
    path = tmp_path / "q.toml"
    path.write_text("""
format = "rainier_fast training_step"
version = 1
chips = 65536
machine.preset = "rainier"
training = {model = "llama-3.1-405b", sequence = 8192, batch = 2048}
layout = {tp = 16, pp = 16}
""")
    job = rf.Training("llama-3.1-405b", sequence=8192, batch=2048)
    known = rf.preset("rainier").training_step(job, rf.Layout(tp=16, pp=16), chips=65_536)
    assert rf.read(path).time_s == known.time_s
    path.write_text("""
format = "rainier_fast collective"
version = 1
machine.preset = {name = "tpu-v5p", shape = [4, 4, 8]}
question = {operation = "all_reduce", size = "1 GiB"}
""")
    machine = rf.preset("tpu-v5p", shape=(4, 4, 8))
    assert rf.read(path).time_s == machine.all_reduce("1 GiB").time_s


def test_a_schedule_of_another_version_is_refused() -> None:
    content = EQUAL["swing"].to_dict()
    content["sends"] = content["sends"][:-1]
    with pytest.raises(rf.InvalidFile) as caught:
        rf.Schedule.from_dict(content)
    assert caught.value.key == "question"
    own = {key: value for key, value in content.items() if key not in ("question", "machine")}
    assert len(rf.Schedule.from_dict(own)) == len(content["sends"])


CASES = [
    ("schedule", ("sends", 1, "src"), "x", "sends[1].src"),
    ("schedule", ("sends", 1, "blocks"), [7], "sends[1].blocks"),
    ("schedule", ("sends", 1, "step2"), 0, "sends[1].step2"),
    ("schedule", ("chips",), 3, "chips"),
    ("schedule", ("operation",), "all_reduc", "operation"),
    ("layout", ("tp",), 0, "tp"),
    ("layout", ("order",), "x", "order"),
    ("training", ("batchs",), 1, "batchs"),
    ("training", ("model", "layers"), "many", "model.layers"),
    ("training", ("model",), 3, "model"),
    ("serving", ("engine",), "x", "engine"),
    ("calibration", ("parameters", "call", "value"), "x", "parameters.call.value"),
    ("collective", ("question", "size"), 3, "question.size"),
    ("collective", ("question", "group"), {"chips": [[0, 0]]}, "question"),
    ("collective", ("question", "routing"), "x", "question.routing"),
    ("collective", ("machine", "name"), 3, "machine.name"),
    ("training_step", ("layout", "tp"), 7, "layout.tp"),
]


@pytest.mark.parametrize(("kind", "place", "value", "key"), CASES, ids=lambda x: str(x)[:24])
def test_errors_name_the_key(kind: str, place: tuple[Any, ...], value: Any, key: str) -> None:
    made = {
        "schedule": EQUAL["own"],
        "calibration": EQUAL["fit"],
        "collective": TRN2.all_reduce("1 MiB"),
        "training_step": rf.preset("trn2-ultraserver").training_step(JOB, rf.Layout(tp=16)),
    } | EQUAL
    content = json.loads(json.dumps(kinds.told(made[kind], kind)))
    table = content
    for step in place[:-1]:
        table = table[step]
    table[place[-1]] = value
    with pytest.raises(rf.InvalidFile) as caught:
        kinds.from_dict(content, kind)
    assert caught.value.key.startswith(key.partition(".")[0]), str(caught.value)
    assert caught.value.key in (key, key.rpartition(".")[0]) or key in str(caught.value)


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    JOB.save(tmp_path / "job.toml")
    with pytest.raises(rf.InvalidFile, match=r"rf\.read"):
        rf.Machine.load(tmp_path / "job.toml")
