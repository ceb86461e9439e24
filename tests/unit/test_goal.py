"""GOAL text: messages and what they wait for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import rainier_fast as rf
from raising import raises

CHAIN = """// a chain
num_ranks 3
rank 0 {
l1: send 1000b to 1 tag 0
}
rank 1 {
  l1: recv 1000b from 0 tag 0 cpu 0 nic 1 /* two
  lines */
  wait: calc 0
  wait requires l1
  l2: send 1000b to 2 tag 7
  l2 requires wait
}
rank 2 {
l1 : recv 1000 b from 1 tag 7
}
"""
LINE = rf.torus((3,), "1 GB/s", wrap=False)


def test_messages_wait_for_what_they_require() -> None:
    read = rf.read(CHAIN.encode())
    assert isinstance(read, rf.Schedule)
    assert [(one.src, one.dst, one.nbytes, one.after) for one in read.sends] == [
        (0, 1, 1000.0, ()), (1, 2, 1000.0, (0,)),
    ]  # fmt: skip
    assert LINE.run(read, model="fluid").time_s == pytest.approx(2e-6)


def test_what_starts_with_another_waits_for_what_that_waits_for() -> None:
    together = CHAIN.replace("l2 requires wait", "l2 irequires wait")
    assert rf.read(together.encode()).sends[1].after == (0,)
    early = CHAIN.replace("l2 requires wait", "l2 irequires l1")
    assert rf.read(early.encode()).sends[1].after == ()


def test_computation_makes_it_a_program() -> None:
    read = rf.read(CHAIN.replace("calc 0", "calc 500").encode())
    assert isinstance(read, rf.Program)
    assert read.world == 3
    assert [one.bytes_in for one in read] == [1000, 1000]
    assert "500" in read[1].notes[0]
    assert "500" in read.notes[0]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("num_ranks 3", "num_ranks 4", ("rank", "number 3")),
        ("num_ranks 3", "num_ranks 999999999999", ("rank", "must have all")),
        ("num_ranks 3", "", ("rank", "num_ranks")),
        ("rank 2 {", "rank 1 {", ("line 14", "new one")),
        ("to 2 tag 7", "to 2 tag 8", ("receives from rank 1 to rank 2", "tag")),
        ("to 2 tag 7", "to 9 tag 7", ("line 11", "below 3")),
        ("1000 b from", "900 b from", ("line 15", "900")),
        ("l2 requires wait", "l2 requires nothing", ("line 12", "nothing")),
        ("wait requires l1", "wait requires wait", ("wait for each other", "circle")),
        ("wait: calc 0", "l1: calc 0", ("line 9", "label")),
        ("send 1000b to 1", "send 1000b from 1", ("line 4", "send")),
        ("*/", "", ("line 7", "*/")),
        ("tag 7\n}\n", "tag 7\n", ("the end", "close")),
    ],
)
def test_what_is_wrong_is_named_with_its_line(old: str, new: str, words: tuple[str, ...]) -> None:
    assert old in CHAIN
    with pytest.raises(rf.InvalidArgument) as caught:
        rf.read(CHAIN.replace(old, new).encode(), format="goal")
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_a_receive_of_anything_is_refused() -> None:
    with raises(rf.Unsupported, None, "line 7", "only a run tells"):
        rf.read(CHAIN.replace("from 0 tag 0", "from -1 tag 0").encode())


@pytest.mark.parametrize("algorithm", ["ring", "direct", "halving_doubling", "symmetric"])
@pytest.mark.parametrize("operation", ["all_reduce", "broadcast", "all_to_all", "send_recv"])
def test_what_is_saved_is_the_same_to_the_bit(
    operation: str, algorithm: str, tmp_path: Path
) -> None:
    ring = rf.torus((4,), "1 GB/s")
    try:
        made = rf.schedule(operation, ring, "1 MB", algorithm=algorithm)
    except (rf.Unsupported, rf.InvalidArgument):
        pytest.skip("there is none")
    for one in (made, made.at("3.3 MB")):
        one.save(tmp_path / "mine.goal")
        read = rf.read(tmp_path / "mine.goal")
        assert read == one
        assert ring.run(read).time_s == ring.run(one).time_s
    # Without our comment they are messages of another's text, with the same waits.
    bare = re.sub(r"\n//.*", "", (tmp_path / "mine.goal").read_text())
    time = ring.run(rf.read(bare.encode()), model="fluid").time_s
    assert time == pytest.approx(ring.run(one, model="fluid").time_s, rel=1e-5)


def test_changed_lines_beside_our_comment_are_refused(tmp_path: Path) -> None:
    made = rf.schedule("all_reduce", LINE, "1 MB", algorithm="direct")
    made.save(tmp_path / "mine.goal")
    text = (tmp_path / "mine.goal").read_text()
    with pytest.raises(rf.InvalidArgument, match="take that comment out"):
        rf.read(text.replace("tag 0", "tag 5", 2).encode())
