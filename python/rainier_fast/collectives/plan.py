"""Plans: collectives that are asked for and not yet run, so that several can run together."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from rainier_fast.ask.groups import Group, Groups, as_groups
from rainier_fast.ask.request import Request
from rainier_fast.ask.runtime import AS_GIVEN
from rainier_fast.collectives.methods import Collectives, Members, stated
from rainier_fast.collectives.prepared import Prepared
from rainier_fast.collectives.run import answer
from rainier_fast.definitions.check import as_name
from rainier_fast.errors import Unsupported, invalid
from rainier_fast.screen import one_screen
from rainier_fast.topology.base import Base
from rainier_fast.units import Quantity, format_bytes, format_time, parse_bytes, parse_time
from rainier_fast.whole import whole

if TYPE_CHECKING:
    from rainier_fast.results.collective import CollectiveResult

PACKET: Final = "4 KiB"
"""Packets of the DMA engines if nothing else is said (aws-neuron-sdk, compute-comm-overlap.rst)."""


@one_screen
@dataclass(frozen=True, slots=True)
class Compute:
    """Chips that compute, and stream bytes through their DMA engines meanwhile.

    Attributes
    ----------
    groups
        Whose chips.
    time_s
        Seconds that it takes alone.
    hbm_bytes
        Bytes that each chip's HBM reads and writes meanwhile.
    packet_bytes
        Bytes of its DMA packets: the engines serve their queues in turn, packet by packet.

    Examples
    --------
    >>> from rainier_fast import preset
    >>> preset("trn2").plan.compute("1 ms", "2 GiB").request.packet_bytes
    4096.0
    """

    groups: Groups
    time_s: float
    hbm_bytes: float
    packet_bytes: float


@one_screen
@dataclass(frozen=True, slots=True)
class Plan:
    """Something that is to run, made by ``machine.plan`` or ``mesh.plan``; see `Machine.together`.

    Attributes
    ----------
    machine
        The machine.
    request
        What is asked for, checked.
    name
        What results call it.
    start_s
        Seconds at which it starts.

    Examples
    --------
    >>> from rainier_fast import preset
    >>> mesh = preset("trn2").mesh(dp=4, tp=4)
    >>> plan = mesh.plan.all_gather("64 MiB", axis="tp")
    >>> plan.name, plan.starting("1 ms").start_s
    ('all_gather tp', 0.001)
    """

    machine: Base
    request: Request | Compute
    name: str
    start_s: float = 0.0

    def __str__(self) -> str:
        if isinstance(self.request, Compute):
            time = f"{format_time(self.request.time_s)} {AS_GIVEN}"
            size = f"{time}, {format_bytes(self.request.hbm_bytes)}"
        else:
            size = format_bytes(self.request.size)
        start = f", from {format_time(self.start_s)} on, {AS_GIVEN}" if self.start_s else ""
        return f"plan {self.name} ({size}{start})"

    def named(self, name: str) -> Plan:
        """Return the same plan under another name.

        Parameters
        ----------
        name
            What results call it.

        Examples
        --------
        >>> from rainier_fast import preset
        >>> preset("trn2").plan.all_reduce("1 GiB").named("gradients").name
        'gradients'
        """
        return dataclasses.replace(self, name=as_name("name", name))

    def starting(self, start: Quantity) -> Plan:
        """Return the same plan with another start.

        Parameters
        ----------
        start
            Seconds, as a number or text.

        Examples
        --------
        >>> from rainier_fast import preset
        >>> preset("trn2").plan.all_reduce("1 GiB").starting("2 ms").start_s
        0.002
        """
        return dataclasses.replace(self, start_s=parse_time(start, "start"))

    def run(self) -> CollectiveResult:
        """Run the collective alone, under the model that the plan names.

        Returns
        -------
        CollectiveResult
            As the method of the same name of the machine or mesh returns it.

        Raises
        ------
        Unsupported
            If it is a computation.
        RainierError
            If the combination has no model.

        Examples
        --------
        >>> from rainier_fast import preset
        >>> trn2 = preset("trn2")
        >>> trn2.plan.all_reduce("1 GiB").run() == trn2.all_reduce("1 GiB")
        True
        """
        if isinstance(self.request, Compute):
            raise Unsupported(
                f"running {self.name} alone: it is a computation, which takes "
                f"{format_time(self.request.time_s)} {AS_GIVEN}; give it to together() with others"
            )
        return answer(self.machine, self.request)

    def prepared(self) -> Prepared:
        """Price all of the collective that does not depend on its size.

        Returns
        -------
        Prepared
            Its ``times(sizes)`` evaluates other sizes without preparing again.

        Raises
        ------
        Unsupported
            If it is a computation, or runs a schedule of one's own.
        RainierError
            If the combination has no model.

        Examples
        --------
        >>> from rainier_fast import preset
        >>> preset("trn2").plan.all_reduce("1 GiB").prepared()
        prepared all_reduce of 16 ranks
        """
        if isinstance(self.request, Compute) or self.request.schedule_of_own is not None:
            raise Unsupported(
                f"preparing {self.name} for other sizes: its messages are given; plan a collective "
                "by the name of an algorithm"
            )
        return Prepared(self.machine, self.request)


_PLAN: Final = """\
Plan
    For `Machine.together`; ``run()`` runs it alone."""


class _Plans(Collectives[Plan]):
    """What makes plans; the collectives themselves are those of the machine and the mesh."""

    _machine: Base
    _groups_of: Callable[[Any], Groups] | None

    def __init__(self, machine: Base, groups_of: Callable[[Any], Groups] | None = None) -> None:
        self._machine, self._groups_of = machine, groups_of

    def _members(self, where: Any) -> Members:  # noqa: ANN401 - checked by whoever knows groups
        if self._groups_of is None:
            return Members(self._machine, where)
        groups = self._groups_of(where)
        return Members(self._machine, groups, where if isinstance(where, str) else "+".join(where))

    def _answer(self, members: Members, request: Request) -> Plan:
        return Plan(members.machine, request, f"{request.operation} {members.label}".strip())

    def compute(
        self,
        time_s: Quantity,
        hbm_bytes: Quantity,
        group: Group = None,
        packet: Quantity = PACKET,
    ) -> Plan:
        """Plan a computation that shares the DMA engines of its chips with collectives.

        Parameters
        ----------
        time_s
            Seconds that it takes alone, as a number or text.
        hbm_bytes
            Bytes that each chip's HBM reads and writes in that time, as a number or text.
        group
            Chips that compute; None for all.
        packet
            Bytes of its DMA packets, as a number or text.

        Returns
        -------
        Plan
            For `Machine.together`, which knows Trainium2 chips.

        Raises
        ------
        RainierError
            If an argument is not usable; the message names it.

        Examples
        --------
        >>> from rainier_fast import preset
        >>> print(preset("trn2").plan.compute("1 ms", "2 GiB"))
        plan compute (1.00 ms as it was given, 2.00 GiB)
        """
        seconds = parse_time(time_s, "time_s")
        if seconds == 0:
            raise invalid("time_s", time_s, "must be above 0")
        size = parse_bytes(packet, "packet")
        if size == 0:
            raise invalid("packet", packet, "must be above 0")
        request = Compute(
            as_groups(group, self._machine.num_chips),
            seconds,
            parse_bytes(hbm_bytes, "hbm_bytes"),
            size,
        )
        return Plan(self._machine, request, "compute")


@whole
@stated("group", _PLAN, '>>> preset("trn2").plan.{call}.name', "'{name}'")
class MachinePlans(_Plans):
    """The collectives of a machine as plans: ``machine.plan``.

    Examples
    --------
    >>> from rainier_fast import preset
    >>> preset("trn2").plan.all_reduce("1 GiB", algorithm="ring").request.algorithm
    'ring'
    """

    __slots__ = ("_groups_of", "_machine")


@whole
@stated("axis", _PLAN, '>>> preset("trn2").mesh(dp=4, tp=4).plan.{call}.name', "'{name} tp'")
class MeshPlans(_Plans):
    """The collectives of a mesh as plans: ``mesh.plan``.

    Examples
    --------
    >>> from rainier_fast import preset
    >>> mesh = preset("trn2").mesh(dp=4, tp=4)
    >>> mesh.plan.all_reduce("1 GiB", axis="dp").request.groups.count
    4
    """

    __slots__ = ("_groups_of", "_machine")
