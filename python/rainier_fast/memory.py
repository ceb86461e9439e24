"""How much memory one call may take, and what the machine has."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from rainier_fast import _core
from rainier_fast.errors import Unsupported, invalid
from rainier_fast.units import Quantity, parse_bytes

_DEFAULT: Final = "default"
_SHARE: Final = 2
_NO_END: Final = 2**64 - 1


def memory_limit(limit: Quantity | None = None) -> int:
    """Return how many bytes one call may take, or set it first.

    What a call needs is counted before it is taken. A call that would hold more raises
    `Unsupported`, which names the bytes, the limit and what to ask instead; without that, the
    system would end the process. Each call counts for itself: what results and arrays hold that
    were returned before is not in it, nor what is small.

    Parameters
    ----------
    limit
        Bytes as a number or text such as ``"8 GiB"``, from now on and for every thread;
        ``"default"`` for half of what this process may have: of the machine's memory, of the
        limit of its cgroup, or of the address space that ``ulimit -v`` still leaves it,
        whichever is least. None leaves the limit as it is.

    Returns
    -------
    int
        The limit that is in force, in bytes. A new process begins with the default.

    Raises
    ------
    InvalidArgument, InvalidType
        If `limit` is not a size of at least one byte.

    Examples
    --------
    >>> before = memory_limit()
    >>> memory_limit("2 GiB")
    2147483648
    >>> memory_limit("default") == memory_limit()
    True
    >>> memory_limit(before) == before
    True
    """
    if limit is None:
        return _core.memory_limit()
    resident, addresses = _most_resident(), _most_addresses()
    if isinstance(limit, str) and str.__str__(limit) == _DEFAULT:
        wanted = min(resident, addresses)
    else:
        wanted = min(int(parse_bytes(limit, "limit")), _NO_END)
        if wanted < 1:
            raise invalid("limit", limit, "must be at least 1 byte, or 'default'")
    # A small limit counts only what the core reckons: other threads make the process grow too.
    _core.set_memory_limit(wanted, max(wanted, resident), max(wanted, addresses))
    return wanted


def reckon(nbytes: int, what: str, instead: str) -> None:
    """Raise `Unsupported` where `what` takes more bytes than one call may."""
    limit = _core.memory_limit()
    if nbytes > limit:
        raise Unsupported(
            f"{what} would take {nbytes} bytes (one call may take {limit}); {instead}, or raise "
            "memory_limit"
        )


def _most_resident() -> int:
    """Half of the memory that the machine or the cgroup has."""
    import os

    try:
        machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):  # not every system says
        machine = 0
    known = [size for size in (machine, *_cgroup_limits()) if size > 0]
    return min(known) // _SHARE if known else _NO_END


def _most_addresses() -> int:
    """Half of the address space that ``ulimit -v`` leaves; without end where there is no limit."""
    if sys.platform == "win32":
        return _NO_END
    import resource

    soft = resource.getrlimit(resource.RLIMIT_AS)[0]
    if soft == resource.RLIM_INFINITY:
        return _NO_END
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
    except (OSError, ValueError):
        pages = 0
    return max(soft - pages * resource.getpagesize(), 0) // _SHARE


def _cgroup_limits() -> Iterator[int]:
    """Limits of the cgroups that this process is in, and of those around them."""
    try:
        lines = Path("/proc/self/cgroup").read_text("utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            root, name = Path("/sys/fs/cgroup"), "memory.max"
        elif "memory" in controllers.split(","):
            root, name = Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes"
        else:
            continue
        inside = Path(path.lstrip("/"))
        for group in (inside, *inside.parents):
            try:
                yield int((root / group / name).read_text("ascii"))
            except (OSError, ValueError):  # not mounted here, or "max"
                continue


memory_limit(_DEFAULT)
