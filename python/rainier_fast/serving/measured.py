"""Measured services as what is asked of a machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from rainier_fast.measured.serving import SOURCES, read
from rainier_fast.serving.serving import Serving
from rainier_fast.serving.speculation import Speculation
from rainier_fast.workload.layout import Layout
from rainier_fast.workload.models import model, models
from rainier_fast.workload.parts import Experts, Mla, Window
from rainier_fast.workload.transformer import Transformer

_PARTS: Final = {"mla": Mla, "experts": Experts, "window": Window}
_SERVICE: Final = (
    "input",
    "output",
    "precision",
    "kv",
    "engine",
    "max_model_len",
    "prefix_hit",
    "batching",
    "sampling",
    "chunk",
    "prompt_buckets",
    "context_buckets",
    "batch_buckets",
    "imbalance",
    "memory_share",
    "cache_share",
)
_LAYOUT: Final = ("tp", "pp", "ep", "etp", "ranks_per_chip")
CHIPS: Final = {"inf2.48xlarge": "trainium1", "inf2.xlarge": "trainium1"}
"""Chips of machines that are no presets."""

_OF_PRESETS: Final = {"trn2": "trainium2", "trn3-ultraserver-gen1": "trainium3"}


@dataclass(frozen=True, slots=True)
class Case:
    """One measured service.

    Attributes
    ----------
    fields
        What the row says. ``ttft_ms`` and ``tpot_ms`` are measured (None: not); ``quantity`` is
        ``"mean"`` or ``"step"``, a plain step; ``requests`` how many times `concurrency` there were
        in all; ``assumed`` names fields that the source leaves out; ``fit`` says whether constants
        are fitted to it; ``not_run`` why it is not run; ``rate`` requests/s of what was measured,
        whose ``concurrency`` is what follows from it.
    model
        What was served; None where it cannot be said as a transformer.
    """

    fields: Mapping[str, Any]
    model: Transformer | None

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401
        return self.fields[name]

    def get(self, name: str, default: Any = None) -> Any:  # noqa: ANN401
        """Return a field, or `default` where the row has none."""
        return self.fields.get(name, default)

    @property
    def service(self) -> Serving:
        """What was served."""
        assert self.model is not None
        given = {name: self[name] for name in _SERVICE if self.get(name) is not None}
        guessed = self.get("speculative")
        if guessed is not None:
            shares = tuple(guessed["acceptance"])
            given["speculative"] = Speculation(tokens=guessed["tokens"], acceptance=shares)
        return Serving(self.model, **given)

    @property
    def layout(self) -> Layout:
        """How it was cut: as many replicas as a machine holds."""
        return Layout(**{name: self[name] for name in _LAYOUT if self.get(name) is not None})

    def demand(self, ranks: int) -> tuple[float | None, float | None, float | None]:
        """Return requests at once, in all, and a second, of a machine of so many ranks.

        It holds the service so often: the rest of a machine does the same as the part that was
        measured. Of a row with a ``rate`` that alone is what was asked.
        """
        own = int(self["tp"]) * int(self.get("pp", 1)) * int(self.get("dp", 1))
        if self.get("rate") is not None:
            return None, None, float(self["rate"]) * ranks / own
        requests = float(self["concurrency"]) * ranks / own
        times = self.get("requests")
        return requests, None if times is None else times * requests, None

    @property
    def chip(self) -> str:
        """The chips it was measured on; GPU machines have their name."""
        machine = str(self["machine"])
        return (CHIPS | _OF_PRESETS).get(machine, machine)

    @property
    def title(self) -> str:
        """Model, layout and requests in one line."""
        axes = [f"{n.upper()} {self[n]}" for n in ("tp", "dp", "ep") if self.get(n, 1) > 1]
        name = self["model"]
        words = f"{name} on {self['machine']}: {', '.join(axes) or 'TP 1'}, "
        words += f"{self.get('precision', 'bf16')}, {self['input']}/{self['output']}, "
        rate = self.get("rate")
        asked = f"{self['concurrency']} at once" if rate is None else f"{rate:g} requests/s"
        return f"{words}{asked}, {self['engine']}"


@cache
def cases(source: str) -> tuple[Case, ...]:
    """Return the services of a source."""
    found = read(source)
    return tuple(Case(row, _model(row["model"], found.shapes)) for row in found.rows)


def every() -> Iterator[Case]:
    """Yield the services of all sources."""
    for source in SOURCES:
        yield from cases(source)


@cache
def _shape(name: str, fields: tuple[tuple[str, Any], ...]) -> Transformer:
    made = {key: _PARTS[key](**dict(value)) if key in _PARTS else value for key, value in fields}
    return Transformer(name=name, **made)


def _model(name: str, shapes: Mapping[str, Any]) -> Transformer | None:
    if name in shapes:
        fields = {
            key: tuple(value.items()) if isinstance(value, dict) else value
            for key, value in shapes[name].items()
        }
        return _shape(name, tuple(fields.items()))
    return model(name) if name in models() else None
