"""Files of the catalogue: read whole, or refused where they are wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rainier_fast.catalog import Figure
from rainier_fast.catalog.load import read_assumptions, read_entries
from rainier_fast.errors import InvalidArgument
from raising import raises

GOOD: dict[str, Any] = {"value": 1.0, "unit": "W", "source": "s", "confidence": "V"}


def _entries(figure: object, **entry: object) -> str:
    body = {"title": "T", "kind": "chip", "figures": {"tdp": figure}} | entry
    return json.dumps({"sources": {"s": "Source"}, "entries": {"c": body}})


def test_good_data_reads() -> None:
    assert read_entries(_entries(GOOD), "f.json", {})["c"]["tdp"].source == "Source"
    known = {"guess": Figure(1, "W", "us", "assumption")}
    entry = read_entries(_entries({"assumption": "guess"}), "f.json", known)["c"]
    assert entry["tdp"] is known["guess"]


@pytest.mark.parametrize(
    ("figure", "argument"),
    [
        ({**GOOD, "value": "1"}, "f.json, c, tdp, value"),
        ({**GOOD, "value": True}, "f.json, c, tdp, value"),
        ({**GOOD, "value": None}, "f.json, c, tdp, value"),
        ({**GOOD, "unit": "GB"}, "f.json, c, tdp, unit"),
        ({**GOOD, "unit": "text"}, "f.json, c, tdp, value"),
        ({**GOOD, "source": "t"}, "f.json, c, tdp, source"),
        ({**GOOD, "source": ["s"]}, "f.json, c, tdp, source"),
        ({**GOOD, "confidence": "sure"}, "f.json, c, tdp, confidence"),
        ({**GOOD, "note": 3}, "f.json, c, tdp, note"),
        ({**GOOD, "low": 2.0}, "f.json, c, tdp, value"),
        ({**GOOD, "high": "3"}, "f.json, c, tdp, high"),
        ({**GOOD, "colour": "red"}, "f.json, c, tdp"),
        ({"value": 1.0}, "f.json, c, tdp"),
        ({**GOOD, "alternatives": 1}, "f.json, c, tdp, alternatives"),
        ({**GOOD, "alternatives": [{"value": 1.0}]}, "f.json, c, tdp, alternatives"),
        (
            {**GOOD, "alternatives": [{"value": "x", "source": "s"}]},
            "f.json, c, tdp, alternatives[0].value",
        ),
        ({"assumption": "guess"}, "f.json, c, tdp"),
        ({"assumption": ["guess"]}, "f.json, c, tdp"),
        ([], "f.json, c, tdp"),
    ],
)
def test_bad_figures_are_refused_where_they_are(figure: Any, argument: str) -> None:
    with raises(InvalidArgument, argument):
        read_entries(_entries(figure), "f.json", {})


@pytest.mark.parametrize(
    ("text", "argument"),
    [
        ("{", "f.json"),
        ("[]", "f.json"),
        ("{}", "f.json"),
        ('{"sources": {}, "entries": {}, "x": 1}', "f.json"),
        ('{"sources": {"s": 1}, "entries": {}}', "f.json, sources, s"),
        ('{"sources": {"s": "a", "s": "b"}, "entries": {}}', "f.json"),
        ('{"sources": {}, "entries": {"c": NaN}}', "f.json"),
        (_entries(GOOD, kind="teapot"), "f.json, c, kind"),
        (_entries(GOOD, title=""), "f.json, c, title"),
        (_entries(GOOD, figures=[]), "f.json, c, figures"),
        (_entries(GOOD).replace("1.0", "1e999"), "f.json, c, tdp, value"),
    ],
)
def test_bad_files_are_refused(text: str, argument: str) -> None:
    with raises(InvalidArgument, argument):
        read_entries(text, "f.json", {})


def test_an_assumption_without_a_reason_or_range_is_refused() -> None:
    whole = {**GOOD, "note": "why", "low": 0.5, "high": 2.0}
    for field in ("note", "low", "high"):
        body = {key: value for key, value in whole.items() if key != field}
        text = json.dumps({"sources": {"s": "Source"}, "assumptions": {"a": body}})
        with raises(InvalidArgument, "f.json, a", field):
            read_assumptions(text, "f.json")
