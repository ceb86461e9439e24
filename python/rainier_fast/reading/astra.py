"""ASTRA-sim's files and Chakra's traces: how they are told from others, and their readers."""

from __future__ import annotations

import re
from typing import Any, Final

from rainier_fast.reading.content import Content

_TOPOLOGY: Final = re.compile(r"^\s*\{?\s*\"?topology\"?\s*:", re.M)
_COUNTS: Final = re.compile(r"\bnpus_count\b")
_RANK: Final = re.compile(r"\.([0-9]{1,9})\.et\Z")
_LEAST: Final = 4


def is_chakra(content: Content) -> bool:
    """Tell a trace in protobuf: metadata with a version or attributes, then a node."""
    head = content.data[:4096]
    if len(head) < _LEAST:
        return False
    size, at = _number(head, 0)
    if not 0 <= size <= len(content.data) - at:
        return False
    first = head[at : at + 1]
    if size and first == b"\n":
        length, start = _number(head, at + 1)
        text = head[start : start + length]
        return 0 < length < 64 and re.fullmatch(rb"[0-9A-Za-z.+-]+", text) is not None
    if size and first == b"\x12":
        length, start = _number(head, at + 1)
        return 0 < length <= size and head[start : start + 1] == b"\n"
    if size:
        return False
    # Metadata that says nothing: the next message must look like a node.
    size, at = _number(head, at)
    return 0 < size <= len(content.data) - at and head[at : at + 1] in (b"\x08", b"\x12")


def _number(data: bytes, at: int) -> tuple[int, int]:
    """Return the number at a byte and where it ends; -1 for none."""
    value = 0
    for place in range(10):
        if at >= len(data):
            break
        byte = data[at]
        at += 1
        value |= (byte & 127) << (7 * place)
        if byte < 128:
            return value, at
    return -1, at


def is_network(content: Content) -> bool:
    """Tell a network file by its keys."""
    if not content.is_text:
        return False
    head = content.head
    return _TOPOLOGY.search(head) is not None and _COUNTS.search(head) is not None


def is_system(content: Content) -> bool:
    """Tell a system file by keys that no other file has."""
    known = {"preferred-dataset-splits", "all-reduce-implementation", "scheduling-policy"}
    return len(known & set(content.keys)) > 1


def is_memory(content: Content) -> bool:
    """Tell a file of remote memory by its key."""
    return "memory-type" in content.keys


def load_chakra(content: Content) -> Any:  # noqa: ANN401 - each loader has its own class
    """Read the trace of a rank; which rank, only the name of its file says."""
    from rainier_fast.astra_sim.programs import of_chakra

    match = _RANK.search(content.named)
    return of_chakra(content.data, content.short, None if match is None else int(match[1]))


def load_network(content: Content) -> Any:  # noqa: ANN401
    """Read a network file."""
    from rainier_fast.astra_sim.files import parsed
    from rainier_fast.astra_sim.network import Network

    return Network.of_settings(parsed(content.data, content.short), content.short)


def load_system(content: Content) -> Any:  # noqa: ANN401
    """Read a system file."""
    from rainier_fast.astra_sim.files import parsed
    from rainier_fast.astra_sim.system import System

    return System.of_settings(parsed(content.data, content.short), content.short)


def load_memory(content: Content) -> Any:  # noqa: ANN401
    """Read a file of remote memory."""
    from rainier_fast.astra_sim.files import parsed
    from rainier_fast.astra_sim.memory import Memory

    return Memory.of_settings(parsed(content.data, content.short))


def is_graph(content: Content) -> bool:
    """Tell a trace of Chakra in JSON by its key."""
    return content.keys[:1] == ("workload_graph",) or content.has_key("workload_graph")


def load_graph(content: Content) -> Any:  # noqa: ANN401
    """Read a trace of Chakra in JSON."""
    from rainier_fast.astra_sim.graphs import of_json
    from rainier_fast.reading.json_file import parsed

    return of_json(parsed(content), content.short)
