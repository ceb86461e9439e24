"""Times in a text, and whether the same text says what kind of number they are."""

from __future__ import annotations

import ast
import re
from typing import Final

FIGURE: Final = re.compile(r"(?<![\w.])\d[\d,.]*(?:e[+-]?\d+)? ?(?:s|ms|us|ns)\b")
"""A time as texts have it: a number and its unit."""

KIND: Final = re.compile(
    r"links alone|as (?:neuron|nccl|xla) runs it|as nccl prices it|as it was given"
    r"|as one chip runs it|as measured"
)
"""What says what kind of number a time is."""

_GIVEN: Final = {"latency_s", "launch_s", "overhead_s", "start_s"}
"""Times of parts of a machine, and moments: what a user gives."""


def untold(text: str) -> list[str]:
    """Return the times in a text that does not say their kind."""
    return [] if KIND.search(text) else FIGURE.findall(text)


def first_line(text: str) -> str:
    """Return the first line of a text, or of a page of HTML."""
    return re.split(r"\n|</p>|<table>", text, maxsplit=1)[0]


def shown_without_kind(code: str) -> list[str]:
    """Return what is printed of times in seconds by calls that print no kind beside them."""
    return [
        ast.unparse(call)
        for call in ast.walk(ast.parse(code))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id == "print"
        and reads_a_time(call)
        and not any(_reads(one, "kind") or _says_a_kind(one) for one in ast.walk(call))
    ]


def reads_a_time(code: ast.AST) -> bool:
    """Return whether code reads seconds of an answer and does nothing but show them."""
    every = list(ast.walk(code))
    # What is compared, or asked for its shape, is not shown.
    hidden = any(isinstance(one, ast.Compare) or _reads(one, "shape") for one in every)
    names = {getattr(one, "attr", getattr(one, "value", None)) for one in every}
    times = {name for name in names if isinstance(name, str) and re.fullmatch(r"\w+_s", name)}
    return bool(times - _GIVEN) and not hidden


def _says_a_kind(code: ast.AST) -> bool:
    return isinstance(code, ast.Constant) and KIND.search(str(code.value)) is not None


def _reads(code: ast.AST, name: str) -> bool:
    return (isinstance(code, ast.Attribute) and code.attr == name) or (
        isinstance(code, ast.Constant) and code.value == name
    )
