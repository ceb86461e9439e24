"""Which results have pages, and how those are written."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, Final

from rainier_fast.definitions.check import as_flag, as_name
from rainier_fast.errors import Unsupported, shown
from rainier_fast.files.kept import as_path
from rainier_fast.files.kept import write as write_whole
from rainier_fast.report import collective, comparison, serving, step
from rainier_fast.report.content import Content
from rainier_fast.report.page import text_of
from rainier_fast.results.collective import CollectiveResult
from rainier_fast.results.comparison import Comparison
from rainier_fast.serving.result import ServingResult
from rainier_fast.workload.step import TrainingStep
from rainier_fast.workload.step_comparison import StepComparison

_PAGES: Final[Mapping[type, Callable[[Any], Content]]] = {
    CollectiveResult: collective.of,
    TrainingStep: step.of,
    ServingResult: serving.of,
    Comparison: comparison.of,
    StepComparison: comparison.of_steps,
}


def page(result: object, *, title: str | None = None, interactive: bool = True) -> str:
    """Return a page of HTML about a result, whole without a network.

    Parameters
    ----------
    result
        A `CollectiveResult`, `TrainingStep`, `ServingResult`, `Comparison` or `StepComparison`.
    title
        Its heading; what it is of, if left out.
    interactive
        Whether pictures can be turned and pointed at. Without it the page has no script.

    Returns
    -------
    str
        HTML, below 2,000,000 bytes as UTF-8. The same result gives the same page.

    Raises
    ------
    Unsupported
        If there are no pages of such a thing.
    InvalidType
        If an option is of another type.
    RainierError
        If plotly or matplotlib is not installed.

    Examples
    --------
    >>> from rainier_fast import preset, report
    >>> result = preset("trn2").all_reduce("1 GiB")
    >>> report.page(result, interactive=False).splitlines()[0]
    '<!DOCTYPE html>'
    """
    for kind, content in _PAGES.items():
        if isinstance(result, kind):
            wanted = as_flag("interactive", interactive)
            words = None if title is None else as_name("title", title)
            return text_of(content(result), words, interactive=wanted)
    kinds = ", ".join(kind.__name__ for kind in _PAGES)
    raise Unsupported(
        f"result: got {shown(result)}, of which there is no page; there are pages of {kinds}: "
        "make one of those from it, or use its text, to_dict() or plot()"
    )


def write(
    result: object,
    path: str | os.PathLike[str],
    *,
    title: str | None = None,
    interactive: bool = True,
) -> None:
    """Write a page of HTML about a result to a file, whole or not at all.

    Parameters
    ----------
    result, title, interactive
        As of `page`.
    path
        The file; one that is there is replaced.

    Raises
    ------
    Unsupported, InvalidType, RainierError
        As of `page`; also if the path is none.
    OSError
        If it cannot be written; what was there is still there.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from rainier_fast import preset, report
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "x.html"
    ...     report.write(preset("trn2").all_reduce("1 GiB"), path, interactive=False)
    ...     path.stat().st_size < 500_000
    True
    """
    target = as_path(path)
    write_whole(target, page(result, title=title, interactive=interactive))
