"""Where EC2 says that instances are: pages merged, distances, health, hosts and faults."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from rainier_fast.definitions.check import as_items, as_name
from rainier_fast.errors import as_one_of, invalid, invalid_type
from rainier_fast.faults.faults import Faults
from rainier_fast.flows.places import Places
from rainier_fast.frozen import put
from rainier_fast.placement.ec2_hosts import ASSUMED, health, running_hosts
from rainier_fast.placement.ec2_listing import Listing
from rainier_fast.placement.ec2_pages import check_account, check_pages, pages_in
from rainier_fast.placement.ec2_rows import (
    UNKNOWN,
    Instance,
    Page,
)
from rainier_fast.placement.text import said, source_of
from rainier_fast.placement.units import HostGroups
from rainier_fast.screen import Facts, Report, one_screen
from rainier_fast.table import Table


@dataclass(frozen=True, slots=True)
class Distance:
    """How close two instances are.

    `shared_layers` counts the network nodes that both are below, from the top; `same_ultraserver`
    is None where the block of one of them is not said.
    """

    shared_layers: int
    same_ultraserver: bool | None


@one_screen
@dataclass(frozen=True, slots=True, repr=False)
class Ec2Topology(Listing, Report):
    """What EC2 says of where instances are, of one account. Immutable.

    Of DescribeInstanceTopology, DescribeCapacityReservationTopology, DescribeCapacityBlocks and
    DescribeCapacityBlockStatus, in any number of pages. Network nodes are hashed for each account:
    those of two accounts cannot be compared, so listings of two are never one.

    Attributes
    ----------
    pages
        The answers, in their order.
    account
        Whose they are, where that was said.

    Examples
    --------
    >>> page = '''{"Instances": [{"InstanceId": "i-1", "InstanceType": "trn2u.48xlarge",
    ... "NetworkNodes": ["nn-1", "nn-2", "nn-3"], "CapacityBlockId": "cb-1"}]}'''
    >>> Ec2Topology.parse(page).ultraservers
    {'cb-1': ('i-1',)}
    """

    def __post_init__(self) -> None:
        if self.account is not None:
            as_name("account", self.account)
        put(self, pages=tuple(as_items("pages", self.pages, "must be pages, as parse reads them")))
        for at, page in enumerate(self.pages):
            if not isinstance(page, Page):
                raise invalid_type(f"pages[{at}]", page, "must be a page: use parse or load")
        check_pages(self.pages)
        check_account(self.pages)

    @classmethod
    def load(cls, *paths: str | os.PathLike[str], account: str | None = None) -> Self:
        """Read files of JSON as the command line of AWS writes them, and merge them.

        Parameters
        ----------
        *paths
            Files, pages of one listing in their order; blocks and their health beside them.
        account
            The account, kept with it: listings that name two are not merged.

        Returns
        -------
        Ec2Topology
            All of it.

        Raises
        ------
        InvalidArgument
            If a file is not such an answer, a page is there twice, two listings end (so they are of
            two accounts, regions or moments), or a zone has two names, as zones of two accounts do.
        OSError
            If a file cannot be read.

        Examples
        --------
        >>> Ec2Topology.load("/no/such/page.json")
        Traceback (most recent call last):
        FileNotFoundError: [Errno 2] No such file or directory: '/no/such/page.json'
        """
        if not paths:
            raise invalid("paths", paths, "must name at least one file")
        pages = [page for path in paths for page in pages_in(source_of(path))]
        return cls(tuple(pages), account)

    @classmethod
    def parse(cls, *texts: str | bytes, account: str | None = None, name: str = "texts") -> Self:
        """Return what texts of such files say.

        Parameters
        ----------
        *texts
            JSON, a text for each page.
        account
            As in `load`.
        name
            What errors call them; of several, with their numbers.

        Returns
        -------
        Ec2Topology
            As `load`.

        Raises
        ------
        InvalidArgument, InvalidType
            As `load`.

        Examples
        --------
        >>> Ec2Topology.parse('{"CapacityBlockStatuses": []}').impaired
        ()
        """
        pages: list[Page] = []
        for at, text in enumerate(texts):
            called = f"{name}[{at}]" if len(texts) > 1 else name
            pages += pages_in(said(text, called, f"texts[{at}]"))
        if not pages:
            raise invalid("texts", texts, "must be at least one")
        return cls(tuple(pages), account)

    def __or__(self, other: Ec2Topology) -> Ec2Topology:
        if not isinstance(other, Ec2Topology):
            return NotImplemented
        if self.account and other.account and self.account != other.account:
            raise invalid(
                "account", other.account, f"must be {self.account}: ids are hashed for each"
            )
        merged = replace(
            self, pages=self.pages + other.pages, account=self.account or other.account
        )
        return merged

    @property
    def source(self) -> str:
        """What was read."""
        names = ", ".join(dict.fromkeys(page.name for page in self.pages))
        return f"EC2 answers {names}"

    def instance(self, name: str) -> Instance:
        """Return an instance by its id.

        Parameters
        ----------
        name
            The id.

        Returns
        -------
        Instance
            Its row.

        Raises
        ------
        UnknownName
            If there is none.

        Examples
        --------
        >>> text = '{"Instances": [{"InstanceId": "i-1", "InstanceType": "m5.large"}]}'
        >>> Ec2Topology.parse(text).instance("i-1").no_place
        'type without topology: no NetworkNodes'
        """
        known = {one.id: one for one in self.instances}
        return known[as_one_of("instance", name, known)]

    def distance(self, a: str, b: str) -> Distance:
        """Return how close two instances are.

        Parameters
        ----------
        a, b
            Their ids.

        Returns
        -------
        Distance
            Network nodes that both are below, from the top, and whether they share an UltraServer.

        Raises
        ------
        UnknownName
            If there is no such instance.

        Examples
        --------
        >>> rows = [{"InstanceId": f"i-{at}", "InstanceType": "trn2.48xlarge",
        ...          "NetworkNodes": ["nn-1", f"nn-2{at}"]} for at in "ab"]
        >>> import json
        >>> Ec2Topology.parse(json.dumps({"Instances": rows})).distance("i-a", "i-b")
        Distance(shared_layers=1, same_ultraserver=False)
        """
        one, other = self.instance(a), self.instance(b)
        shared = 0
        for mine, theirs in zip(one.nodes or (), other.nodes or (), strict=False):
            if mine != theirs:
                break
            shared += 1
        sides = (one.ultraserver, other.ultraserver)
        if a == b:
            same: bool | None = True
        elif None in sides:
            same = False
        else:
            same = None if UNKNOWN in sides else sides[0] == sides[1]
        return Distance(shared, same)

    def hosts(self, machine: Places, type: str | None = None) -> HostGroups:
        """Return the running instances of a type by UltraServer, those that are close together.

        Parameters
        ----------
        machine
            The machine that they are.
        type
            Their instance type; None for the one that such a machine is made of.

        Returns
        -------
        HostGroups
            UltraServers in the order of their network nodes; within one, instances as listed.

        Raises
        ------
        InvalidArgument, UnknownName, Unsupported
            If a page is missing, the type is not one of the machine's, or no instance of it runs.

        Examples
        --------
        >>> from rainier_fast import preset
        >>> text = '''{"Instances": [{"InstanceId": "i-1", "InstanceType": "trn2.48xlarge",
        ... "NetworkNodes": ["nn-1"]}]}'''
        >>> Ec2Topology.parse(text).hosts(preset("trn2")).groups
        (('i-1', ('i-1',)),)
        """
        return running_hosts(self, machine, type)

    def faults(self, machine: Places, impaired: str = "dead") -> Faults:
        """Return what the health of capacity blocks means on a machine.

        Parameters
        ----------
        machine
            The machine, whose UltraServers are those of `hosts` in their order.
        impaired
            What an UltraServer with an impaired interconnect is: ``"dead"``, since which of its
            links are impaired is in no field, or ``"ignore"``.

        Returns
        -------
        Faults
            Dead UltraServers, and the chips of instances that are not there. Where more instances
            are unavailable than are missing from the list, which they are is not said either, so
            the UltraServer counts as dead.

        Raises
        ------
        InvalidArgument, UnknownName, Unsupported
            As `hosts`, or if the machine has fewer UltraServers.

        Examples
        --------
        >>> from rainier_fast import preset
        >>> page = '''{"Instances": [{"InstanceId": "i-1", "InstanceType": "trn2u.48xlarge",
        ... "NetworkNodes": ["nn-1"], "CapacityBlockId": "cb-1"}]}'''
        >>> ill = '''{"CapacityBlockStatuses": [{"CapacityBlockId": "cb-1", "TotalCapacity": 4,
        ... "InterconnectStatus": "impaired"}]}'''
        >>> Ec2Topology.parse(page, ill).faults(preset("rainier", chips=128))
        Faults(ultraservers=[0])
        """
        return health(self, machine, impaired)

    def table(self) -> Table:
        """Return a row for each instance.

        Returns
        -------
        Table
            ``instance``, ``type``, ``nodes`` from the top, ``ultraserver``, ``zone`` and why it has
            ``no place``.

        Examples
        --------
        >>> text = '{"Instances": [{"InstanceId": "i-1", "InstanceType": "m5.large"}]}'
        >>> Ec2Topology.parse(text).table()["type"].tolist()
        ['m5.large']
        """
        rows = self.instances
        return Table(
            {
                "instance": [one.id for one in rows],
                "type": [one.type for one in rows],
                "nodes": [" > ".join(one.nodes or ()) for one in rows],
                "ultraserver": [one.ultraserver or "" for one in rows],
                "zone": [one.zone_id or one.zone or "" for one in rows],
                "no place": [one.no_place or "" for one in rows],
            }
        )

    def _page(self) -> list[Any]:
        facts: Facts = [
            ("instances", f"{len(self.instances):,}, {len(self.no_place):,} of no place")
        ]
        facts.append(("UltraServers", _several(self.ultraservers)))
        for name, count in (
            ("UltraServer not said", len(self.unknown_ultraserver)),
            ("in another zone", len(self.other_zone)),
            ("reservations", len(self.reservations)),
            ("capacity blocks", len(self.blocks)),
        ):
            facts += [(name, f"{count:,}")] if count else []
        facts += [("impaired", ", ".join(self.impaired[:8]))] if self.impaired else []
        facts += [("last page missing", ", ".join(self.missing))] if self.missing else []
        return [self.source, facts, ASSUMED]

    def __repr__(self) -> str:
        return f"<Ec2Topology of {self.source}: {len(self.instances):,} instances>"


def _several(named: Mapping[str, Sequence[str]]) -> str:
    sizes = sorted({len(ids) for ids in named.values()})
    if not sizes:
        return "none that is said"
    span = f"{sizes[0]}" if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}"
    return f"{len(named):,} of {span} instances"
