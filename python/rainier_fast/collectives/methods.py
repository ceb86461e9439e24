"""The collectives, one method each, of machines, of the axes of meshes, and of plans of both."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from inspect import Parameter, Signature, cleandoc
from textwrap import indent
from types import FunctionType
from typing import Any, ClassVar, Final, Generic, NamedTuple, TypeVar, Unpack

from rainier_fast.ask.options import OPERATIONS, OPTIONS, Asked, Options, refuse_unknown
from rainier_fast.ask.request import Request
from rainier_fast.ask.sizes import Sizes, make_any_request
from rainier_fast.topology.base import Base
from rainier_fast.units import Quantity

R = TypeVar("R", covariant=True)
_Class = TypeVar("_Class", bound=type)


class Members(NamedTuple):
    """Who takes part in a collective: the machine, groups of it, and words for them."""

    machine: Base
    group: Any
    label: str = ""


class Collectives(Generic[R]):
    """What chips do together. Sizes are in bytes as nccl-tests defines them for each operation."""

    _where: ClassVar[str]
    """The option that says who takes part."""

    @abstractmethod
    def _members(self, where: Any) -> Members:  # noqa: ANN401 - as users give it
        """Return who takes part; `where` is None if nothing was said."""

    @abstractmethod
    def _answer(self, members: Members, request: Request) -> R:
        """Return what is made of a request."""

    def _ask(self, operation: str, size: Quantity | Sizes, options: Asked, **rank: int) -> R:
        return self._answer(*self._asked(operation, size, options, **rank))

    def _asked(
        self, operation: str, size: Quantity | Sizes, options: Asked, **rank: int
    ) -> tuple[Members, Request]:
        if not options.keys() <= OPTIONS.keys():
            refuse_unknown(options, (self._where, *OPTIONS))
        given: dict[str, Any] = {**options, **rank}
        members = self._members(given.pop(self._where, None))
        given["group"] = members.group
        return members, make_any_request(members.machine, operation, size, **given)

    def all_reduce(self, size: Quantity, **options: Unpack[Asked]) -> R:
        """Every rank ends with the sum of all buffers.

        `size`: bytes of each rank's buffer.
        """
        return self._ask("all_reduce", size, options)

    def reduce_scatter(self, size: Quantity | Sizes, **options: Unpack[Asked]) -> R:
        """Every rank ends with its share of the sum.

        `size`: bytes of each rank's input; or a list of the bytes of each rank's share.
        """
        return self._ask("reduce_scatter", size, options)

    def all_gather(self, size: Quantity | Sizes, **options: Unpack[Asked]) -> R:
        """Every rank ends with the shares of all.

        `size`: bytes of each rank's output; or a list of the bytes of each rank's share.
        """
        return self._ask("all_gather", size, options)

    def all_to_all(self, size: Quantity | Sizes, **options: Unpack[Asked]) -> R:
        """Every rank sends a share to every rank.

        `size`: bytes that each rank sends, its share to itself included; or a matrix of the bytes
        from each rank (row) to each (column).
        """
        return self._ask("all_to_all", size, options)

    def send_recv(self, size: Quantity, *, shift: int = 1, **options: Unpack[Asked]) -> R:
        """Every rank sends a message to the rank `shift` further on, cyclically.

        `size`: bytes of the message.
        """
        return self._ask("send_recv", size, options, shift=shift)

    def barrier(self, **options: Unpack[Asked]) -> R:
        """Nobody leaves before everybody came; no bytes move."""
        return self._ask("barrier", 0, options)

    def broadcast(self, size: Quantity, *, root: int = 0, **options: Unpack[Asked]) -> R:
        """Every rank ends with the root's buffer.

        `size`: bytes of that buffer.
        """
        return self._ask("broadcast", size, options, root=root)

    def reduce(self, size: Quantity, *, root: int = 0, **options: Unpack[Asked]) -> R:
        """Reduce: the root ends with the sum of all buffers.

        `size`: bytes of each rank's buffer.
        """
        return self._ask("reduce", size, options, root=root)

    def gather(self, size: Quantity, *, root: int = 0, **options: Unpack[Asked]) -> R:
        """Gather: the root ends with the shares of all.

        `size`: bytes of the root's output.
        """
        return self._ask("gather", size, options, root=root)

    def scatter(self, size: Quantity, *, root: int = 0, **options: Unpack[Asked]) -> R:
        """Every rank ends with its share of the root's buffer.

        `size`: bytes of the root's input.
        """
        return self._ask("scatter", size, options, root=root)


_GROUP: Final = """\
Chips that take part, in the order of their ranks; None for all; several groups, all at once:
a list or a row each, replica groups as HLO writes them, or `Groups` of a mesh."""
_AXIS: Final = """\
Name of a mesh axis, or names of several that act as one; every group of it takes part
at once."""
_WHERE: Final = {"group": (None, "Group", _GROUP), "axis": (Parameter.empty, "str", _AXIS)}

_OWN: Final = {
    "size": "Bytes {counted}, as a number or text.",
    "root": "Rank of the root in the group.",
    "shift": "How many ranks further on; negative numbers go back.",
}
_WORDS: Final = """\
{summary}

Parameters
----------
{parameters}

Returns
-------
{returns}

Raises
------
RainierError
    If an argument is not usable (the message names it) or a combination has no model.

Examples
--------
>>> from rainier_fast import preset
{example}"""


def stated(where: str, returns: str, *example: str) -> Callable[[_Class], _Class]:
    """Give a class collectives of its own, whose signatures and words state every option."""
    # Made once for each class, not written down for each: help, completion and errors read these.
    taken: dict[str, tuple[object, str, str]] = {where: _WHERE[where]}
    for name, option in OPTIONS.items():
        annotation = Options.__annotations__[name]
        taken[name] = option.default, annotation.__forward_arg__, option.text
    parameters = [
        Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        for name, (default, annotation, _) in taken.items()
    ]
    words = {name: text for name, (_, _, text) in taken.items()}

    def state(cls: _Class) -> _Class:
        for name in OPERATIONS:
            made = _copied(getattr(Collectives, name), cls)
            this, *own, _ = Signature.from_callable(made).parameters.values()
            given = ['"64 MiB"'] * (name != "barrier") + ['axis="tp"'] * (where == "axis")
            summary, _, counted = cleandoc(made.__doc__ or "").partition("\n\n`size`: bytes ")
            counted = counted.rstrip(".")
            told = {one.name: _OWN[one.name].format(counted=counted) for one in own} | words
            made.__doc__ = _WORDS.format(
                summary=summary,
                parameters="\n".join(f"{one}\n{indent(told[one], '    ')}" for one in told),
                returns=returns,
                example="\n".join(example).format(name=name, call=f"{name}({', '.join(given)})"),
            )
            made.__signature__ = Signature([this, *own, *parameters])  # type: ignore[attr-defined]
            setattr(cls, name, made)
        cls._where = where  # type: ignore[attr-defined] # of `Collectives`
        return cls

    return state


def _copied(method: FunctionType, cls: type) -> FunctionType:
    """Return a method as if the class had it written down."""
    made = FunctionType(method.__code__, method.__globals__, method.__name__)
    made.__kwdefaults__, made.__annotations__ = method.__kwdefaults__, method.__annotations__
    made.__module__, made.__qualname__ = cls.__module__, f"{cls.__name__}.{method.__name__}"
    made.__doc__ = method.__doc__
    return made
