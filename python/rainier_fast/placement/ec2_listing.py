"""What pages of EC2's answers say together: instances, UltraServers, zones, health."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rainier_fast.placement.ec2_rows import (
    KINDS,
    UNKNOWN,
    BlockStatus,
    CapacityBlock,
    Instance,
    Page,
    Reservation,
)


@dataclass(frozen=True, slots=True)
class Listing:
    """Pages of one account."""

    pages: tuple[Page, ...]
    account: str | None = None

    @property
    def missing(self) -> tuple[str, ...]:
        """Lists whose last page is not there: their page with no further token.

        A page left out in the middle cannot be seen, for a page does not name the token that asked
        for it: compare the number of instances with what should be there.
        """
        ends = {page.kind for page in self.pages if page.token is None}
        return tuple(kind for kind in KINDS if kind in self._kinds() and kind not in ends)

    def _kinds(self) -> set[str]:
        return {page.kind for page in self.pages}

    @property
    def instances(self) -> tuple[Instance, ...]:
        """All instances, in the order of the pages."""
        return tuple(self._rows(Instance))

    @property
    def reservations(self) -> tuple[Reservation, ...]:
        """All reservations."""
        return tuple(self._rows(Reservation))

    @property
    def blocks(self) -> dict[str, CapacityBlock]:
        """Capacity blocks by id."""
        return {row.id: row for row in self._rows(CapacityBlock)}

    @property
    def statuses(self) -> dict[str, BlockStatus]:
        """The health of blocks by their id."""
        return {row.id: row for row in self._rows(BlockStatus)}

    def _rows(self, kind: type[Any]) -> Iterator[Any]:
        return (row for page in self.pages for row in page.rows if isinstance(row, kind))

    @property
    def ultraservers(self) -> dict[str, tuple[str, ...]]:
        """Ids of the instances of each UltraServer, by its capacity block, which alone says it."""
        found: dict[str, list[str]] = {}
        for one in self.instances:
            if one.block is not None:
                found.setdefault(one.block, []).append(one.id)
        return {block: tuple(ids) for block, ids in found.items()}

    @property
    def unknown_ultraserver(self) -> tuple[str, ...]:
        """Instances of UltraServers whose block is not said; equal network nodes prove nothing."""
        return tuple(one.id for one in self.instances if one.ultraserver == UNKNOWN)

    @property
    def no_place(self) -> dict[str, str]:
        """Instances without a place in the network, and why."""
        found = {one.id: one.no_place for one in self.instances}
        return {name: why for name, why in found.items() if why is not None}

    @property
    def layers(self) -> dict[str, int]:
        """How many network nodes are above an instance of each type: the most where they differ."""
        found: dict[str, int] = {}
        for one in self.instances:
            if one.nodes:
                found[one.type] = max(found.get(one.type, 0), len(one.nodes))
        return found

    @property
    def zones(self) -> dict[str, tuple[str, ...]]:
        """Instances by the id of their availability zone, or its name where no id is said."""
        found: dict[str, list[str]] = {}
        for one in self.instances:
            found.setdefault(one.zone_id or one.zone or UNKNOWN, []).append(one.id)
        return {zone: tuple(ids) for zone, ids in found.items()}

    @property
    def other_zone(self) -> tuple[str, ...]:
        """Instances outside of the zone that most are in."""
        zones = list(self.zones.values())
        most = max(zones, key=len, default=())
        return tuple(name for ids in zones if ids is not most for name in ids)

    @property
    def impaired(self) -> tuple[str, ...]:
        """Blocks whose interconnect is said to be impaired."""
        return tuple(name for name, one in self.statuses.items() if one.is_impaired)
