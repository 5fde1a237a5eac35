"""Let no more turns happen than there are tokens or money for."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Literal

from memwrap.checks import check_choice, check_positive
from memwrap.exceptions import BudgetExceeded, ConfigurationError
from memwrap.memory.layer import Memory
from memwrap.middleware.usage import Usage
from memwrap.sessions.database import DatabaseSession
from memwrap.sessions.spending import Cost, Spending
from memwrap.turn import Handler, Send, Turn

__all__ = ["Budget"]

_WINDOW = re.compile(r"(\d{1,6})([smhd])\Z")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}

_log = logging.getLogger("memwrap")


class Budget:
    """Refuse turns when the turns of a time have cost too much, before session and agent.

    What they cost is read from the store, where `Usage` has noted it: restarts do not reset a
    budget, and processes share it. The turn that passes it ends well; turns that run at once may
    pass it together. What was undone, cleared or erased does not count.

    Args:
        max_tokens: How many tokens, read and written, the turns may cost.
        max_cost: How much money they may cost, in the currency of ``Usage(price=...)``.
        scope: Whose turns are counted together: those of the session, or those of all sessions
            of an owner, whom a function of the turn names.
        window: Of what time: a number of seconds, minutes, hours or days, as in ``"24h"``; None for
            all.
        warn_at: The part of the budget from which on turns are logged as warnings.
        on_exceeded: Whether a turn beyond the budget is refused, or only logged.

    Raises:
        ConfigurationError: There is no limit, or an option has no such value.
    """

    inside_of = ()
    outside_of = (Memory, Usage)
    requires = (Usage,)

    def __init__(
        self,
        *,
        max_tokens: int | None = None,
        max_cost: float | None = None,
        scope: Literal["session"] | Callable[[Turn], str] = "session",
        window: str | None = "24h",
        warn_at: float = 0.8,
        on_exceeded: Literal["raise", "warn"] = "raise",
    ) -> None:
        if max_tokens is None and max_cost is None:
            raise ConfigurationError("Budget needs a limit, as in Budget(max_tokens=100_000)")
        for name, value in (("max_tokens", max_tokens), ("max_cost", max_cost)):
            if value is not None:
                check_positive("Budget", name, value)
        if scope != "session" and not callable(scope):
            raise ConfigurationError(
                f"Budget(scope=...) is 'session', or a function from a turn to an owner: {scope!r}"
            )
        if not isinstance(warn_at, (int, float)) or not 0 < warn_at <= 1:
            raise ConfigurationError(f"Budget(warn_at=...) is above 0 and at most 1: {warn_at!r}")
        check_choice("Budget", "on_exceeded", on_exceeded, "raise", "warn")
        self.max_tokens = max_tokens
        self.max_cost = max_cost
        self.warn_at = warn_at
        self._owner_of = None if isinstance(scope, str) else scope
        self._window = _time(window)
        self._refuses = on_exceeded == "raise"
        self._spending = Spending()

    async def __call__(self, turn: Turn, send: Send, handler: Handler, /) -> None:
        """Run the turn if there is something left for it.

        Raises:
            BudgetExceeded: The budget is spent.
            ConfigurationError: The session keeps no costs of turns, or they are noted without
                money.
            StoreError: The store failed; the agent was not called.
        """
        if turn.session is not None:
            self._check(turn, await self._costs(turn, turn.session))
        await handler(turn, send)

    async def _costs(self, turn: Turn, session: object) -> list[Cost]:
        if not isinstance(session, DatabaseSession):
            raise ConfigurationError(
                f"Budget: a session of type {type(session).__name__} keeps no costs of turns; use"
                " one of a store of memwrap's, such as SQLiteStore"
            )
        owner = None if self._owner_of is None else self._owner_of(turn)
        if not isinstance(owner, str | None):
            raise ConfigurationError(
                f"Budget(scope=...) returned {type(owner).__name__}; it returns the owner's name"
            )
        since = None if self._window is None else datetime.now(UTC) - self._window
        return await self._spending.since(session, since, owner)

    def _check(self, turn: Turn, costs: list[Cost]) -> None:
        counted = [one.tokens for one in costs if one.tokens is not None]
        if self.max_tokens is not None:
            self._compare(turn, "max_tokens", sum(counted), self.max_tokens)
        if self.max_cost is not None:
            money = [one.money for one in costs if one.money is not None]
            if counted and not money:
                raise ConfigurationError(
                    "Budget(max_cost=...): the turns have no costs noted; say what tokens cost by"
                    " Usage(price=...)"
                )
            self._compare(turn, "max_cost", sum(money), self.max_cost)

    def _compare(self, turn: Turn, name: str, spent: float, most: float) -> None:
        if spent < self.warn_at * most:
            return
        text = f"session {turn.session_id!r}: {spent:g} of Budget({name}={most:g}) is spent"
        if spent >= most and self._refuses:
            raise BudgetExceeded(f"{text}; the agent was not called")
        _log.warning("%s", text)


def _time(window: str | None) -> timedelta | None:
    if window is None:
        return None
    found = _WINDOW.match(window) if isinstance(window, str) else None
    if found is None:
        raise ConfigurationError(
            f"Budget(window=...) is a number with s, m, h or d, as in '24h', or None: {window!r}"
        )
    return timedelta(seconds=int(found[1]) * _SECONDS[found[2]])
