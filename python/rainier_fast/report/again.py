"""The code that makes a result again, and the file that does where no short code can."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, Final

from rainier_fast.ask.question_file import routing_told
from rainier_fast.errors import RainierError
from rainier_fast.files import kinds
from rainier_fast.machine.presets import preset, presets
from rainier_fast.report.markup import Html, code, joined, tag
from rainier_fast.results.collective import CollectiveResult
from rainier_fast.results.comparison import Comparison
from rainier_fast.serving.ready import Asked as AskedService
from rainier_fast.serving.ready import ready
from rainier_fast.serving.result import ServingResult
from rainier_fast.workload.models import models, named
from rainier_fast.workload.running import rates_of
from rainier_fast.workload.step import TrainingStep
from rainier_fast.workload.step_comparison import StepComparison
from rainier_fast.workload.transformer import Transformer

_HEAD: Final = "import rainier_fast as rf"
_MOST: Final = 1500  # letters of a line that people read
_MOST_FILE: Final = 60_000


def again(result: Any) -> Html:  # noqa: ANN401 - any that pages are made of
    """Return code and, of what saves itself, the file: either gives the same again."""
    short = source(result)
    parts: list[str] = []
    if short is not None:
        parts.append(tag("p", "This makes the result again:"))
        parts.append(code(short, "Python code that makes the result again"))
    kept = saved(result)
    if kept is None:
        if short is None:
            words = "What was asked has no short form: it is made of machines of one's own."
            parts.append(tag("p", words))
        return joined(parts)
    words = 'The same as a file: rf.read("result.json") asks again, and warns where the answer '
    words += "is another."
    if len(kept) > _MOST_FILE:
        parts.append(tag("p", f'It has {len(kept):,} letters: result.save("result.json").'))
        return joined(parts)
    inside = joined([tag("p", words), code(kept, "the result as a file, result.json")])
    parts.append(tag("details", tag("summary", "The same as a file"), inside, class_="file"))
    return joined(parts)


def saved(result: Any) -> str | None:  # noqa: ANN401
    """Return the file of a result as JSON; None of what does not save itself."""
    kind = getattr(type(result), "_saved_as", None)
    if kind is None:
        return None
    try:
        return json.dumps(kinds.told(result, kind), indent=1, allow_nan=False)
    except RainierError:
        return None  # schedules of one's own


def source(result: Any) -> str | None:  # noqa: ANN401
    """Return short code that gives the result again; None where there is none."""
    made: str | None = None
    if isinstance(result, CollectiveResult):
        made = _collective(result)
    elif isinstance(result, TrainingStep):
        made = _step(result)
    elif isinstance(result, ServingResult):
        made = _serving(result)
    elif isinstance(result, Comparison):
        made = _comparison(result)
    elif isinstance(result, StepComparison):
        made = _steps(result)
    return None if made is None or len(made) > _MOST else f"{_HEAD}\n\nresult = {made}"


def _machine(machine: Any) -> str | None:  # noqa: ANN401 - a Machine
    """Return the spelling of a preset, with its faults; None of machines of one's own."""
    words = repr(machine)
    if words.startswith("preset("):
        return None if " more " in words else f"rf.{words}"
    # One that was read from a file does not know that it is one.
    name = machine.name or machine.ultraserver.name
    for chips in (None, machine.num_chips) if name in presets() else ():
        with suppress(RainierError):
            if preset(name, chips) == machine:
                said = "" if chips is None else f", chips={chips}"
                return f"rf.preset({name!r}{said})"
    return None


def _collective(result: CollectiveResult) -> str | None:
    request, machine = result.request, _machine(result.machine)
    plain_group = type(request.groups).__name__ == "Groups" and not request.groups.listed
    if machine is None or request.schedule_of_own is not None or not plain_group:
        return None
    if request.groups.ranks != request.groups.num_chips:
        return None
    words = [] if request.operation == "barrier" else [_size(request.size)]
    for name, value in request._spelled().items():
        if name == "routing":
            value = routing_told(request.routing)
        if not isinstance(value, str | int | tuple):
            return None
        words.append(f"{name}={value!r}")
    if request.root:
        words.append(f"root={request.root}")
    if request.operation == "send_recv" and request.shift != 1:
        words.append(f"shift={request.shift}")
    return f"{machine}.{request.operation}({', '.join(words)})"


def _size(size: float) -> str:
    for power, unit in ((2**40, "TiB"), (2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
        if size >= power and size % power == 0:
            return f'"{int(size / power):,} {unit}"'.replace(",", "")
    return str(int(size)) if size == int(size) else repr(size)


def _step(step: TrainingStep) -> str | None:
    machine = _machine(step.machine)
    if machine is None or step.efficiency != rates_of(step.machine, None):
        return None
    options = _options(step, _default_of(step.machine))
    if options is None:
        return None
    job, layout = _spelled(step.training), _spelled(step.layout)
    return f"{machine}.training_step(\n    {job},\n    {layout}{options},\n)"


def _serving(result: ServingResult) -> str | None:
    machine = _machine(result.machine)
    usual = ready(result.machine, result.service, result.layout, AskedService())
    if machine is None or (result.efficiency, result.pace) != (usual.efficiency, usual.pace):
        return None
    options = _options(result, _default_of(result.machine))
    if options is None:
        return None
    for name in ("concurrency", "requests", "rate"):
        value = getattr(result, name)
        if value is not None:
            options += f",\n    {name}={value!r}"
    service, layout = _spelled(result.service), _spelled(result.layout)
    return f"{machine}.serve(\n    {service},\n    {layout}{options},\n)"


def _default_of(machine: Any) -> str:  # noqa: ANN401
    return machine.runtime or "auto"


def _options(result: Any, usual: str) -> str | None:  # noqa: ANN401
    """Return algorithm and routing as arguments, where they are not as by default."""
    words = "" if result.algorithm == usual else f",\n    algorithm={result.algorithm!r}"
    name = routing_told(result.routing)
    if not isinstance(name, str):
        return None
    return words if name == "dor" else f"{words},\n    routing={name!r}"


def _spelled(value: Any) -> str:  # noqa: ANN401 - of a definition
    """Return a definition with the fields that are not as by default."""
    if isinstance(value, Transformer) and value.name in models():
        known = named("model", value.name)
        if known == value:
            return repr(value.name)
    if isinstance(value, tuple):
        return f"({', '.join(map(_spelled, value))}{',' * (len(value) == 1)})"
    if not is_dataclass(value) or isinstance(value, type):
        return repr(value)
    words = []
    for field in fields(value):
        if not field.init:
            continue
        usual = field.default
        if usual is MISSING and field.default_factory is not MISSING:
            usual = field.default_factory()
        own = getattr(value, field.name)
        if usual is MISSING or own != usual:
            words.append(f"{field.name}={_spelled(own)}")
    return f"rf.{type(value).__name__}({', '.join(words)})"


def _comparison(found: Comparison) -> str | None:
    first = next((one for one in found.results if one is not None), None)
    machines = [None if one is None else _machine(one.machine) for one in found.results]
    if first is None or None in machines:
        return None
    words = [f"[{', '.join(str(one) for one in machines)}]", repr(found.operation)]
    if found.operation != "barrier":
        words.append(_size(found.size_bytes))
    for name, value in first.request._spelled().items():
        if name == "algorithm" and len({one.request.algorithm for one in found.results if one}) > 1:
            value = "runtime"
        if not isinstance(value, str | int | tuple):
            return None
        words.append(f"{name}={value!r}")
    return f"rf.compare({', '.join(words)})"


def _steps(found: StepComparison) -> str | None:
    machines = [None if one is None else _machine(one.machine) for one in found.steps]
    first = next((one for one in found.steps if one is not None), None)
    if first is None or None in machines:
        return None
    alike = all(one is not None and one.layout == first.layout for one in found.steps)
    if not alike:
        return None
    words = f"[{', '.join(str(one) for one in machines)}]"
    return (
        f"rf.compare(\n    {words},\n    job={_spelled(found.training)},\n"
        f"    layout={_spelled(first.layout)},\n)"
    )
