"""Keep secrets out of the store, or from the agent, or both."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any, Literal

from memwrap.checks import check_choice, check_positive
from memwrap.exceptions import ConfigurationError
from memwrap.items import Item
from memwrap.middleware.patterns import Pattern, finders_of
from memwrap.middleware.replacing import Replacer
from memwrap.middleware.strings import Strings
from memwrap.turn import Handler, Kept, Send, Turn, View

__all__ = ["Redact"]


class Redact:
    """Replace secrets in every string of the items, before the store, the agent, or both.

    Nested values, numbers and the keys of objects are covered, and so is JSON in a string, such as
    tool arguments. The structure of an item stays: known names of fields, roles, types and status,
    and the ids that pair calls with outputs. The store gets whole items, so that a value split
    over the chunks of a stream is found too. If anything fails, nothing is stored and the turn
    fails.

    Args:
        *patterns: Names of presets (``"email"``, ``"credit_card"``, ``"iban"``, ``"ip"``,
            ``"phone"``, ``"secret"``) and regular expressions (strings or compiled), or a single
            function that returns the redacted form of a string. An expression that repeats
            without end more than once is given to regex (``pip install 'memwrap[redact]'``),
            which bounds its time.
        strategy: What stands for what is found: the replacement (``"redact"``), stars save for the
            last four letters and digits (``"mask"``), a keyed digest (``"hash"``), or no turn
            at all (``"block"``), which is not applied to the history.
        replacement: What stands for what is found, with ``"redact"``.
        detector: A function from a string to what it finds there: pairs ``(start, end)``, or
            mappings or objects that have both.
        timeout: Seconds that an expression may take for a string.
        secret: The key of digests, the same in all processes that should agree on them. Without
            it the layer has one of its own.
        stored: Redact what is stored.
        agent: Redact the history and input that the agent sees.

    Raises:
        ConfigurationError: There is nothing to look for, a pattern is none or cannot be bounded,
            an option has no such value, or neither ``stored`` nor ``agent`` is set.
    """

    def __init__(
        self,
        *patterns: Pattern | Iterable[Pattern] | Callable[[str], str],
        strategy: Literal["redact", "mask", "hash", "block"] = "redact",
        replacement: str = "[REDACTED]",
        detector: Callable[[str], Iterable[Any]] | None = None,
        timeout: float = 1.0,
        secret: bytes = b"",
        stored: bool = True,
        agent: bool = True,
    ) -> None:
        if not (stored or agent):
            raise ConfigurationError("Redact(stored=False, agent=False) redacts nothing")
        check_choice("Redact", "strategy", strategy, "redact", "mask", "hash", "block")
        check_positive("Redact", "timeout", timeout)
        if not isinstance(secret, bytes):
            raise ConfigurationError(f"Redact(secret=...) is bytes, not {type(secret).__name__}")
        if not isinstance(replacement, str):
            raise ConfigurationError(
                f"Redact: the replacement is a string, not {type(replacement).__name__}"
            )
        function = patterns[0] if len(patterns) == 1 and callable(patterns[0]) else None
        if function is None:
            finders = finders_of(patterns, detector, timeout)
            if not finders:
                raise ConfigurationError(
                    "Redact needs a pattern, as in Redact(r'sk-[A-Za-z0-9]+') or Redact('email')"
                )
            function = Replacer(finders, strategy, replacement, secret or os.urandom(32))
        elif detector is not None or strategy != "redact":
            raise ConfigurationError(
                "Redact: a function makes the redacted form itself, without strategy= or detector=;"
                " pass what finds places as detector="
            )
        self._strings = Strings(function)
        self.strategy = strategy
        self.stored = stored
        self.agent = agent

    def __repr__(self) -> str:
        return f"Redact(stored={self.stored}, agent={self.agent})"

    async def __call__(self, turn: Turn, send: Send, handler: Handler, /) -> None:
        """Run the turn with its items redacted.

        Raises:
            TurnError: The function failed on a string.
            GuardViolation: The strategy is ``"block"``, and something was found.
        """
        if self.agent:
            turn.before_agent.append(self._seen)
        if self.stored:
            turn.before_save.append(lambda kept: Kept(*map(self._redact, kept)))
        await handler(turn, send)

    def _seen(self, view: View) -> View:
        # What was stored before must not block a conversation for ever.
        history = view.history if self.strategy == "block" else self._redact(view.history)
        return View(history, self._redact(view.input))

    def _redact(self, items: list[Item]) -> list[Item]:
        return self._strings.items(items)
