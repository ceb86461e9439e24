"""Damage: a machine with faults, the same one whole, or with some of them repaired."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np

from rainier_fast import _core
from rainier_fast.errors import invalid_type
from rainier_fast.faults.faults import Faults
from rainier_fast.flows.places import Places
from rainier_fast.frozen import put
from rainier_fast.screen import Report

if TYPE_CHECKING:
    from rainier_fast.faults.naming import (
        ChipNames,
        Degraded,
        LinkNames,
        SiteNames,
        UltraServerNames,
    )


class Damaged(Places, Report):
    """What is broken, and machines that are more or less so."""

    @property
    def faults(self) -> Faults:
        """What is broken; of no length where nothing is."""
        return Faults._of(self._faults, self._numbering(), self)

    def with_faults(
        self,
        *,
        links: LinkNames = (),
        chips: ChipNames = (),
        nics: ChipNames = (),
        ultraservers: UltraServerNames = (),
        sites: SiteNames = (),
        degrade: Degraded | None = None,
        faults: Faults | None = None,
    ) -> Self:
        """Return the same machine with these faults, beside those that it has.

        Parameters
        ----------
        links
            Links that carry nothing: numbers, `LinkAt`, dicts of its words, or what `link` gives;
            one or many. A `LinkAt` without a direction is the whole cable, two links.
        chips
            Chips that do nothing, their links and NICs with them: numbers, `ChipAt`, dicts of
            coordinates such as ``{"site": "indiana", "x": 1}``, tuples in a list or rows as
            `coordinates` gives them.
        nics
            Chips whose NIC is dead, both ways; named as chips are.
        ultraservers
            Dead UltraServers: numbers over the machine, or (site, number in it).
        sites
            Dead sites: names or numbers.
        degrade
            Slower links: a mapping of links to the factor on their bandwidth, above 0 and at
            most 1, or a pair of links and factors.
        faults
            Faults of this machine, loaded or sampled, beside the ones above.

        Returns
        -------
        Machine
            Immutable as this one, which does not change. Of a link that is degraded twice, in two
            calls, the smaller factor counts.

        Raises
        ------
        OutOfRange, UnknownName
            If a name or coordinate does not exist; the message says what does.
        InvalidArgument, InvalidType
            If something is named twice in one call, a factor is not usable, or nothing is left
            alive.

        Examples
        --------
        >>> from rainier_fast import LinkAt, preset
        >>> damaged = preset("rainier").with_faults(
        ...     links=LinkAt("z", site="indiana", ultraserver=3, x=1, y=2), degrade={70: 0.5}
        ... )
        >>> print(damaged.faults)
        2 links dead; 1 link slower
          link 1417 (z +): chip 201 -> chip 217; chip 201: indiana, UltraServer 3, x 1, y 2, z 0
          link 1481 (z -): chip 217 -> chip 201; chip 217: indiana, UltraServer 3, x 1, y 2, z 1
          link 70 (x -): chip 7 -> chip 6; chip 7: indiana, UltraServer 0, x 3, y 1, z 0, at 0.5 of its bandwidth
        """  # noqa: E501 - the example prints so
        from rainier_fast.faults.naming import degraded_of, fault_row

        slower = degraded_of(self, "degrade", {} if degrade is None else degrade)
        row = fault_row(self, links, chips, nics, ultraservers, sites, slower)
        if faults is not None and not isinstance(faults, Faults):
            raise invalid_type("faults", faults, "must be Faults")
        more = None if faults is None else faults._of_machine(self._numbering())
        return self._with_core(_core.with_faults(self._core, row, more))

    def healthy(self) -> Self:
        """Return the same machine, whole.

        Examples
        --------
        >>> from rainier_fast import preset
        >>> trn2 = preset("trn2")
        >>> trn2.with_faults(chips=[3]).healthy() == trn2
        True
        """
        return self._with_core(_core.healthy(self._core))

    def repaired(
        self,
        *,
        links: LinkNames = (),
        chips: ChipNames = (),
        nics: ChipNames = (),
        ultraservers: UltraServerNames = (),
        sites: SiteNames = (),
        degraded: LinkNames = (),
    ) -> Self:
        """Return the same machine without some of its faults.

        Parameters
        ----------
        links, chips, nics, ultraservers, sites
            What works again, named as for `with_faults`.
        degraded
            Links that have their full bandwidth again.

        Returns
        -------
        Machine
            With the other faults.

        Raises
        ------
        InvalidArgument
            If something is not among the faults. A link that is dead because its chip is comes
            back with the chip.
        OutOfRange, UnknownName, InvalidType
            As `with_faults`.

        Examples
        --------
        >>> from rainier_fast import preset
        >>> damaged = preset("trn2").with_faults(chips=[3, 4], links=[9])
        >>> damaged.repaired(chips=[3], links=[9]).faults
        Faults(chips=[4])
        """
        from rainier_fast.faults.naming import fault_row, links_of

        numbers = links_of(self, "degraded", degraded)
        slower = numbers, np.ones(numbers.size)
        row = fault_row(self, links, chips, nics, ultraservers, sites, slower)
        return self._with_core(_core.repaired(self._core, row))

    def _with_core(self, core: _core.Machine) -> Self:
        """Return this machine with another core, of the same definition but for the faults."""
        machine = object.__new__(type(self))
        for kind in type(self).__mro__:
            for slot in getattr(kind, "__slots__", ()):
                if slot not in ("_core", "__weakref__"):
                    put(machine, **{slot: getattr(self, slot)})
        put(machine, _core=core)
        return machine
