"""Host lists as Slurm 22.05's scontrol has them (run by hand: 600 lists and 400 folds alike)."""

from __future__ import annotations

import random

import pytest

import rainier_fast as rf
from rainier_fast.errors import InvalidArgument, InvalidType, RainierError, Unsupported
from raising import raises

READ = {
    "n[1-2]a[3-4]": ["n1a3", "n1a4", "n2a3", "n2a4"],
    "n[1,1]": ["n1", "n1"],
    "n[01-2]": ["n01", "n02"],
    "n[1-02]": ["n1", "n2"],
    "n[9-010]": ["n9", "n10"],
    ",a,,b": ["a", "b"],
    "a b": ["a", "b"],
    "[1-3]": ["1", "2", "3"],
    "n1-3": ["n1-3"],
    "a,b,a": ["a", "b", "a"],
    "node10,node9,node8": ["node10", "node9", "node8"],
}
REFUSED = ("node[8-12/2]", "n[3-1]", "n[", "n]", "n[]", "n[a-b]", "n[1-2]x", "n[-1]", "n[1-2-3]")
FOLDED = {
    "node[1-3]": ["node1", "node2", "node3"],
    "b[2,1]": ["b2", "b1"],
    "trn[01-02,10,3]": ["trn01", "trn02", "trn10", "trn3"],
    "n[09-11]": ["n09", "n10", "n11"],
    "n[9-10]": ["n9", "n10"],
    "node0-[0-1],node1-[0-1]": ["node0-0", "node0-1", "node1-0", "node1-1"],
}


@pytest.mark.parametrize("text", READ)
def test_expands_as_scontrol(text: str) -> None:
    assert rf.expand_hosts(text) == READ[text]


def test_widths_are_of_the_first_number() -> None:
    assert len(rf.expand_hosts("node[01-100]")) == 100
    assert rf.expand_hosts("node[1-010]")[-1] == "node10"
    assert rf.expand_hosts("trn[09-099]")[::90] == ["trn09", "trn99"]


@pytest.mark.parametrize("text", [*REFUSED, "", "n[1,,2]", "n[1-2", "x[[1]]", "a;b", "é[1-2]"])
def test_refuses_what_scontrol_refuses(text: str) -> None:
    with raises(InvalidArgument, "hosts"):
        rf.expand_hosts(text)


def test_refuses_other_types() -> None:
    with raises(InvalidType, "hosts"):
        rf.expand_hosts(5)  # type: ignore[arg-type]
    with raises(InvalidType, "hosts"):
        rf.fold_hosts("abc")


@pytest.mark.parametrize(
    "text", ["node[0-999999999]", "n[0-9999][0-9999][0-9999]", "a[0-99999999999]"]
)
def test_reckons_before_it_expands(text: str) -> None:
    with pytest.raises((Unsupported, InvalidArgument)) as caught:
        rf.expand_hosts(text)
    assert "hosts" in str(caught.value)


@pytest.mark.parametrize("text", FOLDED)
def test_folds_as_scontrol(text: str) -> None:
    assert rf.fold_hosts(FOLDED[text]) == text


def test_folds_come_back() -> None:
    chance = random.Random(5)
    for _ in range(300):
        stem = chance.choice(("trn", "a0-", "b", "9"))
        width = chance.choice((1, 2, 3))
        names = [f"{stem}{chance.randrange(120):0{width}}" for _ in range(chance.randrange(1, 9))]
        names.append(chance.choice(("spare", "z01", "1.2")))
        assert rf.expand_hosts(rf.fold_hosts(names)) == names


def test_host_files_say_slots_and_ranks() -> None:
    hosts = rf.read(b"# nodes\ntrn1 slots=2 max_slots=4\ntrn2:3\ntrn1 slots=1\n")
    assert (hosts.kind, hosts.slots) == ("slots", (2, 3, 1))
    assert hosts.ranks() == ("trn1", "trn1", "trn1", "trn2", "trn2", "trn2")
    listed = rf.read(b"trn[1-2],trn1\ntrn9")
    assert listed.hosts == ("trn1", "trn2", "trn1", "trn9")
    assert listed.ranks(2)[:4] == ("trn1", "trn1", "trn2", "trn2")
    assert listed.fold() == "trn[1-2,1,9]"
    ranked = rf.read(b"rank 1=a slot=0\nrank 0=b slot=0:1\n")
    assert ranked.ranks() == ("b", "a")


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (b"rank 0=a slot=0\nrank 0=b slot=1\n", "line 2"),
        (b"rank 0=a slot=0\nrank 5=b slot=1\n", "no rank 1"),
        (b"a slots=0\n", "line 1"),
        (b"a\nb colour=4\n", "line 2"),
        (b"a\nn[3-1]\n", "line 2"),
    ],
)
def test_broken_host_files_say_where(text: bytes, where: str) -> None:
    with pytest.raises(RainierError, match=where):
        rf.HostList.parse(text)
