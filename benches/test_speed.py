"""pytest-benchmark figures of the public calls, for reading; `gate.py` decides.

Run with `python -m pytest benches --benchmark-enable`. Absolute times describe this machine now and
nothing else.
"""

from typing import Any

import numpy as np
import pytest

import rainier_fast as rf

from yardsticks import numpy_intervals, random_pairs

FLOWS = 1_000_000
SIDE = 32


@pytest.fixture(scope="module", autouse=True)
def release_build() -> None:
    if rf.build_info()["profile"] != "release":
        pytest.fail("benchmarks of a debug build mean nothing: install with `pip install .`")


@pytest.fixture(scope="module")
def pairs() -> Any:
    return random_pairs(FLOWS, SIDE**3)


@pytest.fixture(scope="module")
def torus() -> Any:
    return rf.torus((SIDE,) * 3, bandwidth="50 GB/s", latency="1 us")


@pytest.mark.benchmark(group="1 M random flows, 32^3")
def test_dimension_order(benchmark: Any, torus: Any, pairs: Any) -> None:
    loads = benchmark(torus.link_loads, *pairs, 1)
    assert loads.total_hop_bytes > 0


@pytest.mark.benchmark(group="1 M random flows, 32^3")
def test_dimension_order_bytes_per_flow(benchmark: Any, torus: Any, pairs: Any) -> None:
    nbytes = np.random.default_rng(3).integers(1, 1 << 20, FLOWS).astype(float)
    loads = benchmark(torus.link_loads, *pairs, nbytes)
    assert loads.total_hop_bytes > 0


@pytest.mark.benchmark(group="1 M random flows, 32^3")
def test_numpy_intervals(benchmark: Any, pairs: Any) -> None:
    assert benchmark(numpy_intervals, *pairs, SIDE).sum() > 0


@pytest.mark.benchmark(group="uniform, all pairs")
@pytest.mark.parametrize("chips", [65_536, 524_288])
def test_uniform(benchmark: Any, chips: int) -> None:
    cluster = rf.preset("rainier", chips=chips, sites=3)
    assert benchmark(cluster.traffic, "uniform", bytes_per_chip="1 MiB").time_s > 0


@pytest.mark.benchmark(group="1 GiB all-reduce")
@pytest.mark.parametrize("chips", [64, 65_536, 1_048_576])
def test_all_reduce(benchmark: Any, chips: int) -> None:
    cluster = rf.preset("rainier", chips=chips, sites=3)
    # By a machine that remembers nothing of the run before.
    assert benchmark(lambda: cluster.healthy().all_reduce("1 GiB")).time_s > 0


@pytest.mark.benchmark(group="1 GiB all-reduce")
def test_sort_a_million(benchmark: Any) -> None:
    values = np.random.default_rng(0).random(1_000_000)
    assert benchmark(np.sort, values).size == 1_000_000


@pytest.mark.benchmark(group="finish times of a permutation")
@pytest.mark.parametrize("model", ["fluid", "fifo"])
@pytest.mark.parametrize("side", [20, 32])
def test_finish_times(benchmark: Any, side: int, model: str) -> None:
    cube = rf.torus((side,) * 3, bandwidth=1.0)
    src, dst = np.arange(side**3), np.random.default_rng(1).permutation(side**3)
    assert benchmark(cube.finish_times, src, dst, 1, model=model).max() > 0


@pytest.mark.benchmark(group="finish times of all pairs")
@pytest.mark.parametrize("side", [4, 8])
def test_finish_times_of_all_pairs(benchmark: Any, side: int) -> None:
    cube = rf.torus((side,) * 3, bandwidth=1.0)
    pairs = np.divmod(np.arange(side**6), side**3)
    assert benchmark(cube.finish_times, *pairs, 1).max() > 0
