"""Load the history before the agent runs, store the turn after it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Hashable
from copy import deepcopy
from functools import partial
from typing import Literal

from memwrap.aside import MANY, aside, dropped_aside
from memwrap.attempts import OUTSIDE
from memwrap.checks import check_choice
from memwrap.dialects import refuses_input
from memwrap.exceptions import (
    ConfigurationError,
    HistoryChanged,
    LeaseLost,
    MemwrapError,
    TurnError,
    TurnIdReused,
    TurnNotSaved,
)
from memwrap.items import without_open_calls
from memwrap.memory.beginning import begun, outer_turn
from memwrap.memory.commit import Commit
from memwrap.memory.cut import Cut
from memwrap.memory.fingerprints import Fingerprints
from memwrap.memory.history import marked_unanswered, remembered
from memwrap.memory.known import without_known
from memwrap.memory.locks import acquire, release, try_acquire
from memwrap.memory.pieces import pieces_of
from memwrap.memory.repeats import note_replay
from memwrap.memory.replay import carry, delivered, place_of_half, quarantined, stored_answer
from memwrap.sessions.base import identity
from memwrap.sessions.four_methods import turns_of
from memwrap.sessions.leases import new_token
from memwrap.sessions.turns import STOPPED, UNANSWERED, TurnRecord
from memwrap.turn import Event, Handler, Kept, Send, Turn
from memwrap.window import Window

__all__ = ["Memory"]

_UNNAMED = TurnRecord()

_log = logging.getLogger("memwrap")


class Memory:
    """The layer that remembers.

    `Memory` waits for the session (first come, first served), loads the history, and runs the
    inner layers and the agent. If they end well, it stores input and new items in one append,
    before the caller gets the result or the end of the stream. Otherwise nothing is stored, and
    the error reaches the caller unchanged.

    `with_session` puts a `Memory` around the other layers unless they hold one already.

    Args:
        on_error: What is stored when the agent raises: nothing (``"discard"``), or the input
            (``"keep_input"``), to which the answer is added when the same input comes again.
            Input that a guardrail of the agent's framework refused is not kept.
        on_stop: What is stored when a stream is left early or cancelled: nothing, or the input
            and what was delivered (``"keep_delivered"``), marked incomplete.
        on_save_error: Whether a turn that cannot be stored raises `TurnNotSaved`, or is returned,
            logged and counted in `unsaved`.
        on_busy: Whether a second turn on the same session waits, or is refused (``"reject"``).
        busy_timeout: Seconds that a turn waits for the turn before it.
        lease: Seconds after which another process may take the session over from a turn that has
            not renewed its lease; turns renew it while the agent works. With None there is no
            lease, and an append by somebody else in between is `HistoryChanged`. For sessions
            that processes can share.
        secret: A key for what is noted of turns, the same in all processes. Stores of memwrap's
            have a key of their own, which lies in the store; this one does not. Notes of turns in
            sessions that have the four methods only are believed with proof alone.
        window: Which part of the past is loaded at least: the newest that many items, or a
            `Window`. None leaves it to the layers inside: the largest part that any of them asks
            for, and all of it if none asks.

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
        secret: bytes = b"",
        window: int | Window | None = None,
    ) -> None:
        check_choice("Memory", "on_error", on_error, "discard", "keep_input")
        check_choice("Memory", "on_stop", on_stop, "discard", "keep_delivered")
        check_choice("Memory", "on_save_error", on_save_error, "raise", "return")
        check_choice("Memory", "on_busy", on_busy, "wait", "reject")
        if not busy_timeout >= 0:
            raise ConfigurationError(f"busy_timeout is a number of seconds, not {busy_timeout!r}")
        if lease is not None and not lease > 0:
            raise ConfigurationError(f"lease is a number of seconds or None, not {lease!r}")
        self._keep_input = on_error == "keep_input"
        self._keep_delivered = on_stop == "keep_delivered"
        self._return_unsaved = on_save_error == "return"
        self._patience = busy_timeout if on_busy == "wait" else 0.0
        if not isinstance(secret, bytes):
            raise ConfigurationError(f"secret is bytes, not {type(secret).__name__}")
        self._lease = lease
        self._secret = secret
        self._fingerprints = Fingerprints(secret)
        self.window = Window(items=window) if type(window) is int else window
        if not isinstance(self.window, Window | None):
            raise ConfigurationError(
                f"window is a number of items or a Window, not {type(window).__name__}"
            )
        self.unsaved = 0

    async def __call__(self, turn: Turn, send: Send, handler: Handler, /) -> None:
        """Run the turn with memory; without a session run it as it is.

        Raises:
            SessionBusy: The turn before it did not end in time.
            StoreError: The history could not be loaded; the agent was not called.
            TurnIdReused: The turn's id belongs to another input; the agent was not called.
            TurnNotSaved: The agent answered, but the turn could not be stored.
        """
        if turn.run.is_over:  # a layer calls this one again
            turn.run.is_over, turn.history = False, []
            if turn.new_items:
                turn.run.events, turn.new_items = [], []
        if turn.session is None:
            try:
                await handler(turn, send)
            finally:
                turn.run.is_over = True
            return
        if turn.history:
            raise TurnError(
                f"session {turn.session_id!r}: turn.history was changed before it was loaded, and"
                " the change would be lost; put the layer that does it behind Memory in middleware"
            )
        key: Hashable = identity(turn.session)
        outer = None if turn.run.parent is None else outer_turn(turn.run.parent, key)
        if outer is not None:
            # A nested turn has a key of its own, or it would wait for the outer turn for ever.
            # Nested turns side by side still wait for each other.
            key = (key, outer)
        deadline = time.monotonic() + self._patience
        hold = try_acquire(key)  # the cheap way, if nobody has the session
        if hold is None:
            hold = await acquire(key, self._patience, turn.session.session_id)
        hold.turn = turn
        turn.run.is_open = True
        try:
            begin, watch = self._begin(turn, outer, deadline), turn.run.watch
            commit: Commit = await (begin if watch is None else watch("load", begin))
            try:
                if turn.id is None or not await self._answered(commit, turn.id, send):
                    await self._run(commit, send, handler)
            finally:
                turn.run.opened = None
                if len(commit.opened.history) > MANY:
                    dropped_aside(commit.opened.history)
                if commit.leases:
                    await commit.end()
        finally:
            turn.run.is_open, turn.run.is_over = False, True
            release(hold)

    async def _begin(self, turn: Turn, outer: Turn | None, deadline: float) -> Commit:
        """Begin the turn in the store: with a lease of its own, or under the outer turn's."""
        assert turn.session is not None  # noqa: S101
        store = turns_of(turn.session, self._secret, is_named=turn.id is not None)
        windows = turn.run.windows
        if outer is not None and outer.run.opened is not None:
            opened = await store.begin_turn(new_token(), lease=None, windows=windows)
            assert opened is not None  # noqa: S101  (only a lease can be refused)
            opened.lease_token = outer.run.opened.lease_token
            # The inner turn appends to the same session; without this the outer one would fail
            # with HistoryChanged.
            opened.head = outer.run.opened.head = None
            return Commit(turn, store, opened, self._fingerprints)
        opened = await begun(
            store,
            session_id=turn.session.session_id,
            lease=self._lease,
            patience=self._patience,
            deadline=deadline,
            windows=windows,
        )
        return Commit(turn, store, opened, self._fingerprints)

    async def _answered(self, commit: Commit, turn_id: str, send: Send) -> bool:
        """Send the stored answer of a turn that has been run before.

        A turn that was stopped runs again, and does not see the half that is stored of it.
        """
        turn = commit.turn
        stored = await commit.store.find_turn(turn_id)
        if stored is None:
            return False
        if await commit.is_of_input(stored.fingerprint) is False:
            raise TurnIdReused(
                f"session {turn.session_id!r}: turn_id {turn_id!r} belongs to a turn with another"
                " input; give each turn an id of its own"
            )
        if stored.shape == STOPPED:
            opened = commit.opened
            half = place_of_half(opened.history, [*stored.input, *stored.new_items])
            opened.numbers = [*opened.numbers[: half.start], *opened.numbers[half.stop :]]
            del opened.history[half]
            return False
        turn.history, turn.new_items = commit.opened.history, stored.new_items
        turn.run.place = OUTSIDE  # no layer forgot its handler
        for event in stored_answer(turn, stored):
            note_replay(event)
            await send(event)
        return True

    async def _run(self, commit: Commit, send: Send, handler: Handler) -> None:
        """Run the handler, then store the turn, or what the options keep of a failed one."""
        turn, history = commit.turn, commit.opened.history
        is_short = len(history) <= MANY
        turn.run.cut = Cut(commit.opened) if turn.run.windows else None
        known = await self._unanswered(commit) if self._keep_input else 0
        past = history[: len(history) - known] if known else history
        if not known and len(turn.input) > 1:
            known_to = partial(without_known, is_all=turn.run.windows is None)
            args = turn.input, history
            turn.input = known_to(*args) if is_short else await aside(known_to, *args)
        turn.history = remembered(turn, past) if is_short else await aside(remembered, turn, past)

        async def collect(event: Event) -> None:
            # The receiver of a stream may change an event before it is stored.
            kept = deepcopy(event) if turn.streaming and type(event) in {dict, list} else event
            turn.run.events.append(kept)
            await send(event)

        try:
            await handler(turn, collect)
            if turn.run.is_stopped:  # a layer swallowed the cancellation
                raise asyncio.CancelledError  # noqa: TRY301
        except (asyncio.CancelledError, Exception) as exc:
            await self._failed(commit, known, exc)
            raise
        turn.run.is_over = True
        try:
            await self._save(commit, known)
        except TurnNotSaved as exc:
            if not self._return_unsaved or isinstance(exc, (LeaseLost, HistoryChanged)):
                raise
            self.unsaved += 1
            _log.error("session %r: %s", turn.session_id, exc)
        except Exception as exc:
            carry(exc, turn)
            raise

    async def _failed(self, commit: Commit, known: int, error: BaseException) -> None:
        """Store what the options keep of a turn that was stopped, or failed with *error*."""
        turn = commit.turn
        if turn.run.fate:
            if turn.run.fate == "quarantine":
                await self._keep(commit, lambda: Kept(turn.input, quarantined(turn)), _UNNAMED)
        elif isinstance(error, Exception):
            # What an agent raises in the middle of its stream stays as it is.
            if turn.run.sent and (not turn.streaming or isinstance(error, MemwrapError)):
                carry(error, turn)
            if self._keep_input and not known and not refuses_input(error):
                record = TurnRecord(shape=UNANSWERED)
                await self._keep(commit, lambda: Kept(turn.input, []), record)
        elif turn.streaming and self._keep_delivered:
            shape = "" if turn.id is None else STOPPED
            record = TurnRecord(turn.id, shape=shape, answers=known)
            await self._keep(commit, lambda: Kept(turn.input, delivered(turn)), record)

    async def _save(self, commit: Commit, known: int) -> None:
        """Store the turn, whose last *known* items of history are its input."""
        turn = commit.turn
        collected = turn.collect()
        turn.new_items = without_open_calls(collected)
        if turn.run.fate == "discard":
            return
        pieces = None if turn.id is None else pieces_of(turn, collected)
        record = TurnRecord(turn.id, answers=known) if turn.id or known else _UNNAMED
        await commit.save(Kept(turn.input, turn.new_items), record, pieces)

    async def _unanswered(self, commit: Commit) -> int:
        """Return how many items at the end are this input, stored when an earlier turn failed."""
        input, history = commit.turn.input, commit.opened.history
        newest = await commit.store.newest_turn()
        if newest is None or newest.shape != UNANSWERED or newest.items > len(history):
            return marked_unanswered(history, input)
        return newest.items if await commit.is_of_input(newest.fingerprint) else 0

    async def _keep(self, commit: Commit, kept: Callable[[], Kept], record: TurnRecord) -> None:
        """Store what is kept of a failed turn; only log an error, as the turn's own is raised."""
        try:
            await commit.save(kept(), record)
        except Exception as exc:  # noqa: BLE001
            _log.error(
                "session %r: what is kept of a failed turn could not be stored (%s)",
                commit.turn.session_id,
                type(exc).__name__,
            )
