"""How fast one chip runs the operators of a transformer."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import numpy as np

from rainier_fast import _core
from rainier_fast.definitions.check import as_count, as_flag, as_items, as_name
from rainier_fast.definitions.chip import Chip
from rainier_fast.definitions.efficiency_data import chip_of, entry_of, rates
from rainier_fast.definitions.efficiency_fit import EfficiencyFit, Found, fit_matmul, measured
from rainier_fast.definitions.efficiency_text import text
from rainier_fast.definitions.operators import (
    AttentionRate,
    MatmulRate,
    MemoryRate,
    by_precision,
    cut,
)
from rainier_fast.errors import Unsupported, as_one_of, invalid, invalid_type
from rainier_fast.files.saved import Saved
from rainier_fast.screen import one_screen
from rainier_fast.units import Quantity, parse_bytes, parse_time

Rates: TypeAlias = Mapping[str, MatmulRate] | tuple[tuple[str, MatmulRate], ...]
"""Rates of matrix products by precision; stored as pairs, sorted."""

_MOST: Final = 2**53
_MOST_PARTS: Final = 1024


@one_screen
@dataclass(frozen=True, slots=True, kw_only=True)
class Efficiency(Saved):
    """How fast one chip runs operators: matrix products by precision, attention, memory.

    Times are of one operator, as one chip runs it that does nothing else.

    Attributes
    ----------
    chip
        The chip it is of.
    matmul
        `MatmulRate` by precision (``"bf16"``, ``"fp8"``, ``"fp32"``), as sorted pairs.
    attention
        Of fused attention.
    memory
        Of norms, activations, sums and the optimizer.
    stack
        The software that it was measured with, by name.
    stacks
        The stacks that `of` knows of this chip.
    call_s
        Seconds that the host takes to call a program of one operator, which operators inside a
        program do not take; `matmul_s` and the others leave it out.

    Raises
    ------
    InvalidArgument, InvalidType
        If a value is not usable; the message names it.

    Examples
    --------
    >>> trn2 = Efficiency.of("trn2")
    >>> trn2.stack, trn2.stacks
    ('typical', ('typical', 'ceiling'))
    >>> f"{2 * 16384**3 / trn2.matmul_s(16384, 16384, 16384) / 1e12:.0f} TFLOP/s"
    '468 TFLOP/s'
    """

    _saved_as = "efficiency"

    chip: str
    matmul: Rates
    attention: AttentionRate
    memory: MemoryRate
    stack: str = "given"
    stacks: tuple[str, ...] = ()
    call_s: Quantity = 0.0

    def __post_init__(self) -> None:
        put = object.__setattr__
        for name in ("chip", "stack"):
            put(self, name, as_name(name, getattr(self, name)))
        put(self, "matmul", by_precision(self.matmul))
        for name, kind in (("attention", AttentionRate), ("memory", MemoryRate)):
            if not isinstance(getattr(self, name), kind):
                allowed = f"must be of class {kind.__name__}"
                raise invalid_type(name, getattr(self, name), allowed)
        names = as_items("stacks", self.stacks, "must be names")
        put(self, "stacks", tuple(as_name("stacks", name) for name in names))
        put(self, "call_s", parse_time(self.call_s, "call_s"))

    @classmethod
    def of(
        cls, chip: str | Chip, stack: str | None = None, *, like: str | None = None
    ) -> Efficiency:
        """Return what measured tables say of a chip; ``str()`` of it names kinds and sources.

        Parameters
        ----------
        chip
            A chip of the catalogue by name (``"h100"``, ``"trn2"``), or a `Chip`, whose own peaks
            and bandwidth count.
        stack
            The software, where tables of several disagree: ``"typical"`` or ``"ceiling"`` on
            Trainium2, ``"sglang"``, ``"vllm"`` or ``"trtllm"`` on GPUs. None for the first of
            `stacks`.
        like
            Another chip, whose shares of its data sheet are carried over as a guess.

        Returns
        -------
        Efficiency
            Of the whole chip; `part` cuts it into cores. What no table has is a guess and says so.

        Raises
        ------
        UnknownName
            If there is no such chip or stack.
        Unsupported
            If nothing is known of the chip.

        Examples
        --------
        >>> Efficiency.of("trn2", "ceiling").matmul_s(12288, 8192, 8192) < 2.8e-3
        True
        >>> Efficiency.of("tpu-v4").rate("bf16").kind
        'guess'
        """
        known = chip if isinstance(chip, Chip) else chip_of(chip)
        name, entry = entry_of(known, like)
        stacks = tuple(entry["stacks"])
        chosen = stacks[0] if stack is None else as_one_of("stack", stack, stacks)
        matmul, attention, memory, call = rates(known, name, chosen)
        return cls(
            chip=known.name,
            matmul=matmul,
            attention=attention,
            memory=memory,
            stack=chosen,
            stacks=stacks,
            call_s=call,
        )

    @classmethod
    def fit(
        cls,
        rows: Iterable[Sequence[float]],
        chip: str | Chip | Efficiency,
        *,
        precision: str = "bf16",
    ) -> EfficiencyFit:
        """Fit the products of one precision to measured rows.

        Relative errors are squared up to some 10 % and count by their size beyond; rows count less
        where many are alike in size.

        Parameters
        ----------
        rows
            M, K, N and seconds of each measured product, M x K with K x N.
        chip
            What was measured: a chip or its name, as `of` takes it, or an `Efficiency` to start
            from, whose attention, memory and other precisions stay.
        precision
            ``"bf16"``, ``"fp8"`` or ``"fp32"``.

        Returns
        -------
        EfficiencyFit
            ``.efficiency``, and ``.residuals`` as fractions.

        Raises
        ------
        InvalidArgument, InvalidType, UnknownName, Unsupported
            If a row is not usable or there are fewer than 6, or as of `of`. A time is not usable
            that is 1.5 times as fast as the peak, or a tenth of a second more than 1,000
            times as slow.

        Examples
        --------
        >>> h100 = Efficiency.of("h100")
        >>> sizes = [(m, k, n) for m in (256, 4096) for k in (512, 8192) for n in (1024, 8192)]
        >>> fit = Efficiency.fit([(*size, 1.1 * h100.matmul_s(*size)) for size in sizes], h100)
        >>> fit.mean_error < 0.05, fit.efficiency.rate("bf16").kind
        (True, 'fit')
        """
        base = chip if isinstance(chip, Efficiency) else cls.of(chip)
        start = base.rate(precision)
        table = measured(rows)
        fitted: Found = fit_matmul(table, base.row(precision), start)
        others = {name: rate for name, rate in base.rates().items() if name != precision}
        made = replace(base, matmul={**others, precision: fitted.rate}, stack="fitted")
        return EfficiencyFit(made, tuple(fitted.residuals.tolist()))

    def rates(self) -> dict[str, MatmulRate]:
        """Return the rates of products by precision.

        Examples
        --------
        >>> sorted(Efficiency.of("h100").rates())
        ['bf16', 'fp32', 'fp8']
        """
        return dict(self.matmul)

    def rate(self, precision: str) -> MatmulRate:
        """Return the rate of products of a precision; `UnknownName` where there is none.

        Examples
        --------
        >>> Efficiency.of("trn2").rate("bf16").peak_flops
        632000000000000.0
        """
        known = self.rates()
        return known[as_one_of("precision", precision, known)]

    def part(self, parts: int) -> Efficiency:
        """Return what one of so many equal parts of the chip reaches while all of them work.

        Parameters
        ----------
        parts
            1 to 1,024: 4 on Trainium2, whose ranks are logical cores with LNC 2.

        Returns
        -------
        Efficiency
            With a share of peak, bandwidth, area and few rows; launches are the same.

        Raises
        ------
        InvalidArgument, InvalidType
            If it is no such number.

        Examples
        --------
        >>> Efficiency.of("trn2").part(4).rate("bf16").peak_flops
        158000000000000.0
        """
        count = as_count("parts", parts, _MOST_PARTS)
        return replace(
            self,
            matmul={name: cut(rate, count) for name, rate in self.rates().items()},
            attention=cut(self.attention, count),
            memory=cut(self.memory, count),
        )

    def matmul_s(self, m: int, k: int, n: int, *, precision: str = "bf16") -> float:
        """Return the seconds of a product of M x K with K x N.

        Parameters
        ----------
        m, k, n
            Rows of the first operand, its columns, columns of the second.
        precision
            ``"bf16"``, ``"fp8"`` or ``"fp32"``, where the chip has it.

        Returns
        -------
        float
            Seconds on a chip that does nothing else, the host's call left out.

        Raises
        ------
        InvalidArgument, InvalidType, UnknownName
            If a size is not 1 or more, or there is no such precision.

        Examples
        --------
        >>> h100 = Efficiency.of("h100")
        >>> h100.matmul_s(8192, 8192, 8192) > h100.matmul_s(8192, 8192, 8192, precision="fp8")
        True
        """
        sizes = {"m": m, "k": k, "n": n}
        line = [float(as_count(name, size, _MOST)) for name, size in sizes.items()]
        return float(_core.matmul_times(self.row(precision), np.array([line]))[0])

    def attention_s(
        self,
        sequence: int,
        heads: int,
        head_size: int,
        *,
        kv_heads: int | None = None,
        batch: int = 1,
        keys: int | None = None,
        causal: bool = True,
        window: int | None = None,
        value_size: int | None = None,
        backward: bool = False,
    ) -> float:
        """Return the seconds of fused attention, without the products that make its operands.

        Parameters
        ----------
        sequence
            Queries of each sequence.
        heads, head_size
            Heads, and numbers of a query and a key.
        kv_heads
            Heads that have keys and values of their own; None for all.
        batch
            Sequences.
        keys
            Keys of each sequence, of which the queries are the last; None for as many.
        causal
            Whether a query sees only itself and what stands before it.
        window
            The most keys that it sees; None for all.
        value_size
            Numbers of a value; None for `head_size`.
        backward
            The backward pass in place of the forward one.

        Returns
        -------
        float
            Seconds on a chip that does nothing else.

        Raises
        ------
        InvalidArgument, InvalidType
            If a size is not usable.
        Unsupported
            If a window is asked for without a mask.

        Examples
        --------
        >>> h100 = Efficiency.of("h100")
        >>> one_way = h100.attention_s(8192, 32, 128, kv_heads=8)
        >>> 2 < h100.attention_s(8192, 32, 128, kv_heads=8, backward=True) / one_way < 4
        True
        """
        counts = {"sequence": sequence, "heads": heads, "head_size": head_size, "batch": batch}
        optional = {
            "kv_heads": heads if kv_heads is None else kv_heads,
            "keys": sequence if keys is None else keys,
            "value_size": head_size if value_size is None else value_size,
        }
        got = {name: as_count(name, value) for name, value in (counts | optional).items()}
        if got["heads"] % got["kv_heads"]:
            raise invalid("kv_heads", kv_heads, f"must divide {heads}, the heads")
        if got["keys"] < got["sequence"]:
            raise invalid("keys", keys, f"must be at least {sequence}, the queries")
        if window is not None and not as_flag("causal", causal):
            raise Unsupported("window without a causal mask; leave out window, or causal=False")
        most = None if window is None else float(as_count("window", window))
        lot = float(got["batch"])
        queries, length = float(got["sequence"]), float(got["keys"])
        line = [
            queries * got["heads"] * lot,
            length * got["kv_heads"] * lot,
            _core.keys_seen(queries, length, as_flag("causal", causal), most),
            float(got["head_size"]),
            float(got["value_size"]),
        ]
        row = self.row(next(iter(self.rates())))
        return float(_core.attention_times(row, np.array([line]), as_flag("backward", backward))[0])

    def memory_s(self, size: Quantity) -> float:
        """Return the seconds of an operator that only moves bytes.

        Parameters
        ----------
        size
            Bytes that it reads and writes, or text such as ``"1 GiB"``.

        Returns
        -------
        float
            Seconds on a chip that does nothing else.

        Raises
        ------
        InvalidArgument, InvalidType
            If it is not a size.

        Examples
        --------
        >>> Efficiency.of("h100").memory_s("1 GiB") < 5e-4
        True
        """
        moved = parse_bytes(size, "size")
        if not moved < math.inf:
            raise invalid("size", size, "must be a finite number of bytes")
        return _core.memory_time(self.row(next(iter(self.rates()))), moved)

    def row(self, precision: str) -> _core._EfficiencyRow:
        """Return what the core takes, with products of one precision."""
        return self.rate(precision).row(), self.attention.row(), self.memory.row()

    def __str__(self) -> str:
        return text(self)
