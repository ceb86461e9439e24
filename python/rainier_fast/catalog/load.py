"""Reads ``data/*.json`` once, and refuses a file that is not as it should be.

A file holds ``sources`` (key -> public name of the document) and either ``entries`` or
``assumptions``. A figure is an object with the fields of `Figure`; its ``source`` is a key of
``sources``. In an entry, ``{"assumption": "name"}`` stands for that figure of ``assumptions.json``.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final, NoReturn

from rainier_fast.catalog.entry import Assumptions, Catalog, Entry, Figures
from rainier_fast.catalog.figure import Alternative, Figure
from rainier_fast.errors import InvalidArgument, InvalidType, RainierError, invalid
from rainier_fast.provenance import AssumedFloat

_ASSUMPTIONS: Final = "assumptions.json"
_FAMILIES: Final = (
    "trainium.json",
    "instances.json",
    "ultraservers.json",
    "efa.json",
    "sites.json",
    "neuron.json",
    "nvidia.json",
    "nccl.json",
    "amd.json",
    "maia.json",
    "tpu.json",
    "failures.json",
    "operations.json",
)
_NEEDED: Final = frozenset({"value", "unit", "source", "confidence"})
_OPTIONAL: Final = frozenset({"note", "alternatives", "low", "high"})


@cache
def catalog() -> Catalog:
    """Return every published figure that the presets stand on.

    Returns
    -------
    Catalog
        A read-only mapping from names such as ``"trainium2"`` to entries.

    Examples
    --------
    >>> chip = catalog()["trainium2"]
    >>> chip["tensor_flops_fp8"].text, chip["tensor_flops_fp8"].confidence
    ('1.264 PFLOP/s', 'I')
    """
    known = assumptions()
    entries: dict[str, Entry] = {}
    for file in _FAMILIES:
        for name, entry in read_entries(_text(file), file, known).items():
            if name in entries:
                raise invalid(file, name, "must not repeat an entry of another file")
            entries[name] = entry
    return Catalog(entries)


@cache
def assumptions() -> Assumptions:
    """Return what the models need and nobody publishes, with reasons and sensible ranges.

    Returns
    -------
    Assumptions
        A read-only mapping from names to figures, whose notes say why.

    Examples
    --------
    >>> hop = assumptions()["neuronlink_hop_latency"]
    >>> hop.text, hop.low, hop.high
    ('1.5 us', 1e-06, 2e-06)
    """
    return read_assumptions(_text(_ASSUMPTIONS), _ASSUMPTIONS)


def assumed(name: str, *beside: str) -> AssumedFloat:
    """Return an assumption as a number; others may stand beside it, which it was made of."""
    return AssumedFloat(assumptions()[name].number, name, *beside)


def number_of(figure: Figure, *beside: str) -> float:
    """Return the number of a figure of an entry, with its name where it is an assumption."""
    names = [name for name, known in assumptions().items() if known is figure]
    return AssumedFloat(figure.number, *names, *beside) if names else figure.number


def read_entries(text: str, file: str, known: Mapping[str, Figure]) -> dict[str, Entry]:
    """Read the entries of one file."""
    document = _document(text, file, "entries")
    entries = {}
    for name, body in _object(document["entries"], f"{file}, entries").items():
        where = f"{file}, {name}"
        _fields(body, where, {"title", "kind", "figures"}, {"aliases"})
        figures = {
            key: _entry_figure(item, f"{where}, {key}", document["sources"], known)
            for key, item in _object(body["figures"], f"{where}, figures").items()
        }
        try:
            title = _string(body["title"], "title")
            aliases = tuple(_string(alias, "aliases") for alias in body.get("aliases", ()))
            entries[name] = Entry(name, title, body["kind"], Figures(figures), aliases)
        except RainierError as error:
            raise InvalidArgument(f"{where}, {error}") from error
    return entries


def read_assumptions(text: str, file: str) -> Assumptions:
    """Read a file of assumptions, each of which must have a note and a range."""
    document = _document(text, file, "assumptions")
    figures = {}
    for name, body in _object(document["assumptions"], f"{file}, assumptions").items():
        where = f"{file}, {name}"
        _fields(body, where, {*_NEEDED, "note", "low", "high"}, _OPTIONAL)
        figures[name] = _figure(body, where, document["sources"])
    return Assumptions(figures)


def _text(file: str) -> str:
    from importlib import resources  # a tenth of numpy's import time

    return resources.files(__package__).joinpath("data", file).read_text(encoding="utf-8")


def _document(text: str, file: str, content: str) -> dict[str, Any]:
    import json  # needed only once a reader asks

    def refuse_constant(constant: str) -> NoReturn:
        raise invalid(file, constant, "must be a finite number")

    def refuse_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        for name in names:
            if names.count(name) > 1:
                raise invalid(file, name, "must appear once in its object")
        return dict(pairs)

    try:
        document = json.loads(
            text, parse_constant=refuse_constant, object_pairs_hook=refuse_repeats
        )
    except json.JSONDecodeError as error:
        raise InvalidArgument(f"{file}: got what is not JSON: {error}") from error
    _fields(document, file, {"sources", content})
    for key, name in _object(document["sources"], f"{file}, sources").items():
        _string(name, f"{file}, sources, {key}")
    return _object(document, file)


def _entry_figure(
    body: object, where: str, sources: Mapping[str, str], known: Mapping[str, Figure]
) -> Figure:
    if isinstance(body, dict) and "assumption" in body:
        _fields(body, where, {"assumption"})
        if not isinstance(body["assumption"], str) or body["assumption"] not in known:
            raise invalid(where, body["assumption"], f"must be a name of {_ASSUMPTIONS}")
        return known[body["assumption"]]
    return _figure(body, where, sources)


def _figure(body: object, where: str, sources: Mapping[str, str]) -> Figure:
    fields = _fields(body, where, _NEEDED, _OPTIONAL)
    alternatives = fields.pop("alternatives", [])
    if not isinstance(alternatives, list):
        raise invalid(f"{where}, alternatives", alternatives, "must be a list")
    try:
        return Figure(
            **fields | {"source": _source(fields["source"], sources)},
            alternatives=tuple(_alternative(item, sources) for item in alternatives),
        )
    except (InvalidArgument, InvalidType) as error:
        raise InvalidArgument(f"{where}, {error}") from error


def _alternative(body: object, sources: Mapping[str, str]) -> Alternative:
    fields = _fields(body, "alternatives", {"value", "source"}, {"note"})
    return Alternative(**fields | {"source": _source(fields["source"], sources)})


def _source(key: object, sources: Mapping[str, str]) -> str:
    if not isinstance(key, str) or key not in sources:
        raise invalid("source", key, "must be a key of the file's sources")
    return sources[key]


def _fields(
    body: object,
    where: str,
    needed: set[str] | frozenset[str],
    optional: set[str] | frozenset[str] = frozenset(),
) -> dict[str, Any]:
    """Return a copy of an object that has the needed fields and no other than the optional ones."""
    fields = dict(_object(body, where))
    if missing := needed - fields.keys():
        raise InvalidArgument(f"{where}: got no {', '.join(sorted(missing))}")
    if surplus := fields.keys() - needed - optional:
        raise InvalidArgument(f"{where}: got unknown fields {', '.join(sorted(surplus))}")
    if "note" in fields:
        _string(fields["note"], f"{where}, note")
    return fields


def _object(body: object, where: str) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise invalid(where, body, "must be an object")
    return body


def _string(value: object, where: str) -> str:
    if not isinstance(value, str) or not value:
        raise invalid(where, value, "must be text")
    return value
