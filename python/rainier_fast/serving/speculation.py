"""Tokens that are guessed and then verified together."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from rainier_fast.definitions.check import as_count, as_items, as_number
from rainier_fast.errors import as_one_of, invalid, invalid_type
from rainier_fast.workload.models import models, named
from rainier_fast.workload.transformer import Transformer

_MOST_GUESSED = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Speculation:
    """Speculative decoding: a draft guesses tokens, one step of the model verifies all of them.

    Attributes
    ----------
    tokens
        Tokens that are guessed before each step.
    acceptance
        The share of guesses that hold: one number for each token given that the one before held,
        or as many numbers as tokens, each the share of steps in which at least so many held (as
        vLLM prints them, falling).
    draft
        What guesses: a `Transformer` or a name of `models`, or ``"eagle"``: one layer and the head
        of the model itself.

    Raises
    ------
    InvalidArgument, InvalidType, UnknownName
        If a value is not usable; the message names it.

    Examples
    --------
    >>> guessed = Speculation(tokens=3, acceptance=(0.8649, 0.7247, 0.6346))
    >>> round(guessed.tokens_per_step, 2)
    3.22
    >>> Speculation(tokens=2, acceptance=0.5).tokens_per_step
    1.75
    """

    tokens: int
    acceptance: float | tuple[float, ...]
    draft: Transformer | str = "eagle"

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "tokens", as_count("tokens", self.tokens, _MOST_GUESSED))
        put(self, "acceptance", _as_acceptance(self.acceptance, self.tokens))
        put(self, "draft", _as_draft(self.draft))

    @property
    def tokens_per_step(self) -> float:
        """Tokens that a step yields in the mean: 1 + sum of shares of steps in which each held."""
        if isinstance(self.acceptance, tuple):
            return 1 + sum(self.acceptance)
        return 1 + sum(self.acceptance**at for at in range(1, self.tokens + 1))

    def of(self, model: Transformer) -> Transformer:
        """Return what guesses for a model.

        Parameters
        ----------
        model
            What verifies.

        Returns
        -------
        Transformer
            The draft.

        Raises
        ------
        InvalidType
            If it is no transformer.

        Examples
        --------
        >>> import rainier_fast as rf
        >>> Speculation(tokens=3, acceptance=0.7).of(rf.model("llama-3.1-8b")).layers
        1
        """
        if not isinstance(model, Transformer):
            raise invalid_type("model", model, "must be a Transformer")
        if isinstance(self.draft, Transformer):
            return self.draft
        if self.draft != "eagle":
            return named("draft", self.draft)
        changes: dict[str, Any] = {"layers": 1, "mtp": 0, "window": None}
        if model.experts is not None:
            # A draft layer is plain, as wide as what one token visits.
            experts = model.experts
            visited = experts.per_token * experts.width + experts.shared_width
            changes |= {"experts": None, "ffn": model.ffn or visited}
        return replace(model, name=f"{model.name}, one layer", **changes)


def _as_draft(value: object) -> Transformer | str:
    if isinstance(value, Transformer):
        return value
    if not isinstance(value, str):
        raise invalid_type("draft", value, "must be 'eagle', a Transformer or a name of models()")
    return as_one_of("draft", value, ("eagle", *models()))


def _as_acceptance(value: object, tokens: int) -> float | tuple[float, ...]:
    allowed = "must be a share from 0 to 1"
    if not isinstance(value, Sequence):
        return as_number("acceptance", value, 0, 1, allowed)
    items = as_items("acceptance", value, "must be shares from 0 to 1")
    if len(items) != tokens:
        raise invalid("acceptance", value, f"must be one share, or one for each of {tokens} tokens")
    shares = tuple(
        as_number(f"acceptance[{at}]", item, 0, 1, allowed) for at, item in enumerate(items)
    )
    if any(after > before for before, after in itertools.pairwise(shares)):
        raise invalid("acceptance", value, "must fall: a token holds only where those before did")
    return shares
