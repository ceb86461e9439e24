"""Results: routes, loads, collectives and tables."""

from __future__ import annotations

import json
import math
import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import rainier_fast as rf
from raising import raises

RING = rf.torus(8, "1 GB/s", "1 us", overhead="2 us")
TORUS = rf.torus((4, 4), "50 GB/s", "1 us")


def test_a_route_times_a_message() -> None:
    route = RING.route(0, 3)
    assert route.links.dtype == np.int64
    assert (route.hops, route.mean_hops) == (3, 3.0)
    assert route.time_s(1000) == pytest.approx(2e-6 + 3e-6 + 1e-6)
    assert route.time_s(1000, "store_and_forward") == pytest.approx(2e-6 + 3 * (1e-6 + 1e-6))
    assert route.to_table()["from"].tolist() == ["chip 0", "chip 1", "chip 2"]
    assert json.loads(json.dumps(route.to_dict()))["hops"] == 3
    assert pickle.loads(pickle.dumps(route)) == route
    assert not route.links.flags.writeable
    with pytest.raises(AttributeError):
        route.hops = 1


def test_a_spread_route_is_faster_and_has_no_single_path() -> None:
    route = RING.route(0, 4)
    assert route.bandwidth_Bps == 2e9
    assert (route.hops, len(route.links)) == (4, 8)
    with raises(rf.Unsupported, None, "store_and_forward", "cut_through"):
        route.time_s(1, "store_and_forward")


def test_a_route_to_itself_takes_no_time() -> None:
    route = RING.route(3, 3)
    assert route.links.size == 0
    assert route.bandwidth_Bps == math.inf
    assert route.time_s("1 GiB") == route.time_s("1 GiB", "store_and_forward") == 0
    json.dumps(route.to_dict(), allow_nan=False)
    assert "no links" in str(route)


def test_loads_add_up() -> None:
    machine = rf.torus((4, 4), ("1 GB/s", "0.5 GB/s"))
    loads = machine.link_loads([0, 0], [1, 4], [1000, 800])
    assert loads.time_s == pytest.approx(1.6e-6)
    assert loads.total_hop_bytes == 1800 == loads.bytes.sum()
    assert loads.bottleneck is not None
    assert (loads.bottleneck.link_class, loads.bottleneck.bytes) == ("y", 800)
    assert machine.link(loads.bottleneck.link).source_chip == 0
    table = loads.by_class()
    assert table["class"].tolist() == ["x", "y"]
    assert table["links"].tolist() == [32, 32]
    assert table["in_use"].tolist() == [1, 1]
    assert table["total_bytes"].tolist() == [1000, 800]
    assert loads.utilisation("1.6 us").max() == pytest.approx(1)
    top = loads.top(5)
    assert top["bytes"].tolist() == [800, 1000]
    assert pickle.loads(pickle.dumps(loads)) == loads
    json.dumps(loads.to_dict(), allow_nan=False)
    assert "y" in str(loads)
    assert "<table>" in loads._repr_html_()
    assert not loads.bytes.flags.writeable
    with pytest.raises(AttributeError):
        loads.time_s = 1.0


def test_top_takes_the_lowest_numbers_of_equal_links() -> None:
    loads = rf.preset("rainier", chips=640, sites=3).traffic("uniform", "1 MiB")
    seconds = loads.bytes / loads.machine._core.link_bandwidths()
    order = np.lexsort((np.arange(seconds.size), -seconds))
    for count in (1, 7, 100, seconds.size):
        busy = order[:count][seconds[order[:count]] > 0]
        assert loads.top(count)["link"].tolist() == busy.tolist()
    assert loads.time_s == seconds.max()
    assert loads.bottleneck is not None
    assert loads.bottleneck.link == order[0]
    np.testing.assert_allclose(loads.utilisation(2.0), seconds / 2)


def test_loads_of_millions_of_links_are_blocked(monkeypatch: pytest.MonkeyPatch) -> None:
    from rainier_fast.results import link_loads

    loads = rf.preset("rainier", chips=640, sites=3).traffic("uniform", "1 MiB")
    whole = loads.utilisation(1.0), loads.top(9)
    monkeypatch.setattr(link_loads, "_BLOCK", 100)
    assert (loads.utilisation(1.0) == whole[0]).all()
    assert loads.top(9) == whole[1]


OPERATIONS = [
    "all_reduce",
    "reduce_scatter",
    "all_gather",
    "all_to_all",
    "broadcast",
    "reduce",
    "gather",
    "scatter",
    "send_recv",
]


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("chips", [64, 192])
def test_a_collective_says_what_it_is(operation: str, chips: int) -> None:
    machine = rf.preset("rainier", chips=chips, sites=chips // 64)
    result: rf.CollectiveResult = getattr(machine, operation)("16 MiB")
    assert result.operation == operation
    assert result.ranks == chips
    assert 0 < result.lower_bound_s <= result.time_s * (1 + 1e-9)
    assert result.efficiency == result.lower_bound_s / result.time_s
    parts = result.latency_s + result.overhead_s + result.serialisation_s
    assert parts == pytest.approx(result.time_s)
    assert result.algbw_Bps == 2**24 / result.time_s
    assert result.bottleneck is not None
    assert 0 < result.bottleneck.utilisation <= 1 + 1e-9
    assert result.link_loads().bytes.shape == (machine.num_links,)
    assert len(result.phases) > 0
    assert result.why
    assert json.loads(json.dumps(result.to_dict(), allow_nan=False))["ranks"] == chips
    assert operation in str(result)
    assert operation in repr(result)
    assert "<table>" in result._repr_html_()


def test_a_result_pickles_and_finds_its_loads_again() -> None:
    machine = rf.preset("trn2-ultraserver")
    for result in (
        machine.all_reduce("1 MiB"),
        machine.all_reduce("1 MiB", group=[5, 1, 9], routing=rf.DimensionOrder("positive")),
        machine.mesh(a=4, b=16).broadcast(2**20, axis="b", root=3),
    ):
        again = pickle.loads(pickle.dumps(result))
        assert again == result
        assert again.link_loads() == result.link_loads()


@pytest.mark.parametrize("operation", ["all_reduce", "all_gather", "all_to_all", "broadcast"])
@pytest.mark.parametrize("model", ["link_load", "alpha_beta", "fluid"])
def test_loads_that_are_found_again_are_the_same_to_the_bit(operation: str, model: str) -> None:
    cluster = rf.preset("rainier", chips=256, sites=2)
    hurt = cluster.with_faults(links=[7], nics=[70])
    for machine in (rf.preset("trn2"), cluster, hurt) if model != "fluid" else (cluster,):
        result: rf.CollectiveResult = getattr(machine, operation)("3 MiB", model=model)
        outcome = result.request.outcome(machine)  # what was asked for: all candidates anew
        assert (outcome.algorithm, outcome.time) == (result.algorithm, result.time_s)
        assert result.link_loads().bytes.tolist() == outcome.link_loads().tolist()


def test_steps_are_those_of_one_chunk() -> None:
    ring = rf.torus((8,), bandwidth="50 GB/s", latency="1 us")
    assert ring.all_reduce("1 MiB", algorithm="ring").steps == 14
    assert ring.all_gather("1 MiB", algorithm="bruck").steps == 3
    cluster = rf.preset("rainier", chips=256)
    result = cluster.all_reduce("1 GiB")
    assert result.steps == result.stages["steps"].sum()
    assert cluster.all_reduce("1 GiB", chunks=1).steps >= 3
    assert rf.preset("trn2").all_reduce(1, group=[3]).steps == 0


def test_the_busiest_link_carries_what_the_result_says() -> None:
    result = rf.preset("trn2").all_gather("1 MiB")
    assert result.bottleneck is not None
    loads = result.link_loads()
    assert loads.bytes[result.bottleneck.link] == pytest.approx(result.bottleneck.bytes)
    utilisation = loads.utilisation(result.time_s)
    assert utilisation.max() == pytest.approx(result.bottleneck.utilisation)


def test_a_group_of_one_costs_nothing() -> None:
    result = TORUS.all_reduce("1 GiB", group=[3])
    assert (result.time_s, result.lower_bound_s, result.efficiency) == (0, 0, 1)
    assert (result.algbw_Bps, result.busbw_Bps) == (math.inf, 0)
    assert TORUS.all_reduce(0, group=[3]).algbw_Bps == 0
    json.dumps(result.to_dict(), allow_nan=False)
    assert "nothing" in str(result)


def test_a_barrier_moves_no_bytes() -> None:
    result = TORUS.barrier()
    assert result.time_s > 0
    assert result.size_bytes == 0
    assert result.link_loads().total_hop_bytes == 0
    assert str(result)


def test_bandwidths_are_those_of_nccl_tests() -> None:
    result = TORUS.all_reduce("1 MiB")
    assert result.busbw_Bps == pytest.approx(result.algbw_Bps * 2 * 15 / 16)
    result = TORUS.all_gather("1 MiB")
    assert result.busbw_Bps == pytest.approx(result.algbw_Bps * 15 / 16)


def test_send_recv_shifts() -> None:
    assert TORUS.send_recv(1000).link_loads() != TORUS.send_recv(1000, shift=-1).link_loads()
    assert TORUS.send_recv(1000, shift=16).time_s == 0


def test_a_named_algorithm_is_used() -> None:
    for name in ("ring", "bucket"):
        result = TORUS.all_reduce("1 MiB", algorithm=name)
        assert result.algorithm == name
        assert "asked for" in result.why
    assert "fastest" in TORUS.all_reduce("1 MiB").why
    best = TORUS.all_reduce("1 MiB").time_s
    assert best == min(
        row["time_s"] for row in TORUS.all_reduce("1 MiB").candidates if row["time_s"] >= 0
    )


def table() -> rf.Table:
    return rf.Table(
        {"what": ["a", "<b>"], "time_s": [1e-3, math.nan], "bytes": [1024.0, 0.0], "n": [1, 20_000]}
    )


def test_a_table_reads_in_every_way() -> None:
    assert len(table()) == 2
    assert next(iter(table())) == {"what": "a", "time_s": 1e-3, "bytes": 1024.0, "n": 1}
    assert table().to_dict()["time_s"] == [1e-3, None]
    assert table().to_csv() == "what,time_s,bytes,n\na,0.001,1024.0,1\n<b>,,0.0,20000\n"
    assert str(table()).splitlines()[1].split() == ["a", "1.00", "ms", "1.00", "KiB", "1"]
    assert "<b>" not in table()._repr_html_()
    assert "&lt;b&gt;" in table()._repr_html_()
    assert list(table().columns) == ["what", "time_s", "bytes", "n"]
    assert table() == pickle.loads(pickle.dumps(table()))
    assert table() != rf.Table({"what": ["a"]})
    assert str(rf.Table({})) == ""
    assert str(rf.Table({"time_s": []})) == "time_s"


def test_a_table_cannot_be_changed() -> None:
    assert not table()["n"].flags.writeable
    with raises(rf.UnknownName, "column"):
        table()["m"]
    with raises(rf.InvalidArgument, "columns"):
        rf.Table({"a": [1], "b": [1, 2]})


def test_pandas_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    modules: dict[str, Any] = sys.modules
    monkeypatch.setitem(modules, "pandas", None)
    with raises(rf.RainierError, None, "pip install pandas"):
        table().to_pandas()


def test_a_result_and_its_text_load_no_readers_of_tables() -> None:
    code = """
import subprocess
import sys
import rainier_fast as rf
str(rf.preset("trn2").all_reduce("1 MiB"))
late = ("formats", "measured.public", "ask.schedule", "results.link_loads")
print([name for name in late if f"rainier_fast.{name}" in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
