"""Plans that run together on one machine."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from rainier_fast import _core
from rainier_fast.collectives.plan import Compute, MachinePlans, Plan
from rainier_fast.definitions.check import as_several
from rainier_fast.errors import Unsupported, as_one_of, invalid
from rainier_fast.topology.base import Base
from rainier_fast.units import Quantity, parse_bytes

if TYPE_CHECKING:
    from rainier_fast.results.together import Meeting, TogetherResult

MODELS: Final = ("link_load", "fluid")
"""How contention between plans may be modelled."""

_COLLECTIVE_PACKET: Final = "64 KiB"
"""Largest packet of collectives (aws-neuron-sdk, compute-comm-overlap.rst)."""


class Together(Base):
    """What several plans do to each other."""

    @property
    def plan(self) -> MachinePlans:
        """The collectives of the machine as plans, for `together`."""
        return MachinePlans(self)

    def together(
        self,
        plans: Iterable[Plan],
        model: str | None = None,
        *,
        collective_packet: Quantity = _COLLECTIVE_PACKET,
    ) -> TogetherResult:
        """Run several plans at once, and say what each costs the others.

        Parameters
        ----------
        plans
            What ``machine.plan`` and ``mesh.plan`` made, of this machine.
        model
            ``"link_load"``: plans share links by the bytes that each puts on them, at any scale.
            ``"fluid"``: every message of every group is written out and all of them are simulated
            with fair rates; up to 1,048,576 messages. None for the one that the plans name.
        collective_packet
            Bytes of the DMA packets of collectives, which decide how they share the engines of a
            chip with computation.

        Returns
        -------
        TogetherResult
            For each plan its time alone and together, the slowdown and the link class that slows
            it; the makespan of all.

        Raises
        ------
        RainierError
            If there are no plans, one is not of this machine, or a combination has no model.

        Notes
        -----
        Under ``"link_load"`` a plan that takes T alone and puts b bytes on a link of bandwidth B
        uses s b / (T B) of it when it runs at speed s; speeds are at most 1 and max-min fair under
        the capacity of each link, anew whenever a plan starts or ends. Plans that share no link do
        not slow each other at all, and no link is ever busier than it can be. Latency is counted as
        time in which others may use the link.

        Under ``"fluid"`` a plan is its schedule as `rainier_fast.schedule` writes it out, for all
        of its groups, in the chunks and pieces that link loads favour (at most 256 pieces, and
        fewer where there would be too many messages); its time alone is that of these messages.

        Computation counts under ``"link_load"``, on Trainium2. It shares what a chip's DMA engines
        can move to and from HBM with collectives: each queue is served in turn, packet by packet,
        so that shares are in proportion to packets where both want more. Then the HBM of a chip
        counts for all plans: as ``algorithm="neuron"`` says, or else two touches for each byte
        sent, three where it is added up.

        Examples
        --------
        >>> from rainier_fast import preset
        >>> rainier = preset("rainier")
        >>> mesh = rainier.mesh(dp=-1, tp=64)
        >>> gather = mesh.plan.all_gather("64 MiB", axis="tp")
        >>> reduce = mesh.plan.all_reduce("1 GiB", axis=("dp", "tp"))
        >>> both = rainier.together([gather, reduce])
        >>> both["all_gather tp"].slowdown > 1, both["all_gather tp"].link_class
        (True, 'x')
        """
        return together(self, plans, model, collective_packet)


def together(
    machine: Base,
    plans: Iterable[Plan],
    model: str | None,
    collective_packet: Quantity = _COLLECTIVE_PACKET,
) -> TogetherResult:
    """Run plans at once: the work of `Machine.together`."""
    checked = _checked(machine, plans)
    packet = parse_bytes(collective_packet, "collective_packet")
    if packet == 0:
        raise invalid("collective_packet", collective_packet, "must be above 0")
    if _model(checked, model) == "fluid":
        return _fluid(machine, checked)
    return share(machine, checked, outcomes(checked), packet)


def _checked(machine: Base, plans: object) -> tuple[Plan, ...]:
    checked = as_several("plans", plans, Plan)
    for at, plan in enumerate(checked):
        if plan.machine != machine:
            made = f"a plan of another machine ({plan.name})"
            raise invalid(f"plans[{at}]", made, "must be of the machine that runs them")
    return checked


def _model(plans: Sequence[Plan], model: str | None) -> str:
    """Return the model; a plan may name it too, and two that differ have no answer."""
    if model is not None:
        model = as_one_of("model", model, MODELS)
    for plan in plans:
        if isinstance(plan.request, Compute) or plan.request.model == "link_load":
            continue
        own = plan.request.model
        if own not in MODELS:
            raise Unsupported(
                f"plan {plan.name} under model {own!r} together with others; "
                "leave its model out, and use together(..., model='link_load') or 'fluid'"
            )
        if model not in (None, own):
            allowed = f"plan {plan.name} asks for {own!r}: name the model once"
            raise invalid("model", model, allowed)
        model = own
    return model or "link_load"


def outcomes(plans: Sequence[Plan]) -> list[_core.Outcome | None]:
    """Return the core's answer to each plan alone, by link loads; None for computation."""
    return [
        None if isinstance(plan.request, Compute) else plan.request.outcome(plan.machine)
        for plan in plans
    ]


def share(
    machine: Base,
    plans: Sequence[Plan],
    alone: Sequence[_core.Outcome | None],
    packet: float | None = None,
) -> TogetherResult:
    """Let plans share links by the loads that their answers alone have."""
    size = parse_bytes(_COLLECTIVE_PACKET) if packet is None else packet
    rows: list[_core.Outcome | tuple[_core.Groups, float, float, float]] = []
    for plan, outcome in zip(plans, alone, strict=True):
        if isinstance(plan.request, Compute):
            work = plan.request
            groups = work.groups.core(machine._core)
            rows.append((groups, work.time_s, work.hbm_bytes, work.packet_bytes))
        elif outcome is not None:
            rows.append(outcome)
    starts = [plan.start_s for plan in plans]
    bandwidth = _dma_bandwidth(machine)
    dma = None if bandwidth is None else (bandwidth, size)
    answer = _core.share_links(machine._core, rows, starts, dma)
    names = ["" if outcome is None else outcome.algorithm for outcome in alone]
    return _result(plans, names, "link_load", answer)


def _fluid(machine: Base, plans: Sequence[Plan]) -> TogetherResult:
    rows = []
    names = []
    for plan in plans:
        request = plan.request
        if isinstance(request, Compute):
            raise Unsupported(
                "computation under model 'fluid', whose shares do not go by packets; "
                "use model 'link_load'"
            )
        row, groups = request._routing_row(machine), request.groups.core(machine._core)
        written = _core.write_out(machine._core, request._core_row(machine), groups, row)
        names.append(written.algorithm)
        rows.append((written, row, plan.start_s))
    return _result(plans, names, "fluid", _core.share_messages(machine._core, rows))


def _result(
    plans: Sequence[Plan], algorithms: Sequence[str], model: str, answer: _core._Together
) -> TogetherResult:
    from rainier_fast.results.together import PlanResult, TogetherResult

    rows, _, busiest, bottleneck, messages = answer
    names = _names(plans)
    results = []
    for at, (alone, time, start, _, slowed_by) in enumerate(rows):
        request = plans[at].request
        what, kind = "compute", ""
        if not isinstance(request, Compute):
            what, kind = request.operation, request.kind
        met = None if slowed_by is None or time <= alone else _meeting(slowed_by, names)
        results.append(PlanResult(names[at], what, algorithms[at], start, alone, time, met, kind))
    where = None if bottleneck is None else _meeting(bottleneck, names)
    return TogetherResult(tuple(results), model, busiest, where, messages)


def _meeting(row: _core._Meeting, names: Sequence[str]) -> Meeting:
    from rainier_fast.results.together import Meeting

    kind, link, chip, plans = row
    return Meeting(kind, link, chip, tuple(names[plan] for plan in plans))


def _names(plans: Sequence[Plan]) -> list[str]:
    """Return the names of plans; of those that share one, all but the first get a number."""
    seen: dict[str, int] = {}
    names = []
    for plan in plans:
        seen[plan.name] = seen.get(plan.name, 0) + 1
        number = seen[plan.name]
        names.append(plan.name if number == 1 else f"{plan.name} ({number})")
    return names


def _dma_bandwidth(machine: Base) -> float | None:
    """Return bytes/s of a chip's DMA engines; None where they are not known, or not shared so."""
    server = machine.ultraserver
    if server.neuron is None or server.chip is None or server.chip.dma_bandwidth_Bps is None:
        return None
    return float(server.chip.dma_bandwidth_Bps)
