"""The formats that `read` knows: a row each, tried in order. Loaders are imported when they run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

from rainier_fast.files.kinds import KINDS
from rainier_fast.reading import astra, looks, looks_placed
from rainier_fast.reading.content import Content


@dataclass(frozen=True, slots=True)
class Format:
    """One kind of file: how it is told from others, and what reads it."""

    name: str
    about: str
    """One line for users."""
    looks: Callable[[Content], bool]
    """By its content alone; it must be quick, and not raise."""
    load: Callable[[Content], Any]


def _late(module: str, function: str = "load") -> Callable[[Content], Any]:
    """Return a loader whose module is imported when it runs."""

    def load(content: Content) -> Any:  # noqa: ANN401 - each loader has its own class
        return getattr(import_module(f"rainier_fast.reading.{module}"), function)(content)

    return load


_tables = _late("tables")


def _own(kind: str, about: str) -> Format:
    """Return the format of what ``save`` of a class writes."""
    return Format(
        kind, f"{about}: TOML, YAML, JSON", lambda content: looks.own(content, kind), _kept
    )


_kept = _late("definitions")

FORMATS: Final = (
    Format("program", "a program that Program.save wrote: JSON", looks.program, _late("programs")),
    Format(
        "sweep",
        "a finished sweep, as rf.sweep wrote it: Parquet, CSV, JSON lines",
        looks.sweep,
        _late("sweeps"),
    ),
    Format(
        "sweep-part",
        "a sweep that is not done: refused, with how much of it is",
        looks.sweep_part,
        _late("sweeps", "refuse"),
    ),
    Format("hlo", "a program as XLA compiled it: HLO text", looks.hlo, _late("compiled", "hlo")),
    Format(
        "stablehlo",
        "a program before XLA: StableHLO, MLIR text",
        looks.stablehlo,
        _late("compiled", "stablehlo"),
    ),
    *(_own(kind, row.about) for kind, row in KINDS.items()),
    Format(
        "kineto",
        "a trace of PyTorch's profiler (Kineto): JSON",
        looks.kineto,
        _late("pytorch.kineto"),
    ),
    Format(
        "pytorch-et",
        "a PyTorch execution trace: JSON",
        looks.execution_trace,
        _late("pytorch.execution_trace"),
    ),
    Format(
        "flight-recorder",
        "PyTorch's flight recorder: JSON",
        looks.flight_recorder,
        _late("pytorch.flight_recorder"),
    ),
    Format(
        "fake-group",
        "collectives recorded on a fake process group: JSON",
        looks.fake_group,
        _late("pytorch.fake_group"),
    ),
    Format(
        "pickle",
        "a pickle, as of the flight recorder: refused, never opened",
        looks.pickle,
        _late("pytorch.flight_recorder", "refuse_pickle"),
    ),
    Format(
        "chakra", "a Chakra execution trace of a rank: protobuf", astra.is_chakra, astra.load_chakra
    ),
    Format("chakra-json", "a Chakra execution trace: JSON", astra.is_graph, astra.load_graph),
    Format("astra-sim-network", "ASTRA-sim's network: YAML", astra.is_network, astra.load_network),
    Format("astra-sim-system", "ASTRA-sim's system: JSON", astra.is_system, astra.load_system),
    Format("astra-sim-memory", "ASTRA-sim's memory: JSON", astra.is_memory, astra.load_memory),
    Format(
        "ec2",
        "answers of EC2: instance topology, reservations, capacity blocks, their health",
        looks_placed.ec2,
        _late("placements", "ec2"),
    ),
    Format(
        "slurm",
        "a Slurm topology.conf or topology.yaml",
        looks_placed.slurm,
        _late("placements", "slurm"),
    ),
    Format("msccl", "a program of MSCCL: XML", looks.msccl, _late("schedules", "msccl")),
    Format(
        "goal", "messages and what they wait for: GOAL text", looks.goal, _late("schedules", "goal")
    ),
    Format("nccom-test", "a table that nccom-test printed: text or JSON", looks.nccom, _tables),
    Format("rccl-tests", "a file of rccl-tests --output_file: CSV, JSON", looks.rccl, _tables),
    Format("nccl-tests", "what nccl-tests or rccl-tests printed: text, JSON", looks.nccl, _tables),
    Format("osu", "a latency table of OSU's micro-benchmarks", looks.osu, _tables),
    Format("ucc", "a table of UCC's perftest", looks.ucc, _tables),
    Format("json-rows", "measured rows in JSON: op, bytes and time in each", looks.rows, _tables),
    Format("csv", "measured rows in CSV or Markdown: a header names them", looks.csv, _tables),
    Format(
        "hosts",
        "a host file, a Slurm node list or a rankfile",
        looks_placed.hosts,
        _late("placements", "hosts"),
    ),
)
