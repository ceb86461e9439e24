"""`sweep`: a function at all points of a space, into a file that survives a kill."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rainier_fast.definitions.check import as_count, as_flag
from rainier_fast.errors import SweepStopped, shown
from rainier_fast.sweeps.asking import Asking, asking, ship
from rainier_fast.sweeps.executors import check, source_of
from rainier_fast.sweeps.finish import finish
from rainier_fast.sweeps.journal import Journal
from rainier_fast.sweeps.result import SweepResult
from rainier_fast.sweeps.resuming import prepared, target
from rainier_fast.sweeps.rows import Record
from rainier_fast.sweeps.running import Spread, serial
from rainier_fast.sweeps.showing import Report, as_shown, reporting
from rainier_fast.sweeps.space import Space, space_of

if TYPE_CHECKING:
    from concurrent.futures import Executor

_MOST_WORKERS = 65_536


def sweep(
    space: Mapping[str, Any] | Iterable[Mapping[str, Any]],
    fn: Callable[..., Any],
    executor: Executor | str | None = None,
    into: str | os.PathLike[str] = "sweep.parquet",
    *,
    progress: Callable[[int, int], object] | bool | None = None,
    workers: int | None = None,
    batch: int | None = None,
    extend: bool = False,
    retry_errors: bool = False,
) -> SweepResult:
    """Ask a function at all points of a space, and keep what it answers in a file.

    Points that are done survive a kill, a full disk and an executor that dies: the same call goes
    on where the last one ended, and no point is lost or run twice. The file is the same bytes
    whatever executor ran it and however often it was stopped.

    Parameters
    ----------
    space
        A dict of axes, whose combinations are swept, the last axis fastest; a value that is no
        sequence stands for an axis of one. Or points as dicts, in an order that is the same each
        time: a list or a generator, which is read to its end first.
    fn
        Called as ``fn(**point)``. It returns a dict of columns (numbers, text, bools, None), one
        such value, or an object with ``to_dict``, whose numbers and texts become columns. What it
        raises becomes a row with ``error_type`` and ``error``. A collective of a machine or mesh,
        such as ``machine.all_reduce``, or a machine with an axis ``operation``, is priced once for
        all of its sizes, in this process where no executor is given.
    executor
        None for processes of this machine, ``"serial"`` for this process, ``"ray"``, or any
        `concurrent.futures.Executor`, such as Dask's ``client.get_executor()`` or MPI's
        ``MPIPoolExecutor``.
    into
        The file: .parquet (which needs pyarrow), .csv or .jsonl. Beside it is a journal
        with ``.part`` after its name until all is done.
    progress
        Called with points that are done, and their number; True shows both and the time left on
        standard error.
    workers
        How many processes; of other executors, how many batches run at once, twice of which are
        on their way; None for all cores, or what the executor says.
    batch
        Points that go together; None for what takes a tenth of a second.
    extend
        Whether a space that has grown since is taken: values more on axes, points more at the end
        of a list.
    retry_errors
        Whether points of an earlier call that have an error are asked again.

    Returns
    -------
    SweepResult
        A table in the order of the points: axes, columns of `fn`, ``error_type`` and ``error``.

    Raises
    ------
    InvalidArgument, InvalidType, UnknownName
        If an argument is not usable; if the file is not of a sweep, or of another function or
        space: the message says what is other.
    SweepStopped
        If the executor or the disk fails: the message says how many points are kept.
    RainierError
        If pyarrow or ray is needed and not installed.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> import rainier_fast as rf
    >>> space = {"algorithm": ["ring", "auto"], "size": ["1 MiB", "1 GiB"]}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "sizes.csv"
    ...     swept = rf.sweep(space, rf.preset("trn2").all_reduce, into=path)
    ...     (len(swept), len(swept.errors), swept["size"].tolist()[-1], swept.columns[2])
    (4, 0, '1 GiB', 'time_s')
    """
    points = space_of(space)
    ask = asking(fn, points.points(0, 1)[0], points.names)
    check(executor)
    shown_how = as_shown(progress)
    count = None if workers is None else as_count("workers", workers, _MOST_WORKERS)
    each = None if batch is None else as_count("batch", batch)
    path = target(into)
    header = {"function": ask.name, "axes": list(points.names), "space": points.described()}
    flags = {
        "extend": as_flag("extend", extend),
        "retry_errors": as_flag("retry_errors", retry_errors),
    }
    part = prepared(path, header, points, **flags)
    if part is not None:
        with Journal(part) as journal:
            with _saying(journal, points.size):
                with reporting(shown_how, journal.done, points.size) as report:
                    _run(_Work(points, ask, journal, report, each), executor, count)
                _written(finish, journal, path)
            part.unlink(missing_ok=True)
    return SweepResult(path)


class _Work:
    """What is to be run, and what is done with what comes back."""

    def __init__(
        self, space: Space, ask: Asking, journal: Journal, report: Report, batch: int | None
    ) -> None:
        self.space, self.ask, self.journal, self.batch = space, ask, journal, batch
        self._report = report
        self._resumed = bool(journal.seen)

    def keep(self, record: Record) -> None:
        """Write a record, with the values of its points."""
        if self._resumed and "columns" in record:
            self._resumed = False
            self._check(set(record["columns"]))
        first = record["first"]
        record["points"] = self.space.cells(first, first + record["n"])
        _written(self.journal.append, record)
        self._report(self.journal.done)

    def _check(self, columns: set[str]) -> None:
        if frozenset(columns) in self.journal.seen:
            return
        known = sorted(next(iter(self.journal.seen)))
        raise SweepStopped(
            f"fn: got columns {', '.join(sorted(columns))}, and points that are kept have "
            f"{', '.join(known)}: is it another function? Name another file for it"
        )


def _run(work: _Work, executor: Executor | str | None, workers: int | None) -> None:
    missing = list(work.journal.missing(work.space.size))
    work._report(work.journal.done)
    if not missing:
        return
    if executor == "serial" or (executor is None and work.ask.quick):
        serial(work.ask, work.space, iter(missing), work.keep, work.batch)
        return
    shipped = ship(work.ask, work.space.points(0, 1)[0])
    source = source_of(executor, workers)
    stopped = True
    try:
        Spread(source, shipped, work.space, work.keep, work.batch).run(iter(missing))
        stopped = False
    finally:
        source.close(stopped=stopped)


def _written(write: Callable[..., None], *words: Any) -> None:  # noqa: ANN401 - any arguments
    """Call what writes a file; its errors say so."""
    try:
        write(*words)
    except OSError as error:
        name = f" {error.filename}" if error.filename else ""
        raise SweepStopped(f"into: cannot be written{name} ({error.strerror or error})") from error


@contextmanager
def _saying(journal: Journal, total: int) -> Iterator[None]:
    """Add to what stops a sweep how many points are kept, and how to go on."""
    try:
        yield
    except BaseException as error:
        said = (
            f"{journal.done:,} of {total:,} points are kept in {shown(str(journal.path))}; "
            "the same call goes on from there"
        )
        if isinstance(error, SweepStopped):
            raise SweepStopped(f"{error}. {said}") from error.__cause__
        error.add_note(said)
        raise
