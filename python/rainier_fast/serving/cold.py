"""What passes before a service answers for the first time."""

from __future__ import annotations

from dataclasses import dataclass

from rainier_fast.errors import Unsupported
from rainier_fast.screen import Report, Told, one_screen
from rainier_fast.serving.data_files import read_data
from rainier_fast.units import format_time

Range = tuple[float, float]
"""The least and the most that were seen."""


@one_screen
@dataclass(frozen=True, repr=False)
class ColdStart(Report, Told):
    """Seconds before the first answer, as ranges of what was seen. Immutable.

    Attributes
    ----------
    compile_s
        Shapes that no cache holds.
    warm_s
        Start with shapes that one holds.
    load_s
        Weights, from where they are kept to the chips.
    source
        Where the ranges are from.

    Examples
    --------
    >>> import rainier_fast as rf
    >>> rf.Serving("llama-3.1-8b", input=1024, output=128).cold_start().kind
    'assumed'
    """

    compile_s: Range
    warm_s: Range
    load_s: Range
    source: str

    _also = ("cold_s", "restart_s", "kind")

    @property
    def kind(self) -> str:
        """What kind of number these are: ``"assumed"``. None is of this model on this machine."""
        return "assumed"

    @property
    def cold_s(self) -> Range:
        """Seconds with nothing kept: compiling and loading, one after the other."""
        return _sum(self.compile_s, self.load_s)

    @property
    def restart_s(self) -> Range:
        """Seconds with compiled shapes kept: a warm start and loading, one after the other."""
        return _sum(self.warm_s, self.load_s)

    def __repr__(self) -> str:
        return f"<ColdStart {self._headline()}>"

    def _headline(self) -> str:
        cold, warm = _words(self.cold_s), _words(self.restart_s)
        return f"{cold} with nothing kept, {warm} with compiled shapes, {self.kind}"

    def _page(self) -> list[object]:
        facts = [
            ("compile", _words(self.compile_s)),
            ("warm", _words(self.warm_s)),
            ("load", _words(self.load_s)),
            ("source", self.source),
        ]
        return [self._headline(), facts]


def cold_start(engine: str) -> ColdStart:
    """Return what was seen of an engine: `Serving.cold_start`."""
    known = read_data("cold_start.json")
    if engine not in known["engines"]:
        raise Unsupported(
            f"engine: got {engine!r}, of whose starts nothing is known; they are of "
            f"{', '.join(map(repr, known['engines']))}"
        )
    row = known["engines"][engine]
    compiled, warm, load = ((float(low), float(high)) for low, high in map(row.get, _NAMES))
    return ColdStart(compiled, warm, load, row["source"])


_NAMES = ("compile_s", "warm_s", "load_s")


def _sum(one: Range, other: Range) -> Range:
    return one[0] + other[0], one[1] + other[1]


def _words(seconds: Range) -> str:
    return f"{format_time(seconds[0])} to {format_time(seconds[1])}"
