"""Names of single parts of a machine, as people say them: a chip by coordinates, a link by axis."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from rainier_fast.definitions.check import MAX_COUNT, as_integer, as_name


@dataclass(frozen=True, slots=True, init=False, repr=False)
class ChipAt:
    """A chip by its coordinates, as `Machine.chip` takes them; what is left out is 0.

    Parameters
    ----------
    site
        A number, or a site's name.
    ultraserver
        UltraServer, counted in its site.
    **coordinates
        Number along each axis.

    Examples
    --------
    >>> from rainier_fast import preset
    >>> damaged = preset("rainier").with_faults(chips=ChipAt(site="indiana", ultraserver=3, x=1))
    >>> damaged.num_live_chips
    524287
    """

    site: int | str
    ultraserver: int
    coordinates: tuple[tuple[str, int], ...]

    def __init__(self, *, site: int | str = 0, ultraserver: int = 0, **coordinates: int) -> None:
        _put_place(self, site, ultraserver, coordinates)

    def to_dict(self) -> dict[str, Any]:
        """Return the coordinates as the keywords of `Machine.chip`.

        Examples
        --------
        >>> ChipAt(x=1, z=2).to_dict()
        {'site': 0, 'ultraserver': 0, 'x': 1, 'z': 2}
        """
        return {"site": self.site, "ultraserver": self.ultraserver, **dict(self.coordinates)}

    def __repr__(self) -> str:
        words = (f"{name}={value!r}" for name, value in self.to_dict().items())
        return f"ChipAt({', '.join(words)})"

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(ChipAt, **self.to_dict()), ()


@dataclass(frozen=True, slots=True, init=False, repr=False)
class LinkAt:
    """A link, or the two links of a cable, seen from a chip.

    Parameters
    ----------
    axis
        An axis of the UltraServer, ``"nic"``, ``"fabric tier 1"``, ... or ``"wan"``.
    direction
        Along a ring or line ``"+"`` or ``"-"``: the link that leaves the chip that way. ``"up"``
        and ``"down"`` at a switch or fabric tier, ``"egress"`` and ``"ingress"`` of a NIC,
        ``"out"`` and ``"in"`` on a full mesh or between two sites. None is both directions; along
        a ring or line, of the cable from the chip to the next one up.
    to
        Where several far ends are possible: a coordinate on a full mesh, a site over a WAN.
    site, ultraserver, **coordinates
        The chip, as for `ChipAt`.

    Examples
    --------
    >>> from rainier_fast import preset
    >>> trn2 = preset("trn2-ultraserver").with_faults(links=LinkAt("z", x=1, y=2, z=3))
    >>> [trn2.link(i).target for i in trn2.faults.links]
    ['chip 9', 'chip 57']
    """

    axis: str
    direction: str | None
    to: int | str | None
    site: int | str
    ultraserver: int
    coordinates: tuple[tuple[str, int], ...]

    def __init__(
        self,
        axis: str,
        direction: str | None = None,
        *,
        to: int | str | None = None,
        site: int | str = 0,
        ultraserver: int = 0,
        **coordinates: int,
    ) -> None:
        put = object.__setattr__
        put(self, "axis", as_name("axis", axis))
        put(self, "direction", None if direction is None else as_name("direction", direction))
        put(self, "to", None if to is None else _place("to", to))
        _put_place(self, site, ultraserver, coordinates)

    @property
    def chip(self) -> ChipAt:
        """The chip that it is seen from."""
        place = dict(self.coordinates)
        return ChipAt(site=self.site, ultraserver=self.ultraserver, **place)

    def to_dict(self) -> dict[str, Any]:
        """Return the keywords that make it.

        Examples
        --------
        >>> LinkAt(**LinkAt("z", "+", x=1).to_dict())
        LinkAt('z', '+', site=0, ultraserver=0, x=1)
        """
        own = {"axis": self.axis, "direction": self.direction, "to": self.to}
        return {**own, **self.chip.to_dict()}

    def __repr__(self) -> str:
        words = [repr(self.axis)] + ([] if self.direction is None else [repr(self.direction)])
        words += [] if self.to is None else [f"to={self.to!r}"]
        words += [f"{name}={value!r}" for name, value in self.chip.to_dict().items()]
        return f"LinkAt({', '.join(words)})"

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(LinkAt, **self.to_dict()), ()


def _put_place(
    it: ChipAt | LinkAt, site: object, ultraserver: object, coordinates: dict[str, Any]
) -> None:
    put = object.__setattr__
    put(it, "site", _place("site", site))
    put(it, "ultraserver", _number("ultraserver", ultraserver))
    along = tuple((name, _number(name, coordinates[name])) for name in sorted(coordinates))
    put(it, "coordinates", along)


def _place(argument: str, value: object) -> int | str:
    return as_name(argument, value) if isinstance(value, str) else _number(argument, value)


def _number(argument: str, value: object) -> int:
    return as_integer(argument, value, 0, MAX_COUNT - 1)
