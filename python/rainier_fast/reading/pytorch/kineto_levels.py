"""Of the two or three events that each collective has, one is counted; the others add to it."""

from __future__ import annotations

from collections import deque
from typing import Any

from rainier_fast.program.numbers import dtype_named, width_of
from rainier_fast.reading.pytorch import operators, params
from rainier_fast.reading.pytorch.draft import Draft
from rainier_fast.reading.pytorch.kineto_events import (
    FUNCTIONAL,
    KERNEL,
    LABEL,
    OPERATOR,
    PARAMS,
    STEP,
    Events,
)
from rainier_fast.reading.pytorch.operations import operation_of, operation_of_kernel
from rainier_fast.reading.pytorch.process_groups import ProcessGroups

_Key = tuple[str, tuple[int, ...]]
GLOO_LIE = (
    "gloo runs reduce-scatter as an all-reduce of the whole input and labels it so: the c10d:: "
    "operator of a trace with CPU activities would tell"
)


def drafts_of(events: Events, groups: ProcessGroups) -> tuple[list[Draft], list[str]]:
    """Return the collectives in the order in which they were called, and notes."""
    reader = _Reader(events, groups)
    trees: dict[int, list[int]] = {}
    roots: dict[int, int] = {}
    for at in events.in_order():
        if events.kind[at] in (KERNEL, STEP):
            continue
        outer = events.within[at]
        roots[at] = at if outer < 0 else roots.get(outer, at)
        trees.setdefault(roots[at], []).append(at)
    for tree in trees.values():
        reader.tree(tree)
    reader.labels()
    reader.kernels()
    return reader.drafts, reader.notes


class _Reader:
    """Puts the events of a trace together."""

    def __init__(self, events: Events, groups: ProcessGroups) -> None:
        self.events = events
        self.groups = groups
        self.drafts: list[Draft] = []
        self.notes: list[str] = []
        self.alone: list[int] = []
        """Labels that are within no operator."""
        self.open: dict[_Key, deque[Draft]] = {}
        """Collectives whose backend's label is on another thread."""
        self.by_id: dict[int, Draft] = {}
        self.timed: set[int] = set()

    def tree(self, tree: list[int]) -> None:
        """Take events that are within each other."""
        for kind in (PARAMS, OPERATOR, FUNCTIONAL):
            found = [at for at in self._outermost(tree, kind) if self._draft(at, kind)]
            if found:
                self._link(tree, found)
                return
        self.alone += self._outermost(tree, LABEL)

    def _outermost(self, tree: list[int], kind: int) -> list[int]:
        """Return events of a kind that are within no other of it; outer events come first."""
        inside: set[int] = set()
        kept = []
        for at in tree:
            outer = self.events.within[at]
            same = self.events.kind[at] == kind
            if outer in inside:
                inside.add(at)
            elif same:
                kept.append(at)
                inside.add(at)
        return kept

    def _draft(self, at: int, kind: int) -> bool:
        """Make a collective of an event, if it is one."""
        args, name = self.events.args(at), self.events.name(at)
        if kind == PARAMS:
            if not params.has_params(args):
                return False
            draft = params.draft_of(args, self.groups)
            if draft is None:
                # A wait, or the making of a group.
                return False
        else:
            inputs = operators.Inputs(*_inputs(args))
            draft = operators.draft_of(name, inputs, self.groups)
            if draft is None:
                return False
        draft.start_ns = draft.called_ns = self.events.start(at)
        self.drafts.append(draft)
        self._identify(args, draft)
        return True

    def _link(self, tree: list[int], found: list[int]) -> None:
        """Take from the other events of a tree what its collective lacks."""
        made = self.drafts[-len(found) :]
        labels = [at for at in tree if self.events.kind[at] == LABEL]
        if len(made) != 1:
            return
        draft = made[0]
        if self.events.kind[found[0]] == PARAMS and draft.width is not None:
            return  # it tells all, and kernels name it
        for at in tree:
            if at not in found:
                self._identify(self.events.args(at), draft)
        if labels:
            self._label(draft, labels[0])
        elif draft.original.startswith(("c10d::", "_c10d")):
            key = (draft.op, (draft.numbers_in or 0,))
            self.open.setdefault(key, deque()).append(draft)

    def _identify(self, args: dict[str, Any], draft: Draft) -> None:
        number = args.get("External id")
        if type(number) is int:
            self.by_id.setdefault(number, draft)

    def _label(self, draft: Draft, at: int) -> None:
        """Take type, elements and, of gloo, the time from a backend's label."""
        dims, types, _ = _inputs(self.events.args(at))
        if draft.dtype is None:
            names = {dtype_named(one) for one in types if isinstance(one, str) and one}
            if len(names) == 1:
                draft.dtype = names.pop()
                draft.width = width_of(draft.dtype)
        if draft.numbers_in is None and draft.op != "barrier":
            found = operators.numbers_of(dims)
            if found:
                draft.numbers_in = sum(found)
                if draft.op in ("all_reduce", "broadcast", "reduce"):
                    draft.numbers_out = draft.numbers_in
        if self.events.name(at).startswith("gloo:"):
            # It runs where the label is; labels of NCCL only tell when a kernel was launched.
            draft.start_ns, draft.duration_ns = self.events.start(at), self.events.length(at)

    def labels(self) -> None:
        """Give labels on other threads to the operators that called them."""
        any_operator = bool(self.drafts)
        left = 0
        for at in sorted(self.alone, key=lambda at: (self.events.start(at) or 0, at)):
            name = self.events.name(at)
            op = operation_of(name)
            if op is None:
                continue
            dims = _inputs(self.events.args(at))[0]
            numbers = (sum(operators.numbers_of(dims)),)
            waiting = self._waiting(op, numbers, self.events.start(at))
            if waiting is not None:
                self._label(waiting, at)
            elif any_operator and name.startswith("gloo:"):
                left += 1
            else:
                self._by_label(op, at, name)
        if left:
            self.notes.append(f"{left} labels of the backend without an operator: left out")

    def _waiting(self, op: str, numbers: tuple[int, ...], start: int | None) -> Draft | None:
        """Return the first collective that a label may be of, and take it from the list."""
        best: deque[Draft] | None = None
        for name in (op, "reduce_scatter") if op == "all_reduce" else (op,):
            queue = self.open.get((name, numbers))
            if not queue or (queue[0].called_ns or 0) > (start or 0):
                continue
            if best is None or (queue[0].called_ns or 0) < (best[0].called_ns or 0):
                best = queue
        return None if best is None else best.popleft()

    def _by_label(self, op: str, at: int, name: str) -> None:
        called = self.events.start(at)
        draft = Draft(op, name, name, start_ns=called, called_ns=called)
        self._label(draft, at)
        self._identify(self.events.args(at), draft)
        if op == "all_reduce" and name.startswith("gloo:"):
            draft.notes.append(GLOO_LIE)
        self.drafts.append(draft)

    def kernels(self) -> None:
        """Take times from kernels; those of no event of the host are collectives of their own."""
        host = bool(self.drafts)
        unlinked = 0
        for at in range(len(self.events)):
            if self.events.kind[at] != KERNEL:
                continue
            args = self.events.args(at)
            draft = self.by_id.get(args.get("External id", -1)) if host else None
            if draft is not None and draft.op != "barrier" and not _agrees(draft, args):
                draft = None
            if draft is not None:
                self._time(draft, at)
            elif params.has_params(args) or not host:
                self._own(at, args)
            else:
                unlinked += 1
        if unlinked:
            self.notes.append(
                f"{unlinked} kernels of NCCL name no event of the host: durations of as many "
                "collectives are not known"
            )
        self.drafts.sort(key=lambda draft: draft.called_ns or 0)
        if any(draft.duration_ns is None for draft in self.drafts):
            self.notes.append("without a kernel or a thread of gloo a collective has no duration")

    def _time(self, draft: Draft, at: int) -> None:
        start, length = self.events.start(at), self.events.length(at)
        if start is None or length is None:
            return
        if id(draft) not in self.timed:
            self.timed.add(id(draft))
            draft.start_ns, draft.duration_ns = start, length
            return
        first = min(start, draft.start_ns or start)
        last = max(start + length, (draft.start_ns or start) + (draft.duration_ns or 0))
        draft.start_ns, draft.duration_ns = first, last - first

    def _own(self, at: int, args: dict[str, Any]) -> None:
        name = self.events.name(at)
        draft = params.draft_of(args, self.groups) if params.has_params(args) else None
        if draft is None:
            op, dtype = operation_of_kernel(name)
            if op is None:
                self._note_once("kernels of send and receive: of which operation is not known")
                return
            draft = Draft(op, name[:80], name[:80])
            draft.dtype = None if dtype is None else dtype_named(dtype)
            draft.width = width_of(draft.dtype)
        draft.start_ns = draft.called_ns = self.events.start(at)
        draft.duration_ns = self.events.length(at)
        self.drafts.append(draft)

    def _note_once(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)


def _agrees(draft: Draft, args: dict[str, Any]) -> bool:
    """Whether a kernel is of the collective that its number points to."""
    said = args.get("Collective name")
    return not isinstance(said, str) or operation_of(said) == draft.op


def _inputs(args: dict[str, Any]) -> tuple[list[Any], list[Any], list[Any]]:
    """Return dims, types and values of the inputs, as far as they were recorded."""
    found = [args.get(key) for key in ("Input Dims", "Input type", "Concrete Inputs")]
    dims, types, values = (one if isinstance(one, list) else [] for one in found)
    return dims, types, values
