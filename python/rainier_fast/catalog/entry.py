"""What a reader of the catalogue holds: entries, their figures, and how both print."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, Generic, TypeVar

from rainier_fast.catalog.figure import CONFIDENCE, Figure
from rainier_fast.errors import as_one_of
from rainier_fast.frozen import frozen, put
from rainier_fast.screen import LINES, aligned, html_table, one_screen

KINDS: Final = (
    "chip",
    "instance",
    "ultraserver",
    "domain",
    "nic",
    "site",
    "project",
    "runtime",
    "fleet",
    "practice",
)
"""What an entry may describe; a domain is a node, rack or pod of another maker, a fleet many.

A practice is how machines are run, and what that costs.
"""

_Value = TypeVar("_Value")
_LEGEND: Final = "trust: " + ", ".join(
    f"{code} {meaning}" for code, meaning in CONFIDENCE.items() if code != "assumption"
)


@frozen("the catalogue does not change")
class ReadOnly(Mapping[str, _Value], Generic[_Value]):
    """A mapping from names that nobody can change and whose misses name the closest match."""

    __slots__ = ("_items",)

    _items: dict[str, _Value]
    _what: ClassVar[str]
    """What errors call a name."""

    def __init__(self, items: Mapping[str, _Value]) -> None:
        put(self, _items=dict(items))

    def __getitem__(self, name: str) -> _Value:
        return self._items[as_one_of(self._what, name, self._items, self.aliases)]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and str.__str__(name) in self._items

    def aliases(self) -> dict[str, str]:
        """Return other words for some of the names, which errors understand."""
        return {}

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        return hash(frozenset(self._items.items()))


@one_screen
class Listed:
    """What prints as a listing, cut to what is shorter where that is no screen."""

    __slots__ = ()

    def _lines(self) -> list[str]:
        raise NotImplementedError

    def _shorter(self) -> list[str]:
        raise NotImplementedError

    def listing(self) -> str:
        """Return all of it as text, with remarks and sources, however long.

        Examples
        --------
        >>> entry = Entry("trainium2", "AWS Trainium2", "chip", Figures({}))
        >>> entry.listing().splitlines()[0]
        'trainium2: AWS Trainium2 (chip)'
        """
        return "\n".join(self._lines())

    def __repr__(self) -> str:
        listing = self.listing()
        if listing.count("\n") < LINES:
            return listing
        lines = self._shorter()
        if len(lines) >= LINES:
            lines[LINES - 2 :] = [f"... and {len(lines) - LINES + 2} more"]
        return "\n".join([*lines, "(.listing() has all of it)"])


class Figures(Listed, ReadOnly[Figure]):
    """Figures by name; prints as a table.

    Examples
    --------
    >>> figures = Figures({"tdp": Figure(500, "W", "SemiAnalysis", "A")})
    >>> print(figures)
    figure  value  trust  source
    tdp     500 W  A      [1]
    <BLANKLINE>
    [1] SemiAnalysis
    trust: V vendor, A analyst or press, M third-party measurement, I inferred here
    """

    __slots__ = ()

    _what = "figure"

    def _shorter(self) -> list[str]:
        rows = [(name, figure.text[:40], figure.confidence) for name, figure in self.items()]
        return aligned([(self._what, "value", "trust"), *rows])

    def _lines(self) -> list[str]:
        numbers: dict[str, int] = {}

        def cite(source: str) -> str:
            return f"[{numbers.setdefault(source, len(numbers) + 1)}]"

        rows = [
            (name, figure.text, figure.confidence, cite(figure.source))
            for name, figure in self.items()
        ]
        table = aligned([(self._what, "value", "trust", "source"), *rows])
        lines = [table[0]]
        for line, figure in zip(table[1:], self.values(), strict=True):
            lines.append(line)
            for remark in figure.remarks(cite):
                lines += _wrapped(remark)
        return [
            *lines,
            "",
            *(f"[{number}] {source}" for source, number in numbers.items()),
            _LEGEND,
        ]

    def _repr_html_(self) -> str:
        rows = [
            (
                name,
                figure.text,
                CONFIDENCE[figure.confidence],
                figure.source,
                "; ".join(figure.remarks()),
            )
            for name, figure in self.items()
        ]
        return html_table((self._what, "value", "trust", "source", "remarks"), rows)


class Assumptions(Figures):
    """What the models need and nobody publishes, by name.

    Examples
    --------
    >>> hop = Figure(1.5e-6, "s", "our estimate", "assumption", low=1e-6, high=2e-6)
    >>> Assumptions({"hop": hop})["hop"].range_text
    '1 us to 2 us'
    """

    __slots__ = ()

    _what = "assumption"


@dataclass(frozen=True, slots=True, repr=False)
class Entry(Listed):
    """A chip, instance, UltraServer, domain, NIC, site or project, and what is known of it.

    Prints as a table of every figure with its unit, trust and source.

    Attributes
    ----------
    name
        The key in the catalogue.
    title
        The name in prose.
    kind
        One of `KINDS`.
    figures
        What is known; ``entry["tdp"]`` is short for ``entry.figures["tdp"]``, and iteration over
        an entry gives their names.
    aliases
        Other names that people use for it.

    Examples
    --------
    >>> figures = Figures({"tdp": Figure(500, "W", "SemiAnalysis", "A")})
    >>> Entry("trainium2", "AWS Trainium2", "chip", figures)["tdp"].number
    500
    """

    name: str
    title: str
    kind: str
    figures: Figures
    aliases: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        as_one_of("kind", self.kind, KINDS)

    def __getitem__(self, name: str) -> Figure:
        return self.figures[name]

    def __contains__(self, name: object) -> bool:
        return name in self.figures

    def __iter__(self) -> Iterator[str]:
        return iter(self.figures)

    def __len__(self) -> int:
        return len(self.figures)

    def _lines(self) -> list[str]:
        return [self._head(), *self.figures._lines()]

    def _shorter(self) -> list[str]:
        return [self._head(), *self.figures._shorter()]

    def _head(self) -> str:
        return f"{self.name}: {self.title} ({self.kind})"

    def _repr_html_(self) -> str:
        from html import escape  # needed only in a notebook

        heading = f"<b>{escape(self.name)}</b>: {escape(self.title)} ({escape(self.kind)})"
        return heading + self.figures._repr_html_()


class Catalog(Listed, ReadOnly[Entry]):
    """Entries by name; prints as a list of them.

    Examples
    --------
    >>> chip = Entry("trainium2", "AWS Trainium2", "chip", Figures({}))
    >>> Catalog({"trainium2": chip})
    name       kind  figures  title
    trainium2  chip  0        AWS Trainium2
    """

    __slots__ = ()

    _what = "catalog"

    def aliases(self) -> dict[str, str]:
        """Return the other names of all entries."""
        return {alias: name for name, entry in self.items() for alias in entry.aliases}

    def _lines(self) -> list[str]:
        return aligned([("name", "kind", "figures", "title"), *self._rows()])

    def _shorter(self) -> list[str]:
        kinds: dict[str, list[str]] = {}
        for name, entry in self.items():
            kinds.setdefault(entry.kind, []).append(name)
        return [line for kind in kinds for line in _wrapped(f"{kind}: {', '.join(kinds[kind])}")]

    def _repr_html_(self) -> str:
        return html_table(("name", "kind", "figures", "title"), self._rows())

    def _rows(self) -> list[tuple[str, ...]]:
        return [(e.name, e.kind, str(len(e.figures)), e.title) for e in self.values()]


def _wrapped(remark: str) -> list[str]:
    import textwrap  # needed only to print

    return textwrap.wrap(
        remark, 100, initial_indent="    ", subsequent_indent="      ", break_on_hyphens=False
    )
