"""Load the history before the agent runs, store the turn after it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Hashable
from copy import deepcopy
from typing import Literal

from memwrap.answer import delivered, fingerprint, shape_of, stored_answer
from memwrap.exceptions import (
    ConfigurationError,
    HistoryChanged,
    LeaseLost,
    SessionBusy,
    TurnIdReused,
    TurnNotSaved,
)
from memwrap.items import marks_of, without_open_calls
from memwrap.locks import acquire, release, try_acquire
from memwrap.saving import Saving
from memwrap.sessions.base import identity
from memwrap.sessions.four_methods import turns_of
from memwrap.sessions.leases import new_token
from memwrap.sessions.turns import TurnRecord
from memwrap.turn import Turn
from memwrap.types import Event, Handler, Item, Send

__all__ = ["Memory"]

_POLL_PAUSES = (0.002, 0.05)  # seconds between two looks at another process's lease: first, most

_NAMELESS = TurnRecord()

_log = logging.getLogger("memwrap")


class Memory:
    """The layer that remembers.

    It takes the session's turn (first come, first served), loads the history, and lets the inner
    layers and the agent run. Only when they have ended well does it store input and new items, in
    one append, before the caller gets the result or the end of the stream. Otherwise nothing is
    stored, and what went wrong reaches the caller unchanged.

    `with_session` puts one around the other layers unless they hold one already.

    Args:
        on_error: What is stored when the agent raises: nothing (``"discard"``), or the input
            (``"keep_input"``), to which the answer is added when the same input comes again.
        on_stop: What is stored when a stream is left early or cancelled: nothing, or the input
            and what was delivered (``"keep_delivered"``), marked incomplete.
        on_save_error: Whether a turn that cannot be stored raises `TurnNotSaved`, or is returned,
            logged and counted in `unsaved`.
        on_busy: Whether a second turn on the same session waits, or is refused (``"reject"``).
        busy_timeout: Seconds that a turn waits for the one before it.
        lease: Seconds after which another process may take a session over from a turn that
            neither ended nor renewed its lease, which it does while the agent works; None for
            no lease, where an append by somebody else in between is `HistoryChanged`. For
            sessions that processes can share.

    Attributes:
        unsaved: How many answers were returned without being stored.

    Raises:
        ConfigurationError: An option has no such value.
    """

    def __init__(
        self,
        *,
        on_error: Literal["discard", "keep_input"] = "discard",
        on_stop: Literal["discard", "keep_delivered"] = "discard",
        on_save_error: Literal["raise", "return"] = "raise",
        on_busy: Literal["wait", "reject"] = "wait",
        busy_timeout: float = 30.0,
        lease: float | None = 30.0,
    ) -> None:
        _check("on_error", on_error, "discard", "keep_input")
        _check("on_stop", on_stop, "discard", "keep_delivered")
        _check("on_save_error", on_save_error, "raise", "return")
        _check("on_busy", on_busy, "wait", "reject")
        if not busy_timeout >= 0:
            raise ConfigurationError(f"busy_timeout is a number of seconds, not {busy_timeout!r}")
        if lease is not None and not lease > 0:
            raise ConfigurationError(f"lease is a number of seconds or None, not {lease!r}")
        self._keep_input = on_error == "keep_input"
        self._keep_delivered = on_stop == "keep_delivered"
        self._return_unsaved = on_save_error == "return"
        self._patience = busy_timeout if on_busy == "wait" else 0.0
        self._lease = lease
        self.unsaved = 0

    async def __call__(self, turn: Turn, send: Send, handler: Handler, /) -> None:
        """Run the turn with memory; without a session run it as it is.

        Raises:
            SessionBusy: The turn before it did not end in time.
            StoreError: The history could not be loaded; the agent was not called.
            TurnIdReused: The turn's id belongs to another input; the agent was not called.
            TurnNotSaved: The agent answered, but the turn could not be stored.
        """
        if turn.session is None:
            await handler(turn, send)
            return
        key: Hashable = identity(turn.session)
        outer = None if turn.parent is None else _outer(turn.parent, key)
        if outer is not None:
            # A turn inside another one on its session would wait for itself. Turns side by side
            # in one outer turn still wait for each other.
            key = (key, outer)
        deadline = time.monotonic() + self._patience
        if not try_acquire(key):  # or else without the cost of waiting
            await acquire(key, self._patience, turn.session.session_id)
        turn.running = True
        try:
            saving = await self._begin(turn, outer, deadline)
            try:
                if turn.id is None or not await self._answered(saving, turn.id, send):
                    await self._run(saving, send, handler)
            finally:
                turn.opened = None
                if saving.leases:
                    await saving.end()
        finally:
            turn.running = False
            release(key)

    async def _begin(self, turn: Turn, outer: Turn | None, deadline: float) -> Saving:
        """Begin the turn in the store: with a lease of its own, or under the outer turn's."""
        assert turn.session is not None  # noqa: S101
        store = turns_of(turn.session)
        token = new_token()
        if outer is not None and outer.opened is not None:
            opened = await store.begin_turn(token, lease=None)
            assert opened is not None  # noqa: S101  (only a lease can be refused)
            opened.lease_token = outer.opened.lease_token
            # This turn changes the outer one's history, which must not take it for a stranger.
            opened.head = outer.opened.head = None
            return Saving(turn, store, opened)
        pause, most = _POLL_PAUSES
        while (opened := await store.begin_turn(token, lease=self._lease)) is None:
            if time.monotonic() + pause > deadline:
                raise SessionBusy(
                    f"session {turn.session_id!r}: a turn in another process has kept it for more"
                    f" than {self._patience:g} s"
                )
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, most)
        return Saving(turn, store, opened)

    async def _answered(self, saving: Saving, turn_id: str, send: Send) -> bool:
        """Send the stored answer of a turn that has been run before."""
        turn = saving.turn
        stored = await saving.store.find_turn(turn_id)
        if stored is None:
            return False
        if stored.fingerprint != fingerprint(turn.input):
            raise TurnIdReused(
                f"session {turn.session_id!r}: turn_id {turn_id!r} belongs to a turn with another"
                " input; give each turn an id of its own"
            )
        turn.history, turn.new_items = saving.opened.history, stored.new_items
        await send(stored_answer(turn, stored))
        return True

    async def _run(self, saving: Saving, send: Send, handler: Handler) -> None:
        """Run what is inside, then store the turn, or what is to be kept of it."""
        turn, history = saving.turn, saving.opened.history
        known = _unanswered(history, turn.input) if self._keep_input else 0
        turn.history = history[: len(history) - known] if known else history

        async def collect(event: Event) -> None:
            # The receiver of a stream may change an event before it is stored.
            kept = deepcopy(event) if turn.streaming and type(event) in {dict, list} else event
            turn.events.append(kept)
            await send(event)

        try:
            await handler(turn, collect)
            if turn.stopped:  # a layer swallowed the cancellation
                raise asyncio.CancelledError  # noqa: TRY301
        except asyncio.CancelledError:
            if turn.streaming and self._keep_delivered:
                await self._keep(saving, [*turn.input, *delivered(turn)], known)
            raise
        except Exception:
            if self._keep_input and not known:
                await self._keep(saving, turn.input, 0, mark=fingerprint(turn.input))
            raise
        turn.new_items = without_open_calls(turn.collect())
        try:
            await saving.save([*turn.input, *turn.new_items], _record(turn, known), stored=known)
        except TurnNotSaved as exc:
            if not self._return_unsaved or isinstance(exc, (LeaseLost, HistoryChanged)):
                raise
            self.unsaved += 1
            _log.error("session %r: %s", turn.session_id, exc)

    async def _keep(
        self, saving: Saving, items: list[Item], stored: int, mark: str | None = None
    ) -> None:
        """Store what is left of a turn that failed, but let its own error be the one told."""
        try:
            await saving.save(items, _NAMELESS, stored=stored, mark=mark)
        except Exception as exc:  # noqa: BLE001
            _log.error(
                "session %r: what is kept of a failed turn could not be stored (%s)",
                saving.turn.session_id,
                type(exc).__name__,
            )


def _outer(turn: Turn | None, key: Hashable) -> Turn | None:
    """Return the nearest turn around, this one included, that holds the same session."""
    while turn is not None:
        if turn.running and turn.session is not None and identity(turn.session) == key:
            return turn
        turn = turn.parent
    return None


def _unanswered(history: list[Item], input: list[Item]) -> int:
    """Return how many items at the end are this input, stored when the agent failed on it."""
    tail = history[len(history) - len(input) :] if len(input) <= len(history) else []
    mark = fingerprint(input)
    return len(tail) if all(marks_of(item).get("unanswered") == mark for item in tail) else 0


def _record(turn: Turn, known: int) -> TurnRecord:
    if turn.id is None:
        return _NAMELESS
    return TurnRecord(turn.id, fingerprint(turn.input), shape_of(turn), len(turn.input) - known)


def _check(name: str, value: str, *allowed: str) -> None:
    if value not in allowed:
        raise ConfigurationError(f"{name} is {' or '.join(map(repr, allowed))}, not {value!r}")
