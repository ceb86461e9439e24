"""What an all-to-all does by its lists of splits: often it is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_DOTS: Final = "..."
_Side = tuple[list[int], bool]
"""Numbers of a list, and whether it is cut."""
_Bytes = tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class Exchange:
    """How an all-to-all is split over its peers."""

    bytes_in: tuple[int, ...] | None = None
    """For each peer, where they are not all alike."""
    bytes_out: tuple[int, ...] | None = None
    permute: bool = False
    peer: int | None = None
    notes: tuple[str, ...] = ()


def splits_of(text: object) -> _Side | None:
    """Return the numbers of a list, in text or not, and whether it is cut; None for no list."""
    if isinstance(text, str):
        inner = text.strip()
        if not (inner.startswith("[") and inner.endswith("]")):
            return None
        text = [part.strip() for part in inner[1:-1].split(",") if part.strip()]
    if not isinstance(text, list):
        return None
    cut = _DOTS in text
    numbers = [part for part in text if part != _DOTS]
    try:
        found = [int(part) for part in numbers if not isinstance(part, bool | float)]
    except (TypeError, ValueError):
        return None
    return (found, cut) if len(found) == len(numbers) else None


def exchange(
    splits: tuple[object, object], sizes: tuple[int | None, int | None], elements: int | None
) -> Exchange:
    """Look at the splits of an all-to-all before calling it one.

    All are pairs of what goes in and what comes out: lists of splits, and bytes; `elements` are
    those of each peer, if all get alike.
    """
    into, out = map(splits_of, splits)
    if into is None and out is None:
        return Exchange(notes=("splits not recorded: whether all peers get alike is not known",))
    sides = [side for side in (into, out) if side is not None and side[0]]
    if not sides:
        return Exchange()
    if any(min(numbers) < 0 for numbers, _ in sides):
        return Exchange(notes=("splits below 0 in the trace: not used",))
    if any(cut for _, cut in sides):
        return _cut(sides, elements)
    if all(len(set(numbers)) == 1 for numbers, _ in sides):
        return Exchange()
    partners = [[at for at, number in enumerate(numbers) if number] for numbers, _ in sides]
    parts = (_in_bytes(into, sizes[0]), _in_bytes(out, sizes[1]))
    if max(map(len, partners)) == 1:
        return _permute(into, out, parts)
    notes = []
    if any(side is None for side in parts):
        notes.append("bytes for each peer unknown: splits do not divide the bytes")
    fewest, most = min(map(len, partners)), max(len(numbers) for numbers, _ in sides)
    if fewest < most:
        notes.append(f"zeros among its splits: {fewest} of {most} ranks are partners")
    return Exchange(*parts, notes=tuple(notes))


def _cut(sides: list[_Side], elements: int | None) -> Exchange:
    """Say what a list whose middle is left out still says."""
    first = sides[0][0]
    if all(set(numbers) == {elements} for numbers, _ in sides):
        return Exchange(notes=(f"{len(first)} splits are in the trace, all alike: so are others",))
    note = "its lists of splits are cut in the trace: bytes for each peer unknown"
    return Exchange(notes=(f"{note}; an execution trace of the same run has them whole",))


def _permute(
    into: _Side | None,
    out: _Side | None,
    parts: tuple[_Bytes, _Bytes],
) -> Exchange:
    """One partner alone: a permute, as context parallelism writes its ring."""
    target, source = (
        next((at for at, number in enumerate(side[0]) if number), None) if side else None
        for side in (into, out)
    )
    words = [] if target is None else [f"sends to rank {target} of its group"]
    words += [] if source is None else [f"gets from rank {source} of its group"]
    note = f"an all-to-all with one split that is not 0: a permute; {', '.join(words)}"
    return Exchange(*parts, permute=True, peer=target, notes=(note,))


def _in_bytes(side: _Side | None, total: int | None) -> _Bytes:
    """Return the bytes for each peer; splits count rows, or elements."""
    if side is None or not side[0] or total is None:
        return None
    whole = sum(side[0])
    if whole == 0:
        return tuple(0 for _ in side[0]) if total == 0 else None
    if total % whole:
        return None
    return tuple(number * (total // whole) for number in side[0])
