"""Every example runs, every promised name is there, and documents show what the program prints.

A fenced ``python`` block runs unless ``<!-- no-run -->`` stands before it; blocks of one file share
a namespace. ``<!-- prints -->`` marks a part of what the block before it prints, and
``<!-- output -->`` what the program prints: all in docs/tour.md, a part in the README.
"""

from __future__ import annotations

import doctest
import importlib
import os
import pkgutil
import re
import subprocess
import sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rainier_fast as rf
from raising import raises

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(
    r"(?P<mark><!--[ ]*no-run[ ]*-->\s*)?"
    r"^(?P<fence>`{3,})python[^\n]*\n(?P<code>.*?)^(?P=fence)\s*$",
    re.MULTILINE | re.DOTALL,
)
PRINTS = re.compile(r"\s*<!--[ ]*prints[ ]*-->\s*^```[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
OUTPUT = re.compile(r"<!--[ ]*output[ ]*-->\s*^```[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)


def documents() -> list[Path]:
    found = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [path for path in found if path.is_file()]


def blocks(path: Path) -> list[tuple[int, str, str]]:
    """Line and code of each block that runs, and what is shown of what it prints."""
    text = path.read_text("utf-8")
    found = []
    for match in BLOCK.finditer(text):
        if not match["mark"]:
            shown = PRINTS.match(text, match.end())
            line = text.count("\n", 0, match.start("code")) + 1
            found.append((line, match["code"], "" if shown is None else shown[1]))
    return found


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_blocks_of_documents_run(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    space: dict[str, Any] = {"__name__": "example"}
    for line, code, shown in blocks(path):
        with redirect_stdout(StringIO()) as printed:
            # Blank lines before it, so that an error names the line of the document.
            exec(compile("\n" * (line - 1) + code, str(path), "exec"), space)
        # A part of it, from some line to another.
        assert "\n".join(normalised(shown)) in "\n".join(normalised(printed.getvalue())), line


def test_the_readme_has_blocks_that_run() -> None:
    assert len(blocks(ROOT / "README.md")) >= 5


def modules() -> list[str]:
    found = pkgutil.walk_packages(rf.__path__, "rainier_fast.")
    return ["rainier_fast", *(module.name for module in found)]


@pytest.mark.parametrize("name", modules())
def test_examples_in_docstrings(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(name)
    results = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert results.failed == 0


def test_public_functions_have_examples() -> None:
    finder = doctest.DocTestFinder(recurse=False)
    things = {name: getattr(rf, name) for name in rf.__all__}
    inward = {"core", "row", "rows", "tables", "neuron_row"}  # what crosses to the core
    for kind in [one for one in things.values() if isinstance(one, type)]:
        if issubclass(kind, Exception):
            continue
        inherited = set(dir(float)) if issubclass(kind, float) else set()
        skipped = inward | inherited
        public = [name for name in dir(kind) if not name.startswith("_") and name not in skipped]
        methods = {f"{kind.__name__}.{name}": getattr(kind, name) for name in public}
        things |= {name: one for name, one in methods.items() if callable(one)}
    errors = {
        name for name, one in things.items() if isinstance(one, type) and issubclass(one, Exception)
    }
    bare = [
        name
        for name, one in things.items()
        if (callable(one) or isinstance(one, type))
        and name not in errors
        and one.__doc__
        and not any(test.examples for test in finder.find(one, name))
    ]
    assert bare == []


# ------------------------------------------------------------------ the contract


def test_names_of_machines() -> None:
    rainier = rf.preset("rainier")
    assert rainier.num_chips == 524_288
    assert rainier.num_ultraservers == 8192
    assert len(rainier.sites) == 3
    assert rf.preset("rainier", chips=1_048_576).num_chips == 1_048_576
    assert rf.preset("trn2-ultraserver").num_chips == 64
    assert rf.preset("trn2").num_chips == 16
    assert {"rainier", "trn2-ultraserver", "trn2"} <= set(rf.presets())
    assert all(isinstance(line, str) and "\n" not in line for line in rf.presets().values())
    torus = rf.torus((32, 32, 32), bandwidth="50 GB/s", latency="1 us")
    assert torus.num_chips == 32**3
    mesh3 = rf.torus(
        (4, 4, 2),
        bandwidth=("128 GB/s", "128 GB/s", "64 GB/s"),
        latency="1 us",
        wrap=(True, True, False),
    )
    assert mesh3.num_chips == 32
    cluster = rf.Cluster(
        sites=[
            rf.Site("indiana", ultraservers=4096, ultraserver=rf.TRN2_ULTRASERVER),
            rf.Site("mississippi", ultraservers=2048, ultraserver=rf.TRN2_ULTRASERVER),
        ],
        wan=rf.Wan(bandwidth="10 Tbps", latency="6 ms"),
    )
    assert isinstance(cluster, rf.Machine)
    assert cluster.num_chips == 64 * 6144
    assert cluster.num_links > 6 * cluster.num_chips
    for dtype in ("fp8", "bf16", "fp32"):
        assert cluster.peak_flops(dtype) > 1e18
    assert cluster.hbm_bytes == cluster.num_chips * 96 * 2**30
    chips = np.array([0, 65, 64 * 4096 + 21])
    where = cluster.coordinates(chips)
    assert where.dtype.names == ("site", "ultraserver", "x", "y", "z")
    assert where.tolist() == [(0, 0, 0, 0, 0), (0, 1, 1, 0, 0), (1, 0, 1, 1, 1)]
    named = {name: where[name] for name in where.dtype.names}
    assert np.array_equal(cluster.chip(**named), chips)
    assert cluster.chip(site=1, ultraserver=0, x=1, y=1, z=1) == chips[2]
    entry = rf.catalog()["trainium2"]
    assert entry["hbm_bandwidth"].unit
    assert entry["hbm_bandwidth"].source
    assert entry["hbm_bandwidth"].confidence


def test_names_of_routes_and_loads() -> None:
    torus = rf.torus((32, 32, 32), bandwidth="50 GB/s", latency="1 us")
    route = torus.route(0, 12345)
    assert route.links.size == route.hops
    assert route.latency_s == pytest.approx(route.hops * 1e-6)
    assert route.bandwidth_Bps == 50e9
    assert route.time_s("1 MiB") > route.latency_s
    src, dst, nbytes = np.arange(10), np.arange(10, 20), np.arange(10.0)
    for size in (nbytes, 8, "1 KiB"):
        loads = torus.link_loads(src, dst, size, routing="dor")
        assert loads.bytes.dtype == np.float64
        assert loads.bytes.shape == (torus.num_links,)
        assert loads.total_hop_bytes == loads.bytes.sum()
        assert loads.time_s == loads.bytes.max() / 50e9
        assert loads.utilisation(1.0).shape == loads.bytes.shape
        assert len(loads.top(10)) <= 10
        assert len(loads.by_class()) == 3
    for pattern in ("uniform", "transpose", "tornado", "bit_complement", "neighbor", "permutation"):
        assert torus.traffic(pattern, bytes_per_chip="1 MiB").total_hop_bytes > 0
    link = torus.link(0)
    for part in ("link_class", "source", "target", "bandwidth_Bps", "latency_s"):
        assert getattr(link, part) is not None


def test_names_of_damage_and_sharing() -> None:
    rainier = rf.preset("rainier", chips=4096, sites=3)
    hurt = rainier.with_faults(links=[1, 2], chips=[300], nics=[400], degrade={70: 0.5})
    result = hurt.all_reduce("1 GiB")
    check(result, "all_reduce")
    assert result.time_s > rainier.all_reduce("1 GiB").time_s
    assert len(hurt.faults) == 5
    assert hurt.healthy() == rainier
    with raises(rf.Unreachable, None, "chip 300 "):
        hurt.route(0, 300)
    assert hurt.unreachable([0, 0], [300, 1]).tolist() == [True, False]
    drawn = rainier.sample_faults("llama3", 24.0, 1)
    assert drawn.healthy() == rainier
    impact = rainier.impact({"chips": [300]}, "all_reduce", "1 GiB", policies=["detour"])
    assert impact.of("detour").time_s > impact.whole.time_s
    mesh = rainier.mesh(dp=-1, tp=64)
    plans = [mesh.plan.all_gather("64 MiB", axis="tp"), mesh.plan.all_reduce("1 GiB", axis="dp")]
    both = rainier.together(plans)
    assert [plan.slowdown for plan in both.plans] == [1.0, 1.0]
    ranking = rainier.best_mapping({"dp": -1, "tp": 64}, {"dp": ("all_reduce", "1 GiB")})
    assert ranking.best.time_s > 0


def test_names_of_collectives() -> None:
    machine = rf.preset("rainier", chips=4096, sites=3)
    names = ("all_reduce", "reduce_scatter", "all_gather", "all_to_all", "broadcast", "reduce")
    for name in (*names, "gather", "scatter"):
        result = getattr(machine, name)("1 GiB", group=None, algorithm="auto", model="link_load")
        check(result, name)
        assert rf.algorithms(name)
        check(getattr(machine.mesh(dp=-1, tp=64), name)("64 MiB", axis="tp"), name)
    check(machine.send_recv("1 GiB", shift=1), "send_recv")
    check(machine.barrier(), "barrier")
    assert all(isinstance(line, str) for line in rf.algorithms("all_reduce").values())
    assert set(rf.algorithms()) >= set(rf.algorithms("all_reduce"))


def check(result: rf.CollectiveResult, name: str) -> None:
    assert result.operation == name
    assert result.time_s > 0
    assert result.algbw_Bps >= 0
    assert result.busbw_Bps >= 0
    assert 0 < result.lower_bound_s <= result.time_s * (1 + 1e-9)
    assert result.efficiency == pytest.approx(result.lower_bound_s / result.time_s)
    assert isinstance(result.algorithm, str)
    assert result.model == "link_load"
    if name != "barrier":
        assert result.bottleneck is not None
        assert result.bottleneck.link_class
        assert 0 < result.bottleneck.utilisation <= 1 + 1e-9
    for column in ("what", "tier", "bytes", "latency_s", "serialisation_s"):
        assert len(result.phases[column]) == len(result.phases)
    assert isinstance(result.link_loads(), rf.LinkLoads)
    assert result.to_dict()["time_s"] == result.time_s


def test_names_of_comparisons() -> None:
    table = rf.compare(["rainier", "gb200-nvl72", "tpu-v5p"], "all_reduce", "1 GiB")
    assert len(table) == 3
    assert table["machine"].tolist() == ["rainier", "gb200-nvl72", "tpu-v5p"]
    assert all(row["time_s"] > 0 for row in table)
    assert len(table.to_dict()["time_s"]) == 3
    assert table._repr_html_().startswith("<")


def test_errors_are_what_python_users_expect() -> None:
    for kind in (
        rf.InvalidArgument,
        rf.InvalidType,
        rf.UnknownName,
        rf.Unreachable,
        rf.Unsupported,
    ):
        assert issubclass(kind, rf.RainierError)
    assert issubclass(rf.InvalidArgument, ValueError)
    assert issubclass(rf.InvalidType, TypeError)
    assert issubclass(rf.UnknownName, KeyError)


def test_everything_says_what_it_is() -> None:
    machine = rf.preset("rainier", chips=4096, sites=3)
    result = machine.all_reduce("1 GiB")
    things = (
        machine,
        result,
        result.phases,
        result.link_loads(),
        machine.route(0, 5),
        machine.link(3),
    )
    for thing in things:
        assert len(str(thing)) > 10
        assert " object at 0x" not in str(thing)
        assert " object at 0x" not in repr(thing)
    for thing in things[:5]:
        assert thing._repr_html_().startswith("<")
    names = {name: getattr(rf, name) for name in dir(rf)}
    assert eval(repr(machine), {**names, "rainier_fast": rf}) == machine
    assert isinstance(result.to_dict(), dict)
    try:
        import pandas  # noqa: F401
    except ImportError:
        with raises(rf.RainierError, None, "pandas"):
            result.phases.to_pandas()
    else:
        assert len(result.phases.to_pandas()) == len(result.phases)


def test_pandas_is_loaded_only_when_asked_for() -> None:
    code = (
        "import sys, rainier_fast as rf; r = rf.preset('trn2').all_reduce(1e6);"
        "str(r), r.to_dict(), r.phases._repr_html_(); print('pandas' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "False"


# ------------------------------------------------------------------ what the program prints


def normalised(text: str) -> list[str]:
    lines = [" ".join(line.split()) for line in text.strip().splitlines()]
    return [line for line in lines if not line.startswith("calculated in")]


def test_documents_show_what_the_program_prints() -> None:
    names = ("docs/tour.md", "README.md")
    found = [OUTPUT.search((ROOT / name).read_text("utf-8")) for name in names]
    whole, part = (normalised(one[1]) for one in found if one is not None)
    done = subprocess.run(
        [sys.executable, "-m", "rainier_fast"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env=os.environ | {"PYTHONIOENCODING": "utf-8"},
    )
    assert whole == normalised(done.stdout)
    assert len(part) > 10
    assert "\n".join(part) in "\n".join(whole)
