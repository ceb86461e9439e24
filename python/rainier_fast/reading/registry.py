"""The formats that `read` knows: a row each, tried in order. Loaders are imported when they run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from rainier_fast.reading import looks
from rainier_fast.reading.content import Content


@dataclass(frozen=True, slots=True)
class Format:
    """One kind of file: how it is told from others, and what reads it."""

    name: str
    about: str
    """One line for users."""
    looks: Callable[[Content], bool]
    """By its content alone; it must be quick, and not raise."""
    load: Callable[[Content], Any]


def _tables(content: Content) -> Any:  # noqa: ANN401 - each loader has its own class
    from rainier_fast.reading.tables import load

    return load(content)


def _program(content: Content) -> Any:  # noqa: ANN401 - each loader has its own class
    from rainier_fast.reading.programs import load

    return load(content)


FORMATS: Final = (
    Format("program", "a program that Program.save wrote: JSON", looks.program, _program),
    Format("nccom-test", "a table that nccom-test printed: text or JSON", looks.nccom, _tables),
    Format("rccl-tests", "a file of rccl-tests --output_file: CSV, JSON", looks.rccl, _tables),
    Format("nccl-tests", "what nccl-tests or rccl-tests printed: text, JSON", looks.nccl, _tables),
    Format("osu", "a latency table of OSU's micro-benchmarks", looks.osu, _tables),
    Format("ucc", "a table of UCC's perftest", looks.ucc, _tables),
    Format("json-rows", "measured rows in JSON: op, bytes and time in each", looks.rows, _tables),
    Format("csv", "measured rows in CSV or Markdown: a header names them", looks.csv, _tables),
)
