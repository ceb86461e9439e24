"""Hypothesis profiles: ``default`` (50 examples), ``ci`` (the same ones each time), ``long``.

``HYPOTHESIS_PROFILE`` names one; where ``CI`` is set and it is not, ``ci`` is taken.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

from rainier_fast.validation import SOURCES, Row
from rainier_fast.validation.report import report

_SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]

settings.register_profile("default", max_examples=50, deadline=None, suppress_health_check=_SLOW)
settings.register_profile("ci", settings.get_profile("default"), derandomize=True, database=None)
settings.register_profile("long", settings.get_profile("default"), max_examples=2000)
settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "default")
)


@pytest.fixture(scope="session")
def published() -> dict[str, list[Row]]:
    """Rows of the validation by source: made once, because they take a second or two."""
    return {name: make() for name, make in SOURCES.items()}


@pytest.fixture(scope="session")
def validation(published: dict[str, list[Row]]) -> str:
    """The validation as one text."""
    return report(published)
