"""`algorithm="nccl"` against measured tables, and the fit of its figures again."""

from __future__ import annotations

from functools import cache

import pytest

import rainier_fast as rf
from rainier_fast.catalog import catalog
from rainier_fast.measured.nccl import measured, systems
from rainier_fast.validation import Row, mean_error
from rainier_fast.validation.nccl_fit import refit
from rainier_fast.validation.nccl_tables import rows
from rainier_fast.validation.row import TableRow

GENERATIONS = ("ampere", "hopper", "blackwell")
OPERATIONS = ("all_reduce", "all_gather", "reduce_scatter", "all_to_all")


@cache
def groups() -> dict[str, list[TableRow]]:
    found: dict[str, list[TableRow]] = {}
    for row in rows():
        assert isinstance(row, TableRow)
        found.setdefault(row.group, []).append(row)
    return found


def test_only_even_powers_of_half_on_three_systems_are_fitted() -> None:
    fitted = [one for one in measured() if one.fitted]
    assert len(measured()) == 3192
    assert {one.system for one in fitted} == {"a100", "h100", "b200"}
    assert {one.dtype for one in fitted} == {"half"}
    # Elements of two bytes: 256 is the first even power of two, 512 B.
    assert sorted({one.size for one in fitted}) == [2**power for power in range(9, 30, 2)]
    assert len(fitted) == 3 * 3 * 4 * 11
    assert len(groups()) == 3 * 3 + 4 * 2


def test_errors_by_system_and_by_operation() -> None:
    for group, members in groups().items():
        assert mean_error(members) < 0.065, group
        for operation in OPERATIONS:
            part: list[Row] = [row for row in members if row.operation == operation]
            assert mean_error(part) < 0.09, (group, operation)


def test_what_nccls_own_prices_say_is_worse_everywhere() -> None:
    for group, members in groups().items():
        own = sum(abs(row.priced / row.published - 1) for row in members) / len(members)
        assert own > 2 * mean_error(members), group


@pytest.mark.parametrize("generation", GENERATIONS)
def test_the_catalogue_holds_what_the_rows_ask_for(generation: str) -> None:
    entry = catalog()[f"nccl-{generation}"]
    held = {name: figure.number for name, figure in entry.figures.items() if name != "version"}
    fit = refit(generation, held)
    assert set(fit.values) == set(held)
    # Figures that few rows hold are known less well than the error is.
    for name, value in fit.values.items():
        assert value == pytest.approx(held[name], rel=0.02), name
    for name in held:
        assert f"on {len(fit.errors)} rows" in entry[name].note
        assert f"mean error {100 * fit.mean_error:.1f} %" in entry[name].note


def test_presets_carry_what_was_fitted() -> None:
    for about in systems().values():
        gpu = rf.preset(about["preset"]).ultraserver.gpu
        assert gpu is not None
        assert gpu.generation == about["generation"]
        assert gpu.timing == rf.NcclTiming.from_catalog(gpu.generation)


def test_h100_and_b200_are_in_the_measured_order_at_64_kib() -> None:
    h100, b200 = (
        rf.preset(name).all_reduce("64 KiB", algorithm="nccl", dtype="bf16").time_s * 1e6
        for name in ("h100", "b200")
    )
    assert h100 == pytest.approx(18.7, rel=0.06)
    assert b200 == pytest.approx(29.0, rel=0.06)


def test_bytes_are_not_added_up_in_switches() -> None:
    h100 = rf.preset("h100")
    half = h100.all_reduce("256 MiB", algorithm="nccl", dtype="bf16")
    byte = h100.all_reduce("256 MiB", algorithm="nccl", dtype="int8")
    assert half.algorithm == "nccl(nvls, simple)"
    assert byte.algorithm == "nccl(ring, simple)"
    assert 1.15 < byte.time_s / half.time_s < 1.35  # 19 to 26 % in the tables
    gathered = [
        h100.all_gather("256 MiB", algorithm="nccl", dtype=dtype).time_s
        for dtype in ("bf16", "int8", None)
    ]
    assert len(set(gathered)) == 1
    refused = {row["algorithm"]: row["reason"] for row in byte.candidates}
    assert "int8" in refused["nccl(nvls, simple)"]
