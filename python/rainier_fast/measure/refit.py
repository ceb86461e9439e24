"""Refits the catalogue's Neuron parameters on the public table and prints what comes out.

``python -m rainier_fast.measure.refit`` starts from the vendor's thresholds (1 MB, 56 MB), and
prints the fit with its residuals beside the catalogue's values; ``--write`` puts them into the
catalogue's file.
"""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from pathlib import Path
from typing import Final

from rainier_fast.catalog import catalog
from rainier_fast.definitions.neuron import ENTRY, Neuron
from rainier_fast.files.kept import write
from rainier_fast.machine.machine import Machine
from rainier_fast.machine.presets import preset
from rainier_fast.measure.calibration import Calibration
from rainier_fast.measure.calibrator import calibrate
from rainier_fast.measure.space import with_server
from rainier_fast.measured.public import SOURCE, public_rows

FITTED: Final = ("call", "step", "hbm_efficiency", "link_efficiency", "mesh_most", "halving_most")
"""Figures of the catalogue that come from the fit."""

_DIGITS: Final = 4


def refit() -> Calibration:
    """Fit the public rows from vendor's values: a hop of 1.5 us, 1 MB, 56 MB, data-sheet rates."""
    return calibrate(_from_vendor(), public_rows())


def main(arguments: list[str]) -> int:
    """Print the fit; with ``--write``, put it into the catalogue."""
    if arguments not in ([], ["--write"]):
        print("usage: python -m rainier_fast.measure.refit [--write]")
        return 2
    fit = refit()
    print(f"rows: {SOURCE}\n\n{fit}\n\ncatalogue:")
    entry = catalog()[ENTRY]
    for name in FITTED:
        print(f"  {name}: {entry[name].number:.6g}, fitted {fit.parameters[name].value:.6g}")
    if arguments:
        path = Path(__file__).parents[1] / "catalog" / "data" / "neuron.json"
        write(path, _rewritten(path.read_text("utf-8"), fit))
        print(f"written to {path}")
    return 0


def _from_vendor() -> Machine:
    machine = preset("trn2")
    entry = catalog()[ENTRY]

    def said(name: str) -> float:
        return float(entry[name].alternatives[0].value)

    start = Neuron(
        call=5e-6,
        step=said("step"),
        hbm_efficiency=1.0,
        link_efficiency=1.0,
        mesh_most=said("mesh_most"),
        halving_most=said("halving_most"),
    )
    return with_server(machine, dataclasses.replace(machine.ultraserver, neuron=start))


def _rewritten(text: str, fit: Calibration) -> str:
    for name in FITTED:
        value = fit.parameters[name].value
        rounded = int(value) if name.endswith("_most") else float(f"{value:.{_DIGITS}g}")
        text, count = re.subn(
            rf'("{name}": \{{\s*"value": )[^,]+', rf"\g<1>{json.dumps(rounded)}", text
        )
        if count != 1:
            raise RuntimeError(f"{name} is not once in the file")
    return text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
