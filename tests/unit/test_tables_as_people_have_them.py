"""Tables as they come: from logs, issues and spreadsheets, by tools of other makers.

Each kind has several examples of our own, with the right answer: the rows, or why there are none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

import tables
from rainier_fast.errors import InvalidArgument, RainierError, Unsupported
from rainier_fast.formats.read import Reading, read

ROWS = tables.times()
NCCL, NCCOM = tables.nccl(ROWS), tables.nccom(ROWS)


def same(found: Reading, op: str = "all_reduce", rows: tables.Rows = ROWS) -> None:
    """Check that a table says these rows and no others."""
    assert [row.op for row in found.rows] == [op] * len(rows)
    assert [row.size_bytes for row in found.rows] == [size for size, _ in rows]
    assert [row.time_s * 1e6 for row in found.rows] == pytest.approx([us for _, us in rows], 2e-3)


def noted(found: Reading, *words: str) -> None:
    """Check that the notes say something."""
    for word in words:
        assert word in "; ".join(found.notes), found.notes


@contextmanager
def refused(kind: type[RainierError], *things: str) -> Iterator[None]:
    """Expect an error about the table that names these things."""
    with pytest.raises(kind) as caught:
        yield
    assert str(caught.value).startswith("table"), caught.value
    for thing in things:
        assert thing in str(caught.value), caught.value


def each_line(text: str, before: str) -> str:
    return "\n".join(before + line for line in text.splitlines()) + "\n"


def after_header(text: str, line: str) -> str:
    """Put a line among the rows."""
    return re.sub(rf"(?m)^(?=\s*{2**22}\b)", line + "\n", text, count=1)


@pytest.mark.parametrize("text", [NCCL, NCCOM], ids=["nccl-tests", "nccom-test"])
@pytest.mark.parametrize(
    "label",
    [
        "[1,0]<stdout>:",
        "[prterun-node0-77@1,0]<stdout>: ",
        "[0] ",
        "0: ",
        "[rank0]: ",
        "[pod/launcher-x2/main] ",
        "2025-05-22 07:36:17 ",
        "2025-05-22T07:36:17.123456789Z ",
        "[2025-05-22 07:36:17,123] ",
        "07:36:17.5 ",
        "May 22 07:36:17 node0 job[55]: ",
        "[1,0]<stdout>:2025-05-22 07:36:17 INFO ",
        "2025-05-22T07:36:17Z [1,0]<stdout>:",
        "\x1b[32m",
    ],
)
def test_labels_and_dates_of_each_line(text: str, label: str) -> None:
    same(read(each_line(text, label)))


def test_labels_of_several_writers_are_several_runs() -> None:
    lines = NCCL.splitlines()
    mixed = "\n".join(f"[1,{at % 2}]<stdout>:{line}" for at, line in enumerate(lines))
    with refused(InvalidArgument, "[1,0]", "[1,1]"):
        read(mixed)
    alone = tables.nccl(ROWS, 1, command="./build/all_reduce_perf -g 1")
    with refused(InvalidArgument, "rank 0"):
        read(
            alone.replace("\n# Using", "\n#  Rank  0 Group  0 Pid 1 on a device 1 [0x1] B\n# Using")
        )


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "\n".join(line.lstrip("#") for line in text.splitlines()),
        lambda text: text.replace("#", ""),
        lambda text: re.sub(r"(?m)^#\s*", "", text),
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "\ufeff" + text,
        lambda text: text.replace(" \\\n", " "),
    ],
)
def test_marks_that_paste_loses(change: Any) -> None:
    same(read(change(NCCL)))


@pytest.mark.parametrize(
    "line",
    [
        "2025-05-22 07:36:17 start of the run",
        "10.0.0.4: node0:9738:9738 [0] NCCL INFO Bootstrap : using eth0",
        "8 nodes allocated",
        "2025-Oct-01 10:00:00.123 3123:4120 WARN  NRT:something was retried",
        "--------------------------",
        "ubuntu@ip-10-0-0-1:~$ exit",
        "(venv) [me@node ~]$ ls",
        "srun: job 99 queued and waiting for resources",
    ],
)
@pytest.mark.parametrize("text", [NCCL, NCCOM, tables.osu(ROWS)], ids=["nccl", "nccom", "osu"])
def test_other_lines(text: str, line: str) -> None:
    for changed in (f"{line}\n{text}", after_header(text, line), text + line + "\n"):
        same(read(changed))


@pytest.mark.parametrize(
    "line",
    [
        "  2147483648    Failure running neuron-bench - log file /tmp/some.log",
        "  2147483648    error: out of memory",
        "  2147483648    timed out after 600 s",
    ],
)
def test_a_size_that_failed_is_told(line: str) -> None:
    for text in (NCCOM.replace("Avg bus", f"{line}\n1 errors found - test failed\nAvg bus"),):
        found = read(text)
        same(found)
        noted(found, "2147483648")
    alone = "\n".join(NCCOM.splitlines()[:2]) + "\n" + line + "\n"
    with refused(InvalidArgument, "2147483648"):
        read(alone)


@pytest.mark.parametrize("op", ["reduce_scatter", "all_gather"])
@pytest.mark.parametrize("count", [1, 5])
def test_rows_of_size_0_are_no_collectives(op: str, count: int) -> None:
    text = tables.nccl(ROWS, op=op)
    first = next(line for line in text.splitlines() if line.strip().startswith(str(2**20)))
    empty = "           0            0   float  sum  -1   5.70  0.00  0.00  0   5.61  0.00  0.00  0"
    found = read(text.replace(first, "\n".join([empty] * count + [first])))
    same(found, op)
    noted(found, f"{count} rows of size 0")
    same(read([{"op": op, "bytes": size, "time_us": us} for size, us in [(0, 5), *ROWS]]), op)
    with refused(InvalidArgument):
        read([{"op": op, "bytes": 0, "time_us": 5.0}])


def with_columns(names: Sequence[str], shares: Sequence[float], of: int) -> str:
    """Return a table of nccom-test with several times; its rates are those of one."""
    lines = ["nccom-test -r 64 -d bf16 allr --stats"]
    lines.append("size(B) count(elems) type " + " ".join(names) + " algbw(GB/s) busbw(GB/s)")
    for size, us in ROWS:
        rate = size / us / shares[of] / 1e3
        cells = [f"{us * share:.2f}" for share in shares]
        cells += [f"{rate:.2f}", f"{rate * tables.bus('all_reduce', 64):.2f}"]
        lines.append(" ".join([str(size), str(size // 2), "bf16", *cells]))
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("names", "shares", "of"),
    [
        (("time:avg(us)", "time:p50(us)", "time:p90(us)"), (1.0, 0.8, 1.6), 0),
        (("time:p50(us)", "time:avg(us)"), (1.0, 1.3), 0),
        (("time:p90(us)",), (1.0,), 0),
        (("time:p25(us)", "time:p99(us)"), (0.7, 1.0), 1),
    ],
)
def test_the_time_that_the_bandwidth_is_of(
    names: Sequence[str], shares: Sequence[float], of: int
) -> None:
    found = read(with_columns(names, shares, of))
    same(found)
    noted(found, re.findall(r"p\d\d|avg", names[of])[0])


@pytest.mark.parametrize(
    ("command", "ranks", "nodes"),
    [
        ("nccom-test -r 64 -N 2 -d bf16 allr --hosts 10.1.0.1 10.1.0.2", 64, 2),
        ("NEURON_RT_ROOT_COMM_ID=10.1.0.1:4 nccom-test --nworkers=64 --nnodes=2 all_reduce", 64, 2),
        ("$ ./nccom-test allr -N 4 -r 64 --slurm-mode", 64, 4),
        ("nccom-test -r 64 allr", 64, None),
    ],
)
def test_commands_of_nccom(command: str, ranks: int, nodes: int | None) -> None:
    found = read(tables.nccom(ROWS, command=command))
    same(found)
    assert found.cores
    assert {(row.ranks, row.nodes) for row in found.rows} == {(ranks, nodes)}


@pytest.mark.parametrize(
    ("command", "ranks", "nodes"),
    [
        ("mpirun -np 16 -N 8 ./build/all_reduce_perf -g 1", 16, 2),
        ("mpirun -n 4 --map-by ppr:2:node ./all_reduce_perf -b 8 -e 1G -g 4", 16, 2),
        ("mpirun \\\n  -np 2 \\\n  ./build/all_reduce_perf -t 2 -g4", 16, None),
        ("srun -N 2 --ntasks-per-node=8 ./build/all_reduce_perf -g 1", 16, 2),
        ("srun --nodes=2 --ntasks 16 all_reduce_perf_mpi -b 8", 16, 2),
        ("./build/all_reduce_perf -b 8 --ngpus 16", 16, None),
        ("mpirun -np $N ./build/all_reduce_perf -g $G", None, None),
    ],
)
def test_commands_of_nccl_tests(command: str, ranks: int | None, nodes: int | None) -> None:
    found = read(tables.nccl(ROWS, 16, command=command, devices=False))
    same(found)
    assert {(row.ranks, row.nodes) for row in found.rows} == {(ranks, nodes)}
    assert all(least <= 16 <= most for least, most, _ in found.spans)
    listed = read(tables.nccl(ROWS, 16, command=command))
    assert {(row.ranks, row.nodes) for row in listed.rows} == {(16, 2)}


@pytest.mark.parametrize(
    "text",
    [
        tables.nccl(ROWS, 8, command="mpirun -np 4 ./build/all_reduce_perf -g 1"),
        tables.nccl(ROWS, 4, command="mpirun -np 8 ./build/all_reduce_perf", devices=False),
        tables.nccl(ROWS, 8, command="./build/all_gather_perf -g 8", devices=False),
        tables.nccl(ROWS, 8).replace("nGpus 1", "nGpus 3"),
        tables.nccl(ROWS, 16, each_host=4),
        tables.nccom(ROWS, 64, command="nccom-test -r 32 allr"),
        tables.nccom(ROWS, 64, command="nccom-test -r 64 allg"),
    ],
)
def test_what_contradicts_the_command_is_refused(text: str) -> None:
    text = text.replace("mpirun -np 16", "mpirun -np 16 -N 8")
    with refused(InvalidArgument):
        read(text)


@pytest.mark.parametrize("command", ["", "./build/all_reduce_perf -b 1M -g $N"])
@pytest.mark.parametrize("ranks", [2, 4, 8])
def test_bandwidths_say_how_many_ranks(ranks: int, command: str) -> None:
    text = tables.nccl(ROWS, ranks, command=command or "all_reduce_perf", devices=False)
    found = read(text)
    assert [(least, most) for least, most, _ in found.spans] == [(ranks, ranks)]


def test_groups_at_once_are_refused() -> None:
    for group in (lambda rank: rank % 2, lambda rank: rank // 4, lambda rank: int(rank == 7)):
        with refused(Unsupported, "2 groups"):
            read(tables.nccl(ROWS, 8, group=group))


@pytest.mark.parametrize(
    "option",
    ["--data-parallel-dimension 2", "--custom-replica-group g.json", "--sb2sb",
     "--coalesced-cc-size-ratio [1,2,1]", "--custom-src-target-pairs=p.json"],
)  # fmt: skip
def test_what_is_no_single_collective_is_refused(option: str) -> None:
    with refused(Unsupported, option.split()[0].partition("=")[0]):
        read(tables.nccom(ROWS, command=f"nccom-test -r 64 allr {option}"))


def test_longer_lines_of_nccl_tests() -> None:
    head = "#  size  count  type  redop  root  time  algbw  busbw #wrong"
    each = "  i_min  i_max  i_p99  i_cv%"
    clock = [re.sub(r"(#wrong)$", r"\1  timestamp", line) for line in NCCL.splitlines()]
    clock = [line + "  2026-07-09 16:03:21" * line.startswith("   ") for line in clock]
    same(read("\n".join(clock)))
    lines = [f"./all_reduce_perf -g 8 -I 1\n{head}{each}  time  algbw  busbw #wrong{each}"]
    for size, us in ROWS:
        rate = size / us / 1e3
        one = f"{us:.2f} {rate:.2f} {rate * 1.75:.2f} 0 {us * 0.8:.2f} {us * 2:.2f} 9e+03 4.00"
        lines.append(f"   {size} {size // 4} float sum -1 {one} {one.replace('0', '1', 1)}")
    same(read("\n".join(lines)))
    noted(read(NCCL.replace("values : 0 OK", "values : 3 FAILED")), "wrong results")
    with refused(InvalidArgument, "cputime"):
        read(NCCL.replace(" time ", " cputime "))


def test_sizes_of_inputs_and_outputs_beside_those_of_nccom() -> None:
    names = "size(B) count(elems) total_input_size(B) total_output_size(B) type time:avg(us)"
    lines = ["nccom-test -r 32 allg --show-input-output-size", f"{names} algbw(GB/s) busbw(GB/s)"]
    for size, us in ROWS:
        rate = size / us / 1e3
        cells = [size, size // 4, size // 32, size, "fp32", us, f"{rate:.2f}"]
        lines.append("  ".join(map(str, [*cells, f"{rate * 31 / 32:.2f}"])))
    same(read("\n".join(lines)), "all_gather")


def test_rows_in_place_do_not_count() -> None:
    rows = tables.rccl_rows(ROWS)
    head = ",".join(rows[0])
    csv = "\n".join([head, *(",".join(map(str, row.values())) for row in rows)])
    older = re.sub(r"\bwrong\b", "#wrong", csv).replace(",", ", ")
    for text in (csv, older, json.dumps(rows), "\n".join(map(json.dumps, rows))):
        found = read(text)
        same(found)
        noted(found, f"{len(ROWS)} rows in place left out")
    only = read([row for row in rows if row["inPlace"]], time_unit="us")
    noted(only, "all rows are in place")
    with refused(InvalidArgument):
        read([rows[0] | {"inPlace": "perhaps"}], time_unit="us")


@pytest.mark.parametrize("hosts", [1, 2])
@pytest.mark.parametrize("op", ["all_reduce"])
def test_json_of_nccl_tests(op: str, hosts: int) -> None:
    text = tables.nccl_json(ROWS, 8, op, hosts)
    found = read(text)
    same(found)
    assert {(row.ranks, row.nodes) for row in found.rows} == {(8, hosts)}
    same(read(json.dumps(json.loads(text), indent=2)))
    same(read("node0 says:\n" + text + "\nbye"))
    with refused(InvalidArgument, "cputime"):
        read(text.replace('"time"', '"cpu_time"'))
    with refused(InvalidArgument, "twice"):
        read(text.replace('"count"', '"size": 1, "count"'))


@pytest.mark.parametrize(
    "text",
    [
        tables.csv(ROWS, ";", comma=True),
        tables.csv(ROWS, ";", comma=False),
        tables.csv(ROWS, "\t", comma=True),
        tables.csv(ROWS, "|"),
        "\n".join(f'"{line}"'.replace(",", '","') for line in tables.csv(ROWS).splitlines()),
        "\n".join(
            f"| {line} |".replace(",", " | ")
            if at != 1
            else f"|---|---:|---|\n| {line} |".replace(",", " | ")
            for at, line in enumerate(tables.csv(ROWS).splitlines())
        ),
        NCCOM.replace(".", ","),
    ],
    ids=["; and ,", ";", "tab and ,", "|", "quoted", "Markdown", "nccom with ,"],
)
def test_separators_and_decimal_commas(text: str) -> None:
    same(read(text))


@pytest.mark.parametrize("separator", ["\t", "|"])
def test_one_comma_with_three_digits_is_either(separator: str) -> None:
    rows = [(size, us) for size, us in ROWS if us < 1000]
    with refused(InvalidArgument, "comma"):
        read(tables.csv(rows, separator, comma=True))
    same(read(tables.csv(rows, ";", comma=True)), rows=rows)


@pytest.mark.parametrize(
    ("times", "us"),
    [
        (("14,597", "19,2"), 14.597),
        (("0,597", "19,297"), 0.597),
        (("1.014,597", "19,297"), 1014.597),
        (("1,014.597", "1,019"), 1014.597),
        (("14,597", "19,297"), None),
        (("14,597", "19.2", "1,5"), None),
        (("14.597", "19,2"), None),
    ],
)
def test_commas_are_decimal_or_thousands_or_refused(times: Sequence[str], us: float | None) -> None:
    rows = [{"op": "ar", "bytes": 2**20, "time_us": time} for time in times]
    if us is None:
        with refused(InvalidArgument, "comma"):
            read(rows)
    else:
        assert read(rows).rows[0].time_s * 1e6 == pytest.approx(us)


def test_columns_by_spaces() -> None:
    same(read(tables.osu(ROWS)))
    same(read(tables.osu(ROWS).replace("MPI-CUDA", "MPI"), op="all_reduce"))
    plain = "collective   n   bytes   est(us)   meas_p50(us)\n"
    plain += "\n".join(f"all_reduce  8  {size}  7.2  {us}" for size, us in ROWS)
    found = read(plain)
    same(found)
    assert found.ranks == {8}
    same(read("bytes  latency_ms\n" + "\n".join(f"{s}  {u / 1e3}" for s, u in ROWS), op="ar"))
    found = read(tables.ucc(ROWS))
    same(found)
    assert [(least, most) for least, most, _ in found.spans] == [(8, 8)]
    same(read(tables.ucc(ROWS, full=False)))


def test_sizes_of_one_part_are_multiplied_by_the_ranks() -> None:
    larger = [(8 * size, us) for size, us in ROWS]
    command = "mpirun -np 8 ./osu_allgather -m 1048576:268435456"
    for text in (tables.osu(ROWS, "Allgather", command), tables.ucc(ROWS, "Allgather")):
        found = read(text, whole=8)
        same(found, "all_gather", larger)
        noted(found, "8 ranks")
    exchange = "All-to-All Personalized Exchange"
    same(read(tables.osu(ROWS, exchange), whole=8), "all_to_all", larger)
    with refused(InvalidArgument, "ranks"):
        read(tables.osu(ROWS, exchange))


@pytest.mark.parametrize(
    "text",
    [
        tables.nccom(ROWS, command="nccom-test -r 64 alltoallv --alltoallv-metadata m.json"),
        tables.nccl(ROWS, command="./build/alltoallv_perf -g 8"),
        tables.osu(ROWS, "Allgatherv"),
        tables.csv(ROWS, op="reduce_scatter_v"),
    ],
)
def test_operations_without_a_model_are_named(text: str) -> None:
    with refused(Unsupported, "has no model"):
        read(text)


@pytest.mark.parametrize("ranks", [2, 3, 8])
@pytest.mark.parametrize("op", ["all_gather", "reduce_scatter"])
def test_rates_of_before_2020(op: str, ranks: int) -> None:
    lines = [f"./{op}_perf -b 1M -g {ranks}", "#  size  count  type  time  algbw  busbw  error"]
    for size, us in ROWS:
        rate = size / us / 1e3 * (ranks - 1) / ranks
        lines.append(f"{size} {size // 4} float {us:.2f} {rate:.2f} {rate:.2f} 0e+00")
    text = "\n".join(lines) + "\n"
    found = read(text)
    same(found, op)
    noted(found, "before June 2020")
    assert found.ranks == {ranks}
    with refused(InvalidArgument):
        read(text.replace(f"-g {ranks}", f"-g {ranks + 1}"))
    with refused(InvalidArgument):
        read(text.replace(op, "all_reduce"))


@pytest.mark.parametrize(
    "row",
    [
        {"ranks": 16.9},
        {"ranks": float("nan")},
        {"ranks": 0},
        {"ranks": "sixteen"},
        {"ranks": 8, "num_gpus": 4},
        {"time_ms": 1.0},
        {"size_mib": 2},
        {"operation": "all_gather"},
        {"count": 2**18, "type": "half"},
        {"algbw(GB/s)": 40.0},
        {"algbw(GB/s)": float("nan")},
        {"algbw(GB/s)": 20.97, "busbw(GB/s)": 20.97, "ranks": 8},
        {"algbw(GB/s)": 20.97, "busbw(GB/s)": 60.0},
        {"time_us": "nan"},
        {"time_us": "inf"},
        {"time_us": "5O"},
    ],
)
def test_columns_that_contradict_are_refused(row: dict[str, Any]) -> None:
    sound = {"op": "all_reduce", "bytes": 2**20, "time_us": 50.0}
    read([sound])
    with refused(InvalidArgument):
        read([sound | row])


@pytest.mark.parametrize(
    "text",
    [
        "op,bytes,time_us,time_us\nar,8,5,6",
        "op,bytes,bytes,time_us\nar,8,9,6",
        '[{"op": "ar", "bytes": 8, "bytes": 9, "time_us": 5}]',
        '[{"op": "ar", "bytes": 8, "time_us": NaN}]',
        '[{"op": "ar", "bytes": 8, "time_us": 5, "ranks": 16.9}]',
    ],
)
def test_keys_twice_and_what_is_no_number(text: str) -> None:
    with refused(InvalidArgument):
        read(text)


def test_an_operation_that_the_table_contradicts_is_refused() -> None:
    for table in (NCCL, NCCOM, tables.csv(ROWS), tables.osu(ROWS), tables.ucc(ROWS)):
        same(read(table, op="allreduce"))
        with refused(InvalidArgument, "all_gather"):
            read(table, op="all_gather")


def test_several_runs_in_one_text() -> None:
    text = "".join(tables.nccl(ROWS, ranks) for ranks in (2, 4, 8))
    assert [row.ranks for row in read(text).rows] == [2] * 9 + [4] * 9 + [8] * 9
    mixed = read(NCCOM + tables.nccom(ROWS, 64, "redsct"))
    assert [row.op for row in mixed.rows] == ["all_reduce"] * 9 + ["reduce_scatter"] * 9


@pytest.mark.parametrize(
    "text",
    ["\n", "[", "{\n", "[[[[[[\n" * 9, '"\n,\n', "a\n\x00,b,time_us", "{}\n{}", "[" * 10**5 + "\n",
     "op,bytes,time_us\n\"ar,8,5\n", "size time\n\n5 5", "|\n|\n", "#\n#", "\\\n\\",
     "count size time, us\n", "1e999,5\n", "op,bytes,time_us\nar,1e999,5", "[1]: \n[2]: x\n",
     '[{"bytes": {}, "time_us": [], "op": "ar"}]', "op,bytes,time_us\nar," + "9" * 5000 + ",5"],
)  # fmt: skip
def test_no_text_raises_what_is_not_ours(text: str) -> None:
    with pytest.raises(RainierError):
        read(text)
