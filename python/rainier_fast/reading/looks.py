"""How each format is told from the others, by what is in it."""

from __future__ import annotations

import re
from typing import Final

from rainier_fast.files.kept import kind_of
from rainier_fast.reading.content import Content
from rainier_fast.sweeps import journal, kept

# Counts are bounded: a text of nothing but spaces must not be gone over once for each.
_NCCOM: Final = re.compile(
    r"\bsize\(B\)\s.{0,400}\bcount\(elems\)|nccom-test\b|\"?size\(B\)\"?", re.I
)
_NCCL: Final = re.compile(
    r"#\s{0,40}size\s{1,40}count\s{1,40}type\b|\bnThread\s{1,40}\d{1,20}\s{1,40}nGpus\s{1,40}\d"
    r"|\b\w{1,40}_perf(?:_mpi)?\b.{0,400}\s-[begf]\b"
)
_NCCL_KEYS: Final = re.compile(r'"(?:out_of_place|in_place)"\s*:\s*\{')
_RCCL: Final = re.compile(r'\binPlace"?\s{0,40}[,:]|"inplace"\s{0,40}[,:]', re.I)
_OSU: Final = re.compile(r"#\s{0,40}OSU\s.{0,200}Latency\s{1,40}Test|\bosu_\w+", re.I)
_UCC: Final = re.compile(
    r"\bucc_perftest\b|^[ \t]{0,40}#?[ \t]{0,40}Count\s{1,40}Size\s{1,40}Time,", re.M
)
_ROW: Final = re.compile(
    r'"(?:size|bytes|message_size|count)\w{0,40}(?:\(\w{1,40}\))?"\s{0,40}:', re.I
)
_TIMED: Final = re.compile(r'"\w{0,40}(?:time|lat)\w{0,40}(?:\(\w{1,40}\))?"\s{0,40}:', re.I)
_SIZE: Final = re.compile(r"(?:size|bytes|count)", re.I)
_TIME: Final = re.compile(r"(?:time|lat)", re.I)
_GOAL: Final = re.compile(
    r"^[ \t]{0,40}(?:num_ranks[ \t]{1,40}\d|rank[ \t]{1,40}\d{1,10}[ \t]{0,40}\{)", re.M
)
_EVENT: Final = re.compile(r'\s*\[\s*\{[^{}]*?"ph"\s*:')
_OLD_PICKLE: Final = re.compile(rb"\(?[dl]p\d+\r?\n|\(dp?\d*\n|[})\]]q\x00")
_MOST_PROTOCOL: Final = 5
_SEPARATORS: Final = (",", ";", "\t", "|")
_LINES: Final = 60
_HLO: Final = re.compile(r"^HloModule\s|^ENTRY\s+%?[\w.\-]+.*\{\s*$", re.M)
_MLIR: Final = re.compile(
    r"^\s*(?:\"builtin\.module\"\(|module\b.*\{\s*$|func\.func\b|sdy\.mesh\b)|^#(?:loc|sdy|stablehlo)\b",
    re.M,
)


def program(content: Content) -> bool:
    """One of ours."""
    return content.keys[:1] == ("format",) and '"rainier_fast program"' in content.head[:200]


def sweep(content: Content) -> bool:
    """By our header: at the beginning of text, within a Parquet file."""
    return kept.begins(content.data)


def sweep_part(content: Content) -> bool:
    """By our header, behind its sum."""
    return journal.begins(content.data)


def hlo(content: Content) -> bool:
    """By the head of a module, or of the computation that runs."""
    return content.is_text and _HLO.search(content.head) is not None


def stablehlo(content: Content) -> bool:
    """By a module or function of MLIR."""
    return content.is_text and _MLIR.search(content.head) is not None


def own(content: Content, kind: str) -> bool:
    """Of one of our classes, by its header."""
    return kind_of(content.data) == kind


def nccom(content: Content) -> bool:
    """By the names of its columns."""
    return content.is_text and _NCCOM.search(content.head) is not None


def nccl(content: Content) -> bool:
    """By its header, its command or the places of its JSON."""
    if not content.is_text:
        return False
    return bool(_NCCL.search(content.head) or _NCCL_KEYS.search(content.head))


def rccl(content: Content) -> bool:
    """By the column that says whether a row is in place."""
    return content.is_text and _RCCL.search(content.head) is not None


def osu(content: Content) -> bool:
    """By its title or its command."""
    return content.is_text and _OSU.search(content.head) is not None


def ucc(content: Content) -> bool:
    """By its header or its command."""
    return content.is_text and _UCC.search(content.head) is not None


def rows(content: Content) -> bool:
    """JSON in which sizes and times are keys."""
    if content.first not in ("[", "{"):
        return False
    return bool(_ROW.search(content.head) and _TIMED.search(content.head))


def csv(content: Content) -> bool:
    """Text with a line, near its beginning, that names a size and a time."""
    if not content.is_text or content.first in ("{", "<"):
        return False
    for line in content.head.splitlines()[:_LINES]:
        apart = any(mark in line for mark in _SEPARATORS) or len(line.split()) > 1
        if apart and len(line) < 2000 and _SIZE.search(line) and _TIME.search(line):
            return True
    return False


def kineto(content: Content) -> bool:
    """By its events, in an object or a list."""
    if content.first == "[":
        return _EVENT.match(content.head) is not None
    return content.has_key("traceEvents")


def execution_trace(content: Content) -> bool:
    """By its schema and its nodes."""
    return "nodes" in content.keys and bool({"schema", "pid", "start_ts"} & set(content.keys))


def flight_recorder(content: Content) -> bool:
    """By its entries, and what stands beside them."""
    beside = {"pg_config", "comm_lib_version", "nccl_version", "nccl_comm_state", "pg_status"}
    if "entries" in content.keys:
        return bool(beside & set(content.keys)) or '"profiling_name"' in content.head
    return bool(beside & set(content.keys)) and content.has_key("entries")


def pickle(content: Content) -> bool:
    """By its first byte and its protocol, or as it began of old; and what torch.save packs."""
    data = content.data
    if data[:1] == b"\x80":
        return len(data) > 1 and data[1] <= _MOST_PROTOCOL
    packed = data[:4] == b"PK\x03\x04" and b".pkl" in data[:999]
    return packed or _OLD_PICKLE.match(data) is not None


def fake_group(content: Content) -> bool:
    """By its keys: what a recorder of a fake process group wrote."""
    return {"world_size", "events"} <= set(content.keys) and '"in_bytes"' in content.head


def msccl(content: Content) -> bool:
    """By the name of its outermost element."""
    return content.first == "<" and re.search(r"<algo[\s>]", content.head) is not None


def goal(content: Content) -> bool:
    """By how many ranks it has, or the first of them."""
    return content.is_text and _GOAL.search(content.head) is not None
