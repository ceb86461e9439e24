"""MSCCL's XML: read as its steps run, proven, and written so that its own parser takes it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import rainier_fast as rf
from raising import raises

RING = rf.torus((4,), "1 GB/s")


def step(kind: str, src: str, dst: str, number: int = 0, **more: int) -> str:
    """Return a step; places are a buffer and an offset, such as i0."""
    words = {"cnt": 1, "depid": -1, "deps": -1, "hasdep": 0} | more
    rest = " ".join(f'{name}="{value}"' for name, value in words.items())
    places = f'srcbuf="{src[0]}" srcoff="{src[1:]}" dstbuf="{dst[0]}" dstoff="{dst[1:]}"'
    return f'<step s="{number}" type="{kind}" {places} {rest}/>'


def block(number: int, send: int, recv: int, *steps: str) -> str:
    return f'<tb id="{number}" send="{send}" recv="{recv}" chan="0">{"".join(steps)}</tb>'


def gpu(rank: int, *blocks: str, scratch: int = 0) -> str:
    sizes = f'i_chunks="1" o_chunks="1" s_chunks="{scratch}"'
    return f'<gpu id="{rank}" {sizes}>\n{"".join(blocks)}\n</gpu>'


def program(*gpus: str, coll: str = "allreduce", chunks: int = 1, **words: str) -> bytes:
    rest = " ".join(f'{name}="{value}"' for name, value in ({"inplace": "1"} | words).items())
    head = f'name="mine" proto="LL" nchannels="1" nchunksperloop="{chunks}" ngpus="{len(gpus)}"'
    return (
        f'<!-- a comment -->\n<algo {head} coll="{coll}" {rest}>\n{"".join(gpus)}</algo>'.encode()
    )


def pair(peer: int, **more: int) -> str:
    """Return the blocks of one of two ranks that swap by way of scratch buffers, and add."""
    return "".join(
        (
            block(0, peer, -1, step("s", "i0", "s0", hasdep=1)),
            block(1, -1, peer, step("r", "i0", "s0", hasdep=1)),
            block(2, -1, -1, step("nop", "i-1", "o-1", cnt=0, depid=0, deps=0),
                  step("re", "s0", "i0", 1, depid=1, deps=0, **more)),
        )
    )  # fmt: skip


def test_what_two_ranks_swap_is_added_where_it_arrives() -> None:
    swap = rf.read(program(*(gpu(rank, pair(1 - rank), scratch=1) for rank in (0, 1))))
    assert swap.operation == "all_reduce"
    assert swap.algorithm == "mine"
    assert [(one.src, one.dst, one.reduce) for one in swap.sends] == [(0, 1, True), (1, 0, True)]
    swap.verify()
    line = rf.torus((2,), "1 GB/s", wrap=False)
    assert line.run(swap.at("1 MB"), model="fluid").time_s == pytest.approx(1e-3)


def test_fused_steps_go_round_a_ring() -> None:
    """``rrs``, ``rrcs`` and ``rcs`` of one chunk over three ranks."""
    first = block(0, 1, 2, step("s", "i0", "i0"), step("rcs", "i0", "i0", 1))
    middle = block(0, 2, 0, step("rrs", "i0", "i0"), step("rcs", "i0", "i0", 1))
    last = block(0, 0, 1, step("rrcs", "i0", "i0"), step("r", "i0", "i0", 1))
    read = rf.read(program(gpu(0, first), gpu(1, middle), gpu(2, last)))
    assert [(one.src, one.dst, one.reduce) for one in read.sends] == [
        (0, 1, True), (1, 2, True), (2, 0, False), (0, 1, False), (1, 2, False),
    ]  # fmt: skip
    assert [max(one.after, default=None) for one in read.sends] == [None, 0, 1, 2, 3]


@pytest.mark.parametrize(
    ("xml", "words"),
    [
        (program(gpu(0), gpu(1)), ("gpu 0", "chunk 0", "1 of 2 ranks")),
        (program(gpu(0, block(0, 1, -1, step("s", "i0", "i0"))), gpu(1)), ("1 sends", "rank 0")),
        (program(gpu(0, pair(1), scratch=0), gpu(1, pair(0), scratch=1)), ("buffer s", "0")),
        (program(gpu(0, pair(1, cnt=72), scratch=1), gpu(1, pair(0), scratch=1)), ("cnt", "72")),
        (program(gpu(0, block(0, 0, -1, step("s", "i0", "i0"))), gpu(1)), ("send=0", "rank")),
        (program(gpu(0, block(0, -1, -1, step("cpy", "i0", "o0", depid=3, deps=0)))),
         ("depid", "block 3")),
        (program(gpu(0), coll="allreducer"), ("coll", "allgather")),
        (program(gpu(0), chunks=10**12), ("nchunksperloop", "line 2")),
        (program(gpu(0), gpu(1), coll="allgather", chunks=3), ("nchunksperloop", "multiple")),
        (b'<!DOCTYPE algo [<!ENTITY a "b">]><algo/>', ("DOCTYPE", "never")),
        (program(gpu(0))[:-3], ("line", "well-formed")),
        (program(gpu(0)).replace(b'"1"', b'"1'), ("line 2", "well-formed")),
        (b"<algo><gpu/></algo>", ("line 1", "i_chunks")),
        (b"<algo " + b"<algo ", ("line 1", "column")),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_line(xml: bytes, words: tuple[str, ...]) -> None:
    with pytest.raises(rf.InvalidArgument, match=r"line|nchunksperloop") as caught:
        rf.read(xml, format="msccl")
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_steps_that_wait_for_each_other_are_named() -> None:
    one = block(0, -1, -1, step("cpy", "i0", "o0", depid=1, deps=0, hasdep=1))
    two = block(1, -1, -1, step("cpy", "i0", "o0", depid=0, deps=0, hasdep=1))
    with pytest.raises(rf.InvalidArgument, match="wait for each other: lines 4, 4"):
        rf.read(program(gpu(0, one, two)))


def test_what_is_added_twice_is_refused() -> None:
    twice = step("re", "s0", "i0", 2, depid=1, deps=0)
    again = pair(1).replace("</tb>", "@", 2).replace("</tb>", twice + "</tb>").replace("@", "</tb>")
    with pytest.raises(rf.InvalidArgument, match="rank 1 of chunk 0 a second time"):
        rf.read(program(gpu(0, again, scratch=1), gpu(1, pair(0), scratch=1)))


def test_custom_says_nothing_of_what_it_does() -> None:
    with raises(rf.Unsupported, None, "custom", "Schedule.save"):
        rf.read(program(gpu(0), gpu(1), coll="custom"))


@pytest.mark.parametrize("operation", ["all_reduce", "reduce_scatter", "all_gather", "broadcast",
                                       "reduce", "all_to_all", "scatter", "send_recv"])  # fmt: skip
@pytest.mark.parametrize("algorithm", ["ring", "direct"])
def test_what_is_saved_is_the_same_to_the_bit(
    operation: str, algorithm: str, tmp_path: Path
) -> None:
    try:
        made = rf.schedule(operation, RING, "1 MB", algorithm=algorithm)
    except rf.Unsupported:
        pytest.skip("there is none")
    for one in (made, made.at("3 MB", chips=[3, 0, 2, 1])):
        one.save(tmp_path / "mine.xml", format="msccl")
        read = rf.read(tmp_path / "mine.xml")
        assert read == one
        assert read.sends == one.sends
        assert RING.run(read).time_s == RING.run(one).time_s
        assert read.algorithm == one.algorithm


@pytest.mark.parametrize("operation", ["all_reduce", "reduce_scatter", "all_gather", "broadcast",
                                       "reduce", "all_to_all"])  # fmt: skip
@pytest.mark.parametrize("algorithm", ["ring", "direct", "halving_doubling", "pairwise"])
def test_steps_that_are_written_do_what_the_schedule_does(operation: str, algorithm: str) -> None:
    """Without our comment they are another's program, which is run and proven by itself."""
    try:
        made = rf.schedule(operation, RING, "1 MB", algorithm=algorithm)
    except (rf.Unsupported, rf.InvalidArgument):
        pytest.skip("there is none")
    text = saved(made)
    read = rf.read(re.sub(r"<!-- rainier_fast .*", "", text).encode())
    assert (read.operation, read.ranks, read.root) == (operation, 4, made.root)
    read.verify()
    own = made.at("1 MB")
    if len(read) > len(made):
        return  # blocks that do not lie behind each other go in several steps
    for model in ("fluid", "alpha_beta"):
        other = RING.run(read.at("1 MB"), model=model).time_s
        assert other == pytest.approx(RING.run(own, model=model).time_s, rel=1e-9)


def saved(made: rf.Schedule) -> str:
    from rainier_fast.ask.schedule_msccl import text

    return text(made)


def test_what_its_own_parser_would_not_take_is_not_written() -> None:
    """No prolog, no tabs, no name above 63 letters, attributes in double quotes."""
    text = saved(rf.schedule("all_reduce", RING, "1 MB", algorithm="ring"))
    assert text.startswith("<algo ")
    assert "\t" not in text
    assert "'" not in re.sub(r"<!--.*-->", "", text)
    assert "--" not in re.sub(r"<!--|-->", "", text)


def test_changed_steps_beside_our_comment_are_refused() -> None:
    text = saved(rf.schedule("all_reduce", RING, "1 MB", algorithm="ring"))
    with pytest.raises(rf.InvalidArgument, match="take that comment out"):
        rf.read(text.replace('srcoff="1"', 'srcoff="2"', 1).encode())
    with pytest.raises(rf.InvalidArgument, match="comment of rainier_fast"):
        rf.read(text.replace('"size_bytes":', '"size_byte":', 1).encode())


def test_what_the_format_cannot_say_is_refused() -> None:
    blocks = [rf.Block(0, None, 1.0), rf.Block(0, None, 2**0.5)]
    sends = [rf.Send(0, 1, [0], 0), rf.Send(0, 1, [1], 1)]
    with raises(rf.Unsupported, None, "chunks are all of one size", "JSON"):
        saved(rf.Schedule("broadcast", 2.4, [0, 1], sends, blocks))
    with raises(rf.Unsupported, None, "send 0", "JSON"):
        saved(rf.Schedule("broadcast", 8, [0, 1], [rf.Send(0, 1, [0], 0, nbytes=9)]))
    with raises(rf.Unsupported, None, "zeros"):
        saved(rf.schedule("broadcast", RING, "1 MB", algorithm="symmetric"))
    with pytest.raises(rf.InvalidSchedule):
        saved(rf.Schedule("broadcast", 8, [0, 1], []))


def test_blocks_of_several_chunks_keep_their_sizes(tmp_path: Path) -> None:
    blocks = [rf.Block(0, None, 10.0), rf.Block(0, None, 30.0)]
    sends = [rf.Send(0, 1, [0, 1], 0), rf.Send(1, 2, [1], 1), rf.Send(1, 2, [0], 2)]
    made = rf.Schedule("broadcast", 40, [0, 1, 2], sends, blocks)
    made.save(tmp_path / "mine.xml")
    assert 'cnt="4"' in (tmp_path / "mine.xml").read_text()
    assert rf.read(tmp_path / "mine.xml") == made


def test_limits_of_the_runtime_are_named() -> None:
    star = rf.switch(220, "1 GB/s")
    text = saved(rf.schedule("broadcast", star, "1 MB", algorithm="direct"))
    assert "219 thread blocks on a GPU (at most 216)" in text


def test_root_is_found_where_only_one_can_be_it() -> None:
    ends = [
        gpu(0, block(0, -1, 1, step("r", "i0", "i0"))),
        gpu(1, block(0, 0, -1, step("s", "i0", "i0"))),
    ]
    assert rf.read(program(*ends, coll="broadcast")).root == 1
    with raises(rf.Unsupported, None, "root"):
        rf.read(program(gpu(0), gpu(1), coll="broadcast"))
