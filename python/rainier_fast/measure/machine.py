"""A machine that remembers the measurements it was fitted on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rainier_fast.frozen import put
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
        made = cls._make(machine.sites, machine.wan, machine.name, faults=machine._faults)
        put(made, _measured=tuple(measured))
        return made

    @property
    def measurements(self) -> tuple[Measured, ...]:
        """The rows that the machine was fitted on."""
        return self._measured

    def __reduce__(self) -> tuple[Any, ...]:
        plain = Machine._make(self._sites, self._wan, self._name, faults=self._faults)
        return CalibratedMachine._of, (plain, self._measured)
