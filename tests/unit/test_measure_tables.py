"""Tables of measurements: every form, every trap of units, every refusal with its line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from rainier_fast.errors import InvalidArgument, InvalidType, RainierError
from rainier_fast.formats.read import Reading, read
from raising import raises

NCCOM = """\
nccom-test -r 64 --minbytes 1mb --maxbytes 16mb --stepfactor 4 --datatype bf16 allr
       size(B)    count(elems)    type    time(us)    algbw(GB/s)    busbw(GB/s)
       1048576          524288    bf16       51.90          20.20          39.77
       4194304         2097152    bf16      105.90          39.61          77.98
Avg bus bandwidth:      58.8750GB/s

nccom-test -r 64 --datatype bf16 allg
       size(B)    count(elems)    type    time:avg(us)    algbw(GB/s)    busbw(GB/s)
       1048576          524288    bf16       34.64          30.27          29.80
"""

NCCL = """\
# nThread 1 nGpus 8 minBytes 8388608 maxBytes 134217728 step: 2(factor) warmup iters: 5
#
# Using devices
#  Rank  0 Group  0 Pid  100 on     node-a device  0 [0x04] NVIDIA H100
#  Rank  1 Group  0 Pid  100 on     node-a device  1 [0x05] NVIDIA H100
#  Rank  2 Group  0 Pid  100 on     node-a device  2 [0x0a] NVIDIA H100
#  Rank  3 Group  0 Pid  100 on     node-a device  3 [0x0b] NVIDIA H100
#  Rank  4 Group  0 Pid  100 on     node-a device  4 [0x84] NVIDIA H100
#  Rank  5 Group  0 Pid  100 on     node-a device  5 [0x85] NVIDIA H100
#  Rank  6 Group  0 Pid  100 on     node-a device  6 [0x8a] NVIDIA H100
#  Rank  7 Group  0 Pid  100 on     node-a device  7 [0x8b] NVIDIA H100
# Collective test starting: all_reduce_perf
#
#                                                              out-of-place                       in-place
#       size         count      type   redop    root     time   algbw   busbw #wrong     time   algbw   busbw #wrong
#        (B)    (elements)                               (us)  (GB/s)  (GB/s)            (us)  (GB/s)  (GB/s)
     8388608       2097152     float     sum      -1    104.1   80.58  141.02      0    105.2   79.74  139.55      0
    16777216       4194304     float     sum      -1    155.0  108.24  189.42      0    154.1  108.87  190.53      0
# Out of bounds values : 0 OK
# Avg bus bandwidth    : 165.13
"""  # noqa: E501 - as the tool prints it


def one(table: object, **how: Any) -> tuple[float, float]:
    row = read(table, **how).rows[0]
    return row.size_bytes, row.time_s


def notes(reading: Reading) -> str:
    return "; ".join(reading.notes)


def test_nccom_text() -> None:
    found = read(NCCOM)
    assert [(row.op, row.size_bytes) for row in found.rows] == [
        ("all_reduce", 1048576),
        ("all_reduce", 4194304),
        ("all_gather", 1048576),
    ]
    assert found.rows[0].time_s == pytest.approx(51.9e-6)
    assert found.rows[2].time_s == pytest.approx(34.64e-6)
    assert found.ranks == {64}
    assert found.rows[0].where == "line 3"
    assert "nccom-test" in notes(found)


def test_nccl_text_counts_out_of_place() -> None:
    found = read(NCCL)
    assert [row.op for row in found.rows] == ["all_reduce", "all_reduce"]
    assert found.rows[0].time_s == pytest.approx(104.1e-6)
    assert found.rows[1].size_bytes == 16777216
    assert found.ranks == {8}
    assert "out of place" in notes(found)
    assert "printed bandwidths are GB/s" in notes(found)


def test_nccl_all_gather_is_sized_by_its_output() -> None:
    # size = ranks x count x width: the count is what one rank sends.
    text = NCCL.replace("all_reduce_perf", "all_gather_perf").replace(" 2097152 ", " 262144 ")
    text = text.replace(" 4194304 ", " 524288 ").replace("141.02", "70.51")
    text = text.replace("189.42", "94.71")
    found = read(text)
    assert found.rows[0].op == "all_gather"
    assert found.rows[0].size_bytes == 8388608


def test_gib_printed_as_gb_is_noticed() -> None:
    text = (
        "nccom-test -r 2 allr\n"
        "     size(B)    count(elems)     type    time(us)    algbw(GB/s)    busbw(GB/s)\n"
        "    33554432        33554432    uint8         768          40.69          40.69\n"
    )
    found = read(text)
    assert found.rows[0].time_s == 768e-6
    assert "printed bandwidths are GiB/s (2**30 bytes), although" in notes(found)
    newer = text.replace("33554432", "524288").replace("768", "23.16").replace("40.69", "22.64")
    assert "printed bandwidths are GB/s (10**9 bytes)" in notes(read(newer))


def test_elements_and_bytes() -> None:
    row = {"op": "ar", "time_us": 100.0, "dtype": "half"}
    assert one([row | {"size": 1000000}])[0] == 1000000
    assert one([row | {"count": 1000000}])[0] == 2000000
    # The same number in both columns: the size counts elements.
    assert one([row | {"size": 1000000, "count": 1000000}])[0] == 2000000
    assert one([row | {"size": 2000000, "count": 1000000}])[0] == 2000000
    # A size without a unit, beside a bandwidth that only elements explain: 2e6 B / 100 us.
    assert one([row | {"size": 1000000, "algbw": 20.0}])[0] == 2000000
    assert one([row | {"size": 1000000, "algbw": 10.0}])[0] == 1000000
    assert one([row | {"size": 1000000}], size_unit="elements")[0] == 2000000
    assert "elements of 2 bytes" in notes(read([row | {"count": 8}]))


def test_message_size_beside_latency_is_elements_and_ms() -> None:
    row = {"op_name": "all_reduce", "nccl_dtype": "half", "num_gpus": 8}
    found = read([row | {"message_size": 1048576, "latency": 0.0382}])
    assert found.rows[0].size_bytes == 2097152
    assert found.rows[0].time_s == pytest.approx(38.2e-6)
    assert found.ranks == {8}
    assert "read as ms" in notes(found)


@pytest.mark.parametrize(
    ("column", "value", "seconds"),
    [
        ("time_s", 5e-5, 5e-5),
        ("time_us", 50, 5e-5),
        ("time(us)", "50", 5e-5),
        ("time:p50(us)", 50, 5e-5),
        ("latency_ms", 0.05, 5e-5),
        ("time", "50 us", 5e-5),
        ("time [\u00b5s]", 50, 5e-5),
        ("duration_ns", 50_000, 5e-5),
    ],
)
def test_times(column: str, value: object, seconds: float) -> None:
    assert one([{"op": "ar", "bytes": 8, column: value}])[1] == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("column", "value", "size"),
    [
        ("bytes", 1048576, 1048576),
        ("size(B)", "1,048,576", 1048576),
        ("size_mib", 1, 1048576),
        ("size (MB)", 1, 1000000),
        ("size", "1 MiB", 1048576),
        ("size_bytes", 8.0, 8),
        ("message_bytes", 8.0, 8),
    ],
)
def test_sizes(column: str, value: object, size: float) -> None:
    assert one([{"op": "ar", column: value, "time_us": 5}])[0] == size


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("all_reduce", "all_reduce"),
        ("AllReduce", "all_reduce"),
        ("allr", "all_reduce"),
        ("all-gather", "all_gather"),
        ("allg", "all_gather"),
        ("redsct", "reduce_scatter"),
        ("ReduceScatter", "reduce_scatter"),
        ("reduce_scatter_perf", "reduce_scatter"),
        ("alltoall", "all_to_all"),
        ("sendrecv", "send_recv"),
    ],
)
def test_spellings(word: str, name: str) -> None:
    assert read([{"op": word, "bytes": 8, "time_us": 5}]).rows[0].op == name


def test_forms_agree(tmp_path: Path) -> None:
    rows = [
        {"op": "all_reduce", "bytes": 1048576, "time_s": 51.9e-6},
        {"op": "all_gather", "bytes": 4194304, "time_s": 47.17e-6},
    ]
    frame = pd.DataFrame(rows)
    path = tmp_path / "table.csv"
    path.write_text(frame.to_csv(index=False))
    values = [(row.op, row.size_bytes, row.time_s) for row in read(rows).rows]
    for table in (
        frame,
        path,
        str(path),
        frame.to_csv(index=False),
        frame.to_csv(index=False, sep="\t"),
        json.dumps(rows),
        json.dumps({"results": rows}),
    ):
        assert [(row.op, row.size_bytes, row.time_s) for row in read(table).rows] == values


def test_json_of_nccom() -> None:
    document = {
        "collective": "allg",
        "nworkers": 64,
        "results": [{"size(B)": 1048576, "count(elems)": 524288, "type": "bf16", "time(us)": 34.6}],
    }
    found = read(json.dumps(document))
    assert (found.rows[0].op, found.rows[0].size_bytes) == ("all_gather", 1048576)
    assert found.ranks == {64}


def test_a_polars_frame() -> None:
    class Frame:
        columns = ("op", "bytes", "time_us")

        def to_dicts(self) -> list[dict[str, Any]]:
            return [{"op": "ar", "bytes": 8, "time_us": 5}]

    assert one(Frame()) == (8, pytest.approx(5e-6))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ([], "table"),
        ([{"op": "ar", "bytes": 8}], "table, row 0"),
        ([{"op": "ar", "time_s": 8}], "table, row 0"),
        ([{"bytes": 8, "time_s": 8}], "table, row 0"),
        ([{"op": "all", "bytes": 8, "time_s": 8}], "table, row 0"),
        ([{"op": "ar", "bytes": 8, "time": 8}], "table, row 0"),
        ([{"op": "ar", "bytes": 8, "time_s": "x"}], "table, row 0: time_s"),
        ([{"op": "ar", "bytes": 8, "time_s": None}], "table, row 0"),
        ([{"op": "ar", "bytes": -8, "time_s": 1}], "table, row 0"),
        ([{"op": "ar", "bytes": 8, "time_s": 0}], "table, row 0"),
        ([{"op": "ar", "bytes": 8, "time_s": float("nan")}], "table, row 0"),
        ([{"op": "ar", "bytes": 8, "time_s": 1}, 5], "table, row 1"),
        ([{"op": "ar", "count": 8, "time_s": 1}], "table, row 0"),
        ([{"op": "ar", "count": 8, "type": "q4", "time_s": 1}], "table, row 0"),
        ([{"op": "ar", "bytes": 1e9, "time_s": 1, "algbw(GB/s)": 5}], "table, row 0"),
        ("op,bytes,time_s\nar,8", "table, line 2"),
        ("op,bytes,time_s\nar,8,1\nar,eight,1", "table, line 3: bytes"),
        ("nonsense\nmore", "table"),
        ('{"a": 1}', "table"),
        ("[1]", "table, rows[0]"),
        ("[{", "table"),
        ("no-such-file.csv", "table"),
        (NCCOM.replace("51.90", "Failure running neuron-bench"), "table, line 3"),
        (NCCOM.replace(" 51.90", ""), "table, line 3"),
        (
            NCCL.replace("    104.1   80.58  141.02      0    105.2   79.74  139.55      0", ""),
            "table, line 17",
        ),
    ],
)
def test_refusals_name_the_line(table: object, message: str) -> None:
    with raises(InvalidArgument, message):
        read(table)


@pytest.mark.parametrize("table", [5, None, {"op": "ar"}, b"text"])
def test_other_types_are_refused(table: object) -> None:
    with raises(InvalidType, "table"):
        read(table)


def test_units_that_the_caller_names_are_checked() -> None:
    row = [{"op": "ar", "bytes": 8, "time": 5}]
    assert one(row, time_unit="ms")[1] == 5e-3
    with raises(RainierError, "time_unit"):
        read(row, time_unit="fortnight")
    with raises(RainierError, "size_unit"):
        read(row, size_unit="bits")


def test_op_for_a_table_that_does_not_say() -> None:
    table = "\n".join(NCCL.splitlines()[13:])
    with raises(InvalidArgument, "table, line 4"):
        read(table)
    assert read(table, op="all_reduce").rows[0].op == "all_reduce"


def test_rows_are_read_beside_the_fit_too() -> None:
    from rainier_fast.measure.read import read as beside

    (row,) = beside("op;bytes;time_us\nall_reduce;1048576;14,600\n").rows
    assert (row.op, row.size_bytes, row.time_s) == ("all_reduce", 2**20, pytest.approx(14.6e-6))
