"""What PyTorch's traces say of collectives, and what they do not: samples, events by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import rainier_fast as rf
from rainier_fast.program.numbers import dtype_named, width_of

SAMPLES = Path(__file__).parents[1] / "samples" / "traces"
EXPECTED = json.loads((SAMPLES / "expected.json").read_text())["expected"]
GLOO = EXPECTED["kineto_gloo_rank0.json"]
OPS = {
    "allreduce": "all_reduce",
    "_allgather_base": "all_gather",
    "_reduce_scatter_base": "reduce_scatter",
    "all_to_allv": "all_to_all",
}


def sample(name: str) -> rf.Program:
    found = rf.read(SAMPLES / f"{name}.json.gz")
    assert isinstance(found, rf.Program)
    return found


def same(got: rf.ProgramCollective, row: dict[str, Any]) -> None:
    assert got.op == OPS.get(row["op"], row["op"])
    assert got.dtype == (dtype_named(row["dtype"]) if "dtype" in row else got.dtype)
    assert (got.bytes_in, got.bytes_out) == (row["in_bytes"], row["out_bytes"])
    for name in ("root", "peer"):
        if name in row:
            assert getattr(got, name) == row[name]
    for name in ("in_splits", "out_splits"):
        if name in row:
            width = width_of(got.dtype) or 0
            assert getattr(got, name) == tuple(width * one for one in row[name])


@pytest.mark.parametrize("name", ["kineto_gloo_rank0", "execution_trace_gloo_rank0"])
def test_gloo_is_told_by_its_operators(name: str) -> None:
    program = sample(name)
    assert len(program) == len(GLOO)
    for got, row in zip(program, GLOO, strict=True):
        same(got, row)
        assert got.groups is None, "no event names its group"
    assert "groups of 9 collectives unknown" in str(program.notes)
    assert program.world == 4


def test_times_of_gloo_are_exact() -> None:
    program = sample("kineto_gloo_rank0")
    assert program[1].start_s == (4903880651034102 - 4903880620307147) / 1e9
    assert program[1].duration_s == 13045872 / 1e9
    assert str(1790857026000000000 + 4903880620307147) in str(program.notes)


def test_the_flight_recorder_of_gloo() -> None:
    program = sample("flight_recorder_gloo_rank0")
    rows = [row for row in GLOO if row["op"] != "send"]
    assert len(program) == len(rows)
    for got, row in zip(program, rows, strict=True):
        assert got.groups is None
        if row["op"] == "reduce_scatter":
            # Its label lies, and nothing else in the file tells.
            assert got.op == "all_reduce"
            assert "reduce-scatter" in str(got.notes)
            continue
        if row["op"] not in ("broadcast", "all_to_all"):
            same(got, row)
        assert got.bytes_in == row["in_bytes"]


def test_groups_of_nccl_by_start_and_stride() -> None:
    program = sample("execution_trace_param_comms")
    rows = EXPECTED["execution_trace_param_comms.json"]
    assert len(program) == len(rows)
    for got, row in zip(program, rows, strict=True):
        same(got, row)
        assert got.original == row["op"]
        assert f"group={row['pg']} seq={row['seq']}" in got.name or "seq" not in got.name
        group = row["group"]
        if group["stride"] is None:
            assert got.groups is None
            assert "'irr' of 5 ranks" in str(got.notes)
        else:
            assert got.groups is not None
            assert got.groups.kind == "own group"
            assert got.groups.line() == (group["start"], group["stride"], group["size"])


@pytest.mark.parametrize("world", [64, 4096])
def test_recordings_of_a_fake_group(world: int) -> None:
    import gzip

    program = sample(f"fake_pg_step_{world}")
    told = json.loads(gzip.decompress((SAMPLES / f"fake_pg_step_{world}.json.gz").read_bytes()))
    assert program.world == world
    for got, row in zip(program, told["events"], strict=True):
        assert (got.original, got.phase) == (row["op"], row["phase"])
        assert (got.bytes_in, got.bytes_out) == (row["in_bytes"], row["out_bytes"])
        assert got.dtype == dtype_named(row["dtype"])
        assert got.groups is not None
        assert (
            dict(zip(("start", "stride", "size"), got.groups.line() or (), strict=True))
            == (row["group"])
        )


# ---------------------------------------------------------------------------- events by hand

PARAMS = {
    "Collective name": "allreduce",
    "dtype": "Float",
    "In msg nelems": 64,
    "Out msg nelems": 64,
    "In split size": "[]",
    "Out split size": "[]",
    "Global rank start": 0,
    "Global rank stride": 1,
    "Group size": 8,
    "Process Group Name": "1",
    "Process Group Description": "tp",
    "Process Group Ranks": "[0, 1, 2, 3, 4, 5, 6, 7]",
    "Rank": 0,
    "Comms Id": 2**64 - 1,
}


def event(name: str, ts: float, dur: float, **rest: Any) -> dict[str, Any]:
    base = {"ph": "X", "cat": "cpu_op", "name": name, "pid": 1, "tid": 1, "ts": ts, "dur": dur}
    return base | rest


def trace(*events: dict[str, Any], **rest: Any) -> rf.Program:
    found = rf.read(json.dumps({"schemaVersion": 1, **rest, "traceEvents": events}).encode())
    assert isinstance(found, rf.Program)
    return found


def params(**changes: Any) -> rf.ProgramCollective:
    args = {key: value for key, value in (PARAMS | changes).items() if value is not None}
    program = trace(event("record_param_comms", 1, 2, args=args))
    assert len(program) == 1
    return program[0]


def test_a_collective_is_counted_once() -> None:
    link = {"External id": 7}
    kernel = "ncclDevKernel_AllReduce_Sum_f32_RING_LL(ncclDevKernelArgsStorage<4096ul>)"
    program = trace(
        event("_c10d_functional::all_reduce", 0, 100),
        event("c10d::allreduce_", 1, 50),
        event("record_param_comms", 2, 40, args=PARAMS | link),
        event("nccl:all_reduce", 3, 30, cat="user_annotation"),
        event("nccl:all_reduce", 200, 9, cat="gpu_user_annotation", pid=0, tid=20),
        event(kernel, 200.5, 9.25, cat="kernel", pid=0, tid=20, args=PARAMS | link),
        event("record_param_comms", 150, 1, args={"Collective name": "wait"}),
    )
    assert len(program) == 1
    assert program[0].bytes_in == 256
    assert program[0].duration_s == 9.25e-6


def test_long_lists_of_ranks_are_cut_but_start_and_stride_tell() -> None:
    cut = str([*range(29), "..."])[:-1].replace("'", "") + ", 63]"
    got = params(**{"Process Group Ranks": cut, "Group size": 64})
    assert got.groups is not None
    assert got.groups.line() == (0, 1, 64)


def test_an_irregular_group_is_looked_up_by_its_name() -> None:
    args = PARAMS | {"Group size": 3, "Process Group Ranks": "[]", "Process Group Name": "irr"}
    del args["Global rank stride"]
    one = event("record_param_comms", 1, 2, args=args)
    listed = {"pg_name": "irr", "pg_desc": "x", "pg_size": 3, "ranks": [0, 5, 7]}
    known = trace(one, distributedInfo={"world_size": 8, "rank": 0, "pg_config": [listed]})
    assert known[0].groups is not None
    assert known[0].groups.to_lists() == [[0, 5, 7]]
    assert trace(one)[0].groups is None
    other = listed | {"pg_size": 2, "ranks": [0, 5]}
    assert trace(one, distributedInfo={"world_size": 8, "pg_config": [other]})[0].groups is None


@pytest.mark.parametrize(
    ("into", "out", "op", "splits", "peer"),
    [
        ("[0, 0, 64, 0]", "[64, 0, 0, 0]", "collective_permute", (0, 0, 256, 0), 2),
        ("[16, 16, 16, 16]", "[16, 16, 16, 16]", "all_to_all", None, None),
        ("[]", "[]", "all_to_all", None, None),
        ("[32, 0, 16, 16]", "[16, 16, 16, 16]", "all_to_all", (128, 0, 64, 64), None),
        ("[0, 0, 64, 0]", "[16, 16, 16, 16]", "all_to_all", (0, 0, 256, 0), None),
        ("[8, 8, 8, ..., 8]", "[8, 8, 8, ..., 8]", "all_to_all", None, None),
        ("[8, 9, 8, ..., 8]", "[8, 8, 8, ..., 8]", "all_to_all", None, None),
    ],
)
def test_splits_are_looked_at(
    into: str, out: str, op: str, splits: tuple[int, ...] | None, peer: int | None
) -> None:
    named = {"Collective name": "all_to_allv", "In split size": into, "Out split size": out}
    got = params(**named)
    assert (got.op, got.in_splits, got.peer) == (op, splits, peer)
    assert bool(got.notes) == (splits is not None or "..." in into)


def test_an_unknown_type_gives_no_bytes() -> None:
    got = params(dtype="Quaternion")
    assert (got.dtype, got.bytes_in) == ("Quaternion", None)
    dims = {"Input Dims": [[[11], [12]], []], "Input type": ["TensorList", ""]}
    [alone] = trace(event("c10d::allreduce_", 1, 2, args=dims))
    assert (alone.dtype, alone.bytes_in) == (None, None)
    assert "execution trace" in str(alone.notes)


def test_roots_and_peers_are_ranks_of_the_group() -> None:
    assert params(**{"Collective name": "broadcast", "Rank": 3}).root == 3
    sent = params(**{"Collective name": "send", "Rank": 5, "Out msg nelems": 0})
    assert (sent.peer, sent.bytes_in, sent.bytes_out) == (5, 256, 0)
    got = params(**{"Collective name": "recv", "Rank": 5, "In msg nelems": 0})
    assert (got.peer, got.bytes_in, got.bytes_out) == (5, 0, 256)


def test_a_quote_in_a_name_is_found() -> None:
    text = json.dumps({"traceEvents": [event("record_param_comms", 1, 2, args=PARAMS)]})
    broken = text.replace('"tp"', '"my /"own/" group"')
    with pytest.raises(rf.InvalidArgument) as caught:
        rf.read(broken.encode())
    assert f"byte {broken.index('own') - 1}" in str(caught.value)
    assert "'o'" in str(caught.value)


def test_functional_operators_name_their_group() -> None:
    listed = {"pg_name": "2", "pg_desc": "tp", "pg_size": 4, "ranks": [0, 1, 2, 3]}
    dims = {
        "Input Dims": [[128], [], []],
        "Input type": ["c10::BFloat16", "Scalar", ""],
        "Concrete Inputs": ["", "4", "2"],
    }
    one = event("_c10d_functional::all_gather_into_tensor", 1, 2, args=dims)
    [got] = trace(one, distributedInfo={"world_size": 8, "pg_config": [listed]})
    assert (got.bytes_in, got.bytes_out, got.dtype) == (256, 1024, "bf16")
    assert got.groups is not None
    assert got.groups.size == 4


def test_kernels_alone_are_still_collectives() -> None:
    kernel = "ncclKernel_AllReduce_RING_LL_Sum_float(ncclWorkElem)"
    [got] = trace(event(kernel, 5, 7, cat="kernel"))
    assert (got.op, got.dtype, got.bytes_in, got.duration_s) == ("all_reduce", "fp32", None, 7e-6)


# -------------------------------------------------------------------------- other recordings


def test_older_execution_traces() -> None:
    node = {
        "name": "record_param_comms", "id": 5, "parent": 2,
        "inputs": [[3, 4, 0, 256, 4, "cuda:0"], 1, 0, 0, "allreduce", [], [], 0, 1, 2],
        "input_shapes": [[256], [], [], [], [], [], [], [], [], []],
        "input_types": ["Tensor(float)", "Int", "Int", "Int", "String", *["Int"] * 5],
        "outputs": [], "output_shapes": [], "output_types": [],
    }  # fmt: skip
    text = json.dumps({"schema": "1.0.3-chakra.0.0.4", "pid": 1, "nodes": [node]})
    [got] = rf.read(text.encode())
    assert (got.op, got.bytes_in, got.dtype) == ("all_reduce", 1024, "fp32")
    assert got.groups.line() == (0, 1, 2)


def test_a_circle_of_parents_ends() -> None:
    nodes = [
        {"id": at, "name": "c10d::allreduce_", "ctrl_deps": 3 - at, "inputs": {}} for at in (1, 2)
    ]
    text = json.dumps({"schema": "1.1.1-chakra.0.0.4", "pid": 1, "nodes": nodes})
    assert len(rf.read(text.encode())) in (1, 2)


def _recorded(**changes: Any) -> dict[str, Any]:
    entry = {
        "record_id": 0, "pg_id": 0, "process_group": ["0", "default_pg"], "collective_seq_id": 1,
        "profiling_name": "nccl:_all_gather_base", "input_sizes": [[9]], "output_sizes": [[1, 9]],
        "input_dtypes": ["Float"], "output_dtypes": ["Float"], "state": "completed",
        "time_created_ns": 10, "time_discovered_started_ns": 12,
        "time_discovered_completed_ns": 15, "is_p2p": False,
    }  # fmt: skip
    return entry | changes


def recorder(*entries: dict[str, Any], **config: str) -> rf.Program:
    named = {name: {"name": name, "desc": "", "ranks": ranks} for name, ranks in config.items()}
    top = {"version": "2.5", "pg_config": named, "entries": entries}
    found = rf.read(json.dumps(top).encode())
    assert isinstance(found, rf.Program)
    return found


def test_the_flight_recorder_of_nccl() -> None:
    [got] = recorder(_recorded(), **{"0": "[0, 1, 2, 3]"})
    assert got.groups is not None
    assert got.groups.to_lists() == [[0, 1, 2, 3]]
    assert (got.bytes_in, got.bytes_out, got.duration_s) == (36, 144, 3e-9)
    # What comes out is the input's own size here: without the group it is not known.
    [alone] = recorder(_recorded())
    assert (alone.groups, alone.bytes_out) == (None, None)
    [sent] = recorder(_recorded(profiling_name="nccl:send 0->3", is_p2p=True, p2p_seq_id=1))
    assert (sent.op, sent.peer, sent.bytes_in, sent.bytes_out) == ("send", 3, 36, 0)


def test_pickles_are_never_opened(tmp_path: Path) -> None:
    import pickle

    class Evil:
        def __reduce__(self) -> Any:
            return (tmp_path.joinpath("opened").mkdir, ())

    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(rf.Unsupported, match="JSON"):
            rf.read(pickle.dumps({"entries": [Evil()]}, protocol))
    assert not (tmp_path / "opened").exists()


def test_long_chains_of_parents_take_no_longer_than_their_file() -> None:
    count = 20_000
    nodes = [
        {"id": at, "name": "c10d::allreduce_", "ctrl_deps": at - 1, "inputs": {}}
        for at in range(count)
    ]
    text = json.dumps({"schema": "1.1.1-chakra.0.0.4", "pid": 1, "nodes": nodes})
    assert len(rf.read(text.encode())) == 1
    nested = [event("gloo:all_reduce", 0, 10)] * count + [event("c10d::barrier", 1, 0)] * count
    assert len(trace(*nested)) == 1


def test_of_events_that_begin_together_the_longest_is_the_outer_one() -> None:
    inner = event("record_param_comms", 1, 2, args=PARAMS)
    assert len(trace(inner, event("c10d::allreduce_", 1, 5))) == 1
