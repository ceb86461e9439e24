"""What gzip packed, unpacked within bounds."""

from __future__ import annotations

import gzip
import io
import zlib
from typing import Final

from rainier_fast.memory import memory_limit
from rainier_fast.reading.content import Content

_MAGIC: Final = b"\x1f\x8b"
_GROWTH: Final = 200
"""Times its size that packed text may have; traces have 10 to 30."""
_LEAST: Final = 2**20


def unpacked(content: Content) -> Content:
    """Return content as it is, or as it was before gzip packed it."""
    if content.data[:2] != _MAGIC:
        return content
    most = min(max(_GROWTH * len(content.data), _LEAST), memory_limit() // 2)
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content.data)) as packed:
            data = packed.read(most + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise content.fault("", f"what gzip cannot unpack ({error})", "must be whole") from error
    if len(data) > most:
        got = f"more than {most:,} bytes that gzip packed into {len(content.data):,}"
        raise content.fault("", got, "must be unpacked first")
    return Content(content.name, data)
