"""Strings to SI numbers and back."""

from __future__ import annotations

import contextlib
import decimal
import fractions
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rainier_fast.errors import InvalidArgument, InvalidType
from rainier_fast.units import (
    format_bandwidth,
    format_bytes,
    format_count,
    format_flops,
    format_time,
    parse_bandwidth,
    parse_bytes,
    parse_time,
)
from raising import raises

Parser = Callable[..., float]
PARSERS: list[Parser] = [parse_bytes, parse_bandwidth, parse_time]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0),
        ("1_000", 1000),
        ("1e9", 1e9),
        ("  12 B ", 12),
        (".5 kB", 500),
        ("1.kB", 1000),
        ("+3 KB", 3000),
        ("1 GiB", 2**30),
        ("1GiB", 2**30),
        ("1 GB", 10**9),
        ("1.5 KiB", 1536),
        ("0.1 GB", 10**8),
        ("8 Gb", 10**9),
        ("8 Gib", 2**30),
        ("8 Mbit", 10**6),
        ("16 bits", 2),
        ("4 b", 0.5),
        ("7 bytes", 7),
        ("1 byte", 1),
        ("2 TBytes", 2e12),
        ("1EB", 10**18),
        ("1e3EB", 1e21),
        ("8 EiB", 2**63),
    ],
)
def test_sizes(text: str, expected: float) -> None:
    if expected > 2**63:
        with pytest.raises(InvalidArgument):
            parse_bytes(text)
    else:
        assert parse_bytes(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("50 GB/s", 50e9),
        ("50GBps", 50e9),
        ("200 Gbps", 25e9),
        ("200 Gb/s", 25e9),
        ("200 Gbit/s", 25e9),
        ("12.8 Tb/s", 1.6e12),
        ("10 Tbps", 1.25e12),
        ("1 GiB/s", 2**30),
        ("1 GiB / s", 2**30),
        ("100 bytes/sec", 100),
        ("8 bps", 1),
        ("5e9", 5e9),
    ],
)
def test_bandwidths(text: str, expected: float) -> None:
    assert parse_bandwidth(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.5 us", 1.5e-6),
        ("1.5 \u00b5s", 1.5e-6),
        ("1.5 \u03bcs", 1.5e-6),
        ("6 ms", 6e-3),
        ("6ms", 6e-3),
        ("200 ns", 2e-7),
        ("3 ps", 3e-12),
        ("2 s", 2.0),
        ("2 seconds", 2.0),
        ("2 min", 120.0),
        ("1 h", 3600.0),
        ("1e-6", 1e-6),
        ("0", 0.0),
    ],
)
def test_times(text: str, expected: float) -> None:
    assert parse_time(text) == expected


def test_bits_bytes_decimal_and_binary_differ() -> None:
    sizes = {parse_bytes(f"1 {unit}") for unit in ("Gb", "GB", "Gib", "GiB")}
    assert sorted(sizes) == [1.25e8, 2**27, 1e9, 2**30]


@pytest.mark.parametrize("parse", PARSERS)
@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "fast",
        "GiB",
        "1 parsec",
        "1 gb",
        "1 G",
        "1 KIB",
        "1 kiB",
        "1,000 B",
        "1__0 B",
        "_1 B",
        "0x10",
        "1 GB GB",
        "nan",
        "inf",
        "1e9999 B",
        "\u0663 B",  # an Arabic-Indic three
        "9" * 10_000,
        "1 MS",
        "1 B\n/s x",
    ],
)
def test_unreadable_text_names_argument_value_and_forms(parse: Parser, text: str) -> None:
    with raises(InvalidArgument, "knob") as info:
        parse(text, "knob")
    assert isinstance(info.value, ValueError)
    assert len(str(info.value)) < 220


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (parse_bytes, "1 GB/s"),
        (parse_bytes, "1 us"),
        (parse_bandwidth, "1 GB"),
        (parse_bandwidth, "5 ps"),
        (parse_time, "1 GB"),
        (parse_time, "1 m"),
    ],
)
def test_units_of_another_quantity_are_refused(parse: Parser, text: str) -> None:
    with pytest.raises(InvalidArgument):
        parse(text)


@pytest.mark.parametrize("parse", PARSERS)
@pytest.mark.parametrize(
    "value", [-1, -0.5, "-1", math.nan, math.inf, -math.inf, 10**400, "1e999"], ids=repr
)
def test_numbers_out_of_range(parse: Parser, value: Any) -> None:
    with raises(InvalidArgument, "knob") as info:
        parse(value, "knob")
    assert "finite" in str(info.value)


def test_message_is_exactly_as_promised() -> None:
    with raises(InvalidArgument, "bandwidth"):
        parse_bandwidth(-5.0)


def test_zero_is_a_size_and_a_time_but_no_bandwidth() -> None:
    assert parse_bytes(0) == parse_time("0 us") == 0
    assert math.copysign(1, parse_time(-0.0)) == 1
    for zero in (0, "0 GB/s"):
        with raises(InvalidArgument, "bandwidth"):
            parse_bandwidth(zero)


def test_sizes_end_at_two_to_the_63() -> None:
    assert parse_bytes(2**63) == 2**63
    for beyond in (2**63 + 2**12, "9 EiB"):
        with raises(InvalidArgument, "size"):
            parse_bytes(beyond)


class _Index:
    def __index__(self) -> int:
        return 7


@pytest.mark.parametrize(
    "value",
    [
        np.int8(7),
        np.uint64(7),
        np.float16(7),
        np.float64(7),
        np.array(7),
        fractions.Fraction(7),
        decimal.Decimal(7),
        _Index(),
        np.str_("7"),
    ],
)
@pytest.mark.parametrize("parse", PARSERS)
def test_any_real_number(parse: Parser, value: Any) -> None:
    result = parse(value)
    assert result == 7.0
    assert type(result) is float


@pytest.mark.parametrize(
    "value",
    [
        True,
        np.bool_(True),  # noqa: FBT003
        1j,
        np.complex128(1),
        None,
        b"1 GB",
        [1],
        np.array([1]),
        np.array([1, 2]),
        np.datetime64("2026-01-01"),
        object(),
    ],
)
@pytest.mark.parametrize("parse", PARSERS)
def test_other_types(parse: Parser, value: Any) -> None:
    with raises(InvalidType, "knob") as info:
        parse(value, "knob")
    assert isinstance(info.value, TypeError)


@given(st.integers(0, 2**53), st.sampled_from(["", " B", "B", " bytes"]))
def test_whole_bytes_are_exact(size: int, unit: str) -> None:
    assert parse_bytes(f"{size}{unit}") == parse_bytes(size) == size


@given(st.floats(0, 1e18), st.floats(0, 1e18))
def test_parsing_keeps_order(a: float, b: float) -> None:
    low, high = sorted((a, b))
    assert parse_bytes(f"{low!r} B") <= parse_bytes(f"{high!r} B")
    assert parse_time(f"{low!r} us") <= parse_time(f"{high!r} us")


@given(st.floats(1e-3, 1e6), st.sampled_from(["k", "M", "G", "T", "Ki", "Mi", "Gi", "Ti"]))
def test_a_byte_is_eight_bits(number: float, prefix: str) -> None:
    bits = parse_bandwidth(f"{number!r} {prefix}b/s")
    assert parse_bandwidth(f"{number!r} {prefix}B/s") == pytest.approx(8 * bits, rel=1e-15)


@given(st.text(max_size=30))
def test_text_gives_a_number_or_our_error(text: str) -> None:
    for parse in PARSERS:
        with contextlib.suppress(InvalidArgument):
            assert 0 <= parse(text) < math.inf


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (1, "1 B"),
        (0.5, "0.5 B"),
        (1000, "1000 B"),
        (1000.4, "1000 B"),
        (1023, "1023 B"),
        (1023.7, "1.00 KiB"),
        (1024, "1.00 KiB"),
        (1000 * 1024, "1000 KiB"),
        (1024**2 - 1, "1.00 MiB"),
        (2**30, "1.00 GiB"),
        (12.34 * 2**20, "12.3 MiB"),
        (9.996 * 2**20, "10.0 MiB"),
        (6144 * 2**30, "6.00 TiB"),
        (-(2**20), "-1.00 MiB"),
        (math.inf, "inf B"),
    ],
)
def test_format_bytes(size: float, text: str) -> None:
    assert format_bytes(size) == text


@pytest.mark.parametrize(
    ("write", "number", "text"),
    [
        (format_bandwidth, 128e9, "128 GB/s"),
        (format_bandwidth, 1.28e12, "1.28 TB/s"),
        (format_bandwidth, 999.6e9, "1.00 TB/s"),
        (format_bandwidth, 9.996e9, "10.0 GB/s"),
        (format_bandwidth, 99.54e9, "99.5 GB/s"),
        (format_bandwidth, 0, "0 B/s"),
        (format_bandwidth, 0.25, "0.25 B/s"),
        (format_bandwidth, math.nan, "nan B/s"),
        (format_time, 3.08e-3, "3.08 ms"),
        (format_time, 12.3e-6, "12.3 us"),
        (format_time, 1e-6, "1.00 us"),
        (format_time, 999.9e-9, "1.00 us"),
        (format_time, 0, "0 s"),
        (format_time, -0.0, "0 s"),
        (format_time, -1.5e-6, "-1.50 us"),
        (format_time, 4567.4, "4567 s"),
        (format_time, 1e-15, "0.001 ps"),
        (format_time, math.inf, "inf s"),
        (format_flops, 83.2e15, "83.2 PFLOP/s"),
        (format_flops, 524288 * 1299e12, "681 EFLOP/s"),
        (format_flops, 1.3e21, "1.30 ZFLOP/s"),
        (format_count, 524288, "524,288"),
        (format_count, np.int64(-1000), "-1,000"),
        (format_count, 0, "0"),
    ],
)
def test_formats(write: Callable[[Any], str], number: Any, text: str) -> None:
    assert write(number) == text


def test_counts_are_integers() -> None:
    with pytest.raises(TypeError):
        format_count(1.5)  # type: ignore[arg-type]


@given(st.floats(1, 9.2e18))
def test_bytes_come_back_within_rounding(size: float) -> None:
    assert parse_bytes(format_bytes(size)) == pytest.approx(size, rel=0.0051)


@given(st.floats(1e-3, 9.9e20))
def test_bandwidths_come_back_within_rounding(rate: float) -> None:
    assert parse_bandwidth(format_bandwidth(rate)) == pytest.approx(rate, rel=0.0051)


@given(st.floats(1e-15, 1e5))
def test_times_come_back_within_rounding(seconds: float) -> None:
    assert parse_time(format_time(seconds)) == pytest.approx(seconds, rel=0.0051)


@given(st.floats(1e-12, 1e20))
def test_formats_show_three_or_four_digits(number: float) -> None:
    for text in (format_bandwidth(number), format_flops(number)):
        digits = text.split()[0].replace(".", "").lstrip("0")
        assert "e" in digits or 1 <= len(digits) <= 4
