"""Plotly's own script, packed to stand in a page."""

from __future__ import annotations

import gzip
import hashlib
from base64 import b64encode
from functools import lru_cache
from importlib import import_module
from typing import Final, NamedTuple

import numpy as np

from rainier_fast.errors import RainierError

ALPHABET: Final = (
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%()*+,-./:;=?@[]^_{|}~"[:85]
)
"""85 characters that no markup is made of: five of them are four bytes, as in Ascii85."""


class Library(NamedTuple):
    """A script: which one, packed by `pack`, how many bytes that is of, and what CSP calls it."""

    name: str
    packed: str
    size: int
    hash: str


@lru_cache(1)
def library() -> Library:
    """Return Plotly's script of the installed package."""
    try:
        plotly = import_module("plotly")
        script: str = import_module("plotly.offline").get_plotlyjs()
    except ImportError as error:
        raise RainierError(
            "reports need plotly, which is not installed; "
            "install it with: pip install 'rainier_fast[report]', or ask for interactive=False"
        ) from error
    size, packed = pack(script.encode())
    return Library(f"plotly {plotly.__version__}", packed, size, source_hash(script))


def pack(content: bytes) -> tuple[int, str]:
    """Return bytes as gzip in text: the size of the gzip, and the text."""
    small = gzip.compress(content, 9, mtime=0)
    padded = small + bytes(-len(small) % 4)
    words = np.frombuffer(padded, ">u4").astype(np.int64)
    digits = np.empty((words.size, 5), np.uint8)
    letters = np.frombuffer(ALPHABET.encode(), np.uint8)
    for at in range(4, -1, -1):
        digits[:, at] = letters[words % 85]
        words //= 85
    return len(small), digits.tobytes().decode()


def source_hash(script: str) -> str:
    """Return how a content security policy names a script that it lets run."""
    return f"sha256-{b64encode(hashlib.sha256(script.encode()).digest()).decode()}"
