"""Which of the catalogue's assumptions a machine stands on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rainier_fast.catalog import Assumptions, Figure, assumptions
from rainier_fast.definitions.site import Site
from rainier_fast.definitions.wan import Wan
from rainier_fast.provenance import names_in


def in_force(sites: Sequence[Site], wan: Wan | None) -> Mapping[str, Figure]:
    """Return the assumptions that values of the machine are, in the order of the catalogue."""
    # What matters between UltraServers counts where there are several, and what matters between
    # sites where a WAN joins them.
    server = sites[0].ultraserver
    parts: list[object] = [server.axes, server.overhead, server.launch, server.gpu]
    if len(sites) > 1 or sites[0].ultraservers > 1:
        parts += [server.nic, [site.fabric for site in sites]]
    if wan is not None:
        parts += [wan, [site.ultraservers for site in sites]]
    names = set(names_in(parts))
    return Assumptions({name: figure for name, figure in assumptions().items() if name in names})
