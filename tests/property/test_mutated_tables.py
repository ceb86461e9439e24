"""Tables with damage: read as they were, or refused; never another number, never a raw exception.

``python tests/property/test_mutated_tables.py 20000`` runs as many as it says.
"""

from __future__ import annotations

import json
import random
import re
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

import numpy as np

import rainier_fast as rf
import tables
from rainier_fast.errors import RainierError
from rainier_fast.formats.read import read
from rainier_fast.measure.placed import placed

# In place is 10 % faster here. Any factor that a unit, a column or a rank count makes is larger.
_CLOSE: Final = 0.105
_JUNK: Final = "0123456789.,;:-+eE#|\t\"'()[]{}\\/ \x00\x1b\u00a0\u0660\ufeffnaxNA%\r\n"


@dataclass(frozen=True)
class Base:
    """A sound table, and what it says."""

    text: str
    op: str
    ranks: int | None = None

    @property
    def redundant(self) -> bool:
        """Whether each number can be checked against others of its row."""
        return "busbw" in self.text.lower() or "bus_bw" in self.text


def _bases() -> dict[str, Base]:
    rows = tables.times()
    rccl = tables.rccl_rows(rows)
    spread = [",".join(rccl[0]), *(",".join(map(str, row.values())) for row in rccl)]
    return {
        "nccl": Base(tables.nccl(rows), "all_reduce", 8),
        "nccl of several nodes": Base(tables.nccl(rows, 16), "all_reduce", 16),
        "all-gather": Base(tables.nccl(rows, 4, "all_gather"), "all_gather", 4),
        "nccom": Base(tables.nccom(rows), "all_reduce", 64),
        "reduce-scatter": Base(tables.nccom(rows, 32, "redsct"), "reduce_scatter", 32),
        "nccl JSON": Base(tables.nccl_json(rows), "all_reduce", 8),
        "rccl JSON": Base(json.dumps(rccl), "all_reduce", 8),
        "rccl lines": Base("\n".join(map(json.dumps, rccl)), "all_reduce", 8),
        "rccl CSV": Base("\n".join(spread), "all_reduce", 8),
        "CSV": Base(tables.csv(rows), "all_reduce"),
        "decimal commas": Base(tables.csv(rows, ";", comma=True), "all_reduce"),
        "tabs": Base(tables.csv(rows, "\t"), "all_reduce"),
        "OSU": Base(tables.osu(rows), "all_reduce"),
        "UCC": Base(tables.ucc(rows), "all_reduce", 8),
        "UCC without rates": Base(tables.ucc(rows, full=False), "all_reduce", 8),
    }


BASES: Final = _bases()


# What happens round tables, and to whole tables, without a change of any number.
def _labels(text: str, draw: random.Random) -> str:
    label = draw.choice(
        ["[1,0]<stdout>:", "0: ", "[0] ", "2025-05-22 07:36:17 ", "[rank0]: ", "10:11:12.5 ",
         "2025-05-22T07:36:17.123Z ", "[1,0]<stdout>:2025-05-22 07:36:17 ", "[pod/w-0/c] "]
    )  # fmt: skip
    return "\n".join(label + line for line in text.splitlines())


def _lines(text: str, draw: random.Random) -> str:
    lines = text.splitlines()
    for _ in range(draw.randint(1, 4)):
        other = draw.choice(
            ["", "-----", "ubuntu@host:~$ exit", "8 nodes allocated", "WARNING: retried 3 times",
             "2025-05-22 07:36:17 start", "host:12:12 [0] NCCL INFO Bootstrap : using eth0",
             "1 errors found - test failed", "10.0.0.4: up", "# remark 1 2 3", "done in 3 s",
             "4294967296    Failure running the benchmark", "message sizes and time follow"]
        )  # fmt: skip
        lines.insert(draw.randint(0, len(lines)), other)
    return "\n".join(lines)


def _marks(text: str, draw: random.Random) -> str:
    ways: list[Callable[[str], str]] = [
        lambda one: one.replace("\n", "\r\n"),
        lambda one: "\n".join(line.lstrip("#") for line in one.splitlines()),
        lambda one: "\ufeff" + one,
        lambda one: "\n".join("  " + line for line in one.splitlines()),
        lambda one: "\n".join(line + "   " for line in one.splitlines()),
        lambda one: re.sub(r"(?m)^", "\x1b[32m", one),
    ]
    return draw.choice(ways)(text)


def _fewer(text: str, draw: random.Random) -> str:
    lines = text.splitlines()
    for _ in range(draw.randint(1, 3) if len(lines) > 3 else 0):
        lines.pop(draw.randrange(len(lines)))
    return "\n".join(lines)


def _again(text: str, draw: random.Random) -> str:
    lines = text.splitlines()
    lines.insert(draw.randint(0, len(lines)), draw.choice(lines))
    return "\n".join(lines)


# What happens to single numbers and names: only tables that can be checked must stand it.
def _digit(text: str, draw: random.Random) -> str:
    at = draw.choice([found.start() for found in re.finditer(r"\d", text)])
    new = draw.choice(["", draw.choice("0123456789"), text[at] * 2, ".", ",", text[at] + "000"])
    return text[:at] + new + text[at + 1 :]


def _cell(text: str, draw: random.Random) -> str:
    found = list(re.finditer(r"[^\s,;:\"{}\[\]]+", text))
    one, other = draw.choice(found), draw.choice(found)
    new = draw.choice(["", "nan", "-", "inf", "N/A", "1e3", "-1", "0", "16.9", other[0], "  "])
    return text[: one.start()] + new + text[one.end() :]


def _unit(text: str, draw: random.Random) -> str:
    swaps = [("(us)", "(ms)"), ("(us)", "(s)"), ("(B)", "(MB)"), ("(GB/s)", "(MB/s)"),
             ("size", "count"), ("count", "size"), ("algbw", "busbw"), ("time", "latency"),
             ("all_reduce_perf", "all_gather_perf"), ("allr", "allg"), ("-np 8", "-np 4"),
             ("-g 1", "-g 4"), ("-r 64", "-r 32"), ("-r 32", "-r 64"), ("Group  0", "Group  1"),
             ("float", "half"), ("bf16", "fp32"), ("-r 64", "-r 64 -N 2"), ("node1", "node0"),
             ('"time"', '"cpu_time"'), ("ranks", "nodes"), ("inPlace", "algBw"),
             ("out_of_place", "in_place"), ("busbw", "algbw"), ("redop", "time")]  # fmt: skip
    old, new = draw.choice(swaps)
    return text.replace(old, new, draw.choice([1, 1, 99]))


def _columns(text: str, draw: random.Random) -> str:
    lines = text.splitlines()
    rows = [at for at, line in enumerate(lines) if re.match(r"\s*#?\s*\d{6,}", line)]
    if not rows:
        return _cell(text, draw)
    count = len(lines[rows[0]].split())
    one, other = draw.randrange(count), draw.randrange(count)
    for at in rows if draw.random() < 0.7 else [draw.choice(rows)]:
        cells = lines[at].split()
        if draw.random() < 0.3:
            cells.insert(one % len(cells), cells[other % len(cells)])
        elif max(one, other) < len(cells):
            cells[one], cells[other] = cells[other], cells[one]
        lines[at] = "  ".join(cells)
    return "\n".join(lines)


def _commas(text: str, draw: random.Random) -> str:
    if draw.random() < 0.5:
        return re.sub(r"(\d)\.(\d)", r"\1,\2", text)
    return re.sub(r"\b\d{5,}\b", lambda one: f"{int(one[0]):,}", text)


def _cut(text: str, draw: random.Random) -> str:
    return text[: draw.randrange(len(text))]


def _noise(text: str, draw: random.Random) -> str:
    for _ in range(draw.randint(1, 6)):
        at = draw.randrange(len(text))
        text = text[:at] + draw.choice(_JUNK) * draw.randint(0, 2) + text[at + draw.randint(0, 2) :]
    return text


_ROUND: Final = (_labels, _lines, _marks, _fewer, _again)
_INSIDE: Final = (_digit, _cell, _unit, _columns, _commas, _cut, _noise)


def check(seed: int) -> str:
    """Read one mutated table; return what became of it."""
    draw = random.Random(seed)
    name, base = draw.choice(list(BASES.items()))
    text, inside = base.text, False
    for _ in range(draw.choice([1, 1, 1, 2, 3])):
        change = draw.choice(_ROUND + _INSIDE)
        inside |= change in _INSIDE
        text = change(text, draw) if re.search(r"\d", text) else base.text
    try:
        found = read(text + "\n\n")
    except RainierError:
        return "refused" if inside else "refused, whole numbers"
    if inside and not base.redundant:
        return "accepted, and cannot be checked"
    known = tables.times()
    for row in found.rows:
        near = [us for size, us in known if abs(row.size_bytes / size - 1) < 1e-6]
        said = (seed, name, row.op, row.size_bytes, row.time_s, row.ranks)
        assert row.op == base.op, said
        assert near, said
        assert abs(row.time_s * 1e6 / near[0] - 1) < _CLOSE, said
        assert row.ranks in (None, base.ranks), said
    if base.ranks is not None:
        assert all(least <= base.ranks <= most for least, most, _ in found.spans), (seed, name)
    return "read as it was"


def test_damage_is_no_other_number() -> None:
    found = Counter(check(seed) for seed in range(400))
    assert found["read as it was"] > 100
    assert found["refused"] > 100


_CELLS: Final = (
    None, True, 10**400, 1e308, "1e400", "\u0663", "1__0", "", b"8", [], {"a": 1}, "nan", "inf",
    np.array([1, 2]), np.float32(5), Decimal("NaN"), Fraction(1, 3), "0x10", "5 us", "1 MiB",
    "8 Mbit", "x" * 5000, "\x00", "1,5", "1.234,5", "1,234", "half", "q4", "alltoallv", "true",
    complex(1, 1), object(), "-5", 2**31, 0.5, "16.9", len,
)  # fmt: skip
_KEYS: Final = (
    "op", "bytes", "size_mib", "count", "time_us", "time", "latency", "message_size", "ranks",
    "nodes", "algbw(GB/s)", "busbw", "algorithm", "inPlace", "type", "gpusPerRank", "time:p99(us)",
    "cputime", "name", 5, None, "", "(us)", "_us", "size(parsecs)",
)  # fmt: skip


def test_cells_of_any_kind_are_read_or_refused() -> None:
    machines = rf.preset("h100"), rf.preset("trn2")
    for seed in range(1000):
        draw = random.Random(seed)
        rows: list[dict[Any, Any]] = [
            {"op": "all_reduce", "bytes": size, "time_us": us} for size, us in tables.times()
        ]
        for _ in range(draw.randint(1, 3)):
            draw.choice(rows)[draw.choice(_KEYS)] = draw.choice(_CELLS)
        try:
            found = read(rows)
            for machine in machines:
                placed(machine, found)
        except RainierError:
            continue


def _run(count: int) -> int:
    found: Counter[str] = Counter()
    wrong = []
    for seed in range(count):
        try:
            found[check(seed)] += 1
        except Exception as error:  # what this looks for
            found[f"WRONG: {type(error).__name__}"] += 1
            wrong.append(f"{type(error).__name__} {error!s:.300} (seed {seed})")
    print(dict(found), *wrong[:40], sep="\n")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(_run(int(sys.argv[1])))
