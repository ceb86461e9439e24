"""Measured services: what the truth table asks of rows, and fits that can be made again."""

from __future__ import annotations

from statistics import median

import pytest

from rainier_fast.measured.serving import SOURCES, read
from rainier_fast.serving.data_files import read_data
from rainier_fast.serving.measured import cases
from rainier_fast.validation import serving
from rainier_fast.validation.serving_fit import refit


def _errors(source: str, *, fitted: bool) -> tuple[list[float], list[float]]:
    own = [one for one in serving.ran(source) if bool(one.case["fit"]) == fitted]
    tokens = [abs(error) for one in own if (error := one.tpot_error) is not None]
    first = [abs(error) for one in own if (error := one.ttft_error) is not None]
    return tokens, first


def test_services_of_gpus_that_were_not_fitted() -> None:
    tokens, first = _errors("gpus", fitted=False)
    assert len(tokens) > 950
    assert median(tokens) < 0.10
    assert median(first) < 0.30


def test_services_of_inferentia_that_were_not_fitted() -> None:
    tokens, first = _errors("neuron_inf2", fitted=False)
    assert median(tokens) < 0.10
    assert median(first) < 0.30


def test_services_of_trainium_2_and_3_that_were_not_fitted() -> None:
    tokens, _ = _errors("neuron_others", fitted=False)
    new = [
        abs(error)
        for one in serving.ran("neuron_others")
        if not one.case["fit"]
        and one.case["machine"].startswith("trn")
        and (error := one.tpot_error) is not None
    ]
    assert len(new) >= 6
    assert median(new) < 0.20
    assert median(tokens) < 0.25


def test_every_service_is_answered_or_refused_with_a_reason() -> None:
    for source in SOURCES:
        for one in serving.ran(source):
            assert (one.ours is None) == bool(one.why)


def test_rows_are_complete() -> None:
    for source in SOURCES:
        assert len(cases(source)) == len(read(source).rows) > 0
        for case in cases(source):
            assert case["source"]
            assert case["software"]
            assert case.get("ttft_ms") or case.get("tpot_ms")
            assert isinstance(case["fit"], bool)


@pytest.mark.parametrize("generation", ["trainium1", "trainium2"])
def test_paces_are_those_that_a_fit_finds(generation: str) -> None:
    entry = read_data("pace.json")["paces"][generation]["neuron"]
    assert refit(generation, "neuron") == pytest.approx(entry["figures"], rel=1e-6)
