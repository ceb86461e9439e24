"""HLO text: collectives, how often they run, their bytes and groups; each spelling of groups."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import rainier_fast as rf

DATA = Path(__file__).parents[1] / "data" / "programs"
ADD = "%add (a: f32[], b: f32[]) -> f32[] {\n  ROOT %s = f32[] add(%a, %b)\n}\n\n"


def module(*lines: str, head: str = ", num_partitions=8", more: str = "") -> bytes:
    """A module whose entry has these lines after its parameter, bf16[16,128]."""
    body = "\n".join(f"  {line}" for line in ("%p = bf16[16,128]{1,0} parameter(0)", *lines))
    return (
        f"HloModule own{head}\n\n{ADD}{more}"
        f"ENTRY %main (p: bf16[16,128]) -> bf16[16,128] {{\n{body}\n}}\n"
    ).encode()


def one(line: str, head: str = ", num_partitions=8") -> rf.ProgramCollective:
    (found,) = rf.read(module(line, head=head)).collectives
    return found


def reduced(
    groups: str, more: str = "channel_id=1, use_global_device_ids=true", **at: str
) -> rf.ProgramGroups:
    said = f", replica_groups={groups}" if groups else ""
    more = f", {more}" if more else ""
    found = one(f"ROOT %r = bf16[16,128]{{1,0}} all-reduce(%p){said}{more}, to_apply=%add", **at)
    assert found.groups is not None
    return found.groups


def test_nested_loops_multiply() -> None:
    program = rf.read(DATA / "cpu_nested.hlo.txt")
    first, second = program.collectives
    assert (first.op, first.count, first.bytes_in, first.dtype) == ("all_reduce", 15, 4096, "fp32")
    assert first.groups.to_lists() == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert (second.op, second.count) == ("collective_permute", 5)
    assert second.groups.to_pairs()[:2] == [(0, 4), (4, 0)]
    assert program.world == 8
    assert "jit_nested" in program.source


def test_a_loop_without_a_trip_count_is_unknown() -> None:
    (found,) = rf.read(DATA / "tpu_ring.hlo.txt").collectives
    assert found.count is None
    assert "loop" in found.notes[0]
    assert found.asynchronous is True
    assert found.bytes_in == found.bytes_out == 512 * 1024 * 2


def test_branches_are_said() -> None:
    found = rf.read(DATA / "cpu_switch.hlo.txt").collectives
    assert [item.count for item in found] == [1, 1]
    assert ["branch" in item.notes[0] for item in found] == [True, True]
    assert [item.groups.size for item in found] == [2, 8]


def test_what_tpus_fuse_is_a_reduce_scatter() -> None:
    first, halo = rf.read(DATA / "tpu_ps_big.hlo.txt").collectives
    assert (first.op, first.original) == ("reduce_scatter", "all-reduce-scatter")
    assert first.bytes_in == 4 * first.bytes_out == 131328 * 128 * 2
    assert halo.op == "collective_permute"


def test_widened_types_are_said() -> None:
    program = rf.read(DATA / "cpu_mlp.hlo.txt")
    assert any("widens" in note for item in program for note in item.notes)


@pytest.mark.parametrize(
    ("text", "lists"),
    [
        ("{{0,4},{1,5},{2,6},{3,7}}", [[0, 4], [1, 5], [2, 6], [3, 7]]),
        ("{{0,1,2},{3,4,5,6,7}}", [[0, 1, 2], [3, 4, 5, 6, 7]]),
        ("{}", [list(range(8))]),
        ("", [list(range(8))]),
        ("[2,4]<=[8]", [[0, 1, 2, 3], [4, 5, 6, 7]]),
        ("[4,2]<=[2,4]T(1,0)", [[0, 4], [1, 5], [2, 6], [3, 7]]),
        ("[2,4]<=[2,2,2]T(2,0,1)", [[0, 2, 4, 6], [1, 3, 5, 7]]),
        ("mesh['a'=2,'b'=4] {'a'}", [[0, 4], [1, 5], [2, 6], [3, 7]]),
        ("mesh['a'=2,'b'=4] {'b'}", [[0, 1, 2, 3], [4, 5, 6, 7]]),
        ("mesh['a'=2,'b'=1,'c'=4] {'a','c'}", [list(range(8))]),
        ("mesh['a'=2,'b'=4], device_ids=([4,2]T(1,0)) {'a'}", [[0, 1], [2, 3], [4, 5], [6, 7]]),
        ("mesh['a'=8] {'a':(2)2}", [[0, 2], [1, 3], [4, 6], [5, 7]]),
        ("mesh['a'=8] {'a':(1)2}", [[0, 4], [1, 5], [2, 6], [3, 7]]),
        ("mesh['a'=2,'b'=4], device_ids=(7,6,5,4,3,2,1,0) {'a'}", [[7, 3], [6, 2], [5, 1], [4, 0]]),
    ],
)
def test_spellings_of_groups(text: str, lists: list[list[int]]) -> None:
    assert reduced(text).to_lists() == lists


def test_meshes_against_numpy() -> None:
    draw = np.random.default_rng(5)
    for _ in range(60):
        sizes = draw.permutation([2, 3, 4, draw.integers(1, 6)])[: draw.integers(1, 5)]
        total = int(np.prod(sizes))
        factors = draw.permutation([total // 2, 2] if total % 2 == 0 else [total])
        order = draw.permutation(len(factors))
        ids = np.arange(total).reshape(factors).transpose(order).reshape(sizes)
        group = draw.permutation(len(sizes))[: draw.integers(1, len(sizes) + 1)]
        rest = [axis for axis in range(len(sizes)) if axis not in group]
        members = int(np.prod(sizes[group]))
        wanted = ids.transpose([*rest, *group]).reshape(-1, members).tolist()
        axes = ",".join(f"'n{at}'={size}" for at, size in enumerate(sizes))
        turn = f"[{','.join(map(str, factors))}]T({','.join(map(str, order))})"
        named = ",".join(f"'n{axis}'" for axis in group)
        text = f"mesh[{axes}], device_ids=({turn}) {{{named}}}"
        assert reduced(text, head=f", num_partitions={total}").to_lists() == wanted, text


@pytest.mark.parametrize(
    ("more", "lists"),
    [
        ("", [[0, 4], [1, 5], [2, 6], [3, 7]]),
        ("channel_id=1", [[0, 1, 2, 3, 4, 5, 6, 7]]),
        ("channel_id=1, use_global_device_ids=true", [[0, 1]]),
    ],
)
def test_what_ids_number(more: str, lists: list[list[int]]) -> None:
    head = ", replica_count=2, num_partitions=4"
    assert reduced("{{0,1}}", more, head=head).to_lists() == lists


def test_partitions_of_each_replica() -> None:
    line = "%r = bf16[16,128]{1,0} all-to-all(%p), channel_id=1, replica_groups={{0,1},{2,3}}"
    groups = one(line, ", replica_count=2, num_partitions=4").groups
    assert groups is not None
    assert groups.to_lists() == [[0, 1], [4, 5], [2, 3], [6, 7]]


@pytest.mark.parametrize(
    ("line", "op", "bytes_in", "bytes_out", "starts"),
    [
        ("%a = bf16[64,128]{1,0} all-gather(%p), dimensions={0}", "all_gather", 4096, 16384, False),
        ("a = bf16[4,128] reduce-scatter(p), dimensions={0}", "reduce_scatter", 4096, 1024, False),
        ("%a = bf16[16,128] all-reduce-start(%p), to_apply=%add", "all_reduce", 4096, 4096, True),
        ("%a = (bf16[16,128], bf16[64,128]) all-gather-start(%p)", "all_gather", 4096, 16384, True),
        (
            "%a = ((bf16[16,128]), bf16[4,128], u32[]) reduce-scatter-start(%p), to_apply=%add",
            "reduce_scatter", 4096, 1024, True,
        ),
        (
            "%a = ((bf16[16,128]{1,0}, bf16[2]{0}), (bf16[64,128]{1,0}, bf16[8]{0})) "
            "all-gather-start(bf16[16,128]{1,0} %p, /*index=1*/bf16[2]{0} %q)",
            "all_gather", 4100, 16400, True,
        ),
        ("%a = bf16[16,128]{1,0} collective-broadcast(%p)", "broadcast", 4096, 4096, False),
        (
            "%a = (s4[8]{0:E(4)}, pred[3]) all-reduce(s4[8]{0:E(4)} %b, pred[3] %c)",
            "all_reduce", 7, 7, False,
        ),
        ("%a = f8e5m2[<=32] all-to-all(f8e5m2[<=32] %b)", "all_to_all", 32, 32, False),
        ("%a = f32[?] all-reduce(f32[?] %b)", "all_reduce", None, None, False),
    ],
)  # fmt: skip
def test_bytes(line: str, op: str, bytes_in: int, bytes_out: int, starts: bool) -> None:  # noqa: FBT001
    found = one(line)
    assert (found.op, found.bytes_in, found.bytes_out) == (op, bytes_in, bytes_out)
    assert found.asynchronous is starts


def test_wrapped_and_called_once() -> None:
    wrapped = (
        "%wrapped (x: bf16[16,128]) -> bf16[16,128] {\n  %x = bf16[16,128]{1,0} parameter(0)\n"
        "  ROOT %inner = bf16[16,128]{1,0} all-to-all(%x), channel_id=1, replica_groups={{0,1}}\n"
        '}, execution_thread="moving"\n\n'
    )
    start = "%s = ((bf16[16,128]), bf16[16,128], u32[]) async-start(%p), calls=%wrapped"
    lines = (
        start,
        "%u = ((bf16[16,128]), bf16[16,128], u32[]) async-update(%s), calls=%wrapped",
        "ROOT %d = bf16[16,128]{1,0} async-done(%u), calls=%wrapped",
    )
    (found,) = rf.read(module(*lines, more=wrapped)).collectives
    assert (found.name, found.count, found.asynchronous) == ("inner", 1, True)
    twice = (start, start.replace("%s", "%t"))
    (found,) = rf.read(module(*twice, more=wrapped)).collectives
    assert found.count == 2


def test_an_instruction_over_several_lines_with_its_computation_inside() -> None:
    line = (
        "%r = bf16[16,128]{1,0} all-reduce(%p),\n    channel_id=1, replica_groups={{0}},\n"
        "    to_apply={\n"
        "    %a = bf16[] parameter(0)\n    ROOT %b = bf16[] add(%a, %a)\n  }"
    )
    assert one(line).bytes_out == 4096


def test_transfers_between_slices() -> None:
    line = (
        "%s = (bf16[16,128]{1,0}, u32[], token[]) send(%p, token[] %t), channel_id=2, "
        'is_host_transfer=true, frontend_attributes={_xla_megascale_transfer_type="ALL_REDUCE"}'
    )
    found = one(line)
    assert (found.op, found.bytes_in, found.dtype) == ("send", 4096, "bf16")
    assert any("ALL_REDUCE" in note for note in found.notes)
    assert any("slice" in note for note in rf.read(module(line)).notes)


def test_groups_without_a_world_are_unknown() -> None:
    line = "%r = bf16[16,128]{1,0} all-reduce(%p), replica_groups={}, to_apply=%add"
    assert one(line, "").groups is None
    assert one(line, ", replica_count=3").groups == rf.ProgramGroups.everyone(3)


def test_a_billion_ids_stay_a_rule() -> None:
    line = "%r = bf16[16,128] all-reduce(%p), replica_groups=[1048576,1024]<=[1024,1048576]T(1,0)"
    found = one(line, "")
    assert (found.groups.count, found.groups.size) == (2**20, 1024)
    with pytest.raises(rf.Unsupported):
        found.groups.to_lists()


RING = "%r = bf16[16,128] collective-permute(%p), source_target_pairs="
CIRCLE = "%one (x: f32[]) -> f32[] {\n  ROOT %c = f32[] call(%x), to_apply=%two\n}\n\n" + (
    "%two (x: f32[]) -> f32[] {\n  ROOT %c = f32[] call(%x), to_apply=%one\n}\n\n"
)


@pytest.mark.parametrize(
    "text",
    [
        module("%r = bf16[16,128] all-reduce(%missing), to_apply=%add"),
        module("%r = bf17[16,128] all-reduce(%p), to_apply=%add"),
        module("%r = bf16[16,128] all-reducf(%p), replica_groups={{0,1}}"),
        module("%r = bf16[16,128] all-reduce(%p), replica_groups={{0,9}}"),
        module("%r = bf16[16,128] all-reduce(%p), replica_groups={{0,1},{1,2}}"),
        module("%r = bf16[16,128] all-reduce(%p), replica_groups=[2,5]<=[8]"),
        module("%r = bf16[16,128] all-reduce(%p), replica_groups=mesh['a'=3] {'b'}"),
        module("%r = bf16[16,128] all-reduce(%p), replica_groups=mesh['a'=8] {'a':(3)2}"),
        module(RING + "{{0,1},{0,2}}"),
        module(RING + "{{0,1,2}}"),
        module("%w = bf16[16,128] while(%p), condition=%add, body=%gone"),
        module("%w = f32[] call(%p), to_apply=%one", more=CIRCLE),
        module("%r = " + "(" * 100_000 + " all-reduce(%p)"),
        module("%r = bf16[99999999999,99999999999] all-reduce(%p)"),
        module("%p2 = bf16[2] parameter(1)")[:-3],
        b"HloModule only_a_head, num_partitions=8\n",
        module() + module(),
    ],
)
def test_broken_texts_are_refused_with_their_place(text: bytes) -> None:
    with pytest.raises(rf.InvalidArgument, match=r"line \d+, column \d+"):
        rf.read(text)
