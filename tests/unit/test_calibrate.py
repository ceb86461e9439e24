"""`calibrate`: recovers known parameters, reports what it did, refuses what it cannot use."""

from __future__ import annotations

import dataclasses
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import rainier_fast as rf
from rainier_fast.errors import InvalidArgument, InvalidType, Unsupported
from rainier_fast.formats.rows import Row
from rainier_fast.measure.space import with_server
from rainier_fast.measured.measured import measure
from raising import raises

MIB = 2**20
OPERATIONS = ("all_reduce", "all_gather", "reduce_scatter")


def rows(machine: rf.Machine, sizes: list[float], **arguments: Any) -> list[dict[str, Any]]:
    return [
        {"op": op, "bytes": size, "time_s": getattr(machine, op)(size, **arguments).time_s}
        for size in sizes
        for op in OPERATIONS
    ]


def trainium(**neuron: Any) -> rf.Machine:
    machine = rf.preset("trn2")
    server = machine.ultraserver
    changed = dataclasses.replace(server.neuron, **neuron)
    return with_server(machine, dataclasses.replace(server, neuron=changed))


@pytest.fixture(scope="module")
def truth() -> rf.Machine:
    return trainium(call=12e-6, step=1.9e-6, hbm_efficiency=0.61, link_efficiency=0.83)


@pytest.fixture(scope="module")
def fit(truth: rf.Machine) -> rf.Calibration:
    table = rows(truth, [MIB * 2.0**at for at in range(0, 11)], algorithm="neuron")
    return rf.calibrate(rf.preset("trn2"), table)


def test_known_parameters_come_back(fit: rf.Calibration) -> None:
    expected = {"call": 12e-6, "step": 1.9e-6, "hbm_efficiency": 0.61, "link_efficiency": 0.83}
    for name, value in expected.items():
        assert fit.parameters[name] == pytest.approx(value, rel=2e-3), name
    assert fit.residuals.worst < 1e-3
    assert fit.leave_one_out.worst < 1e-2


def test_known_thresholds_come_back() -> None:
    truth = trainium(halving_most=16 * MIB, mesh_most=2 * MIB)
    table = rows(truth, [MIB * 2.0**at for at in range(0, 11)], algorithm="neuron")
    fit = rf.calibrate(rf.preset("trn2"), table)
    assert fit.parameters["halving_most"] == 16 * MIB
    assert fit.parameters["mesh_most"] == 2 * MIB
    assert fit.parameters["step"] == pytest.approx(truth.ultraserver.neuron.step, rel=0.01)
    assert any("halving_most moved" in note for note in fit.notes)


def test_noise_stays_in_the_residuals(truth: rf.Machine) -> None:
    table = rows(truth, [MIB * 4.0**at for at in range(0, 6)], algorithm="neuron")
    noise = np.random.default_rng(3).normal(0, 0.03, len(table))
    for row, error in zip(table, noise, strict=True):
        row["time_s"] *= np.exp(error)
    fit = rf.calibrate(rf.preset("trn2"), table)
    assert fit.parameters["hbm_efficiency"] == pytest.approx(0.61, rel=0.08)
    assert 0.01 < fit.residuals.mean < 0.04


@pytest.mark.parametrize(
    "make",
    [
        lambda **how: rf.torus((8,), **how),
        lambda **how: rf.torus((4, 4), **how),
        lambda **how: rf.switch(8, **how),
    ],
    ids=["ring", "torus", "switch"],
)
def test_other_machines_get_links_and_overheads(make: Callable[..., rf.Machine]) -> None:
    truth = make(bandwidth=80e9, latency=2e-6, overhead=0.5e-6)
    server = dataclasses.replace(truth.ultraserver, launch=30e-6)
    truth = with_server(truth, server)
    table = rows(truth, [1e3, 1e5, 1e7, 1e9])
    fit = rf.calibrate(make(bandwidth=100e9, latency=1e-6), table)
    assert fit.parameters["link_efficiency"] == pytest.approx(0.8, rel=0.02)
    assert fit.residuals.mean < 0.01
    assert fit.parameters["launch"] == pytest.approx(30e-6, rel=0.02)
    assert fit.machine.ultraserver.neuron is None
    assert set(fit.parameters) == {"link_latency", "message_overhead", "link_efficiency", "launch"}


def test_the_fit_is_the_same_each_time(truth: rf.Machine) -> None:
    table = rows(truth, [MIB * 4.0**at for at in range(0, 6)], algorithm="neuron")
    one, other = (rf.calibrate(rf.preset("trn2"), table) for _ in range(2))
    assert one.parameters == other.parameters
    assert one.residuals == other.residuals


def test_the_fitted_machine_is_a_machine(fit: rf.Calibration) -> None:
    machine = fit.machine
    assert pickle.loads(pickle.dumps(machine)) == machine
    assert pickle.loads(pickle.dumps(machine)).measurements == machine.measurements
    names = {name: getattr(rf, name) for name in rf.__all__} | {"Cluster": rf.Cluster}
    assert eval(repr(machine), names) == machine
    assert machine != rf.preset("trn2")
    again = pickle.loads(pickle.dumps(fit))
    assert again.parameters == fit.parameters
    assert again.parameters["step"].unit == "s"
    assert again.leave_one_out == fit.leave_one_out


def test_a_prediction_names_its_nearest_measurements(fit: rf.Calibration) -> None:
    result = fit.machine.all_reduce(3 * MIB, algorithm="neuron")
    near = result.nearest_measurements
    assert near["bytes"].tolist() == [4 * MIB, 2 * MIB, 8 * MIB]
    assert set(near["op"]) == {"all_reduce"}
    assert near["error"] == pytest.approx(near["predicted_s"] / near["measured_s"] - 1)
    assert "measured" in str(result)
    assert pickle.loads(pickle.dumps(result)).nearest_measurements == near


def test_no_measurements_say_so(fit: rf.Calibration) -> None:
    with raises(Unsupported, None, "all_reduce", "rf.calibrate"):
        _ = rf.torus((4,), bandwidth="1 GB/s").all_reduce(8).nearest_measurements
    with raises(Unsupported, None, "all_to_all", "rf.calibrate"):
        _ = fit.machine.all_to_all(MIB, algorithm="neuron").nearest_measurements
    with raises(Unsupported, None, "4 chips", "rf.calibrate"):
        _ = fit.machine.all_reduce(MIB, group=range(4), algorithm="neuron").nearest_measurements
    assert len(rf.preset("trn2").all_gather(MIB, algorithm="neuron").nearest_measurements) == 3


def test_text_has_everything(fit: rf.Calibration) -> None:
    text = str(fit)
    for word in ("leave one size out", "hbm_efficiency", "KangaRing", "note: "):
        assert word in text
    assert "rows" in repr(fit)
    assert "<pre>" in fit._repr_html_()


def test_bad_arguments() -> None:
    trn2 = rf.preset("trn2")
    good = rows(trn2, [MIB, 4.0 * MIB, 16.0 * MIB], algorithm="neuron")
    with raises(InvalidType, "machine"):
        rf.calibrate("trn2", good)  # type: ignore[arg-type]
    with raises(InvalidArgument, "table", "3 rows"):
        rf.calibrate(trn2, good[:3])
    with raises(Unsupported, None, "0 rows"):
        rf.calibrate(trn2, [good[0]] * 6)
    with raises(InvalidArgument, "table", "32 ranks"):
        rf.calibrate(trn2, [row | {"ranks": 32} for row in good])
    with raises(Unsupported, None, "'neuron'", "broadcast"):
        rf.calibrate(trn2, [row | {"op": "broadcast"} for row in good])


def test_times_in_a_wrong_unit_are_refused() -> None:
    table = [
        {"op": "all_reduce", "bytes": 2**power, "time_s": microseconds}
        for power, microseconds in [(20, 51.9), (22, 106), (24, 262), (26, 640), (28, 1700)]
    ]
    with raises(rf.InvalidArgument, "table", "time_unit="):
        rf.calibrate(rf.preset("trn2"), table)


@pytest.mark.parametrize("name", ["trn2", "trn2-ultraserver", "rainier"])
def test_rows_of_a_table_are_single_calls(name: str) -> None:
    machine = rf.preset(name) if name != "rainier" else rf.preset(name, chips=512)
    sizes = [3e3, 2.0**20, 1e9]
    table = [Row(op, size, 1.0, "") for size in sizes for op in OPERATIONS]
    names = ["auto", "neuron", "ring"] if name == "trn2" else ["auto", "ring"]
    picked = [names[at % len(names)] for at in range(len(table))]
    for row, asked, found in zip(table, picked, measure(machine, table, picked), strict=True):
        alone = getattr(machine, row.op)(row.size_bytes, algorithm=asked)
        assert (found.op, found.size_bytes, found.measured_s) == (row.op, row.size_bytes, 1.0)
        assert (found.predicted_s, found.algorithm) == (alone.time_s, alone.algorithm)
