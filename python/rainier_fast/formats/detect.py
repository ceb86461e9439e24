"""What sizes, times and rates agree on: elements or bytes, GB or GiB, which time, which ranks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Final

from rainier_fast.formats.records import Entry, Rate, Time
from rainier_fast.formats.rows import PER_PEER, bus_factor, fault
from rainier_fast.formats.run import NCCL, OSU, UCC, Run

_GIB: Final = 2.0**30
_GB: Final = 1e9
_LEAST_RATE: Final = 0.5
"""A printed rate of two decimals decides between GB and GiB (7 % apart) from about 1 GB/s."""
_CLOSE: Final = 0.03
_AGREE: Final = 0.01
"""Relative difference that columns may have beyond their rounding."""
_BUS_CLOSE: Final = 0.005
_MOST_RANKS: Final = 2**32

# Statistics in the order in which they are taken where no rate decides.
_ORDER: Final = ("", "p50", "avg")

# Tools whose size is what one rank sends to one other or to all, in place of all parts together:
# osu_allgather.c and its kin; ucc_pt_generator_exp.cc, whose sizes are of the source buffer.
_ONE_PART: Final = {
    OSU: ("all_gather", "all_to_all", "gather", "scatter"),
    UCC: ("all_gather", "gather"),
}


def choose_times(entries: Sequence[Entry], notes: list[str]) -> list[Time]:
    """Return the time of each row: of the statistic that its bandwidth belongs to, if any."""
    alike: dict[tuple[str, ...], list[int]] = {}
    for at, entry in enumerate(entries):
        alike.setdefault(tuple(entry.times), []).append(at)
    times = [next(iter(entry.times.values())) for entry in entries]
    for statistics, places in alike.items():
        order = sorted(statistics, key=lambda one: (*_rank(one), one))
        right = [one for one in order if all(_by_any_unit(entries[at], one) for at in places)]
        chosen = (right or order)[0]
        for at in places:
            times[at] = entries[at].times[chosen]
            notes.append(times[at].words)
        if len(order) > 1 or chosen not in _ORDER:
            why = " (the bandwidth is of it)" if right and len(order) > 1 else ""
            notes.append(f"times are the {chosen or 'plain'} column's{why}")
    return times


def _rank(statistic: str) -> tuple[int, int]:
    if statistic in _ORDER:
        return _ORDER.index(statistic), 0
    return (4, 0) if statistic in ("min", "max") else (3, len(statistic))


def _by_any_unit(entry: Entry, statistic: str) -> bool:
    """Tell whether a time explains the printed rate, whatever the size counts."""
    rate, size = entry.algbw, entry.count if entry.size is None else entry.size
    time = entry.times[statistic]
    if rate is None or size is None or not time.seconds > 0:
        return True
    factors = {1.0, float(entry.width or 1)} if entry.unit != "bytes" else {1.0}
    return any(
        _apart(rate, size * factor, time, unit) < _AGREE
        for factor in factors
        for unit in _units(rate)
    )


def size_factors(
    entries: list[Entry], times: Sequence[Time], size_unit: str | None, notes: list[str]
) -> list[float]:
    """Return the bytes of one unit of each row's size; fills in sizes from counts."""
    factors = []
    for entry, time in zip(entries, times, strict=True):
        if entry.size is None:
            entry.size, entry.unit = entry.count, "elements"
        unit = size_unit or entry.unit or _by_count(entry) or _by_rate(entry, time) or "bytes"
        if unit == "elements" and entry.width is None:
            needs = "needs the type of the elements (dtype)"
            raise fault(entry.where, "a size in elements", needs)
        factors.append(float(entry.width or 1) if unit == "elements" else 1.0)
        note = f"sizes are in {unit}"
        if unit == "elements":
            note += f" of {entry.width} bytes, turned into bytes"
        notes.append(note)
        if size_unit is None:
            _check_count(entry, factors[-1])
    return factors


def _by_count(entry: Entry) -> str:
    """Bytes where size = count x width (x ranks, for an all-gather of nccl-tests)."""
    if entry.size is None or entry.count is None or not entry.width or entry.width == 1:
        return ""
    least = entry.count * entry.width
    if least and entry.size >= least and (entry.size / least) % 1 == 0:
        return "bytes"
    return "elements" if entry.size == entry.count else ""


def _by_rate(entry: Entry, time: Time) -> str:
    """Which of bytes and elements the printed rate agrees with."""
    rate, size = entry.algbw, entry.size
    if rate is None or size is None or rate.middle < _LEAST_RATE or not time.seconds > 0:
        return ""
    if not entry.width or entry.width == 1:
        return ""
    near = {
        name: min(_apart(rate, size * factor, time, unit) for unit in _units(rate))
        for name, factor in (("bytes", 1.0), ("elements", float(entry.width)))
    }
    best = min(near, key=lambda name: near[name])
    return best if near[best] < _CLOSE else ""


def _check_count(entry: Entry, factor: float) -> None:
    """Refuse a size that is not its count of elements, times ranks where these are parts."""
    if entry.size is None or not entry.count or not entry.width:
        return
    ratio = entry.size * factor / (entry.count * entry.width)
    near = 1e-9 if entry.exact else 0.01
    whole = max(round(ratio), 1) if math.isfinite(ratio) else 1
    parts = entry.op in PER_PEER and entry.ranks in (None, whole)
    if abs(ratio - whole) > near * whole or (whole > 1 and not parts):
        got = f"size {entry.size:g} beside {entry.count:g} elements of {entry.width} bytes"
        raise fault(entry.where, got, "must agree")


def _units(rate: Rate) -> tuple[float, ...]:
    """Return what a rate may count: GB and GiB are confused, whatever the column says."""
    return (_GB, _GIB) if rate.stated in (None, _GB, _GIB) else (rate.stated,)


def _apart(rate: Rate, size: float, time: Time, unit: float) -> float:
    """How far a rate is from the printed one, beyond what rounding of either explains."""
    low = size / time.high / unit
    high = size / time.low / unit if time.low > 0 else math.inf
    if high >= rate.low and low <= rate.high:
        return 0.0
    above, below = (low, rate.high) if low > rate.high else (rate.low, high)
    return math.log(above / below) if below > 0 else math.inf


def check_rates(
    entries: Sequence[Entry], sizes: Sequence[float], times: Sequence[Time], notes: list[str]
) -> None:
    """Refuse rows whose size, time and bandwidth contradict; say in which unit bandwidths are."""
    alike: dict[int, list[int]] = {}
    for at, entry in enumerate(entries):
        if entry.algbw is not None and times[at].seconds > 0 and sizes[at] > 0:
            alike.setdefault(id(entry.run), []).append(at)
    found = set()
    for places in alike.values():
        rates = [(rate, at) for at in places if (rate := entries[at].algbw) is not None]
        apart = {
            unit: [_apart(rate, sizes[at], times[at], unit) for rate, at in rates]
            for unit in _units(rates[0][0])
        }
        # One run prints in one unit.
        best = min(apart, key=lambda unit: sum(one > _AGREE for one in apart[unit]))
        wrong = [at for (_, at), one in zip(rates, apart[best], strict=True) if one > _AGREE]
        if wrong and all(_is_old(entries[at]) for at in places):
            _check_old(entries, sizes, times, places, notes)
        elif wrong:
            at = wrong[0]
            raise _contradiction(entries[at], sizes[at], times[at])
        elif any(rate.middle >= _LEAST_RATE for rate, _ in rates):
            found.add("GiB" if best == _GIB else "GB" if best == _GB else "")
    _say_unit(entries, found - {""}, notes)


def _contradiction(entry: Entry, size: float, time: Time) -> Exception:
    rate = "" if entry.algbw is None else f"{entry.algbw.middle:g}"
    return fault(
        entry.where,
        f"size {size:g}, time {time.seconds:g} s and bandwidth {rate}",
        "must agree: size / time is the algorithm bandwidth in GB/s or GiB/s; give size_unit= or "
        "time_unit= if a column is not what it seems",
    )


def _is_old(entry: Entry) -> bool:
    """Rates of nccl-tests before June 2020, of operations whose parts add up."""
    return entry.op in ("all_gather", "reduce_scatter") and entry.algbw == entry.busbw


def _check_old(
    entries: Sequence[Entry],
    sizes: Sequence[float],
    times: Sequence[Time],
    places: Sequence[int],
    notes: list[str],
) -> None:
    """Take rates of size / time x (n - 1) / n, if all rows agree on n."""
    low, high = 1.0, math.inf
    for at in places:
        rate = entries[at].algbw
        assert rate is not None, "such rows have a rate"
        per_byte = _GB / sizes[at]
        low = max(low, _ranks_for(rate.low * times[at].low * per_byte * (1 - _BUS_CLOSE), 1.0))
        high = min(high, _ranks_for(rate.high * times[at].high * per_byte * (1 + _BUS_CLOSE), 1.0))
    first = entries[places[0]]
    ranks = first.ranks
    if ranks is None and math.ceil(low - 1e-9) == math.floor(high + 1e-9):
        ranks = math.ceil(low - 1e-9)
    if ranks is None or not low - 1e-9 <= ranks <= high + 1e-9 or ranks < 2:
        raise _contradiction(first, sizes[places[0]], times[places[0]])
    for at in places:
        entries[at].ranks = entries[at].ranks or ranks
        entries[at].busbw = None
    notes.append(
        f"bandwidths are size / time x (n - 1) / n of {ranks} ranks, as nccl-tests printed them "
        "before June 2020: sizes and times were used"
    )


def _say_unit(entries: Sequence[Entry], found: set[str], notes: list[str]) -> None:
    if len(found) > 1:
        notes.append("printed bandwidths mix GB/s and GiB/s: only sizes and times were used")
    elif found:
        unit = found.pop()
        words = f"printed bandwidths are {unit}/s ({'2**30' if unit == 'GiB' else '10**9'} bytes)"
        stated = {entry.algbw.stated for entry in entries if entry.algbw is not None}
        if unit == "GiB" and _GB in stated:
            words += ", although the column says GB/s"
        notes.append(words)


def _ranks_for(factor: float, most: float) -> float:
    """Return the n of which most x (n - 1) / n is a factor; infinite at the most and above."""
    return math.inf if factor >= most else most / (most - factor)


def spans(
    entries: Sequence[Entry], sizes: Sequence[float], times: Sequence[Time], notes: list[str]
) -> list[tuple[int, int, str]]:
    """Check ranks by busbw / algbw; return the least and most that it leaves open, with where."""
    for entry, size, time in zip(entries, sizes, times, strict=True):
        if entry.algbw is None and entry.busbw is not None and not one_part(entry.run, entry.op):
            entry.algbw = _by_size(entry, size, time)
    alike: dict[tuple[int, str, int | None], list[Entry]] = {}
    for entry in entries:
        if entry.algbw is not None and entry.busbw is not None:
            alike.setdefault((id(entry.run), entry.op, entry.ranks), []).append(entry)
    found = []
    for (_, op, ranks), rows in alike.items():
        if all(row.busbw is not None and row.busbw.middle == 0 for row in rows):
            if ranks is not None:
                notes.append("busbw is 0 in all rows: not used")
            elif any(row.algbw is not None and row.algbw.middle > 0 for row in rows):
                found.append((1, 1, f"{rows[0].where} (busbw is 0)"))
            continue
        found += _span(op, ranks, rows)
    return found


def _by_size(entry: Entry, size: float, time: Time) -> Rate | None:
    """Return the algorithm bandwidth that a table leaves out."""
    if not time.low > 0:
        return None
    # nccom-test has printed GiB; others do not.
    least = _GB if entry.run.tool in (NCCL, UCC) else _GIB
    middle = size / time.seconds / _GB
    return Rate(middle, size / time.high / least, size / time.low / _GB, _GB)


def _span(op: str, ranks: int | None, rows: Sequence[Entry]) -> list[tuple[int, int, str]]:
    most = 2.0 if op == "all_reduce" else 1.0
    lowest, highest = 0.0, math.inf
    for row in rows:
        low, high = _bus_ratio(row)
        if op != "all_reduce" and op not in PER_PEER:
            if not low <= 1.0 <= high:
                raise _other_ranks(row, op, None, (low + high) / 2)
            continue
        lowest = max(lowest, _ranks_for(low, most))
        highest = min(highest, _ranks_for(high, most))
        if ranks is not None and not low <= bus_factor(op, ranks) <= high:
            raise _other_ranks(row, op, ranks, (low + high) / 2)
        if low > most or lowest > highest:
            raise _other_ranks(row, op, None, (low + high) / 2)
    least, greatest = math.ceil(lowest - 1e-9), min(highest + 1e-9, _MOST_RANKS)
    if ranks is not None or (op != "all_reduce" and op not in PER_PEER):
        return []
    if least > greatest:
        raise _other_ranks(rows[0], op, None, sum(_bus_ratio(rows[0])) / 2)
    return [(max(least, 1), math.floor(greatest), f"busbw / algbw, {rows[0].where}")]


def _bus_ratio(row: Entry) -> tuple[float, float]:
    """Return the least and the most that busbw / algbw may have been."""
    assert row.algbw is not None, "the caller looks"
    assert row.busbw is not None, "the caller looks"
    low = row.busbw.low / row.algbw.high if row.algbw.high > 0 else 0.0
    high = row.busbw.high / row.algbw.low if row.algbw.low > 0 else math.inf
    return low * (1 - _BUS_CLOSE), high * (1 + _BUS_CLOSE)


def _other_ranks(row: Entry, op: str, ranks: int | None, ratio: float) -> Exception:
    most = 2.0 if op == "all_reduce" else 1.0
    got = f"busbw / algbw = {ratio:.3g}"
    likely = _ranks_for(ratio, most)
    if op in ("all_reduce", *PER_PEER) and math.isfinite(likely):
        got += f" of {op}, that is of {likely:.3g} ranks"
    beside = f" beside {ranks} ranks" if ranks is not None else " beside other rows"
    return fault(row.where, got + beside, "must be of one operation over the same ranks")


def one_part(run: Run, op: str) -> bool:
    """Tell whether sizes of a run are one rank's part, which all ranks multiply."""
    return op in _ONE_PART.get(run.tool, ())


def distinct(values: Iterable[int | None]) -> frozenset[int]:
    """Return the numbers that are given."""
    return frozenset(value for value in values if value is not None)
