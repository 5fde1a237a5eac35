"""Show the agent only the newest part of a long history."""

from __future__ import annotations

from collections.abc import Callable

from memwrap.exceptions import ConfigurationError
from memwrap.instructions import is_instruction
from memwrap.items import Item, cuts, turn_starts
from memwrap.turn import Handler, Send, Turn

__all__ = ["Trim"]


class Trim:
    """Cut what the agent sees of the history; the store keeps all of it.

    The longest newest part within all limits stays. A cut never separates a tool call from its
    output, or a reasoning item from the next item. System and developer items always stay; only
    `max_tokens` counts them. The turn's own input is never cut, nor are the calls that it answers.

    Args:
        max_items: At most that many items.
        max_turns: At most that many turns; a turn begins where the user begins to speak.
        max_tokens: At most that many tokens in history and input together.
        count_tokens: Returns the tokens of one item; needed with ``max_tokens``.

    Raises:
        ConfigurationError: There is no limit, a limit is negative or no whole number, or one of
            ``max_tokens`` and ``count_tokens`` is missing or cannot be called.
    """

    def __init__(
        self,
        *,
        max_items: int | None = None,
        max_turns: int | None = None,
        max_tokens: int | None = None,
        count_tokens: Callable[[Item], int] | None = None,
    ) -> None:
        limits = {"max_items": max_items, "max_turns": max_turns, "max_tokens": max_tokens}
        if all(limit is None for limit in limits.values()):
            raise ConfigurationError("Trim needs a limit, as in Trim(max_turns=20)")
        for name, limit in limits.items():
            if limit is not None and (type(limit) is not int or limit < 0):
                raise ConfigurationError(f"{name} is a whole number from 0 on, not {limit!r}")
        if (max_tokens is None) != (count_tokens is None):
            raise ConfigurationError(
                "max_tokens and count_tokens go together, as in"
                " Trim(max_tokens=8000, count_tokens=lambda item: len(str(item)) // 4)"
            )
        if count_tokens is not None and not callable(count_tokens):
            raise ConfigurationError(
                f"count_tokens is a function from item to tokens, not {type(count_tokens).__name__}"
            )
        self.max_items = max_items
        self.max_turns = max_turns
        self.max_tokens = max_tokens
        self.count_tokens = count_tokens

    async def __call__(self, turn: Turn, send: Send, handler: Handler, /) -> None:
        """Run the turn on the newest part of its history."""
        history = turn.history
        begin = self._begin(history, turn.input)
        kept = [item for item in history[:begin] if is_instruction(item)]
        turn.history = kept + history[begin:]
        await handler(turn, send)

    def _begin(self, history: list[Item], input: list[Item]) -> int:
        """Return the first index that may be cut and from which on all limits hold."""
        first = max(
            self._by_items(history), self._by_turns(history), self._by_tokens(history, input)
        )
        places = cuts(history, after=input)
        return next((place for place in places if place >= first), places[-1])

    def _by_items(self, history: list[Item]) -> int:
        if self.max_items is None:
            return 0
        return _smallest(history, self.max_items, lambda item: 0 if is_instruction(item) else 1)

    def _by_turns(self, history: list[Item]) -> int:
        if self.max_turns is None:
            return 0
        starts = turn_starts(history)
        if len(starts) <= self.max_turns:
            return 0
        return starts[-self.max_turns] if self.max_turns else len(history)

    def _by_tokens(self, history: list[Item], input: list[Item]) -> int:
        if self.max_tokens is None or self.count_tokens is None:
            return 0
        count = self.count_tokens
        always = sum(count(item) for item in history if is_instruction(item))
        budget = self.max_tokens - always - sum(map(count, input))
        return _smallest(history, budget, lambda i: 0 if is_instruction(i) else count(i))


def _smallest(history: list[Item], budget: int, cost: Callable[[Item], int]) -> int:
    """Return the first index from which on the items cost no more than *budget*."""
    for place in range(len(history), 0, -1):
        budget -= cost(history[place - 1])
        if budget < 0:
            return place
    return 0
