"""What several machines do for a dollar, at the same objectives."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from rainier_fast.catalog.prices import CONTRACTS, Price, as_month, prices
from rainier_fast.definitions.check import as_count, as_items, as_number, as_pairs, as_several
from rainier_fast.errors import as_one_of, invalid, invalid_type
from rainier_fast.operations.deciding import Case, Ratio, claim, decides, ratio_of
from rainier_fast.operations.objectives import SERVED, TRAINED, Objective, as_objectives
from rainier_fast.operations.offers import LEAST_USD, Offer, curve, offer, priced
from rainier_fast.operations.tco import Tco
from rainier_fast.operations.ways import Ways, on_engine, ways_of
from rainier_fast.screen import Pictured, Report, one_screen
from rainier_fast.serving.serving import Serving
from rainier_fast.table import Table, TableWith
from rainier_fast.workload.layout import Layout
from rainier_fast.workload.searching import LayoutSearch
from rainier_fast.workload.training import Training

_MOST_COUNTS: Final = 64
_MOST_MONTHS: Final = 60
_SHORT: Final = {"not met": "not met", "no price": "no price", "not run": "does not run"}


@one_screen
class PricePerformance(Pictured, Report, TableWith):
    """A table with a row for each machine, objective and month; made by `price_performance`.

    Columns: ``machine``; ``objective``; ``date``; ``usd_per_million_tokens`` (of answers, or
    trained) with ``usd_low`` and ``usd_high``; ``ratio``, what a dollar buys of the first machine
    over what it buys of this one, with ``ratio_low`` and ``ratio_high``, and of services
    ``ratio_at_data_sheets``, with chips at their data sheets and no software (engine ideal);
    ``tokens_per_s_per_chip`` with ``tokens_low`` and ``tokens_high``; ``measured``, the nearest
    measured rows with our errors on them (ours over theirs, less one), on which these rest;
    ``usd_per_chip_hour``, ``instance``, ``contract``, ``region``, ``price_months`` and
    ``price_source``; ``engine``, ``layout``, ``chips`` and ``concurrency`` of the best way and its
    times (``ttft_s`` and ``tpot_s``, or ``step_s``), of ``kind``; ``decides``, what can turn the
    sign of the ratio; ``reason`` where there are no dollars. What is not known is None.

    Attributes
    ----------
    curve
        Dollars over the objective, for each machine and month: a row wherever a longer time (of
        tokens, or of a step) allows what is cheaper.
    claim
        What becomes of "30 to 40 % better price-performance": its range, and what that rests on.

    Examples
    --------
    >>> import rainier_fast as rf
    >>> service = rf.Serving("llama-3.1-8b", input=1024, output=256)
    >>> found = rf.price_performance(["trn2", "h100"], service, slo=[{"tpot": "50 ms"}])
    >>> first, other = found["ratio"].tolist()
    >>> first, bool(found["ratio_low"][1] < other < found["ratio_high"][1])
    (1.0, True)
    """

    _beside = ("curve", "claim", "_head")
    __slots__ = _beside

    curve: Table
    claim: str
    _head: str

    def _page(self) -> list[Any]:
        lacking = dict.fromkeys(
            f"{row['machine']}: {row['reason']}"
            for row in self
            if row["reason"].startswith("not run")
        )
        why = [*lacking, ""] if lacking else []
        return [self._head, "", self._cells_by_objective(), "", *why, *self.claim.splitlines()[:-1]]

    def _cells_by_objective(self) -> Table:
        """Return a row for each machine and month, a column for each objective."""
        texts: dict[tuple[str, str, int], dict[str, str]] = {}
        seen: dict[tuple[str, str, str], int] = {}
        for row in self:
            one = row["machine"], row["date"], row["objective"]
            seen[one] = seen.get(one, 0) + 1  # machines may have the same name
            texts.setdefault((*one[:2], seen[one]), {})[one[2]] = _cell(row)
        columns: dict[str, list[str]] = {
            "machine": [name for name, _, _ in texts],
            "prices of": [date for _, date, _ in texts],
        }
        for objective in dict.fromkeys(self["objective"].tolist()):
            columns[objective] = [cells[objective] for cells in texts.values()]
        return Table(columns)


def _cell(row: Mapping[str, Any]) -> str:
    usd = row["usd_per_million_tokens"]
    if usd is None:
        return _SHORT[row["reason"].partition(":")[0]]
    if row["ratio"] is None:
        return f"{usd:.3g} USD"
    low, high = row["ratio_low"], row["ratio_high"]
    most = "any" if math.isinf(high) else f"{high:.2f}"
    band = f" ({low:.2f} to {most})" if low < high else ""
    return f"{usd:.3g} USD, {row['ratio']:.2f}{band}"


class Question(NamedTuple):
    """What was asked, checked."""

    work: Serving | Training
    objectives: tuple[Objective, ...]
    prices: tuple[object, ...]
    dates: tuple[str, ...]
    region: str | None
    counts: tuple[int | None, ...]
    layouts: tuple[Layout, ...] | None


def question(names: Sequence[str], work: object, options: Mapping[str, Any]) -> Question:
    """Check the arguments of `price_performance`."""
    if not isinstance(work, Serving | Training):
        raise invalid_type("service_or_job", work, "must be a Serving or a Training")
    times = SERVED if isinstance(work, Serving) else TRAINED
    layouts = options["layouts"]
    if isinstance(layouts, Layout):
        layouts = (layouts,)
    return Question(
        work,
        as_objectives(options["slo"], times),
        _prices(options["prices"], names),
        _dates(options["date"]),
        _region(options["region"]),
        _counts(options["chips"]),
        None if layouts is None else as_several("layouts", layouts, Layout),
    )


def _prices(given: object, names: Sequence[str]) -> tuple[object, ...]:
    """Return the prices of each machine: the same of all, or by their names."""
    if not isinstance(given, Mapping):
        return (_price("prices", given),) * len(names)
    pairs = as_pairs("prices", given, "must map names of machines to prices")
    by_name = {as_one_of("prices", name, names): one for name, one in pairs}
    checked = {name: _price(f"prices[{name!r}]", one) for name, one in by_name.items()}
    for name in names:
        if name not in checked:
            raise invalid("prices", given, f"must have a price of {name!r} too")
    return tuple(checked[name] for name in names)


def _price(argument: str, given: object) -> object:
    if isinstance(given, Tco):
        return given
    if isinstance(given, str):
        return as_one_of(argument, given, CONTRACTS)
    allowed = (
        "must be the name of a contract, a Tco, dollars of a chip and hour from 1e-9 on, or a dict "
        "of these by machine"
    )
    return as_number(argument, given, LEAST_USD, 1e9, allowed)


def _dates(given: object) -> tuple[str, ...]:
    if not isinstance(given, list | tuple):
        return (as_month("date", given),)
    items = as_items("date", given, "must be a month such as '2026-07', or several")
    if not 1 <= len(items) <= _MOST_MONTHS:
        raise invalid("date", given, f"must be 1 to {_MOST_MONTHS} months")
    months = (as_month(f"date[{at}]", item) for at, item in enumerate(items))
    return tuple(dict.fromkeys(months))


def _region(given: object) -> str | None:
    if given is None:
        return None
    return as_one_of("region", given, dict.fromkeys(price.region for price in prices()))


def _counts(given: object) -> tuple[int | None, ...]:
    if given is None:
        return (None,)
    if not isinstance(given, list | tuple | range):
        return (as_count("chips", given),)
    items = as_items("chips", given, "must be a number of chips, or several")
    if not 1 <= len(items) <= _MOST_COUNTS:
        raise invalid("chips", given, f"must be 1 to {_MOST_COUNTS} numbers")
    return tuple(dict.fromkeys(as_count(f"chips[{at}]", item) for at, item in enumerate(items)))


def answer(
    machines: Sequence[LayoutSearch], names: Sequence[str], asked: Question
) -> PricePerformance:
    """Return what machines do for a dollar: `price_performance`."""
    every = [
        ways_of(machine, name, asked.work, asked.counts, asked.layouts)
        for machine, name in zip(machines, names, strict=True)
    ]
    offers = _offers(every, asked)
    ideal = _at_data_sheets(every, asked)
    rows, cases = [], []
    for number, others in enumerate(offers):
        ratios = _ratios(offers[0], others)
        bounds = ratios if ideal is None else _ratios(ideal[0], ideal[number])
        for at, (one, other) in enumerate(zip(offers[0], others, strict=True)):
            bound = None if isinstance(asked.work, Training) else bounds[at]
            why = decides(one, other, bound, _beside(others, ratios, at))
            rows.append(_row(one, other, (ratios[at], bound), why))
            if number:
                cases.append(Case(other.ways.name, ratios[at], bound, why))
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    flat = [one for others in offers for one in others]
    words = claim(names[0], cases, _rests(flat))
    return PricePerformance(columns, Table(curve(flat)), words, _headline(asked, flat))


def _offers(every: Sequence[Ways], asked: Question) -> list[list[Offer]]:
    """Return the offers of each machine, of one objective after another, by month."""
    offers = []
    for ways, price in zip(every, asked.prices, strict=True):
        known = {month: priced(ways, price, month, asked.region) for month in asked.dates}
        pairs = [(objective, month) for objective in asked.objectives for month in asked.dates]
        offers.append([offer(ways, one, month, known[month]) for one, month in pairs])
    return offers


def _at_data_sheets(every: Sequence[Ways], asked: Question) -> list[list[Offer]] | None:
    """Return offers of chips at their data sheets, of a service that was not asked so."""
    if isinstance(asked.work, Training) or asked.work.engine == "ideal":
        return None
    service = on_engine(asked.work, "ideal")
    bounds = [ways_of(one.machine, one.name, service, asked.counts, asked.layouts) for one in every]
    return _offers(bounds, asked)


def _ratios(firsts: Sequence[Offer], others: Sequence[Offer]) -> list[Ratio | None]:
    return [ratio_of(one, other) for one, other in zip(firsts, others, strict=True)]


def _beside(
    offers: Sequence[Offer], ratios: Sequence[Ratio | None], at: int
) -> Iterable[tuple[str, Ratio]]:
    """Yield ratios that differ from one in the month alone, or in the objective alone."""
    for other, ratio in zip(offers, ratios, strict=True):
        if ratio is None or other is offers[at]:
            continue
        if other.objective == offers[at].objective:
            yield "price date", ratio
        elif other.date == offers[at].date:
            yield "objective", ratio


def _row(
    first: Offer, one: Offer, ratios: tuple[Ratio | None, Ratio | None], why: str
) -> dict[str, Any]:
    ratio, bound = ratios
    way, paid, ran = one.way, one.paid, one.way is not None
    price = None if paid is None else paid.price
    published = price if isinstance(price, Price) else None
    reason = f"{one.fate}: {one.why}" if one.fate else ""
    if ratio is None and not reason:
        reason = f"no ratio: of {first.ways.name}, {first.fate}: {first.why}"
    times = one.times if ran else (None,) * len(one.ways.names)
    return {
        "machine": one.ways.name,
        "objective": one.objective.text,
        "date": one.date,
        "usd_per_million_tokens": one.usd,
        "usd_low": one.usd_low,
        "usd_high": one.usd_high,
        "ratio": None if ratio is None else ratio.value,
        "ratio_low": None if ratio is None else ratio.low,
        "ratio_high": None if ratio is None else ratio.high,
        "ratio_at_data_sheets": None if bound is None else bound.value,
        "tokens_per_s_per_chip": one.tokens if ran else None,
        "tokens_low": one.low if ran else None,
        "tokens_high": one.high if ran else None,
        "measured": "; ".join(one.near),
        "usd_per_chip_hour": None if paid is None else paid.usd_per_chip_hour,
        "instance": None if published is None else published.instance,
        "contract": None if published is None else published.contract,
        "region": None if published is None else published.region,
        "price_months": None if published is None else f"{published.first} to {published.last}",
        "price_source": None if paid is None else _source(price),
        "engine": None if way is None else way.engine,
        "layout": None if way is None else str(way.layout),
        "chips": None if way is None else way.chips,
        "concurrency": None if way is None else way.at_once,
        **{f"{name}_s": value for name, value in zip(one.ways.names, times, strict=True)},
        "kind": None if way is None else way.kind,
        "decides": why,
        "reason": reason,
    }


def _source(price: object) -> str:
    if isinstance(price, Price):
        return price.source
    return "as it was given" if price is None else str(price)


def _rests(offers: Sequence[Offer]) -> str:
    """Return what the figures rest on, in a line."""
    paid = dict.fromkeys(
        str(one.paid.price) if one.paid.price is not None else "prices as they were given"
        for one in offers
        if one.paid is not None
    )
    rows: dict[str, int] = {}
    for one in offers:
        if one.way is not None:
            rows[one.ways.name] = max(len(one.near), rows.get(one.ways.name, 0))
    near = [f"{name} {count or 'none'}" for name, count in rows.items()]
    engines = dict.fromkeys(
        f"{one.ways.name} by {one.way.engine}" for one in offers if one.way and one.way.engine
    )
    return (
        f"rests on: {'; '.join((*engines, *paid)) or 'no price'}; errors of the "
        f"measured rows nearest to each best way ({', '.join(near) or 'none'}), a spread and no "
        "confidence interval"
    )


def _headline(asked: Question, offers: Sequence[Offer]) -> str:
    kinds = dict.fromkeys(one.way.kind for one in offers if one.way is not None)
    work = asked.work
    tokens = "answers" if isinstance(work, Serving) else "training"
    text = str(work)
    if isinstance(work, Serving):  # its engine is that of each machine
        text = f"{work.transformer.name}, {work.input:,.6g} tokens in and {work.output:,.6g} out"
    first = offers[0].ways.name
    return (
        f"{text}: dollars of a million tokens of {tokens}, and what a dollar buys of {first} over "
        "what it buys in a row: below 1 that row is the better buy "
        f"({', '.join(kinds) or 'nothing runs'})"
    )
