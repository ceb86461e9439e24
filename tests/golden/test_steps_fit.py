"""What products reach on TPUs is what fits make of the open rows."""

import json
from importlib import resources

import pytest

from rainier_fast.validation.steps_fit import PARTS, fit


@pytest.mark.parametrize("part", PARTS)
def test_stored_shares_are_fitted(part: str) -> None:
    file = resources.files("rainier_fast.catalog").joinpath("data", "efficiency.json")
    chips = json.loads(file.read_text(encoding="utf-8"))["chips"]
    stored = chips[part]["stacks"]["xla"]["matmul"]["bf16"]
    again = fit(part)
    assert stored["ceiling"] == again.ceiling
    assert stored["rows"] == again.rows
    assert stored["fitted"] == pytest.approx(again.fitted, abs=1e-3)
    assert stored.get("held_out") == pytest.approx(again.held_out, abs=1e-3)
    # Kept rows are not fitted: they may be worse, and say how much.
    assert again.held_out is None or again.held_out < 0.15
