"""StableHLO text: collectives in functions, loops and branches; groups, and what is not there."""

from __future__ import annotations

from pathlib import Path

import pytest

import rainier_fast as rf

DATA = Path(__file__).parents[1] / "data" / "programs"
T = "tensor<16x128xbf16>"
CHANNEL = "channel_handle = #stablehlo.channel_handle<handle = 1, type = 1>"
AXES = "#stablehlo.replica_group_mesh_axes<"


def module(*lines: str, more: str = "") -> bytes:
    body = "\n".join(f"    {line}" for line in lines)
    return (
        "module @own attributes {mhlo.num_partitions = 8 : i32, mhlo.num_replicas = 1 : i32} {\n"
        f'  sdy.mesh @mesh = <["x"=2, "y"=4]>\n'
        f"  func.func public @main(%arg0: {T}) -> {T} {{\n{body}\n    return %arg0 : {T}\n"
        f"  }}\n{more}}}\n"
    ).encode()


def gathered(groups: str, more: str = "use_global_device_ids") -> rf.ProgramCollective:
    line = (
        f'%1 = "stablehlo.all_gather"(%arg0) <{{all_gather_dim = 0 : i64, channel_handle = '
        f"#stablehlo.channel_handle<handle = 1, type = 1>, replica_groups = {groups}, {more}}}> : "
        f"({T}) -> tensor<64x128xbf16>"
    )
    (found,) = rf.read(module(line)).collectives
    return found


def test_loops_with_a_counter_multiply() -> None:
    inner, outer = rf.read(DATA / "cpu_nested.stablehlo.mlir").collectives
    assert (inner.op, inner.count, inner.bytes_in, inner.dtype) == ("all_reduce", 15, 4096, "fp32")
    assert (outer.op, outer.count) == ("collective_permute", 5)
    assert outer.groups.to_pairs()[:2] == [(0, 4), (4, 0)]


def test_loops_without_one_are_unknown() -> None:
    (found,) = rf.read(DATA / "cpu_while.stablehlo.mlir").collectives
    assert found.count is None
    assert "loop" in found.notes[0]


def test_pairs_in_hexadecimal() -> None:
    (found,) = rf.read(DATA / "tpu_ring.stablehlo.mlir").collectives
    assert found.count == 4
    assert found.groups.to_pairs()[:4] == [(0, 16), (16, 32), (32, 48), (48, 0)]


def test_branches_are_said() -> None:
    found = rf.read(DATA / "cpu_switch.stablehlo.mlir").collectives
    assert ["branch" in item.notes[0] for item in found] == [True, True]
    assert [item.groups.size for item in found] == [2, 8]


def test_ragged_all_to_all() -> None:
    (found,) = rf.read(DATA / "tpu_ragged.stablehlo.mlir").collectives
    assert (found.op, found.bytes_in, found.groups.count) == ("ragged_all_to_all", 16384, 16)


def test_shardings_alone_are_no_collectives() -> None:
    program = rf.read(DATA / "cpu_mlp.stablehlo.mlir")
    assert len(program) == 0
    assert any("only the compiler" in note for note in program.notes)


@pytest.mark.parametrize(
    ("groups", "lists"),
    [
        (
            "dense<[[0, 1], [2, 3], [4, 5], [6, 7]]> : tensor<4x2xi64>",
            [[0, 1], [2, 3], [4, 5], [6, 7]],
        ),
        ("dense<[[0, 1, 2], [3, 4, -1]]> : tensor<2x3xi64>", [[0, 1, 2], [3, 4]]),
        ("dense<3> : tensor<1x1xi64>", [[3]]),
        ("dense<> : tensor<0x0xi64>", [list(range(8))]),
        ('dense<"0x0000000001000000"> : tensor<1x2xi32>', [[0, 1]]),
        (
            AXES + 'mesh = @mesh, axes = [#stablehlo.axis_ref<name = "x">]>',
            [[0, 4], [1, 5], [2, 6], [3, 7]],
        ),
        (
            AXES + 'mesh_name = @mesh, axes = [#sdy<axis_ref"y":(1)2>]>',
            [[0, 2], [1, 3], [4, 6], [5, 7]],
        ),
        (
            AXES + "mesh = #stablehlo.mesh<axes = [#stablehlo.mesh_axis<"
            'name = "u", size = 4>, #stablehlo.mesh_axis<name = "v", size = 2>]>, '
            'axes = [#stablehlo.axis_ref<name = "v">]>',
            [[0, 1], [2, 3], [4, 5], [6, 7]],
        ),
    ],
)
def test_spellings_of_groups(groups: str, lists: list[list[int]]) -> None:
    found = gathered(groups)
    assert (found.bytes_in, found.bytes_out, found.dtype) == (4096, 16384, "bf16")
    assert found.groups is not None
    assert found.groups.to_lists() == lists


def test_groups_that_were_left_out_are_unknown() -> None:
    found = gathered("dense_resource<__elided__> : tensor<4x2xi64>")
    assert found.groups is None
    assert any("left out" in note for note in found.notes)


INT = "tensor<i32>"
LESS = "comparison_direction = #stablehlo<comparison_direction LT>"
PAIR = f"{CHANNEL}, replica_groups = dense<[[0, 1]]> : tensor<1x2xi64>, use_global_device_ids"
GENERIC = f"""
    %c = "stablehlo.constant"() <{{value = dense<0> : tensor<i32>}}> : () -> tensor<i32>
    %1:2 = "stablehlo.while"(%c, %arg0) ({{
    ^bb0(%a: tensor<i32>, %b: {T}):
      %l = stablehlo.constant dense<6> : tensor<i32>
      %p = "stablehlo.compare"(%a, %l) <{{{LESS}}}> : ({INT}, {INT}) -> tensor<i1>
      "stablehlo.return"(%p) : (tensor<i1>) -> ()
    }}, {{
    ^bb0(%a: tensor<i32>, %b: {T}):
      %s = stablehlo.constant dense<1> : tensor<i32>
      %n = "stablehlo.add"(%a, %s) : (tensor<i32>, tensor<i32>) -> tensor<i32>
      %r = "stablehlo.all_reduce"(%b) ({{
      ^bb0(%x: tensor<bf16>, %y: tensor<bf16>):
        %z = stablehlo.add %x, %y : tensor<bf16>
        "stablehlo.return"(%z) : (tensor<bf16>) -> ()
      }}) {{{PAIR}}} : ({T}) -> {T}
      "stablehlo.return"(%n, %r) : (tensor<i32>, {T}) -> ()
    }}) : (tensor<i32>, {T}) -> (tensor<i32>, {T})"""


def test_the_generic_form() -> None:
    (found,) = rf.read(module(*GENERIC.splitlines())).collectives
    assert (found.op, found.count, found.bytes_in) == ("all_reduce", None, 4096)
    plain = GENERIC.replace(
        '"stablehlo.constant"() <{value = dense<0> : tensor<i32>}> : () -> tensor<i32>',
        "stablehlo.constant dense<0> : tensor<i32>",
    )
    (found,) = rf.read(module(*plain.splitlines())).collectives
    assert found.count == 6


@pytest.mark.parametrize(
    ("line", "op", "bytes_in", "bytes_out", "size"),
    [
        (f'sdy.all_gather [{{"x"}}, {{}}] %arg0 out_sharding=<@mesh, [{{}}, {{"y"}}]> : {T}',
         "all_gather", 512, 1024, 2),
        (f'sdy.all_reduce {{"y"}} %arg0 out_sharding=<@mesh, [{{"x"}}, {{}}]> : {T}',
         "all_reduce", 2048, 2048, 4),
        (f'sdy.reduce_scatter [{{}}, {{"y"}}] %arg0 out_sharding=<@mesh, [{{}}, {{"y"}}]> : {T}',
         "reduce_scatter", 4096, 1024, 4),
    ],
)  # fmt: skip
def test_collectives_of_sdy(line: str, op: str, bytes_in: int, bytes_out: int, size: int) -> None:
    (found,) = rf.read(module(f"%1 = {line}")).collectives
    assert (found.op, found.bytes_in, found.bytes_out) == (op, bytes_in, bytes_out)
    assert found.groups is not None
    assert found.groups.size == size


def test_calls_count_and_circles_are_refused() -> None:
    callee = (
        f"  func.func private @f(%a: {T}) -> {T} {{\n"
        f'    %0 = "stablehlo.collective_broadcast"(%a) <{{{PAIR}}}> : '
        f" ({T}) -> {T}\n    return %0 : {T}\n  }}\n"
    )
    call = f"%1 = func.call @f(%arg0) : ({T}) -> {T}"
    (found,) = rf.read(module(call, call.replace("func.call", "call"), more=callee)).collectives
    assert (found.op, found.count) == ("broadcast", 2)
    with pytest.raises(rf.InvalidArgument, match="circle"):
        rf.read(module(call, more=callee.replace("    return", f"    {call}\n    return")))


def moved(attributes: str, types: str = "tensor<f32>") -> bytes:
    return module(f'%1 = "stablehlo.all_to_all"(%arg0) <{{{attributes}}}> : {types}')


@pytest.mark.parametrize(
    "text",
    [
        module()[:-3],
        module("}"),
        module("%1 = func.call @gone(%arg0) : (tensor<f32>) -> tensor<f32>"),
        module('%1 = "stablehlo.all_reducf"(%arg0) <{replica_groups = dense<0>}> : ()'),
        module('%1 = "stablehlo.all_to_all'),
        moved("", "tensor<16x17xbf17>"),
        moved("replica_groups = dense<[[0, 0]]> : tensor<1x2xi64>"),
        moved("replica_groups = dense<[[0, 9]]> : tensor<1x2xi64>"),
        moved("replica_groups = dense<0> : tensor<1000000000x9xi64>"),
        moved("a = " + "[" * 100_000),
        b"module @empty {\n}\n",
    ],
)
def test_broken_texts_are_refused_with_their_place(text: bytes) -> None:
    with pytest.raises(rf.InvalidArgument, match=r"line \d+, column \d+"):
        rf.read(text)
