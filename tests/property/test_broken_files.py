"""Files that are cut, flipped and doubled at random: read whole or refused, never anything else.

A seeded handful in each run; ``RAINIER_MUTATIONS=10000`` for the long one.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import time
from contextlib import suppress
from pathlib import Path

import pytest

import rainier_fast as rf
import tables

SAMPLES = Path(__file__).parents[1] / "samples" / "traces"
TIMES = int(os.environ.get("RAINIER_MUTATIONS", "60"))
SECONDS = 1.0
"""A file of less than a megabyte takes at most that long, with room for a busy machine."""
WORDS = [b"-1", b"1e999", b"99999999999999999999", b"null", b"[]", b"{}", b'"', b"\\", b"\x00"]
WORDS += [b"[" * 3000, b"\xff", b"NaN", b"true", b'"\\ud800"', b",", b"\n"]


def sample(name: str) -> bytes:
    return gzip.decompress((SAMPLES / f"{name}.json.gz").read_bytes())


def program() -> bytes:
    found = rf.read(sample("fake_pg_step_64"))
    return json.dumps(found.to_dict(), indent=1).encode()


FILES = {
    "kineto": sample("kineto_gloo_rank0"),
    "pytorch-et": sample("execution_trace_param_comms"),
    "flight-recorder": sample("flight_recorder_gloo_rank0"),
    "fake-group": sample("fake_pg_step_64"),
    "program": program(),
    "nccl-tests": tables.nccl(tables.times()).encode(),
    "csv": b"op,size(B),time(us),ranks\nallr,1024,12.5,8\nallr,2048,13.0,8\n",
}


def mutated(data: bytes, draw: random.Random) -> bytes:
    for _ in range(draw.choice((1, 1, 1, 2, 5))):
        at, to = sorted(draw.randrange(len(data) + 1) for _ in "ab")
        to = min(to, at + draw.choice((1, 8, 200, 10**6)))
        kind = draw.randrange(6)
        if kind == 0:
            data = data[:at]
        elif kind == 1 and at < len(data):
            data = data[:at] + bytes([data[at] ^ 1 << draw.randrange(8)]) + data[at + 1 :]
        elif kind == 2:
            data = data[:to] + data[at:to] + data[to:]
        elif kind == 3:
            data = data[:at] + data[to:]
        elif kind == 4:
            data = data[:at] + draw.choice(WORDS) + data[at:]
        elif kind == 5:
            # A value of another kind where a number stood.
            near = range(at, min(at + 300, len(data)))
            digits = [place for place in near if data[place] in DIGITS]
            if digits:
                place = draw.choice(digits)
                data = data[:place] + draw.choice(WORDS) + data[place + 1 :]
        data = data or b" "
    return data


DIGITS = frozenset(b"0123456789")


@pytest.mark.parametrize("name", FILES)
def test_broken_files_are_refused_or_read(name: str) -> None:
    draw = random.Random(name)
    for _ in range(TIMES):
        broken = mutated(FILES[name], draw)
        begun = time.process_time()
        for given in (None, name):
            with suppress(rf.RainierError):
                str(rf.read(broken, format=given))
        assert time.process_time() - begun < SECONDS * 2
