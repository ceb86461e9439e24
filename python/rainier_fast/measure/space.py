"""Which physical parameters a machine has to fit, and what it says with other values of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Final

from rainier_fast.definitions.axis import Axis
from rainier_fast.definitions.nccl import RATES, TIMES, NcclTiming
from rainier_fast.definitions.ultraserver import UltraServer
from rainier_fast.errors import Unsupported
from rainier_fast.machine.machine import Machine
from rainier_fast.provenance import keep

_GUESS: Final = "a guess: the machine has none"
_SHEET: Final = "a guess; 1 is the data sheet"
GUESSES: Final = (_GUESS, _SHEET)
"""Sources of a start that is no value of the machine."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number to fit."""

    name: str
    unit: str
    start: float
    low: float
    high: float
    source: str


@dataclass(frozen=True, slots=True)
class Space:
    """Parameters, and how to make a machine of values for them."""

    machine: Machine
    parameters: tuple[Parameter, ...]
    build: Callable[[Mapping[str, float]], Machine]
    algorithm: str


def neuron_space(machine: Machine) -> Space:
    """Return the space of a Trainium machine: call, steps, efficiencies, goodput of EFA."""
    server = machine.ultraserver
    neuron = server.neuron
    assert neuron is not None, "the caller looks"

    def build(values: Mapping[str, float]) -> Machine:
        fitted = dataclasses.replace(neuron, **values)  # type: ignore[arg-type]
        return with_server(machine, dataclasses.replace(server, neuron=fitted))

    own = "the machine's own value"
    parameters = [
        Parameter("call", "s", _positive(neuron.call, 5e-6), 1e-9, 1e-2, own),
        Parameter("step", "s", _positive(neuron.step, 2e-6), 1e-9, 1e-2, own),
        Parameter("hbm_efficiency", "1", neuron.hbm_efficiency, 0.02, 1.0, own),
        Parameter("link_efficiency", "1", neuron.link_efficiency, 0.02, 1.0, own),
    ]
    if machine.num_ultraservers > 1:
        alone = float(neuron.efa_goodput) * neuron.instance_chips
        goodput = min(float(neuron.efa_instance_goodput), alone)
        step = _positive(neuron.efa_step, 15e-6)
        parameters.append(Parameter("efa_step", "s", step, 1e-9, 1e-2, own))
        parameters.append(Parameter("efa_instance_goodput", "B/s", goodput, alone / 50, alone, own))
    return Space(machine, tuple(parameters), build, "neuron")


_NCCL_ROOM: Final = 100.0
"""How far NCCL's figures may go from where they start, up or down."""


def nccl_space(machine: Machine) -> Space:
    """Return the space of ``algorithm="nccl"``: its timing; between nodes its tables stand."""
    server = machine.ultraserver
    gpu = server.gpu
    if gpu is None:
        raise Unsupported(
            f"algorithm: got 'nccl', but {server.name} does not say what NCCL asks of its GPUs; "
            "give its UltraServer gpu="
        )
    timing = gpu.timing or NcclTiming.from_catalog(gpu.generation)
    own = "the machine's own value" if gpu.timing else f"the catalogue's for {gpu.generation}"
    figures = {field.name: float(getattr(timing, field.name)) for field in fields(timing)}
    parameters = [
        Parameter(name, _unit(name), value, value / _NCCL_ROOM, value * _NCCL_ROOM, own)
        for name, value in figures.items()
        if value > 0
    ]

    def build(values: Mapping[str, float]) -> Machine:
        fitted = dataclasses.replace(gpu, timing=dataclasses.replace(timing, **values))
        return with_server(machine, dataclasses.replace(server, gpu=fitted))

    return Space(machine, tuple(parameters), build, "nccl")


def _unit(name: str) -> str:
    return "s" if name in TIMES else "B/s" if name in RATES else "1"


def generic_space(machine: Machine, least_s: float = 1e-6) -> Space:
    """Return the space of any other machine: latencies, overheads, efficiencies."""
    server = machine.ultraserver
    own, guess = "the machine's own value", _GUESS
    first = next((axis.latency_s for axis in server.axes if axis.latency_s > 0), 0.0)
    nic = server.nic if machine.num_ultraservers > 1 else None

    def seconds(name: str, value: float, otherwise: float) -> Parameter:
        at, source = (value, own) if value > 0 else (otherwise, guess)
        return Parameter(name, "s", at, 1e-10, 1e-2, source)

    parameters = [
        seconds("link_latency", first, 1e-6),
        seconds("message_overhead", server.overhead_s, 1e-9),
        Parameter("link_efficiency", "1", 0.9, 0.02, 1.0, _SHEET),
        seconds("launch", server.launch_s, least_s),
    ]
    if nic is not None:
        parameters.append(seconds("nic_latency", nic.latency_s, 5e-6))
        parameters.append(Parameter("nic_efficiency", "1", 0.9, 0.02, 1.0, _SHEET))

    def build(values: Mapping[str, float]) -> Machine:
        share, latency = values["link_efficiency"], values["link_latency"]

        def axis(old: Axis) -> Axis:
            # Axes keep the proportions of their latencies; without any they are alike.
            hop = latency * (old.latency_s / first) if first > 0 else latency
            rate = keep(old.bandwidth, old.bandwidth_Bps * share)
            return dataclasses.replace(old, bandwidth=rate, latency=keep(old.latency, hop))

        changed = dataclasses.replace(
            server,
            axes=tuple(map(axis, server.axes)),
            overhead=values["message_overhead"],
            launch=keep(server.launch, values["launch"]),
        )
        if nic is not None:
            slower = dataclasses.replace(
                nic,
                bandwidth=nic.bandwidth_Bps * values["nic_efficiency"],
                latency=keep(nic.latency, values["nic_latency"]),
            )
            changed = dataclasses.replace(changed, nic=slower)
        return with_server(machine, changed)

    return Space(machine, tuple(parameters), build, "auto")


def with_server(machine: Machine, server: UltraServer) -> Machine:
    """Return the same machine of other UltraServers."""
    sites = tuple(dataclasses.replace(site, ultraserver=server) for site in machine.sites)
    return Machine._make(sites, machine.wan, machine.name, faults=machine._faults)


def _positive(value: object, otherwise: float) -> float:
    number = float(value)  # type: ignore[arg-type]
    return number if number > 0 else otherwise
