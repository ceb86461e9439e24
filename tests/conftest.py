"""Hypothesis profiles: ``default`` (50 examples), ``ci`` (the same ones each time), ``long``.

``HYPOTHESIS_PROFILE`` names one; where ``CI`` is set and it is not, ``ci`` is taken. And what tests
share: the rows of the validation, and under ``pytest -n`` the machine, of which those that are
marked ``alone`` take all, because they read a clock.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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


@pytest.fixture(autouse=True)
def _closed_figures() -> Iterator[None]:
    """Close what a test has drawn: matplotlib warns of many open figures, and warnings fail."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.hookimpl(wrapper=True, tryfirst=True)  # before the timeout, which waiting must not count to
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    if "PYTEST_XDIST_WORKER" not in os.environ or sys.platform == "win32":
        return (yield)
    # One folder for all workers of a run.
    turns = Path(tempfile.gettempdir()) / f"turns-{os.environ['PYTEST_XDIST_TESTRUNUID']}"
    turns.mkdir(exist_ok=True)
    with _turn(turns, item.get_closest_marker("alone") is not None):
        return (yield)


@contextmanager
def _turn(folder: Path, alone: bool) -> Iterator[None]:  # noqa: FBT001
    import fcntl  # only POSIX has it

    # Who waits for the room to empty keeps the door shut, so that others do not go in before it.
    with (folder / "door").open("w") as door, (folder / "room").open("w") as room:
        fcntl.flock(door, fcntl.LOCK_EX)
        fcntl.flock(room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        fcntl.flock(door, fcntl.LOCK_UN)
        try:
            yield
        finally:
            fcntl.flock(room, fcntl.LOCK_UN)  # of children that were forked meanwhile, too
