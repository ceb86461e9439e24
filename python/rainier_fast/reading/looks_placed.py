"""How files of hosts and ranks are told from others."""

from __future__ import annotations

import re
from typing import Final

from rainier_fast.reading.content import Content

_LINES: Final = 60
_LONGEST: Final = 4096
_EC2: Final = re.compile(
    r'"(?:Instances|CapacityReservations|CapacityBlocks|CapacityBlockStatuses)"\s*:\s*\['
)
_SLURM: Final = re.compile(
    r"(?:SwitchName|BlockName|BlockSizes|RingName)[ \t]*=|-[ \t]+[\"']?topology[\"']?[ \t]*:", re.I
)
_HOST: Final = re.compile(
    r"[A-Za-z0-9_.\-\[\],:]+(?:\s+[a-z_\-]+\s*=\s*\d+)*"
    r"|rank\s+\d+\s*=\s*[A-Za-z0-9_.+\-]+\s+slots?\s*=\s*\S+"
)


def ec2(content: Content) -> bool:
    """By the lists that EC2 answers with."""
    return content.first in ("{", "[") and _EC2.search(content.head) is not None


def slurm(content: Content) -> bool:
    """By the key of its first line, or the first key of a list of YAML."""
    lines = (line.strip() for line in content.head.splitlines())
    said = (line for line in lines if line and line[0] != "#" and line != "---")
    return content.is_text and _SLURM.match(next(said, "")) is not None


def hosts(content: Content) -> bool:
    """Where each line is a host, a host list or a rank of a rankfile: nothing else is left.

    A lone word says nothing: a host has a number, a dot or a count, or stands among others.
    """
    lines = [line.split("#")[0].strip() for line in content.head.splitlines()[:_LINES]]
    said = [line[:_LONGEST] for line in lines if line]
    named = any(letter.isalpha() for letter in "".join(said))
    told = len(said) > 1 or any(not letter.isalpha() for letter in "".join(said))
    return content.is_text and named and told and all(_HOST.fullmatch(line) for line in said)
