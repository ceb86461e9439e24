"""A machine from sites that the user defines."""

from __future__ import annotations

from collections.abc import Sequence

from rainier_fast.definitions.site import Site
from rainier_fast.definitions.wan import Wan
from rainier_fast.machine.machine import Machine


class Cluster(Machine):
    """A machine of sites with UltraServers, joined by a WAN where there are several.

    Parameters
    ----------
    sites
        The sites; chips are numbered in their order. They share one UltraServer definition.
    wan
        What joins the sites; needed where there are several.
    name
        A name for reading.

    Raises
    ------
    InvalidArgument, InvalidType
        If a value is not usable; the message names it.
    Unsupported
        If sites have different UltraServers.

    Examples
    --------
    >>> from rainier_fast import TRN2_ULTRASERVER, Site
    >>> Cluster([Site("indiana", 4096, TRN2_ULTRASERVER)]).num_chips
    262144
    """

    __slots__ = ()

    def __init__(
        self, sites: Sequence[Site], wan: Wan | None = None, name: str | None = None
    ) -> None:
        self._define(sites, wan, name)
