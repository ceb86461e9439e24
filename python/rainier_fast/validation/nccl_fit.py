"""Fits again what the catalogue holds of NCCL's times, one generation at a time.

``python -m rainier_fast.validation.nccl_fit`` prints each figure beside the catalogue's and the
mean errors; ``--write`` puts them into the catalogue's file. Relative errors are squared up to some
5 % and count by their size beyond, since a few of the measurements are twice their neighbours.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rainier_fast.catalog import catalog
from rainier_fast.definitions.nccl import FIGURES, GENERATIONS, NcclTiming, entry_of
from rainier_fast.definitions.ultraserver import UltraServer
from rainier_fast.least_squares import least_squares
from rainier_fast.machine.machine import Machine
from rainier_fast.machine.presets import preset
from rainier_fast.machine.shapes import domain
from rainier_fast.measured.nccl import Measured, measured, systems

_SQUARED: Final = 0.05
_DIGITS: Final = 4
_ROOM: Final = 100.0
_START: Final = {
    "ll_start": 6e-6,
    "ll_hop": 1e-6,
    "ll_threads": 0.15,
    "ll_rate": 1.4,
    "start": 20e-6,
    "hop": 6e-6,
    "rate": 0.9,
    "copy": 1e12,
    "send_ll_start": 8e-6,
    "send_start": 12e-6,
    "send_rate": 15e9,
    "nvls_start": 35e-6,
}


@dataclass(frozen=True, slots=True)
class Refit:
    """The figures of one generation, fitted again."""

    generation: str
    system: str
    values: dict[str, float]
    errors: tuple[float, ...]

    @property
    def mean_error(self) -> float:
        """Mean size of the errors of the fitted rows, as a fraction."""
        return float(np.mean(np.abs(self.errors)))


def refit(generation: str, start: dict[str, float] | None = None) -> Refit:
    """Fit a generation's rows, from rough figures that are the same for all or from others."""
    system = next(
        name
        for name, about in systems().items()
        if about["fitted"] and about["generation"] == generation
    )
    rows = [one for one in measured() if one.fitted and one.system == system]
    server = preset(systems()[system]["preset"]).ultraserver
    names = [name for name in FIGURES if name in catalog()[entry_of(generation)]]
    begin = _START if start is None else start
    first = [begin[name] for name in names]

    def at(values: NDArray[np.float64]) -> NDArray[np.float64]:
        timing = NcclTiming(**dict(zip(names, map(float, values), strict=True)))
        return errors_of(_timed(server, timing), rows)

    low, high = ([value / _ROOM for value in first], [value * _ROOM for value in first])
    found, _ = least_squares(lambda values: _blunted(at(values)), first, low, high)
    values = {name: float(f"{value:.{_DIGITS}g}") for name, value in zip(names, found, strict=True)}
    errors = at(np.array([values[name] for name in names]))
    return Refit(generation, system, values, tuple(errors.tolist()))


def errors_of(machine: Machine, rows: list[Measured]) -> NDArray[np.float64]:
    """Return the relative error of each row on a machine."""
    return np.array([one.run(machine).time_s * 1e6 / one.us - 1.0 for one in rows])


def _timed(server: UltraServer, timing: NcclTiming) -> Machine:
    if server.gpu is None:
        raise RuntimeError("the presets of the tables say what their GPUs are")
    return domain(replace(server, gpu=replace(server.gpu, timing=timing)))


def _blunted(errors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return errors whose squares grow as the errors do where these are large."""
    size = np.sqrt(1.0 + (errors / _SQUARED) ** 2)
    blunt: NDArray[np.float64] = np.sign(errors) * _SQUARED * np.sqrt(2.0 * (size - 1.0))
    return blunt


def main(arguments: list[str]) -> int:
    """Print the fits; with ``--write``, put them into the catalogue."""
    if arguments not in ([], ["--write"]):
        print("usage: python -m rainier_fast.validation.nccl_fit [--write]")
        return 2
    for generation in GENERATIONS:
        # The second pass starts where the first ended, since a fit is weakly held by its start.
        fit = refit(generation, refit(generation).values)
        print(f"{generation}: {len(fit.errors)} rows of {fit.system}, {fit.mean_error:.1%} off")
        entry: Any = catalog()[entry_of(generation)]
        for name, value in fit.values.items():
            print(f"  {name}: {entry[name].number:.4g}, fitted {value:.4g}")
        if arguments:
            path = Path(__file__).parents[1] / "catalog" / "data" / "nccl.json"
            path.write_text(_rewritten(path.read_text("utf-8"), fit), "utf-8")
    return 0


def _rewritten(text: str, fit: Refit) -> str:
    begin = text.index(f'"{entry_of(fit.generation)}"')
    before, after = text[:begin], text[begin:]
    for name, value in fit.values.items():
        pattern = rf'("{name}": \{{\s*"value": )[^,]+(.*?mean error )[0-9.]+'
        said = rf"\g<1>{value!r}\g<2>{100 * fit.mean_error:.1f}"
        after = re.sub(pattern, said, after, count=1, flags=re.DOTALL)
    return before + after


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
