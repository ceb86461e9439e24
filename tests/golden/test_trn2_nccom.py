"""The Neuron model against the public nccom-test table of one trn2.48xlarge (2026-03-17)."""

from __future__ import annotations

import pytest

import rainier_fast as rf
from rainier_fast.catalog import catalog
from rainier_fast.definitions.neuron import ENTRY
from rainier_fast.measure.calibration import Calibration
from rainier_fast.measure.refit import FITTED, refit
from rainier_fast.measured.public import public_rows

MIB = 2**20
OPERATIONS = ("all_reduce", "all_gather", "reduce_scatter")


@pytest.fixture(scope="module")
def fit() -> Calibration:
    return rf.calibrate(rf.preset("trn2"), public_rows())


@pytest.fixture(scope="module")
def from_vendor() -> Calibration:
    return refit()


def times(machine: rf.Machine, size: int) -> dict[str, float]:
    return {name: getattr(machine, name)(size, algorithm="neuron").time_s for name in OPERATIONS}


def test_each_size_is_predicted_by_the_others(fit: Calibration, from_vendor: Calibration) -> None:
    for found in (fit, from_vendor):
        assert len(found.leave_one_out) == 18
        assert found.leave_one_out.mean < 0.05
        assert found.leave_one_out.worst < 0.12
        assert found.residuals.mean < 0.04
        assert found.residuals.worst < 0.09


def test_leaving_a_size_out_is_not_the_fit_again(fit: Calibration) -> None:
    assert fit.leave_one_out.mean > fit.residuals.mean
    assert not (fit.leave_one_out["predicted_s"] == fit.residuals["predicted_s"]).any()


def test_six_numbers_for_eighteen_rows(fit: Calibration) -> None:
    assert set(fit.parameters) == {
        "call",
        "step",
        "hbm_efficiency",
        "link_efficiency",
        "mesh_most",
        "halving_most",
    }
    assert 1e-6 < fit.parameters["step"] < 5e-6
    assert 1e-6 < fit.parameters["call"] < 20e-6
    assert 0.5 < fit.parameters["hbm_efficiency"] < 1
    assert fit.parameters["link_efficiency"] == 1


def test_the_catalogue_holds_what_the_refit_finds(from_vendor: Calibration) -> None:
    for name in FITTED:
        expected = pytest.approx(from_vendor.parameters[name].value, rel=6e-4)
        assert catalog()[ENTRY][name].number == expected, name


def test_the_rows_move_the_vendors_thresholds(from_vendor: Calibration) -> None:
    halving, mesh = from_vendor.parameters["halving_most"], from_vendor.parameters["mesh_most"]
    assert (halving.start, halving.value) == (56e6, 64 * MIB)
    assert (mesh.start, mesh.value) == (1e6, MIB)


def test_the_kink_between_64_and_128_mib_is_a_switch(fit: Calibration) -> None:
    machine = fit.machine
    below, above, far = (times(machine, size * MIB) for size in (64, 128, 256))
    for name in OPERATIONS:
        # A byte more in the middle of the step costs less than half of one on either side.
        step = (above[name] - below[name]) / 64
        assert step < 0.6 * (below[name] - times(machine, 32 * MIB)[name]) / 32
        assert step < 0.8 * (far[name] - above[name]) / 128
        call = getattr(machine, name)
        assert call(64 * MIB, algorithm="neuron").algorithm == "neuron(RDH)"
        assert call(64 * MIB + 1, algorithm="neuron").algorithm == "neuron(KangaRing)"


def test_the_preset_needs_no_calibration(fit: Calibration) -> None:
    for size in (2, 128, 512):
        fitted, preset = times(fit.machine, size * MIB), times(rf.preset("trn2"), size * MIB)
        for name in OPERATIONS:
            assert preset[name] == pytest.approx(fitted[name], rel=2e-3)


def test_an_all_reduce_is_both_halves_and_one_call(fit: Calibration) -> None:
    for size in (1, 16, 1024):
        whole = times(fit.machine, size * MIB)
        halves = whole["all_gather"] + whole["reduce_scatter"]
        assert whole["all_reduce"] < halves
        assert whole["all_reduce"] > 0.8 * halves
