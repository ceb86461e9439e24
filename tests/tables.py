"""Tables in the shapes that benchmark tools print, made of numbers that are known."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Final

SIZES: Final = tuple(2**power for power in range(20, 29))
Rows = Sequence[tuple[int, float]]


def bus(op: str, ranks: int) -> float:
    """Return busbw / algbw."""
    parts = (ranks - 1) / ranks
    return {"all_reduce": 2 * parts, "all_gather": parts, "reduce_scatter": parts}.get(op, 1.0)


def times(start_us: float = 9.5, rate: float = 120e9, sizes: Sequence[int] = SIZES) -> Rows:
    """Return sizes and microseconds."""
    return [(size, round(start_us + size / rate * 1e6, 2)) for size in sizes]


def nccl(
    rows: Rows,
    ranks: int = 8,
    op: str = "all_reduce",
    command: str = "",
    each_host: int = 8,
    group: Callable[[int], int] = lambda rank: 0,
    *,
    devices: bool = True,
) -> str:
    """Return what nccl-tests print, in place 3 % faster."""
    command = command or f"$ mpirun -np {ranks} ./build/{op}_perf -b 1M -e 256M -f 2 -g 1"
    lines = [command]
    if devices:
        lines += ["# nThread 1 nGpus 1 minBytes 1048576 maxBytes 268435456 step: 2(factor)"]
        lines += ["# Using devices"]
        lines += [
            f"#  Rank {rank:>2} Group {group(rank):>2} Pid {700 + rank} on node{rank // each_host} "
            f"device {rank % each_host} [0x{rank:02x}] An Accelerator"
            for rank in range(ranks)
        ]
    lines += [
        "#" + " " * 50 + "out-of-place" + " " * 20 + "in-place",
        "#  size  count  type  redop  root  time  algbw  busbw #wrong  time  algbw  busbw #wrong",
        "#   (B)  (elements)            (us)  (GB/s)  (GB/s)        (us)  (GB/s)  (GB/s)",
    ]
    parts = ranks if op in ("all_gather", "reduce_scatter") else 1
    for size, us in rows:
        cells = [f"{size:>12} {size // 4 // parts:>10} float sum -1"]
        for time in (us, us * 0.97):
            rate = size / time / 1e3
            cells.append(f"{time:>9.2f} {rate:>7.2f} {rate * bus(op, ranks):>7.2f} 0")
        lines.append(" ".join(cells))
    return "\n".join([*lines, "# Out of bounds values : 0 OK", "# Avg bus bandwidth : 99.9", ""])


def nccom(
    rows: Rows,
    ranks: int = 64,
    op: str = "allr",
    command: str = "",
    ran: Callable[[int], str] | None = None,
) -> str:
    """Return what nccom-test prints."""
    name = {"allr": "all_reduce", "allg": "all_gather", "redsct": "reduce_scatter"}[op]
    head = "size(B) count(elems) type time:avg(us) algbw(GB/s) busbw(GB/s)"
    lines = [command or f"nccom-test -r {ranks} -b 1mb -e 256mb -f 2 -d bf16 {op}"]
    lines.append("    " + head.replace(" ", "    ") + ("    algorithm" if ran else ""))
    for size, us in rows:
        rate = size / us / 1e3
        cells = [size, size // 2, "bf16", f"{us:.2f}", f"{rate:.2f}"]
        cells += [f"{rate * bus(name, ranks):.2f}", *([ran(size)] if ran else [])]
        lines.append("  ".join(str(cell).rjust(12) for cell in cells))
    return "\n".join([*lines, "Avg bus bandwidth:      77.0000GB/s", ""])


def csv(rows: Rows, separator: str = ",", *, comma: bool = False, op: str = "all_reduce") -> str:
    """Return CSV of op, bytes and microseconds."""
    lines = [separator.join(("op", "bytes", "time_us"))]
    for size, us in rows:
        text = f"{us:.3f}".replace(".", ",") if comma else f"{us:.3f}"
        lines.append(separator.join((op, str(size), text)))
    return "\n".join(lines) + "\n"


def osu(rows: Rows, op: str = "Allreduce", command: str = "", version: str = " v7.5") -> str:
    """Return what an OSU benchmark of MPI prints, with -f."""
    lines = [command] if command else []
    lines += [
        "",
        f"# OSU MPI-CUDA {op} Latency Test{version}",
        "# Datatype: MPI_CHAR.",
        "# Size       Avg Latency(us)   Min Latency(us)   Max Latency(us)  Iterations",
    ]
    lines += [f"{s:<10} {us:>18.2f} {us * 0.9:>17.2f} {us * 1.2:>17.2f} 100" for s, us in rows]
    return "\n".join(lines) + "\n"


def ucc(rows: Rows, op: str = "Allreduce", ranks: int = 8, *, full: bool = True) -> str:
    """Return what UCC's perftest prints; sizes are those of the source buffer."""
    lines = [f"Collective:             {op}", "Memory type:            cuda"]
    lines += ["Datatype:               float32", "Inplace:                0", ""]
    lines += [
        "       Count        Size                Time, us"
        + ("                       Bus Bandwidth, GB/s" if full else ""),
        "                                 avg         min         max"
        + ("         avg         max         min" if full else ""),
    ]
    name, parts = ("all_gather", ranks) if op == "Allgather" else ("all_reduce", 1)
    for size, us in rows:
        line = f"{size // 4:>12}{size:>12}{us:>12.2f}{us * 0.9:>12.2f}{us * 1.1:>12.2f}"
        for time in (us, us * 0.9, us * 1.1) if full else ():
            line += f"{size * parts / time / 1e3 * bus(name, ranks):>12.2f}"
        lines.append(line)
    return "\n".join([*lines, "Total time: 3.21 ms", ""])


def rccl_rows(rows: Rows, ranks: int = 8) -> list[dict[str, object]]:
    """Return rows as rccl-tests write them to a file, each in place too."""
    found: list[dict[str, object]] = []
    for size, us in rows:
        for place in (0, 1):
            time = us * (1 - 0.1 * place)
            rate = size / time / 1e3
            found.append(
                {
                    "numCycle": 0,
                    "name": "AllReduce",
                    "nodes": 1,
                    "ranks": ranks,
                    "ranksPerNode": ranks,
                    "gpusPerRank": 1,
                    "size": size,
                    "type": "float",
                    "redop": "sum",
                    "inPlace": place,
                    "time": time,
                    "algBw": rate,
                    "busBw": rate * bus("all_reduce", ranks),
                    "wrong": "0",
                }
            )
    return found


def nccl_json(rows: Rows, ranks: int = 8, op: str = "all_reduce", hosts: int = 1) -> str:
    """Return what nccl-tests -J write (version 3 of the file)."""
    results = []
    for size, us in rows:
        place = {}
        for name, share in (("out_of_place", 1.0), ("in_place", 0.95)):
            rate = size / us / share / 1e3
            place[name] = {
                "time": us * share, "alg_bw": rate, "bus_bw": rate * bus(op, ranks), "nwrong": None
            }  # fmt: skip
        row = {"size": size, "count": size // 4, "type": "float", "redop": "sum", "root": "    -1"}
        results.append(row | place | {"actual_iterations": 20, "experiment_name": ""})
    devices = [
        {"rank": rank, "group": 0, "pid": 5, "hostname": f"n{rank * hosts // ranks}", "device": 0}
        for rank in range(ranks)
    ]
    return json.dumps(
        {
            "version": 3,
            "args": [f"./build/{op}_perf", "-b", "1M", "-J", "out.json"],
            "config": {"nthreads": 1, "ngpus": 1, "devices": devices},
            "results": results,
        }
    )
