"""Note what each turn cost."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from decimal import Decimal
from time import perf_counter
from typing import Any, TypeAlias

from memwrap.exceptions import ConfigurationError
from memwrap.turn import Handler, Send, Turn
from memwrap.usage import Counting
from memwrap.usage import Usage as Tokens

__all__ = ["Price", "Usage"]

Price: TypeAlias = Callable[[Tokens], "float | Decimal | None"]
"""Returns what tokens cost, in the currency of the budget; None if it does not know the model."""


class Usage:
    """Note tokens, model, duration and cost of each turn, as its models report them.

    The tokens are in ``turn.usage``, and their sums in the session's `SessionInfo`. Model,
    duration in seconds, and cost are in ``turn.metadata``, as ``model``, ``seconds`` and ``cost``.
    Stores of memwrap's keep both with the turn. Of an agent that reports nothing, nothing is noted.

    Args:
        price: What tokens cost: a function of them; without it no cost is noted.
        on_usage: Called with each turn that has cost something, behind its agent; plain or async.
            What it raises fails the turn.

    Raises:
        ConfigurationError: An option is no function.
    """

    within_memory = True

    def __init__(
        self,
        *,
        price: Price | None = None,
        on_usage: Callable[[Turn], Awaitable[Any] | Any] | None = None,
    ) -> None:
        for name, value in (("price", price), ("on_usage", on_usage)):
            if value is not None and not callable(value):
                raise ConfigurationError(
                    f"Usage({name}=...) is a function, not {type(value).__name__}"
                )
        self.price = price
        self.on_usage = on_usage

    async def __call__(self, turn: Turn, send: Send, handler: Handler, /) -> None:
        """Run the turn and note what it cost.

        Raises:
            ConfigurationError: The price is no number.
        """
        counting = Counting(turn.run, send)
        begun = perf_counter()
        await handler(turn, counting.send)
        usage = counting.whole
        if usage is None:
            return
        turn.usage = usage
        noted: dict[str, Any] = {"seconds": round(perf_counter() - begun, 3)}
        if usage.model is not None:
            noted["model"] = usage.model
        if self.price is not None and (cost := self._cost(self.price(usage))) is not None:
            noted["cost"] = cost
        turn.metadata |= noted
        if self.on_usage is not None:
            done = self.on_usage(turn)
            if inspect.isawaitable(done):
                await done

    def _cost(self, cost: Any) -> float | None:
        if cost is None:
            return None
        if isinstance(cost, bool) or not isinstance(cost, (int, float, Decimal)):
            raise ConfigurationError(
                f"Usage(price=...) returned {type(cost).__name__}; it returns a number or None"
            )
        return float(cost)
