"""What a newcomer meets first: names, spelling mistakes, text on a screen."""

from __future__ import annotations

import pydoc
from typing import Any

import numpy as np
import pytest

import rainier_fast as rf
from raising import raises

TRN2 = rf.preset("trn2")
MESH = TRN2.mesh(dp=4, tp=4)
RAINIER = rf.preset("rainier")


def test_dir_has_public_names_only() -> None:
    assert dir(rf) == sorted(rf.__all__)
    for name in dir(rf):
        assert getattr(rf, name) is not None


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("trn3", "trn3-ultraserver-gen2"),
        ("trn3-gen2-ultraserver", "trn3-ultraserver-gen2"),
        ("trn3-gen1-ultraserver", "trn3-ultraserver-gen1"),
        ("tpu-v7", "tpu-ironwood"),
        ("TPU v7", "tpu-ironwood"),
        ("trillium", "tpu-v6e"),
        ("nvl72", "gb200-nvl72"),
        ("hgx-h100", "h100"),
        ("rainer", "rainier"),
    ],
)
def test_a_preset_is_found_by_other_words(said: str, meant: str) -> None:
    for ask in (rf.preset, lambda name: rf.compare([name], "barrier")):
        with raises(rf.UnknownName, "preset") as caught:
            ask(said)
        assert repr(meant) in str(caught.value).partition("did you mean")[2]


ASKED: list[tuple[Any, str, str]] = [
    (lambda: rf.catalog()["trn3"], "catalog", "trn3-ultraserver-gen2"),
    (lambda: rf.catalog()["tpu-v7"], "catalog", "tpu-ironwood"),
    (lambda: rf.catalog()["trainium2"]["hbm"], "figure", "hbm_bytes"),
    (lambda: TRN2.all_reduce(1, algorithm="multi-ring"), "algorithm", "multi_ring"),
    (lambda: TRN2.all_reduce(1, model="alphabeta"), "model", "alpha_beta"),
    (lambda: TRN2.all_reduce(1, routing="wildfirst"), "routing", "wild_first"),
    (lambda: MESH.all_reduce(1, axis="t"), "axis", "tp"),
    (lambda: TRN2.peak_flops("bfloat16"), "dtype", "bf16"),
    (lambda: rf.compare(["trn2"], "allreduce", 1), "collective", "all_reduce"),
]


@pytest.mark.parametrize(("ask", "argument", "meant"), ASKED)
def test_errors_know_what_is_meant(ask: Any, argument: str, meant: str) -> None:
    with raises(rf.UnknownName, argument) as caught:
        ask()
    assert repr(meant) in str(caught.value).partition("did you mean")[2]


def test_nothing_is_meant_by_what_is_like_nothing() -> None:
    with pytest.raises(rf.UnknownName) as caught:
        rf.preset("qqqqqqqq")
    assert "did you mean" not in str(caught.value)


def test_a_mesh_takes_a_mapping_or_keywords() -> None:
    assert RAINIER.mesh({"dp": -1, "tp": 64}) == RAINIER.mesh(dp=-1, tp=64)
    assert RAINIER.mesh({"dp": -1}, tp=64).shape == {"dp": 8192, "tp": 64}
    assert TRN2.mesh(axes=16).shape == {"axes": 16}
    with raises(rf.InvalidArgument, "tp"):
        RAINIER.mesh({"dp": -1, "tp": 64}, tp=64)
    for bad in ([("dp", 4)], "dp", 4, None, {}):
        with raises(rf.RainierError, "axes"):
            TRN2.mesh(bad)  # type: ignore[arg-type]
    assert TRN2.mesh({"dp": np.uint64(4), "tp": np.int8(-1)}).shape == {"dp": 4, "tp": 4}


def test_an_entry_of_the_catalogue_is_iterated_by_names() -> None:
    entry = rf.catalog()["trainium2"]
    assert list(entry) == list(entry.figures)
    assert len(entry) == len(entry.figures)
    assert all(name in entry for name in entry)
    assert 3 not in entry


def test_numpy_integers_are_integers_of_jobs() -> None:
    one = rf.Tenant("a", "all_reduce", 1, instances=np.uint64(1))  # type: ignore[arg-type]
    assert one == rf.Tenant("a", "all_reduce", 1, instances=1)
    assert TRN2.tenants([one])[np.int8(0)].name == "a"  # type: ignore[index]


def test_plans_are_found_by_number_and_name() -> None:
    both = TRN2.together([MESH.plan.all_gather(1, axis="tp"), MESH.plan.all_reduce(1, axis="dp")])
    assert both[-1] == both[1] == both["all_reduce dp"]
    for bad in (2, -3, 99, 10**400):
        with raises(IndexError, "plan") as caught:
            both[bad]
        assert isinstance(caught.value, rf.RainierError)
    for kind in (1.0, None, slice(1)):
        with raises(rf.InvalidType, "plan"):
            both[kind]  # type: ignore[index]


MIXED: list[tuple[list[Any], str]] = [
    ([1, 2], "int64"),
    ([1.0, 2.0], "float64"),
    ([1, 2.5], "float64"),
    ([True, False], "bool"),
    (["a", "bc"], "<U2"),
    ([np.int8(1), 2], "int64"),
    ([1, "a"], "object"),
    ([None, 1.0], "object"),
    ([True, 1], "object"),
    ([True, "a"], "object"),
    ([2**53 + 1, 0.5], "object"),
    ([2**63, 1], "object"),
    (["a\0", "b"], "object"),
    ([[1], [2]], "object"),
    ([], "object"),
]


@pytest.mark.parametrize(("values", "dtype"), MIXED)
def test_a_column_keeps_its_values(values: list[Any], dtype: str) -> None:
    table = rf.Table({"mine": values, "time_s": values})
    assert str(table["mine"].dtype) == dtype
    assert table["mine"].tolist() == values
    assert [type(one) for one in table["mine"].tolist()] == [
        float if dtype == "float64" else type(one.item() if hasattr(one, "item") else one)
        for one in values
    ]
    assert table == rf.Table({"mine": values, "time_s": values})
    assert str(table).startswith("mine")


@pytest.mark.parametrize("bad", [np.zeros((2, 2)), np.ma.masked_array([1], [True]), "ab", 3, None])
def test_a_column_has_one_dimension(bad: Any) -> None:
    with raises(rf.RainierError, "columns['mine']"):
        rf.Table({"mine": bad})


SITES = [rf.Site(f"site {number}", 8, rf.TRN2_ULTRASERVER) for number in range(300)]
WIDE = rf.Cluster(SITES, rf.Wan([[1e12] * 300] * 300, "6 ms"))
LONG: dict[str, Any] = {
    "machine": RAINIER,
    "result": RAINIER.all_reduce("1 GiB"),
    "sites": WIDE,
    "wan": WIDE.wan,
    "faults": RAINIER.with_faults(links=range(5000, 6000), chips=range(0, 64_000, 64)).faults,
    "damaged": RAINIER.with_faults(links=range(5000, 6000), chips=range(0, 64_000, 64)),
    "group": RAINIER.plan.all_reduce(1, group=range(0, 60_000, 3)),
    "rows": rf.Table({"a": range(1000), "reason": ["x" * 300] * 1000}),  # type: ignore[dict-item]
    "columns": rf.Table({f"column{number}": range(9) for number in range(60)}),  # type: ignore[misc]
    "catalogue": rf.catalog(),
    "entry": rf.catalog()["trainium2"],
    "assumptions": rf.assumptions(),
    "presets": rf.compare(list(rf.presets())[1:6], "barrier"),
    "plans": TRN2.together([MESH.plan.barrier(axis="tp").named(f"p{at}") for at in range(60)]),
    "bucket": rf.Bucket({(f"axis{at}", "b", "c"): 1 / 100 for at in range(100)}),
    "send": rf.Send(0, 1, range(10_000), 0),
    "axes": rf.UltraServer("s", None, tuple(rf.Axis(f"axis{at}", 2) for at in range(16))),
    "meeting": rf.Meeting("x", 1, None, tuple("abc" * 500)),
}


@pytest.mark.parametrize("one", LONG.values(), ids=LONG)
def test_text_fits_a_screen(one: Any) -> None:
    for text in (repr(one), str(one)):
        lines = text.split("\n")
        columns = 100 if len(lines) == 1 else 200  # tables may be wide
        assert sum(-(-len(line) // columns) or 1 for line in lines) <= 24


def test_a_result_shows_all_of_its_stages() -> None:
    result = LONG["result"]
    text = str(result)
    assert str(result.stages).removeprefix(f"{result.kind}\n") in text
    assert text.endswith("chunks overlap them in the total")
    assert max(map(len, text.split("\n"))) > 100  # or this proves nothing
    names = str(result.stages).split("\n")[1].split()
    assert names == list(result.stages.columns)


def test_what_is_cut_says_so() -> None:
    assert str(LONG["rows"]).endswith("... and 985 more rows")
    assert "more" in repr(LONG["sites"])
    assert ".listing()" in repr(LONG["entry"])
    assert len(rf.catalog().listing().splitlines()) == len(rf.catalog()) + 1


@pytest.mark.parametrize("kind", [rf.Machine, rf.Cluster, rf.DeviceMesh])
def test_help_names_no_parts_of_a_class(kind: type) -> None:
    text = pydoc.plain(pydoc.render_doc(kind))
    inherited = [line for line in text.splitlines() if "inherited from" in line]
    assert all("Data descriptors" in line or "Machine:" in line for line in inherited)
    assert [base.__name__ for base in kind.__mro__ if base not in (rf.Machine, object)] in (
        ["Base"],
        ["Cluster", "Base"],
        ["DeviceMesh"],
    )


@pytest.mark.parametrize(("one", "name"), [(TRN2, "Machine"), (MESH, "DeviceMesh")])
def test_errors_of_calls_name_the_class_that_users_know(one: Any, name: str) -> None:
    for method in ("all_reduce", "broadcast"):
        with pytest.raises(TypeError) as caught:
            getattr(one, method)(1, 2)
        assert str(caught.value).startswith(f"{name}.{method}()")
