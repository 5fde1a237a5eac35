"""Let only turns happen whose input and answer are allowed."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal, TypeAlias

from memwrap.checks import check_choice
from memwrap.exceptions import ConfigurationError, GuardViolation, TurnError
from memwrap.hidden.data import QUARANTINED, marked
from memwrap.items import Item
from memwrap.names import name_of
from memwrap.turn import Event, Handler, Kept, Recorded, Send, Turn

__all__ = ["Check", "Guard"]

Verdict: TypeAlias = bool | str | None
Check: TypeAlias = Callable[[list[Item]], Verdict | Awaitable[Verdict]]
"""Takes items; True or None if they are allowed, otherwise False or a text that says why."""


class Guard:
    """Check what a turn was asked, or what it answers, before anybody else gets it.

    With ``on="input"`` the agent is not called with what is not allowed. With ``on="output"`` the
    answer is held back until it is checked, all events of a stream too. A check that raises
    refuses the turn: its error reaches the caller, and nothing is stored.

    Args:
        check: Takes the items of the input, or the new items; plain or async. It returns True or
            None if they are allowed, and otherwise False, or a text that says why.
        on: What is checked.
        on_violation: Whether the caller gets a `GuardViolation`, or the text of the check in place
            of an answer.
        keep: What is stored of what is not allowed: nothing (``"discard"``), or all of it, where
            no agent sees it later (``"quarantine"``).

    Attributes:
        within_memory: Whether the layer has to stand behind `Memory`.

    Raises:
        ConfigurationError: The check is no function, or an option has no such value.
    """

    def __init__(
        self,
        check: Check,
        *,
        on: Literal["input", "output"] = "input",
        on_violation: Literal["raise", "replace"] = "raise",
        keep: Literal["discard", "quarantine"] = "discard",
    ) -> None:
        if not callable(check):
            raise ConfigurationError(
                f"Guard takes a function from items to a verdict, not {type(check).__name__}"
            )
        check_choice("Guard", "on", on, "input", "output")
        check_choice("Guard", "on_violation", on_violation, "raise", "replace")
        check_choice("Guard", "keep", keep, "discard", "quarantine")
        self.check = check
        self.on = on
        self.on_violation = on_violation
        self.keep: Literal["discard", "quarantine"] = keep
        self.within_memory = True if on == "output" or keep == "quarantine" else None

    async def __call__(self, turn: Turn, send: Send, handler: Handler, /) -> None:
        """Run the turn if it is allowed.

        Raises:
            GuardViolation: The input or the answer is not allowed.
            TurnError: The check returned something else than a verdict.
        """
        turn.run.fate = ""  # another attempt may be allowed
        if self.on == "output":
            await self._output(turn, send, handler)
        elif (reason := await self._reason(turn.input)) is None:
            await handler(turn, send)
        else:
            turn.run.fate = self.keep
            if self.keep == "quarantine":
                turn.input = _quarantined(turn.input)
                turn.before_save.append(_all_quarantined)  # the text in place of an answer too
            await self._refuse(turn, send, reason)

    async def _output(self, turn: Turn, send: Send, handler: Handler) -> None:
        begun = len(turn.run.events)
        held: list[Event] = []

        async def hold(event: Event) -> None:
            held.append(event)

        await handler(turn, hold)
        items = turn.collect(held)
        reason = await self._reason(items)
        if reason is None:
            for event in held:
                await send(event)
            return
        # What the agent has recorded, or appended to its list, is part of the answer.
        del turn.run.events[begun:]
        turn.run.given = None
        if self.on_violation == "raise":
            turn.run.fate = self.keep
        if self.keep == "quarantine":
            turn.run.events.append(Recorded(_quarantined(items)))
            if self.on_violation == "raise":
                turn.input = _quarantined(turn.input)
        await self._refuse(turn, send, reason)

    async def _reason(self, items: Sequence[Item]) -> str | None:
        """Return why the items are not allowed; None if they are."""
        verdict: Any = self.check(list(items))
        if inspect.isawaitable(verdict):
            verdict = await verdict
        if verdict is None or verdict is True:
            return None
        if verdict is False or isinstance(verdict, str):
            return verdict or ""
        raise TurnError(
            f"Guard: {name_of(self.check)} returned {type(verdict).__name__}; a check returns True"
            " or None if the items are allowed, and otherwise False, or a text that says why"
        )

    async def _refuse(self, turn: Turn, send: Send, reason: str) -> None:
        if self.on_violation == "replace":
            await send(reason or "This was not allowed.")
            return
        raise GuardViolation(
            f"session {turn.session_id!r}: {name_of(self.check)} does not allow the {self.on} of"
            " the turn; the error has what it said as .reason",
            reason=reason,
        )


def _all_quarantined(kept: Kept) -> Kept:
    return Kept(*map(_quarantined, kept))


def _quarantined(items: Sequence[Item]) -> list[Item]:
    return [marked(item, **{QUARANTINED: True}) for item in items]
