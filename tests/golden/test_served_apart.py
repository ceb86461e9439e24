"""Measured services whose prefill and decoding had workers of their own."""

from __future__ import annotations

from statistics import median

from rainier_fast.validation import serving_apart


def test_every_row_is_answered_or_refused_with_a_reason() -> None:
    found = serving_apart.ran()
    assert len(found) == 72
    assert sum(one.ours is not None for one in found) == 70
    assert all("experts" in one.why for one in found if one.ours is None)
    assert len(serving_apart.left()) == 2


def test_errors_are_what_the_documents_say() -> None:
    errors: dict[str, list[float]] = {}
    for row in serving_apart.rows():
        if row.group.startswith("B200"):
            errors.setdefault(row.quantity, []).append(abs(row.error))
    assert median(errors["a token"]) < 0.17
    assert median(errors["requests/s"]) < 0.19
    few = [
        abs(row.error)
        for one, row in (
            (one, serving_apart.rows_of(one)[1])
            for one in serving_apart.ran()
            if one.ours is not None and one.case["machine"] == "b200"
        )
        if one.case["concurrency"] <= 32
    ]
    assert median(few) < 0.10
