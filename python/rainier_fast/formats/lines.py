"""Lines of what a program printed, without what launchers and loggers put before them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_CLOCK: Final = r"\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?"
_MOST_LAYERS: Final = 4  # a label, a date, a level, a label within

# Who wrote the line: each is a group of its own, so that several writers are told apart.
_LABELS: Final = re.compile(
    r"\s*(?:"
    r"\[[^\]\s]*\d+,\d+\](?:<std\w+>)?:[ ]?"  # Open MPI --tag-output
    r"|\[[A-Za-z]*\d+\]:[ ]?|\[\d+\][ ](?=[ ]*\S)"  # torchrun; MPICH and Intel MPI -l
    r"|\[pod/[^\]]+\][ ]"  # kubectl logs --prefix
    r"|\d+:[ ]"  # srun --label
    r")"
)
_DATES: Final = re.compile(
    rf"\s*(?:\[?\d{{4}}-(?:\d\d|[A-Z][a-z]{{2}})-\d\d[T ]{_CLOCK}\]?[ ]*"
    rf"|\[?{_CLOCK}\]?[ ]+"
    rf"|[A-Z][a-z]{{2}}[ ]+\d\d?[ ]{_CLOCK}[ ]\S+[ ](?:\S+:[ ])?)"  # syslog
    r"(?:\[?(?:INFO|DEBUG|NOTICE)\]?:?[ ]+)?"
)
_COLOURS: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True, slots=True)
class Line:
    """A line by its number, and the label of who wrote it."""

    number: int
    text: str
    label: str

    @property
    def where(self) -> str:
        """How errors call it."""
        return f"line {self.number}"

    @property
    def plain(self) -> str:
        """The text without a mark of a remark."""
        return self.text.strip().lstrip("#").strip()


def lines_of(text: str) -> Iterator[Line]:
    """Yield the lines that say something; what a backslash breaks is one."""
    kept, label, first = "", "", 0
    for number, raw in enumerate(text.lstrip("\ufeff").splitlines(), start=1):
        line = _COLOURS.sub("", raw)
        whose = ""
        for _ in range(_MOST_LAYERS):
            if match := _LABELS.match(line):
                whose = whose or match[0].strip()
            elif not (match := _DATES.match(line)):
                break
            line = line[match.end() :]
        if not kept:
            label, first = whose, number
        if line.rstrip().endswith("\\"):
            kept += line.rstrip()[:-1] + " "
            continue
        if (kept + line).strip():
            yield Line(first, kept + line, label)
        kept = ""
    if kept.strip():
        yield Line(first, kept, label)
