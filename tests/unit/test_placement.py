"""Jobs on chips and hosts: packing, order, launchers' files, round trips, broken files."""

from __future__ import annotations

import json
import pickle
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rainier_fast as rf
from rainier_fast.errors import InvalidArgument, InvalidType, RainierError, Unsupported
from rainier_fast.placement.packing import levels_of, pack
from raising import raises

RAINIER = rf.preset("rainier", chips=256)
NAMES = "trn[01-16]"
DATA = Path(__file__).parents[1] / "data" / "placement"


def test_a_layout_goes_up_with_chips() -> None:
    placed = RAINIER.place(rf.Layout(tp=16, pp=2, dp=4), hosts=NAMES)
    assert placed.chips.tolist() == list(range(128))
    assert placed.axes == (("tp", 16, 1), ("dp", 4, 16), ("pp", 2, 64))
    assert placed.hosts == tuple(rf.expand_hosts("trn[01-08]"))
    assert placed.where(17) == ("trn02", 1)
    assert placed.groups("pp")[3].tolist() == [3, 67]
    assert placed.table()["dp"][16:18].tolist() == [1, 1]
    assert RAINIER.all_reduce("1 MiB", group=placed.groups("dp")).groups == 32


def test_what_is_left_goes_to_data_parallel_ranks() -> None:
    placed = RAINIER.with_faults(ultraservers=[0]).place(rf.Layout(tp=64))
    assert (len(placed), int(placed.chips[0])) == (192, 64)


@pytest.mark.parametrize("axes", [{"dp": 16, "tp": 16}, {"a": 4, "b": 16, "c": 4}])
def test_a_mapping_is_exported_as_an_order_of_ranks(axes: dict[str, int]) -> None:
    calls: Any = dict.fromkeys(axes, ("all_reduce", "64 MiB"))
    best = RAINIER.best_mapping(axes, calls).best
    placed = RAINIER.place(best, hosts=NAMES)
    assert placed.chips.tolist() == best.chips.ravel().tolist()
    lines = placed.launch("slurm").split()
    hosts = rf.expand_hosts(NAMES)
    assert lines == [hosts[chip // 16] for chip in placed.chips.tolist()]
    for axis in axes:
        rows = {tuple(row) for row in placed.groups(axis).tolist()}
        assert rows == {tuple(row) for row in best.groups(axis).to_array().tolist()}
    assert "preserve_rank_order" in str(placed)


def test_a_permuted_mesh_with_interleaved_hosts_needs_a_host_for_each_rank() -> None:
    order = np.arange(256).reshape(16, 16).T.ravel()
    placed = RAINIER.place(RAINIER.mesh(dp=16, tp=16, order=order), hosts=NAMES)
    assert not placed.is_by_host
    for form in ("hosts", "hostfile", "nodelist", "torchrun"):
        with pytest.raises(Unsupported):
            placed.launch(form)
    assert placed.launch("rankfile").splitlines()[1] == "rank 1=trn02 slot=0"
    again = rf.HostList.parse(placed.launch("rankfile"))
    assert again.ranks() == tuple(placed.launch("slurm").split())


def test_hosts_in_another_order_make_a_reordered_host_list() -> None:
    order = np.arange(256).reshape(16, 16)[::-1].ravel()
    placed = RAINIER.place(RAINIER.mesh(dp=16, tp=16, order=order), hosts=NAMES)
    assert placed.launch("hosts").split() == rf.expand_hosts(NAMES)[::-1]
    assert rf.expand_hosts(placed.launch("nodelist").strip()) == list(placed.hosts)
    assert rf.HostList.parse(placed.launch("hostfile")).ranks() == tuple(
        placed.launch("slurm").split()
    )
    assert placed.launch("torchrun").splitlines()[0].startswith("trn16: torchrun --nnodes=16")


def test_jax_has_the_place_of_each_device() -> None:
    order = np.random.default_rng(1).permutation(256)
    placed = RAINIER.place(RAINIER.mesh(dp=16, tp=16, order=order), hosts=NAMES)
    # jax.devices(): by process, which is the place in `hosts`, then by device.
    devices = [(host, device) for host in placed.hosts for device in range(16)]
    found = [devices[at] for at in json.loads(placed.launch("jax"))]
    assert found == [placed.where(rank) for rank in range(256)]


def test_local_ranks_are_those_that_launchers_give() -> None:
    order = np.random.default_rng(1).permutation(256)
    placed = RAINIER.place(RAINIER.mesh(a=256, order=order), hosts=NAMES)
    seen: dict[str, int] = {}
    for row in placed.table():
        assert row["local_rank"] == seen.get(row["host"], 0)
        seen[row["host"]] = row["local_rank"] + 1
        assert row["chip"] == rf.expand_hosts(NAMES).index(row["host"]) * 16 + row["device"]


def test_ranks_are_cores_where_that_is_said() -> None:
    placed = rf.preset("trn2").place(rf.Layout(tp=64, ranks_per_chip=4))
    assert placed.chips.tolist() == np.repeat(np.arange(16), 4).tolist()
    assert placed.device.tolist() == list(range(64))
    with pytest.raises(Unsupported):
        placed.groups("tp")


def test_packing_goes_round_faults_and_jobs() -> None:
    broken = RAINIER.with_faults(chips=[5], nics=[16])
    one = broken.place(16)
    assert one.hosts == ("us0-host1",)  # the fullest UltraServer; its dead NIC does not matter
    two = broken.place(rf.Layout(tp=64, dp=3), taken=[one])
    assert two.hosts[0] == "us1-host0"
    with raises(InvalidArgument, "job"):
        broken.place(rf.Layout(tp=64, dp=1), taken=[one, two])
    rest = broken.place(32, taken=[one, two])
    assert rest.hosts == ("us0-host2", "us0-host3")
    with pytest.raises(Unsupported):
        broken.place(broken.mesh(dp=16, tp=16))


def test_parts_are_used_where_whole_ultraservers_lack() -> None:
    broken = RAINIER.with_faults(chips=[5, 70])
    placed = broken.place(rf.Layout(tp=16, dp=12))
    assert len(placed.hosts) == 12
    wide = broken.place(rf.Layout(tp=32, dp=6))
    pairs = np.unique(wide.chips // 32)
    assert len(pairs) == 6  # each pair of hosts is two planes side by side
    with raises(InvalidArgument, "job"):
        broken.place(rf.Layout(tp=64, dp=3))


def brute(free: np.ndarray[Any, Any], count: int, leaves: np.ndarray[Any, Any]) -> int:
    """The fewest leaf groups that have so many whole UltraServers."""
    sizes = sorted(np.bincount(leaves[free.all(axis=1)], minlength=1).tolist(), reverse=True)
    total = groups = 0
    while total < count:
        total += sizes[groups]
        groups += 1
    return groups


def test_packing_takes_the_fewest_leaf_groups() -> None:
    chance = np.random.default_rng(3)
    for _ in range(60):
        free = chance.random((24, 4)) < 0.9
        levels = levels_of([(24, [4])])
        whole = int(free.all(axis=1).sum())
        for count in range(1, whole + 1):
            picked = pack(free, 4 * count, levels)
            assert len(set(picked)) == 4 * count == len(picked)
            assert all(free[at] for at in picked)
            leaves = {int(levels[-1][server]) for server, _ in picked}
            assert len(leaves) == brute(free, count, levels[-1])


def test_slurm_says_who_shares_an_ultraserver() -> None:
    blocks = rf.SlurmTopology.parse("BlockName=a Nodes=n[1-3]\nBlockName=b Nodes=m[1-4]")
    placed = RAINIER.place(rf.Layout(tp=64, dp=1), hosts=blocks)
    assert placed.hosts == ("m1", "m2", "m3", "m4")
    torus = rf.read(DATA / "topology.yaml")
    big = rf.preset("rainier", chips=64 * 16)
    found = big.place(rf.Layout(tp=64, dp=1), hosts=torus)
    assert found.hosts == ("n01", "n02", "n05", "n06")
    with pytest.raises(Unsupported):
        RAINIER.place(16, hosts=rf.SlurmTopology.parse("- topology: a\n  flat: true\n"))


def test_refuses_hosts_and_jobs_that_do_not_fit() -> None:
    with raises(InvalidArgument, "hosts"):
        RAINIER.place(16, hosts="n[01-17]")
    with raises(InvalidArgument, "hosts"):
        RAINIER.place(16, hosts="a,b,a")
    with raises(InvalidArgument, "job"):
        RAINIER.place(512)
    with raises(InvalidType, "job"):
        RAINIER.place("everything")  # type: ignore[arg-type]
    with raises(InvalidArgument, "chips_per_host"):
        RAINIER.place(16, chips_per_host=24)
    with pytest.raises(Unsupported):
        rf.preset("tpu-v5p").place(16)
    with raises(InvalidArgument, "taken"):
        RAINIER.place(16, taken=[rf.preset("trn2").place(1)])
    assert rf.preset("tpu-v5p").place(16, chips_per_host=4).ranks_per_host == 4
    assert rf.preset("h100", chips=64).place(rf.Layout(tp=8)).ranks_per_host == 8


def test_tenants_and_steps_are_placed() -> None:
    tenant = rf.Tenant("a", "all_reduce", "1 GiB", instances=2)
    assert len(RAINIER.place(tenant)) == 32
    job = rf.Training("llama-3.1-8b", sequence=8192, batch=64)
    step = RAINIER.training_step(job, rf.Layout(tp=16), chips=64)
    assert RAINIER.place(step).axes == (("tp", 16, 1), ("dp", 4, 16))
    assert len(RAINIER.place(RAINIER.best_layouts(job, chips=64, keep=1, cp=1, pp=1))) == 64
    with raises(InvalidType, "job"):
        RAINIER.place(rf.Training("llama-3.1-8b", sequence=8192, batch=64))  # type: ignore[arg-type]


def test_saves_and_comes_back(tmp_path: Path) -> None:
    placed = RAINIER.place(rf.Layout(tp=16, dp=8), hosts=NAMES)
    placed.save(tmp_path / "p.json")
    for again in (
        rf.Placement.load(tmp_path / "p.json"),
        rf.read(tmp_path / "p.json"),
        pickle.loads(pickle.dumps(placed)),
    ):
        assert again == placed
        assert hash(again) == hash(placed)
        assert again.launch("csv") == placed.to_csv()
    placed.write(tmp_path / "hosts", "slurm")
    assert rf.read(tmp_path / "hosts").ranks() == tuple(placed.launch("slurm").split())


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("version", 9),
        ("chips", [0, 0]),
        ("chips", [0, 1, 2]),
        ("chips", [0, 10**9]),
        ("chips", [True, 1]),
        ("host", [0, 1]),
        ("device", [0, 0]),
        ("hosts", ["a", "a"]),
        ("hosts", ["a", "b"]),
        ("axes", [["tp", 3, 1]]),
        ("ranks_per_chip", 0),
        ("extra", 1),
        ("what", None),
    ],
)
def test_refuses_files_that_contradict_themselves(key: str, value: object) -> None:
    content = rf.preset("trn2").place(2).to_dict() | {key: value}
    with pytest.raises(InvalidArgument) as caught:
        rf.Placement.parse(json.dumps(content), "p.json")
    assert "p.json" in str(caught.value)


def mutated(text: bytes, chance: random.Random) -> bytes:
    data = bytearray(text)
    at = chance.randrange(len(data))
    kind = chance.randrange(4)
    if kind == 0:
        return bytes(data[:at])
    if kind == 1:
        data[at] ^= 1 << chance.randrange(8)
    elif kind == 2:
        data[at:at] = chance.choice((b"[", b'"', b"\xff", b"9999999999999999999", b"{", b"\n"))
    else:
        del data[at : at + chance.randrange(1, 40)]
    return bytes(data)


@pytest.mark.parametrize("name", ["ec2", "conf", "yaml", "hosts", "placement"])
def test_broken_files_are_read_or_refused(name: str) -> None:
    ids = [{"InstanceId": f"i-{at}", "InstanceType": "t", "NetworkNodes": ["a"]} for at in range(3)]
    texts = {
        "ec2": json.dumps({"Instances": ids}).encode(),
        "conf": b"SwitchName=a Nodes=n[1-4]\nSwitchName=b Switches=a LinkSpeed=3\n",
        "yaml": (DATA / "topology.yaml").read_bytes(),
        "hosts": b"trn[1-4] # x\na slots=4\nb:3\n",
        "placement": rf.preset("trn2").place(rf.Layout(tp=4, dp=4)).launch("json").encode(),
    }
    parse: dict[str, Any] = {
        "ec2": rf.Ec2Topology.parse,
        "conf": rf.SlurmTopology.parse,
        "yaml": rf.SlurmTopology.parse,
        "hosts": rf.HostList.parse,
        "placement": rf.Placement.parse,
    }
    chance, refused = random.Random(name), 0
    for _ in range(40):
        try:
            parse[name](mutated(texts[name], chance))
        except RainierError:
            refused += 1
    assert refused
