"""Which column is what, by its name: its role, its unit, and which statistic a time is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from rainier_fast.errors import shown
from rainier_fast.formats.rows import fault

# The names of each role, as tools and people write them, without units.
_NAMES: Final = {
    "size": ("bytes", "size", "nbytes", "message_size", "msg_size", "message"),
    "count": ("count", "elements", "elems", "num_elements", "nelems", "numel"),
    "op": ("op", "operation", "collective", "coll", "op_name", "cc_op", "name", "experiment_name"),
    "dtype": ("dtype", "type", "datatype", "data_type", "nccl_dtype"),
    "ranks": (
        "ranks", "nranks", "num_gpus", "num_ranks", "workers", "nworkers", "world_size", "gpus",
        "ngpus", "n_gpus", "n_ranks", "nprocs", "num_procs", "n",
    ),
    "nodes": ("nodes", "nnodes", "num_nodes", "n_nodes", "instances"),
    "each": ("gpusperrank", "gpus_per_rank"),
    "algbw": ("algbw", "alg_bw", "algorithm_bandwidth"),
    "busbw": ("busbw", "bus_bw", "bus_bandwidth"),
    "algorithm": ("algorithm", "algo"),
    "in_place": ("inplace", "in_place"),
    "cputime": ("cputime", "cpu_time"),
}  # fmt: skip
_ROLES: Final = {name: role for role, names in _NAMES.items() for name in names}

_TIMES: Final = frozenset({"time", "latency", "lat", "duration", "elapsed"})
_STATISTICS: Final = {"mean": "avg", "average": "avg", "median": "p50"}
_NEUTRAL: Final = frozenset({"meas", "measured", "tail", "out", "of", "place"})

SECONDS: Final = {
    "s": 1.0, "sec": 1.0, "seconds": 1.0, "ms": 1e-3, "us": 1e-6, "\u00b5s": 1e-6,
    "\u03bcs": 1e-6, "usec": 1e-6, "ns": 1e-9,
}  # fmt: skip
BYTES: Final = {
    "b": 1.0, "bytes": 1.0, "kb": 1e3, "mb": 1e6, "gb": 1e9,
    "kib": 2.0**10, "mib": 2.0**20, "gib": 2.0**30,
}  # fmt: skip
ELEMENTS: Final = ("elems", "elements")
RATES: Final = {"gb/s": 1e9, "gbps": 1e9, "gib/s": 2.0**30, "mb/s": 1e6, "b/s": 1.0, "bps": 1.0}
_SUFFIX: Final = re.compile(r"^(.+?)(?:\s*[(\[]([^)\]]+)[)\]]|_([a-z\u00b5\u03bc]+))$")


@dataclass(frozen=True, slots=True)
class Column:
    """A column by its name: `role` is empty for what nobody needs."""

    name: str
    role: str
    unit: str
    statistic: str
    """Of a time: avg, p50, min, ...; empty where its name says none."""
    plain: str


def column_of(key: object, where: str) -> Column:
    """Return what a column is."""
    if not isinstance(key, str):
        raise fault(where, f"column {shown(key)}", "must be named by text")
    name = plain = key.strip().lstrip("#").strip().lower()
    unit = ""
    if match := _SUFFIX.match(plain):
        word = (match[2] or match[3]).strip()
        if match[2] or word in SECONDS or word in BYTES or word in (*ELEMENTS, "gbps"):
            name, unit = match[1].strip(), word
    spelled = re.sub(r"[\s\-]+", "_", name)
    role = _ROLES.get(spelled, "")
    statistic = ""
    if not role and (found := _statistic(spelled)) is not None:
        role, statistic = "time", found
    return Column(key, role, unit, statistic, spelled)


def _statistic(name: str) -> str | None:
    """Return which statistic of a time a name is; None where it is no time."""
    words = [word for word in re.split(r"[_:.\s]+", name) if word and word not in _NEUTRAL]
    plain = [_STATISTICS.get(word, word) for word in words if word not in _TIMES]
    if not words or len(plain) > 1 or len(words) - len(plain) > 1:
        return None
    if not plain:
        return ""
    known = plain[0] in ("avg", "min", "max") or re.fullmatch(r"p\d{1,2}(?:\.\d+)?", plain[0])
    # A minimum or maximum must say of what.
    if not known or (plain[0] in ("min", "max") and len(words) == 1):
        return None
    return plain[0]


@dataclass(frozen=True, slots=True)
class Marks:
    """What commas and points between digits are, by all numbers of a table."""

    comma: str
    """``"decimal"``, ``"thousands"``, or empty where nothing tells."""

    def number(self, value: object, name: str, where: str) -> float:
        """Return a cell as a number."""
        if isinstance(value, bool) or value is None:
            raise fault(where, f"{name} {shown(value)}", "must be a number")
        text = self._plain(value.strip(), name, where) if isinstance(value, str) else value
        try:
            return float(text)  # type: ignore[arg-type]
        except (TypeError, ValueError, OverflowError):
            raise fault(where, f"{name} {shown(value)}", "must be a number") from None

    def _plain(self, text: str, name: str, where: str) -> str:
        if re.fullmatch(r"[+-]?\d+(?:_\d{3})+", text):
            return text.replace("_", "")
        if not text.isascii() or "_" in text:
            raise fault(where, f"{name} {shown(text)}", "must be a number")
        if "," not in text:
            if self.comma == "decimal" and "." in text and not _POINTS.fullmatch(text):
                raise fault(where, f"{name} {text!r}", _MIXED)
            if self.comma == "decimal" and "." in text:
                if text.count(".") == 1:
                    raise fault(where, f"{name} {text!r}", _MIXED)
                return text.replace(".", "")
            return text
        if self.comma == "thousands" and _GROUPS.fullmatch(text):
            return text.replace(",", "")
        if self.comma == "decimal" and _DECIMAL.fullmatch(text):
            return text.replace(".", "").replace(",", ".")
        raise fault(where, f"{name} {text!r}", _MIXED)


_GROUPS: Final = re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d*)?(?:[eE][+-]?\d+)?")
_POINTS: Final = re.compile(r"[+-]?[1-9]\d{0,2}(?:\.\d{3})+")
_DECIMAL: Final = re.compile(r"[+-]?(?:\d+|\d{1,3}(?:\.\d{3})+),\d+(?:[eE][+-]?\d+)?")
_EITHER: Final = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")  # one group of three: both readings stand
_MIXED: Final = (
    "must say whether a comma is a decimal comma or sets off thousands, the same for all numbers "
    "of the table: write decimal points and no thousands"
)


def marks_of(whole: Iterable[str], others: Iterable[str], separator: str | None) -> Marks:
    """Tell what commas are, from numbers that must be whole and from the others."""
    groups = decimal = points = False
    for texts, is_whole in ((whole, True), (others, False)):
        for text in texts:
            if "," not in text:
                points |= "." in text and not _POINTS.fullmatch(text)
            elif _EITHER.fullmatch(text):
                groups |= is_whole
            elif _GROUPS.fullmatch(text):
                groups = True
            else:
                decimal |= _DECIMAL.fullmatch(text) is not None
    if (groups or points) and not decimal:
        return Marks("thousands")
    if decimal or separator == ";":
        return Marks("" if groups or points else "decimal")
    return Marks("")
