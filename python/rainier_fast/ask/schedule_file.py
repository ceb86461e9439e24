"""Schedules as plain rows, and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, Final

from rainier_fast.ask.messages import Block, Send, core_of
from rainier_fast.ask.question_file import asked, question
from rainier_fast.ask.schedule import Schedule, made_by
from rainier_fast.definitions.check import MAX_COUNT, as_integer
from rainier_fast.files import kinds
from rainier_fast.files.amounts import plain_number
from rainier_fast.files.answers import needed, only
from rainier_fast.files.fields import Plain, as_list, as_table
from rainier_fast.files.place import Key, Misplaced

_KEYS: Final = ("operation", "size_bytes", "root", "shift", "chips", "blocks", "sends")
_MADE: Final = ("algorithm", "machine", "question")
_SEND: Final = tuple(one.name for one in fields(Send))
_BLOCK: Final = ("source", "target", "nbytes")
_USUAL: Final = {"reduce": False, "lane": 0, "stage": 0, "after": (), "step": 0}


def describe(schedule: Schedule) -> Plain:
    """Return a schedule as a dict: its messages, and of an algorithm's what was asked too."""
    core = schedule._core
    plain: Plain = {"operation": schedule.operation, "size_bytes": schedule.size_bytes}
    if core.root:
        plain["root"] = core.root
    if core.shift:
        plain["shift"] = core.shift
    if schedule.algorithm != "schedule":
        plain["algorithm"] = schedule.algorithm
    plain["chips"] = list(schedule.chips)
    if schedule._machine is not None and schedule._request is not None:
        plain["question"] = question(schedule._request)
        plain["machine"] = kinds.told(schedule._machine, "machine")
    return plain | rows_of(schedule.blocks, schedule.sends)


def rows_of(blocks: Sequence[Block], sends: Sequence[Send]) -> Plain:
    """Return blocks and messages as a schedule's dict has them."""
    return {"blocks": [_block(one) for one in blocks], "sends": [_send(one) for one in sends]}


def made(plain: Plain) -> Schedule:
    """Make a schedule of a dict."""
    only(plain, (*_KEYS, *_MADE))
    if ("machine" in plain) != ("question" in plain):
        raise Misplaced((), "must have machine and question both, or neither of them")
    own = _own(plain)
    if "machine" not in plain:
        return own
    machine = kinds.inner("machine", plain["machine"], ("machine",))
    schedule = made_by(machine, asked(plain["question"], machine, ("question",)))
    if schedule._core != own._core:
        said = "gives another schedule in this version than the sends of the file"
        mend = "take question and machine out of it, and it runs message by message"
        raise Misplaced(("question",), f"{said}; {mend}")
    return schedule


def _own(plain: Plain) -> Schedule:
    size, chips = needed(plain, "size_bytes"), as_list(needed(plain, "chips"), ("chips",))
    given = plain.get("blocks", 1)
    blocks: Any = given
    if isinstance(given, list):
        blocks = [_block_of(row, ("blocks", at)) for at, row in enumerate(given)]
    rows = as_list(needed(plain, "sends"), ("sends",))
    sends = [_send_of(row, ("sends", at)) for at, row in enumerate(rows)]
    root = plain.get("root", 0)
    words = {"operation": needed(plain, "operation"), "size": size, "chips": chips}
    words |= {"sends": sends, "blocks": blocks, "root": root}
    try:
        if words["operation"] == "send_recv":  # made by `schedule` alone, and by its shift
            shift = as_integer("shift", plain.get("shift", 0), -MAX_COUNT, MAX_COUNT)
            schedule = Schedule._own(core_of(**words, shift=shift), "schedule")
        else:
            schedule = Schedule(**words)
    except (ValueError, TypeError) as error:
        raise Misplaced(_place(getattr(error, "argument", None), plain), str(error)) from error
    name = plain.get("algorithm")
    if name is None or name == "schedule":
        return schedule
    if not isinstance(name, str):
        raise Misplaced(("algorithm",), "must be text")
    return Schedule._own(schedule._core, name)


def _place(argument: str | None, plain: Plain) -> tuple[Key, ...]:
    """Return the keys of an argument such as ``sends[3].src``."""
    first, _, rest = (argument or "").partition("[")
    if first not in plain:
        return ("size_bytes",) if first == "size" else ()
    number, _, name = rest.partition("]")
    keys: tuple[Key, ...] = (first, int(number)) if number.isdecimal() else (first,)
    name = name.lstrip(".").partition("[")[0]
    return (*keys, name) if name.isidentifier() else keys


def _block(block: Block) -> Plain:
    plain: Plain = {"source": block.source, "target": block.target}
    return {name: rank for name, rank in plain.items() if rank is not None} | {
        "nbytes": plain_number(block.nbytes)
    }


def _send(send: Send) -> Plain:
    made: Plain = {"src": send.src, "dst": send.dst, "blocks": list(send.blocks)}
    for name, usual in _USUAL.items():
        value = getattr(send, name)
        if value != usual:
            made[name] = list(value) if isinstance(value, tuple) else value
    return made | {"nbytes": send.nbytes}


def _block_of(row: object, keys: tuple[Key, ...]) -> Block:
    table = as_table(row, keys)
    only(table, _BLOCK, keys)
    if "nbytes" not in table:
        raise Misplaced(keys, "has no key nbytes, which it needs")
    return Block(table.get("source"), table.get("target"), table["nbytes"])


def _send_of(row: object, keys: tuple[Key, ...]) -> Send:
    table = as_table(row, keys)
    only(table, _SEND, keys)
    for name in ("src", "dst", "blocks"):
        if name not in table:
            raise Misplaced(keys, f"has no key {name}, which it needs")
    words: dict[str, Any] = {"step": 0} | table
    return Send(**words)
