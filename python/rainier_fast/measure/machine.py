"""A machine that remembers the measurements it was fitted on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rainier_fast import _core
from rainier_fast.definitions.site import Site
from rainier_fast.definitions.wan import Wan
from rainier_fast.machine.machine import Machine
from rainier_fast.measured.measured import Measured


class CalibratedMachine(Machine):
    """A machine with fitted parameters; made by `calibrate`.

    Its ``repr`` is that of a machine of the same definition, without the measurements.

    Examples
    --------
    >>> from rainier_fast import preset
    >>> CalibratedMachine._of(preset("trn2"), ()) == preset("trn2")
    True
    """

    __slots__ = ("_measured",)

    _measured: tuple[Measured, ...]

    @classmethod
    def _of(cls, machine: Machine, measured: Sequence[Measured]) -> CalibratedMachine:
        definition = machine.sites, machine.wan, machine.name, tuple(measured)
        return _build(*definition, machine._faults)

    @property
    def measurements(self) -> tuple[Measured, ...]:
        """The rows that the machine was fitted on."""
        return self._measured

    def __reduce__(self) -> tuple[Any, ...]:
        return _build, (self._sites, self._wan, self._name, self._measured, self._faults)


def _build(
    sites: tuple[Site, ...],
    wan: Wan | None,
    name: str | None,
    measured: tuple[Measured, ...],
    faults: _core.Faults,
) -> CalibratedMachine:
    machine: CalibratedMachine = object.__new__(CalibratedMachine)
    machine._define(sites, wan, name, faults=faults)
    object.__setattr__(machine, "_measured", measured)
    return machine
