"""Links as arrays of edges and as a graph; tables as JSON and Parquet."""

from __future__ import annotations

import builtins
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rainier_fast as rf
from raising import raises

MACHINES = (
    rf.torus((3, 4), "1 GB/s"),
    rf.switch(4, "1 GB/s"),
    rf.preset("h100"),
    rf.preset("trn2-ultraserver"),
)


def small() -> list[rf.Machine]:
    return [one for one in MACHINES if one.num_links < 5000]


@pytest.mark.parametrize("machine", small(), ids=str)
def test_edges_are_the_links_by_number(machine: rf.Machine) -> None:
    edges = machine.edges()
    assert edges.index.shape == (2, machine.num_links)
    assert edges.index.dtype == np.int64
    nodes = [*(f"chip {chip}" for chip in range(machine.num_chips)), *edges.names]
    for link in range(machine.num_links):
        one = machine.link(link)
        ends = tuple(nodes[node] for node in edges.index[:, link])
        assert ends == (one.source, one.target)
        assert edges.bandwidth_Bps[link] == one.bandwidth_Bps
        assert edges.latency_s[link] == one.latency_s
        assert edges.dead[link] == one.dead


def test_ultraservers_repeat_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = rf.preset("rainier")
    one = rf.torus((2,), "1 GB/s")
    assert not one.edges().names
    from rainier_fast.results import edges as module

    ends = module._Ends(machine)
    inside = module._inside(ends, machine.num_links)
    for link in (0, 383, 384, 1_000_000, inside.shape[1] - 1):
        row = machine.link(link)
        assert inside[:, link].tolist() == [row.source_chip, row.target_chip]
    assert machine.link(inside.shape[1]).link_class.startswith("nic")


def test_loads_have_bytes_and_damage_is_told() -> None:
    ring = rf.torus((4,), "1 GB/s")
    assert ring.link_loads(0, 1, 1000).edges().bytes.tolist()[:2] == [1000.0, 0.0]
    broken = ring.with_faults(links=[0])
    assert broken.edges().dead.tolist() == [True, *[False] * 7]


def test_graphs_have_all_links_and_a_limit() -> None:
    machine = rf.switch(4, "1 GB/s")
    with raises(rf.Unsupported, None, "most_nodes"):
        machine.edges().to_networkx(most_nodes=4)
    pytest.importorskip("networkx")
    graph = machine.edges().to_networkx()
    assert graph.number_of_edges() == machine.num_links
    assert graph.number_of_nodes() == 5


def test_extras_that_are_missing_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    own = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.partition(".")[0] in ("networkx", "pyarrow"):
            raise ImportError(name)
        return own(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(rf.RainierError, match=r"rainier_fast\[graph\]"):
        rf.torus((2,), "1 GB/s").edges().to_networkx()
    with pytest.raises(rf.RainierError, match=r"rainier_fast\[parquet\]"):
        rf.Table({"a": [1]}).to_parquet(tmp_path / "a.parquet")


def test_tables_are_json() -> None:
    table = rf.Table({"what": ["a", None], "time_s": [0.1, float("inf")]})
    assert json.loads(table.to_json()) == {"what": ["a", None], "time_s": [0.1, None]}


def test_tables_are_parquet(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    table = rf.Table({"what": ["a", "b"], "n": [1, 2], "time_s": [0.1, 0.3]})
    table.to_parquet(tmp_path / "a.parquet")
    assert parquet.read_table(tmp_path / "a.parquet").to_pydict() == table.to_dict()
    with raises(rf.InvalidArgument, "columns"):
        rf.Table({"a": ["x", 1]}).to_parquet(tmp_path / "b.parquet")
