"""Where chips are: coordinates from numbers and back, and what a link is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rainier_fast.definitions.check import as_integer
from rainier_fast.definitions.routing import Routing
from rainier_fast.errors import as_one_of, invalid
from rainier_fast.memory import reckon
from rainier_fast.topology.arrays import Chips, as_integers, check_below, chip_array
from rainier_fast.topology.base import Base

if TYPE_CHECKING:
    from rainier_fast.results.edges import Edges
    from rainier_fast.results.link import Link
    from rainier_fast.results.route import Route


class Places(Base):
    """Coordinates, single routes, single links."""

    def coordinates(self, chips: Chips) -> NDArray[Any]:
        """Return where chips are.

        Parameters
        ----------
        chips
            Chip numbers.

        Returns
        -------
        numpy.ndarray
            Structured, of the shape of `chips`: fields ``site``, ``ultraserver`` (counted in its
            site) and one for each axis, all int64.

        Raises
        ------
        OutOfRange
            If a number is not a chip; the message names its place.
        InvalidType, InvalidArgument
            If they are not integers or have more than one dimension.

        Examples
        --------
        >>> from rainier_fast import preset
        >>> preset("trn2-ultraserver").coordinates(21).tolist()
        (0, 0, 1, 1, 1)
        """
        numbers = chip_array("chips", chips, self.num_chips)
        names = ["site", "ultraserver", *self._axis_names()]
        # The rows, and the columns that they are made of.
        nbytes = 16 * len(names) * numbers.size
        reckon(nbytes, f"the coordinates of {numbers.size} chips", "ask for fewer at once")
        out = np.empty(numbers.size, [(name, np.int64) for name in names])
        site, ultraserver, along = self._core.places(np.atleast_1d(numbers))
        for name, column in zip(names, [site, ultraserver, *along], strict=True):
            out[name] = column
        return out.reshape(numbers.shape)

    def chip(self, **coordinates: Any) -> Any:  # noqa: ANN401 - int or array, as given
        """Return the numbers of the chips at coordinates.

        Parameters
        ----------
        **coordinates
            ``site`` (a number or a site's name), ``ultraserver`` (counted in its site), and one
            for each axis; numbers or arrays, which broadcast. What is left out is 0.

        Returns
        -------
        int or numpy.ndarray
            An int for single numbers, int64 where one of them is an array.

        Raises
        ------
        UnknownName
            If there is no such coordinate or site.
        OutOfRange
            If a coordinate is outside the machine; the message names it.
        InvalidArgument, InvalidType
            If arrays do not broadcast or are not of integers.

        Examples
        --------
        >>> from rainier_fast import preset
        >>> preset("trn2-ultraserver").chip(x=1, y=1, z=[0, 1])
        array([ 5, 21])
        """
        names = ["site", "ultraserver", *self._axis_names()]
        for name in coordinates:
            as_one_of("coordinate", name, names)
        given = dict(coordinates)
        if isinstance(given.get("site"), str):
            sites = [site.name for site in self.sites]
            given["site"] = sites.index(as_one_of("site", given["site"], sites))
        # A coordinate beyond 64 bits is told the machine's last chip as the limit.
        arrays = [as_integers(name, given.get(name, 0), self.num_chips - 1, 32) for name in names]
        try:
            np.broadcast_shapes(*(array.shape for array in arrays))
        except ValueError as error:
            raise invalid("coordinates", sorted(given), f"must broadcast ({error})") from error
        counts = np.array([site.ultraservers for site in self.sites])
        site, ultraserver, *along = arrays
        check_below("site", site, len(counts))
        site = site.astype(np.int64)
        here = np.broadcast_to(counts[site], np.broadcast_shapes(site.shape, ultraserver.shape))
        check_below("ultraserver", np.broadcast_to(ultraserver, here.shape), here)
        first = np.concatenate([[0], np.cumsum(counts)])[site]
        number = (first + ultraserver.astype(np.int64)) * self.ultraserver.num_chips
        stride = 1
        for axis, array in zip(self.ultraserver.axes, along, strict=True):
            check_below(axis.name, array, axis.size)
            number = number + array.astype(np.int64) * stride
            stride *= axis.size
        return int(number) if number.ndim == 0 else number

    def route(self, src: int, dst: int, routing: Routing = "dor") -> Route:
        """Return which links a message takes.

        Parameters
        ----------
        src, dst
            Chip numbers.
        routing
            A policy or its name, as in `all_reduce`.

        Returns
        -------
        Route
            Links, shares, hops, latency (s), bandwidth (bytes/s).

        Raises
        ------
        OutOfRange
            If a chip is not in the machine.
        UnknownName, InvalidArgument, InvalidType
            If a value is not usable.
        Unsupported
            If the policy has no meaning on this machine.

        Examples
        --------
        >>> from rainier_fast import torus
        >>> torus((4, 4), bandwidth="50 GB/s").route(0, 5).hops
        2
        """
        from rainier_fast.results.route import Route

        last = self.num_chips - 1
        ends = as_integer("src", src, 0, last), as_integer("dst", dst, 0, last)
        return Route(self, *ends, self._routing(routing))

    def link(self, link: int) -> Link:
        """Return what a link is.

        Parameters
        ----------
        link
            Its number, from 0 to `num_links` - 1.

        Returns
        -------
        Link
            Class, ends, bandwidth (bytes/s) and latency (s).

        Raises
        ------
        OutOfRange
            If there is no such link.
        InvalidType
            If it is not an integer.

        Examples
        --------
        >>> from rainier_fast import torus
        >>> print(torus((4,), bandwidth="50 GB/s").link(0))
        link 0 (x +): chip 0 -> chip 1, 50.0 GB/s, 0 s
        """
        from rainier_fast.results.link import link_of

        number = as_integer("link", link, 0, self.num_links - 1)
        return link_of(self, number)

    def edges(self) -> Edges:
        """Return the links as arrays of edges between chips and switches.

        Returns
        -------
        Edges
            Nodes at both ends (int64, 2 x links), bandwidths (bytes/s), latencies (s); also as a
            graph of networkx.

        Raises
        ------
        Unsupported
            If there are more links than memory may be taken for.

        Examples
        --------
        >>> from rainier_fast import torus
        >>> torus((2,), "50 GB/s", wrap=False).edges().index.tolist()
        [[0, 1], [1, 0]]
        """
        from rainier_fast.results.edges import edges_of

        return edges_of(self)
