"""A service whose prefill and decoding have workers of their own, as it was asked for: run."""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

import numpy as np

from rainier_fast.ask.options import RUNTIME
from rainier_fast.ask.request import make_request
from rainier_fast.ask.runtime import kind_of
from rainier_fast.definitions.check import as_count, as_items
from rainier_fast.errors import InvalidArgument, Unsupported, as_one_of, invalid, invalid_type
from rainier_fast.faults.damaged import Damaged
from rainier_fast.serving.apart import Apart, Floats, Split, closed, exposed, open_
from rainier_fast.serving.data_files import read_data
from rainier_fast.serving.disaggregated_result import DisaggregatedResult
from rainier_fast.serving.lengths import Lengths
from rainier_fast.serving.ready import Asked, Ready, ready
from rainier_fast.serving.served import _demand
from rainier_fast.serving.serving import Serving
from rainier_fast.workload.layout import Layout

MODES: Final = ("read", "write")


_LINKS: Final = "auto"


class Sent(NamedTuple):
    """The hand-over of one cache."""

    seconds: float
    kind: str
    why: str
    """Why it is not as the machine's software runs it; empty where that is so, or not asked."""


class Worker(NamedTuple):
    """Workers of one kind: the least that holds the model, with all that share its experts."""

    one: Ready
    chips: int
    replicas: int

    def told(self) -> dict[str, Any]:
        """Return what the core says with a request on each replica."""
        return self.one.run([(float(self.all_replicas), None, None)])[0]

    @property
    def all_replicas(self) -> int:
        """Replicas where all chips are such workers, as the core has it."""
        ranks = self.one.machine.num_chips * self.one.layout.ranks_per_chip
        return ranks // (self.one.layout.tp * self.one.layout.pp)


def run_disaggregated(
    machine: Damaged,
    service: object,
    layouts: tuple[object, object],
    workers: object,
    demand: tuple[object, object],
    handover: object,
    asked: Asked,
) -> DisaggregatedResult:
    """Return what a service takes: `Machine.serve_disaggregated`."""
    mode = as_one_of("handover", handover, MODES)
    concurrency, _, rate = _demand(demand[0], None, demand[1])
    for name, layout in zip(("prefill", "decode"), layouts, strict=True):
        if not isinstance(layout, Layout):
            raise invalid_type(name, layout, "must be a Layout")
    decode = _worker("decode", ready(machine, service, layouts[1], asked))
    own = decode.one.service
    prefill = _worker("prefill", ready(machine, prompts_of(own), layouts[0], asked))
    splits = _splits(prefill, decode, workers)
    alone = len(splits[0]) == 1
    used = (splits[0] * prefill.chips + splits[1] * decode.chips)[0] if alone else math.inf
    told = prefill.told()
    nbytes, sent = _handover(prefill, decode, used)
    world = _world(prefill, decode, told, sent.seconds, write=mode == "write")
    if concurrency is not None:
        found = closed(world, *splits, concurrency)
        best = int(np.argmax(found.rate))
    else:
        assert rate is not None
        found = open_(world, *splits, rate)
        best = int(np.argmin(np.max(found.loads, axis=0)))
        _check_rate(found, best, rate)
    at_size = decode.all_replicas * max(found.decoding[best], 1.0)
    step = _lockstep(decode, [float(at_size)])[0]
    return DisaggregatedResult(
        prefill.one.machine,
        own,
        (prefill.one.layout, decode.one.layout),
        (int(found.prefill[best]), int(found.decode[best])),
        (prefill.chips, decode.chips),
        concurrency,
        rate,
        mode,
        sent.kind,
        str(decode.one.request.algorithm),
        decode.one.pace,
        world.each_s / world.per_prefill,
        (nbytes, sent.seconds, world.shown_s),
        sent.why,
        (tuple(told["prefill"]), tuple(step["step"])),
        (float(told["fits"]), float(step["fits"])),
        world.per_decode,
        tuple(found.at(best).items()),
    )


def prompts_of(own: Serving) -> Serving:
    """Return what prefill workers do of a service, which ends with the first token."""
    if own.batching == "lockstep":
        raise invalid("batching", own.batching, "must be 'continuous' where workers are apart")
    if own.lengths:
        name = "input" if isinstance(own.input, Lengths) else "output"
        raise Unsupported(
            f"{name}: got lengths that vary, of which prefill and decoding apart has no model; use "
            "their means, or serve() with both on all chips"
        )
    if own.output <= 1:
        raise invalid("output", own.output, "must be above 1: the first token is the prefill's")
    return own.with_(output=1, speculative=None)


def _worker(name: str, one: Ready) -> Worker:
    layout = one.layout
    row = one.rows[1]
    ranks = layout.tp * layout.pp
    experts = row["ep"] * row["etp"] if one.service.transformer.experts else layout.tp
    replicas = math.lcm(layout.tp, experts) // layout.tp
    if ranks * replicas % layout.ranks_per_chip:
        allowed = f"must be whole chips: {ranks * replicas} ranks, {layout.ranks_per_chip} a chip"
        raise invalid(name, str(layout), allowed)
    return Worker(one, ranks * replicas // layout.ranks_per_chip, replicas)


def _splits(prefill: Worker, decode: Worker, workers: object) -> tuple[Floats, Floats]:
    chips = prefill.one.machine.num_chips
    if workers is not None:
        items = as_items(
            "workers", workers, "must be a number of prefill and one of decode workers"
        )
        if len(items) != 2:
            raise invalid("workers", workers, "must be two numbers: of prefill and decode workers")
        counts = [as_count(f"workers[{at}]", item, chips) for at, item in enumerate(items)]
        needs = counts[0] * prefill.chips + counts[1] * decode.chips
        if needs > chips:
            allowed = f"must fit the {chips:,} chips: they need {needs:,}"
            raise invalid("workers", tuple(counts), allowed)
        return np.array(counts[:1], float), np.array(counts[1:], float)
    most = (chips - decode.chips) // prefill.chips
    if most < 1:
        allowed = f"must leave room for a worker of each kind: {prefill.chips} and {decode.chips} "
        raise invalid("prefill", prefill.chips, f"{allowed}of {chips:,} chips; use a smaller tp")
    many = np.arange(1.0, most + 1)
    return many, (chips - many * prefill.chips) // decode.chips


def _lockstep(decode: Worker, requests: list[float]) -> list[dict[str, Any]]:
    """Return steps of decoding with so many sequences, which no prefill holds up."""
    own = {**decode.one.rows[0], "lockstep": True}
    one = decode.one._replace(rows=(own, *decode.one.rows[1:]))
    return one.run([(each, None, None) for each in requests])


def _world(
    prefill: Worker, decode: Worker, told: dict[str, Any], seconds: float, *, write: bool
) -> Apart:
    service = decode.one.service
    fits = float(_lockstep(decode, [float(decode.all_replicas)])[0]["fits"])
    powers = 2.0 ** np.arange(max(math.ceil(math.log2(fits)), 0))
    sizes = np.append(powers[powers < fits], fits)
    steps = _lockstep(decode, [float(each * decode.all_replicas) for each in sizes])
    computed = sum(float(part[1]) for part in told["prefill"])
    layers = service.transformer.layers
    return Apart(
        prompt_s=told["ttft"],
        each_s=computed / prefill.one.layout.pp,
        handover_s=seconds,
        shown_s=exposed(seconds, computed, layers, write=write),
        per_prefill=prefill.replicas,
        per_decode=decode.replicas,
        pairs=(prefill.chips, decode.chips),
        decodes=service.output - 1,
        sizes=sizes,
        tpot=np.array([step["tpot"] for step in steps], float),
        padded=service.engine == "neuron",
        waits=service.engine != "ideal",
    )


def _handover(prefill: Worker, decode: Worker, used: float) -> tuple[float, Sent]:
    """Return bytes of the cache of a prompt, and how they go from a worker to another.

    Within an UltraServer if all workers are in one, at its two ends; else to the next one.
    """
    machine, service = prefill.one.machine, decode.one.service
    number = read_data("precisions.json")["caches"][service.kv]["number"]
    nbytes = service.transformer.kv_bytes(math.ceil(service.input), number)
    unit, chips = machine.ultraserver.num_chips, machine.num_chips
    if min(used, chips) <= unit:
        start = min(unit, chips) - decode.chips
    else:
        start = min(-(-prefill.chips // unit) * unit, chips - decode.chips)
    pairs = min(prefill.chips, decode.chips)
    group = [*range(pairs), *range(start, start + pairs)]
    return nbytes, _sent(decode.one, nbytes / pairs, group)


def _sent(one: Ready, nbytes: float, group: list[int]) -> Sent:
    """Return a send of one half of a group to the other, by the runtime where it has one."""

    def by(algorithm: str) -> float:
        asked = make_request(
            one.machine,
            "send_recv",
            nbytes,
            group=group,
            shift=len(group) // 2,
            algorithm=algorithm,
            routing=one.request.routing,
        )
        return float(asked.outcome(one.machine).time)

    if str(one.request.algorithm) == _LINKS:
        return Sent(by("direct"), kind_of(_LINKS), "")
    try:
        return Sent(by(RUNTIME), kind_of(str(one.request.algorithm)), "")
    except (InvalidArgument, Unsupported) as error:
        return Sent(by("direct"), kind_of(_LINKS), str(error).partition(";")[0])


def _check_rate(found: Split, best: int, rate: float) -> None:
    loads = [float(load[best]) for load in found.loads]
    if max(loads) >= 1:
        name = ("prefill", "hand-over", "decoding")[int(np.argmax(loads))]
        allowed = f"must be below what {name} can take, {rate / max(loads):.4} requests/s"
        raise invalid("rate", rate, allowed)
