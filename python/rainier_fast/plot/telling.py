"""Which pictures there are of what, and which one tells most."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from rainier_fast.errors import as_one_of, invalid_type
from rainier_fast.faults.faults import Faults
from rainier_fast.fleet.day import FleetDay
from rainier_fast.operations.goodput import Goodput
from rainier_fast.operations.price_performance import PricePerformance
from rainier_fast.plot import collective, damage, loads, machines, money, step
from rainier_fast.results.collective import CollectiveResult
from rainier_fast.results.comparison import Comparison
from rainier_fast.results.link_loads import LinkLoads
from rainier_fast.results.monte_carlo import MonteCarlo
from rainier_fast.results.times import Times
from rainier_fast.workload.layout_ranking import LayoutRanking
from rainier_fast.workload.step import TrainingStep
from rainier_fast.workload.step_comparison import StepComparison

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_Picture = Callable[..., Any]
_OF_LOADS: Final[dict[str, _Picture]] = {
    "torus": loads.torus,
    "planes": loads.planes,
    "utilisation": loads.utilisation,
}
# The first of each tells most, but of loads: there the machine decides.
_PICTURES: Final[dict[type, dict[str, _Picture]]] = {
    LinkLoads: _OF_LOADS,
    CollectiveResult: {
        "roofline": collective.roofline,
        **_OF_LOADS,
        "footprint": damage.footprint,
    },
    Times: {"times": collective.times},
    Comparison: {"comparison": machines.comparison},
    TrainingStep: {"parts": step.parts, "timeline": step.timeline, "memory": step.memory},
    StepComparison: {"parts": step.parts},
    LayoutRanking: {"layouts": step.layouts},
    PricePerformance: {"price_performance": money.price_performance},
    FleetDay: {"day": money.day},
    MonteCarlo: {"monte_carlo": damage.monte_carlo},
    Goodput: {"goodput": money.goodput},
    Faults: {"faults": damage.faults},
}


def pictures(result: object) -> tuple[str, ...]:
    """Return the names of the pictures that there are of a result, for ``plot(picture=...)``.

    Parameters
    ----------
    result
        What a call gave.

    Returns
    -------
    tuple of str
        The telling one first, but of link loads, where the shape of the machine decides.

    Raises
    ------
    InvalidType
        If there are none of it.

    Examples
    --------
    >>> from rainier_fast import plot, preset
    >>> plot.pictures(preset("trn2").times("all_reduce", ["1 MiB"]))
    ('times',)
    """
    return tuple(_known(result))


def _known(result: object) -> Mapping[str, _Picture]:
    for kind, known in _PICTURES.items():
        if isinstance(result, kind):
            return known
    kinds = ", ".join(kind.__name__ for kind in _PICTURES)
    raise invalid_type("result", result, f"must be one of {kinds}")


def _telling(result: object, known: Mapping[str, _Picture]) -> _Picture:
    """Return the picture that tells most."""
    if isinstance(result, LinkLoads):
        return loads.telling
    if isinstance(result, CollectiveResult) and result.size_bytes <= 0:
        return loads.utilisation  # of no size there is no roofline
    return next(iter(known.values()))


def draw(
    result: object,
    ax: Axes | None = None,
    picture: str | None = None,
    **options: Any,  # noqa: ANN401 - those of any picture
) -> Axes:
    """Draw a result: what ``result.plot()`` does.

    Parameters
    ----------
    result
        What a call gave.
    ax
        A matplotlib axis; None makes a new figure.
    picture
        One of `pictures`; the telling one if left out.
    **options
        Those of the function of that name.

    Returns
    -------
    matplotlib.axes.Axes
        That axis.

    Raises
    ------
    RainierError
        If there is no such picture of it, an option is not usable, or matplotlib is missing.

    Examples
    --------
    >>> from rainier_fast import plot, preset
    >>> plot.draw(preset("trn2").times("all_reduce", ["1 MiB", "1 GiB"])).get_ylabel()
    'time (s)'
    """
    known = _known(result)
    made: _Picture
    if picture is None:
        made = _telling(result, known)
    else:
        made = known[as_one_of("picture", picture, known)]
    try:
        axes: Axes = made(result, ax, **options)
    except TypeError as error:
        if "keyword argument" not in str(error) or type(error) is not TypeError:
            raise
        words = f"must be options of plot.{made.__name__}: {error}"
        raise invalid_type("options", sorted(options), words) from None
    return axes
