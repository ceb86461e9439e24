"""What EC2 says of where instances are: pages, distances, UltraServers, health, faults."""

from __future__ import annotations

import json
from typing import Any

import pytest

import rainier_fast as rf
from rainier_fast.errors import InvalidArgument, RainierError, UnknownName, Unsupported
from raising import raises

TOP = ["nn-1", "nn-2a", "nn-3a"]


def row(number: int, kind: str = "trn2u.48xlarge", **values: Any) -> dict[str, Any]:
    made = {
        "InstanceId": f"i-{number}",
        "InstanceType": kind,
        "GroupName": "group",
        "NetworkNodes": TOP,
        "AvailabilityZone": "us-east-2a",
        "ZoneId": "use2-az1",
    }
    return {key: value for key, value in (made | values).items() if value is not ...}


FIRST = [row(at, CapacityBlockId="cb-1") for at in range(4)]
SECOND = [row(at, CapacityBlockId="cb-2", NetworkNodes=["nn-1", "nn-2a", "nn-3b"]) for at in (4, 5)]
OTHERS = [
    row(8, "trn2.48xlarge", NetworkNodes=["nn-1", "nn-2b", "nn-3c"]),
    row(9, "trn2.48xlarge", NetworkNodes=["nn-1", "nn-2b", "nn-3d"]),
    row(10, "p6-b200.48xlarge", NetworkNodes=["nn-1", "nn-2b", "nn-4", "nn-5"]),
    row(11, "trn2.48xlarge", NetworkNodes=[]),
    row(12, "m5.large", NetworkNodes=..., GroupName=...),
    row(13),
    row(
        14,
        "trn2.48xlarge",
        NetworkNodes=["nn-7", "nn-8", "nn-9"],
        AvailabilityZone="us-east-2b",
        ZoneId="use2-az2",
    ),
]
ONE = json.dumps({"Instances": FIRST + SECOND, "NextToken": "token-2"})
TWO = json.dumps({"Instances": OTHERS})
RESERVED = json.dumps(
    {
        "CapacityReservations": [
            {
                "CapacityReservationId": f"cr-{at}",
                "InstanceType": "trn2.48xlarge",
                "NetworkNodes": nodes,
            }
            for at, nodes in enumerate((TOP, TOP[:1], TOP[:2]))
        ]
    }
)
BLOCKS = json.dumps({"CapacityBlocks": [{"CapacityBlockId": "cb-1", "State": "active"}]})


def health(block: str, status: str = "ok", **counts: int) -> str:
    one = {"CapacityBlockId": block, "InterconnectStatus": status, "TotalCapacity": 4, **counts}
    return json.dumps({"CapacityBlockStatuses": [one]})


def whole(*more: str) -> rf.Ec2Topology:
    return rf.Ec2Topology.parse(ONE, TWO, *more)


def test_pages_become_one_listing() -> None:
    ec2 = whole(RESERVED, BLOCKS)
    assert (len(ec2.instances), ec2.missing) == (13, ())
    assert ec2.ultraservers == {
        "cb-1": ("i-0", "i-1", "i-2", "i-3"),
        "cb-2": ("i-4", "i-5"),
    }
    assert ec2.layers == {"trn2u.48xlarge": 3, "trn2.48xlarge": 3, "p6-b200.48xlarge": 4}
    assert ec2.instance("i-0").closest == TOP[-1]
    assert list(ec2.no_place) == ["i-11", "i-12"]
    assert ec2.no_place["i-11"] != ec2.no_place["i-12"]
    assert ec2.unknown_ultraserver == ("i-13",)
    assert ec2.other_zone == ("i-14",)
    assert [one.depth for one in ec2.reservations] == [3, 1, 2]
    assert ec2.blocks["cb-1"].state == "active"


@pytest.mark.parametrize(
    ("a", "b", "layers", "same"),
    [
        ("i-0", "i-1", 3, True),
        ("i-0", "i-4", 2, False),
        ("i-8", "i-9", 2, False),
        ("i-0", "i-8", 1, False),
        ("i-8", "i-14", 0, False),
        ("i-0", "i-13", 3, None),  # equal nodes do not prove one UltraServer
        ("i-8", "i-10", 2, False),
        ("i-0", "i-11", 0, False),
    ],
)
def test_distances_are_shared_layers_from_the_top(
    a: str,
    b: str,
    layers: int,
    same: bool | None,  # noqa: FBT001
) -> None:
    for pair in ((a, b), (b, a)):
        found = whole().distance(*pair)
        assert (found.shared_layers, found.same_ultraserver) == (layers, same)


def test_a_page_is_read_by_itself_and_merged() -> None:
    first, second = rf.read(ONE.encode()), rf.read(TWO.encode())
    assert first.missing == ("Instances",)
    merged = first | second
    assert len(merged.instances) == 13
    with raises(InvalidArgument, "pages"):
        first.hosts(rf.preset("rainier", chips=128))


@pytest.mark.parametrize(
    "pages",
    [
        (ONE, ONE, TWO),  # a page twice
        (TWO, TWO),
        (TWO, json.dumps({"Instances": [row(99)]})),  # two listings that end
        (ONE, json.dumps({"Instances": [row(0)]})),  # an instance twice
        (ONE, json.dumps({"Instances": [row(50, AvailabilityZone="us-east-2c")]})),  # zone's name
        (ONE, json.dumps({"Instances": [row(50, OwnerId="1"), row(51, OwnerId="2")]})),
        ("{}",),
        ('{"Instances": {}}',),
        ('{"Instances": [{"InstanceType": "trn2.48xlarge"}]}',),
        ('{"Instances": [{"InstanceId": "i", "InstanceType": "t", "NetworkNodes": ["a", "a"]}]}',),
        ('{"Instances": [{"InstanceId": "i", "InstanceType": "t", "NetworkNodes": "a"}]}',),
        ('{"Instances": [], "Instances": []}',),
        ('{"Instances": [',),
        ('{"Instances": ' + "[" * 100_000,),
        ('{"Instances": [], "CapacityBlocks": [], "NextToken": "x"}',),
        (health("cb-1", TotalUnavailableCapacity=5),),
        (health("cb-1", TotalUnavailableCapacity=-1),),
        ("\0",),
    ],
)
def test_refuses_what_is_no_listing_of_one_account(pages: tuple[str, ...]) -> None:
    with pytest.raises(RainierError) as caught:
        rf.Ec2Topology.parse(*pages, name="page")
    assert "page" in str(caught.value)


def test_accounts_that_are_named_are_not_mixed() -> None:
    one = rf.Ec2Topology.parse(ONE, account="a")
    with raises(InvalidArgument, "account"):
        one | rf.Ec2Topology.parse(TWO, account="b")
    assert (one | rf.Ec2Topology.parse(TWO)).account == "a"


def test_hosts_of_each_instance_type() -> None:
    ec2 = whole()
    ultra = ec2.hosts(rf.preset("rainier", chips=128))
    assert [len(hosts) for _, hosts in ultra.groups] == [4, 2]
    assert any("i-13" in note for note in ultra.notes)
    assert any("assumed" in note for note in ultra.notes)
    alone = ec2.hosts(rf.preset("trn2"))
    assert [hosts for _, hosts in alone.groups] == [("i-8",), ("i-9",), ("i-14",)]
    small = rf.Ec2Topology.parse(json.dumps({"Instances": [row(1, "trn2.3xlarge")]}))
    assert small.hosts(rf.switch(1, bandwidth="1 GB/s")).count == 1
    with pytest.raises(Unsupported):
        ec2.hosts(rf.preset("h100"))
    with pytest.raises(UnknownName):
        ec2.hosts(rf.preset("trn2"), type="m5.large")
    with raises(InvalidArgument, "hosts"):
        small.hosts(rf.preset("trn2"))


def test_health_becomes_faults() -> None:
    machine = rf.preset("rainier", chips=192)
    assert len(whole(health("cb-1")).faults(machine)) == 0
    impaired = whole(health("cb-2", "impaired"))
    assert impaired.impaired == ("cb-2",)
    assert any("cb-2" in note for note in machine.place(96, hosts=impaired).assumed)
    assert impaired.faults(machine).ultraservers.tolist() == [1]
    assert len(impaired.faults(machine, impaired="ignore")) == 0
    # One instance of cb-1 is unavailable, and which is not said; both that cb-2 misses are.
    assert whole(health("cb-1", TotalUnavailableCapacity=1)).faults(
        machine
    ).ultraservers.tolist() == [0]
    gone = whole(health("cb-2", TotalUnavailableCapacity=2)).faults(machine)
    assert gone.chips.tolist() == list(range(96, 128))
    placed = machine.with_faults(faults=gone).place(rf.Layout(tp=16, dp=6), hosts=whole())
    assert placed.hosts == ("i-0", "i-1", "i-2", "i-3", "i-4", "i-5")
    with raises(InvalidArgument, "hosts"):
        whole().faults(rf.preset("trn2-ultraserver"))
