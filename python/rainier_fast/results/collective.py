"""What a collective costs, and why."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from rainier_fast import _core
from rainier_fast.ask.request import Request
from rainier_fast.errors import RainierError
from rainier_fast.files.saved import Saved
from rainier_fast.measured.nearest import nearest
from rainier_fast.results.answer import Answer, says_its_fields
from rainier_fast.results.as_run import run_by_runtime
from rainier_fast.results.text import headline, page, why
from rainier_fast.screen import Paged, Pictured, Report, Told, one_screen
from rainier_fast.table import Table, Tables

if TYPE_CHECKING:
    from rainier_fast.ask.schedule import Schedule
    from rainier_fast.results.link_loads import LinkLoads


@one_screen
@says_its_fields
@dataclass(frozen=True, repr=False, eq=False)
class CollectiveResult(Answer, Pictured, Paged, Report, Told, Saved):
    """The answer to a collective. Immutable; small: it finds its link loads again when asked.

    Examples
    --------
    >>> from rainier_fast import preset
    >>> result = preset("trn2").all_reduce("1 GiB")
    >>> 0 < result.efficiency <= 1
    True
    >>> result.kind, result.as_run.kind
    ('links alone', 'as neuron runs it')
    """

    _saved_as = "collective"

    _also = (
        "kind",
        "serialisation_s",
        "algbw_Bps",
        "busbw_Bps",
        "efficiency",
        "choice",
        "why",
        "bounds",
        "stages",
        "phases",
        "candidates",
    )

    @property
    def why(self) -> str:
        """One sentence: why this algorithm."""
        return why(self)

    @property
    def as_run(self) -> CollectiveResult | None:
        """What the machine's own software takes for the same, beside an answer by ``"auto"``.

        Computed when read, with all options as they were asked. None where the algorithm was named,
        the machine has no runtime, or that refuses what was asked (as ``"neuron"`` does chunks and
        ``model="fluid"``); ``algorithm="runtime"`` says why.
        """
        found = run_by_runtime(self)
        if found is None or isinstance(found, RainierError):
            return None
        return CollectiveResult._of(self.machine, *found)

    @property
    def nearest_measurements(self) -> Table:
        """The measured rows of this operation that are nearest in size, and our error on them.

        Columns: ``op``, ``bytes``, ``measured_s``, ``predicted_s``, ``error`` (a fraction).
        `Unsupported` where nothing was measured.
        """
        return nearest(self.machine, self.request, self.ranks)

    def link_loads(self) -> LinkLoads:
        """Return the bytes that the whole collective puts on every link.

        Returns
        -------
        LinkLoads
            Computed when asked for.

        Examples
        --------
        >>> from rainier_fast import preset
        >>> preset("trn2").all_gather("1 MiB").link_loads().bytes.shape
        (64,)
        """
        from rainier_fast.results.link_loads import LinkLoads

        return LinkLoads(self.machine, self._again().link_loads())

    def _again(self) -> _core.Outcome:
        """Return the core's answer once more: of what was taken, if its stages are the same."""
        # Phases cost the same whether or not their messages are simulated beside that.
        simulated = self.request.model in ("fluid", "fifo")
        request = replace(self._named(), model="link_load") if simulated else self._named()
        if request != self.request:
            outcome = request.outcome(self.machine)
            tables = Tables(outcome.tables())
            if (outcome.algorithm, tables["phases"]) == (self.algorithm, self.phases):
                return outcome
        return self.request.outcome(self.machine)

    def _named(self) -> Request:
        """Return the request with the algorithms that were taken."""
        if self.request.algorithm not in ("auto", "hierarchical") or not len(self.stages):
            return self.request
        return replace(self.request, algorithm=self._choice)

    def schedule(self) -> Schedule:
        """Return the schedule of the first group, message by message.

        Returns
        -------
        Schedule
            `Schedule.verify` proves it. On a damaged machine its ranks are those of the request:
            a dead chip's is played by the chip next to it.

        Raises
        ------
        Unsupported
            If the algorithm has none, or it is too long to write out.

        Examples
        --------
        >>> from rainier_fast import preset
        >>> preset("trn2").all_gather("1 MiB").schedule().verify()
        """
        from rainier_fast.ask.schedule import Schedule, made_by

        request = self.request
        if isinstance(request.schedule_of_own, Schedule):
            return request.schedule_of_own
        # Another model may have made another choice than link loads do.
        return made_by(self.machine, request if request.model == "link_load" else self._named())

    def to_dict(self) -> dict[str, Any]:
        """Return the result as a dict that JSON takes, without link loads.

        Returns
        -------
        dict
            Seconds, bytes and bytes/s; numbers that are not finite become None.

        Examples
        --------
        >>> from rainier_fast import preset
        >>> preset("trn2").barrier().to_dict()["size_bytes"]
        0.0
        """
        assumed = {name: figure.value for name, figure in self.assumptions.items()}
        return {"machine": repr(self.machine), **super().to_dict(), "assumptions": assumed}

    def __repr__(self) -> str:
        return f"<CollectiveResult {headline(self)}>"

    def _page(self) -> list[Any]:
        return page(self)
