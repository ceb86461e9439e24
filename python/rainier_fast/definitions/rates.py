"""How often parts of a machine fail."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

from rainier_fast.catalog import catalog
from rainier_fast.definitions.check import as_count, as_number
from rainier_fast.definitions.ultraserver import UltraServer
from rainier_fast.errors import as_one_of, invalid_type

RATE_SOURCES: Final = {
    "llama3": "llama3-fleet",
    "rsc-1": "rsc-1-fleet",
    "rsc-2": "rsc-2-fleet",
    "tpu-v4": "tpu-v4-fleet",
}
"""Names of published rates, and their entries in the catalogue."""

_PARTS: Final = ("chip", "cable", "nic", "host", "ultraserver", "job")
_ALLOWED: Final = "must be a finite number >= 0"


class _Machine(Protocol):
    """A machine, as far as its parts can be counted."""

    @property
    def ultraserver(self) -> UltraServer: ...
    @property
    def num_ultraservers(self) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureRates:
    """Failures per part and hour. Each part fails by itself, at a constant rate.

    Attributes
    ----------
    chip_per_hour
        Of a chip alone; its links and NIC are dead with it.
    cable_per_hour
        Of a cable inside an UltraServer, ports to switches included; both directions are dead.
        Bundles of a site's fabric and the WAN are many cables each and are not drawn.
    nic_per_hour
        Of a chip's NIC, its cable included.
    host_per_hour
        Of a host: all of its chips are dead.
    ultraserver_per_hour
        Of a whole UltraServer, such as its power.
    job_per_hour
        Of a job, whatever its size: software, and what has no part to blame. `Machine.goodput`
        counts it; no part is drawn dead of it.
    chips_per_host
        Chips of a host, consecutive by number, as those of an instance of a Trn2 UltraServer are;
        an UltraServer that is smaller is one host.
    repair_hours
        What failed longer ago than this works again; None where nothing is repaired.

    Raises
    ------
    InvalidArgument, InvalidType
        If a rate is not a finite number, 0 or above; the message names it.

    Examples
    --------
    >>> from rainier_fast import preset
    >>> rates = FailureRates.published("llama3")
    >>> rates.chip_per_hour
    1.262147e-05
    >>> minutes = 60 / rates.failures_per_hour(preset("rainier"))
    >>> round(minutes, 1)
    6.0
    """

    chip_per_hour: float = 0.0
    cable_per_hour: float = 0.0
    nic_per_hour: float = 0.0
    host_per_hour: float = 0.0
    ultraserver_per_hour: float = 0.0
    job_per_hour: float = 0.0
    chips_per_host: int = 16
    repair_hours: float | None = None

    def __post_init__(self) -> None:
        for part in _PARTS:
            name = f"{part}_per_hour"
            object.__setattr__(self, name, _number(name, getattr(self, name)))
        count = as_count("chips_per_host", self.chips_per_host)
        object.__setattr__(self, "chips_per_host", count)
        if self.repair_hours is not None:
            hours = _number("repair_hours", self.repair_hours)
            object.__setattr__(self, "repair_hours", hours)

    @classmethod
    def published(cls, name: str) -> FailureRates:
        """Return rates by the name of who published them.

        Parameters
        ----------
        name
            ``"llama3"`` (Meta, 16,384 H100 in 54 days), ``"rsc-1"``, ``"rsc-2"`` (Meta's research
            clusters, all causes by host) or ``"tpu-v4"`` (Google's fleet). The catalogue has the
            figures: ``rf.catalog()["llama3-fleet"]``.

        Returns
        -------
        FailureRates
            What the source does not say is 0.

        Raises
        ------
        UnknownName
            If there is no such name.

        Examples
        --------
        >>> FailureRates.published("tpu-v4").chips_per_host
        4
        """
        figures = catalog()[RATE_SOURCES[as_one_of("rates", name, RATE_SOURCES)]].figures
        rates = {
            f"{part}_per_hour": figures[f"{part}_per_hour"].number
            for part in _PARTS
            if f"{part}_per_hour" in figures
        }
        return cls(**rates, chips_per_host=int(figures["chips_per_host"].number))

    def failures_per_hour(self, machine: _Machine) -> float:
        """Return how many parts of a machine fail in an hour while all of them work.

        Examples
        --------
        >>> from rainier_fast import preset
        >>> FailureRates(chip_per_hour=1e-3).failures_per_hour(preset("trn2"))
        0.016
        """
        try:
            server = machine.ultraserver
        except Exception as error:  # whatever a value's own methods raise
            raise invalid_type("machine", machine, "must be a machine") from error
        hosts = server.num_chips / min(self.chips_per_host, server.num_chips)
        each = server.num_chips * self.chip_per_hour + hosts * self.host_per_hour
        each += self.ultraserver_per_hour + _cables(machine) * self.cable_per_hour
        if server.nic is not None:
            each += server.num_chips * self.nic_per_hour
        return machine.num_ultraservers * each

    def row(self) -> tuple[float, float, float, float, float, int]:
        """Return the rates as the core takes them."""
        return (
            self.chip_per_hour,
            self.cable_per_hour,
            self.nic_per_hour,
            self.host_per_hour,
            self.ultraserver_per_hour,
            self.chips_per_host,
        )

    def exposure(self, hours: float) -> float:
        """Return the hours whose failures still stand.

        Examples
        --------
        >>> FailureRates(repair_hours=6.0).exposure(24.0)
        6.0
        """
        return hours if self.repair_hours is None else min(hours, self.repair_hours)


Rates: TypeAlias = FailureRates | str
"""Failure rates, or the name of published ones."""


def as_rates(rates: object) -> FailureRates:
    """Return `rates` if they are `FailureRates`, or the published ones of that name."""
    if isinstance(rates, FailureRates):
        return rates
    if isinstance(rates, str):
        return FailureRates.published(rates)
    raise invalid_type("rates", rates, "must be FailureRates or the name of published ones")


def as_hours(hours: object) -> float:
    """Return `hours` as a finite number, 0 or above."""
    return _number("hours", hours)


def _number(name: str, value: object) -> float:
    return as_number(name, value, 0, math.inf, _ALLOWED)


def _cables(machine: _Machine) -> int:
    """Return the cables of one UltraServer, as the core draws them."""
    server = machine.ultraserver
    total = 0
    for axis in server.axes:
        lines = server.num_chips // axis.size
        in_line = {
            "ring": axis.size if axis.size > 1 else 0,
            "line": axis.size - 1,
            "full_mesh": axis.size * (axis.size - 1) // 2,
        }
        total += lines * in_line.get(axis.kind, axis.size)
    return total
