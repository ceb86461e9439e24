"""What follows alike for every answer about a service: tokens a second."""

from __future__ import annotations

from abc import ABC, abstractmethod

from rainier_fast.ask.runtime import kind_of
from rainier_fast.serving.serving import Serving


class ServiceFigures(ABC):
    """Figures of a service by its rate, its times and its chips."""

    service: Serving
    algorithm: str

    @property
    @abstractmethod
    def chips(self) -> int:
        """Chips that take part."""

    @property
    @abstractmethod
    def requests_per_s(self) -> float:
        """Requests a second."""

    @property
    @abstractmethod
    def tpot_s(self) -> float:
        """Seconds between tokens after the first, in the mean."""

    @property
    def kind(self) -> str:
        """What kind of number times are: ``"links alone"``, or ``"as neuron runs it"``.

        Of collectives; what operators and the stack take is fitted, as `efficiency` and `pace` say.
        Of engine ideal, and of a hand-over, links alone.
        """
        return kind_of(self.algorithm)

    @property
    def tokens_per_s(self) -> float:
        """Tokens of answers a second, of all chips."""
        return self.requests_per_s * float(self.service.output)

    @property
    def tokens_per_s_per_chip(self) -> float:
        """The same of a chip that takes part."""
        return self.tokens_per_s / self.chips

    @property
    def tokens_per_s_per_user(self) -> float:
        """Tokens a second that one request sees after its first."""
        return 1 / self.tpot_s
