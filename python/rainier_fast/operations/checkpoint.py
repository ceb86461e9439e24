"""How a job saves its state, and how often that pays."""

from __future__ import annotations

import math
from dataclasses import dataclass

from rainier_fast.errors import invalid
from rainier_fast.files.saved import Saved
from rainier_fast.screen import Told, one_screen
from rainier_fast.units import Quantity, format_hours, parse_bandwidth, parse_time


@one_screen
@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint(Told, Saved):
    """How a job saves its state. Immutable.

    Attributes
    ----------
    interval
        Seconds of work between two checkpoints; None for Daly's optimum.
    blocking
        Seconds for which a checkpoint holds the step up; None for the time that a chip's state
        takes to its host, the state as the step says it, else all of the chip's memory.
    persist
        Seconds from then until the copy is safe in storage, behind the steps: what fails meanwhile
        goes back to the copy before, and the interval is no shorter. None where storage keeps up.
    restart
        Seconds from what stands in for failed parts to the first step: state loaded, compiled
        programs started.
    host_link
        Bytes/s from a chip to its host, for `blocking`; None for the catalogue's figure
        (``rf.catalog()["practice"]["host_link"]``).

    Raises
    ------
    InvalidArgument, InvalidType
        If a value is not usable; the message names it.

    Examples
    --------
    >>> print(Checkpoint(blocking="30 s"))
    a checkpoint holds the step up 0.5 min, at Daly's interval; 5 min to restart
    """

    _saved_as = "checkpoint"

    interval: Quantity | None = None
    blocking: Quantity | None = None
    persist: Quantity | None = None
    restart: Quantity = "5 min"
    host_link: Quantity | None = None

    def __post_init__(self) -> None:
        put = object.__setattr__
        for name in ("interval", "blocking", "persist", "restart"):
            given = getattr(self, name)
            if given is not None or name == "restart":
                put(self, name, parse_time(given, name))
        if self.interval == 0:
            raise invalid("interval", 0.0, "must be above 0; None takes Daly's optimum")
        if self.host_link is not None:
            put(self, "host_link", parse_bandwidth(self.host_link, "host_link"))

    @property
    def restart_s(self) -> float:
        """Seconds of a restart."""
        return float(self.restart)

    @property
    def persist_s(self) -> float:
        """Seconds until a copy is safe; 0 where storage keeps up."""
        return 0.0 if self.persist is None else float(self.persist)

    def interval_for(self, blocking_s: float, mtbf_s: float) -> float:
        """Return the seconds of work between checkpoints, between failures of such a mean time.

        Parameters
        ----------
        blocking_s
            Seconds for which a checkpoint holds the step up.
        mtbf_s
            Mean seconds between failures of the job.

        Returns
        -------
        float
            `interval`, else Daly's optimum, but no less than `persist`.

        Raises
        ------
        InvalidArgument, InvalidType
            If a time is not usable.

        Examples
        --------
        >>> minutes = Checkpoint().interval_for(300.0, 86400.0) / 60
        >>> round(minutes, 1)
        116.7
        """
        if self.interval is not None:
            return max(float(self.interval), self.persist_s)
        blocking = parse_time(blocking_s, "blocking_s")
        never = isinstance(mtbf_s, float) and mtbf_s == math.inf
        mtbf = math.inf if never else parse_time(mtbf_s, "mtbf_s")
        return max(daly_interval(blocking, mtbf), self.persist_s)

    def __str__(self) -> str:
        held = "as long as its state takes to the host"
        if self.blocking is not None:
            held = format_hours(float(self.blocking))
        every = "at Daly's interval"
        if self.interval is not None:
            every = f"every {format_hours(float(self.interval))}"
        text = f"a checkpoint holds the step up {held}, {every}"
        if self.persist is not None:
            text += f"; safe {format_hours(float(self.persist))} later"
        return f"{text}; {format_hours(self.restart_s)} to restart"


def young_interval(blocking: float, mtbf: float) -> float:
    """Return Young's optimum (1974), sqrt(2 delta M), in seconds of work."""
    return math.sqrt(2 * blocking * mtbf)


def daly_interval(blocking: float, mtbf: float) -> float:
    """Return Daly's optimum (2004, higher order) in seconds of work; infinite without failures.

    sqrt(2 delta M) (1 + sqrt(delta / 2M) / 3 + (delta / 2M) / 9) - delta below 2M, else M.
    """
    if mtbf == math.inf:
        return math.inf
    if mtbf == 0 or blocking >= 2 * mtbf:
        return mtbf
    ratio = blocking / (2 * mtbf)
    return young_interval(blocking, mtbf) * (1 + math.sqrt(ratio) / 3 + ratio / 9) - blocking
