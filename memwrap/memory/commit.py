"""The one append of a turn: tried again when it fails, refused when it comes too late."""

from __future__ import annotations

import asyncio
import logging

from memwrap.codec import copy_known
from memwrap.exceptions import ConversionError, HistoryChanged, LeaseLost, TurnError, TurnNotSaved
from memwrap.foreign import as_cause
from memwrap.hidden.data import without_marks
from memwrap.hidden.sidecar import settled
from memwrap.items import Item
from memwrap.memory.fingerprints import Fingerprints
from memwrap.memory.pieces import Piece, places_after, written_pieces
from memwrap.memory.replay import result_of
from memwrap.sessions.info import noted
from memwrap.sessions.turns import (
    UNANSWERED,
    OpenTurn,
    TurnRecord,
    TurnSession,
)
from memwrap.turn import Kept, Turn
from memwrap.view import applied, hook_name

__all__ = ["Commit"]

_PAUSES = (0.05, 0.2, None)  # seconds before the next try; None after the last

_log = logging.getLogger("memwrap")


class Commit:
    """A turn that has begun in its store, until it is committed or released there."""

    def __init__(
        self, turn: Turn, store: TurnSession, opened: OpenTurn, fingerprints: Fingerprints
    ) -> None:
        turn.run.opened = opened
        self.turn = turn
        self.store = store
        self.opened = opened
        self.saved = False
        self._fingerprints = fingerprints
        self._input = turn.input  # as it was passed: some of it may turn out to be known
        # A nested turn uses the outer turn's lease: it neither renews nor releases it.
        self.leases = opened.lease_token == opened.token
        if self.leases:
            self._schedule()

    async def is_of_input(self, stored: str) -> bool | None:
        """Tell whether a stored fingerprint is that of the turn's input; None if nobody can."""
        return self._fingerprints.is_of(stored, self._input, await self.store.turn_key())

    async def save(self, kept: Kept, record: TurnRecord, pieces: list[Piece] | None = None) -> None:
        """Store input and new items, with the turn's changes made to them; try three times.

        Args:
            kept: What the turn adds.
            record: What is stored beside it; its input and inputs are filled in here. With
                ``answers`` the input is in the store already.
            pieces: Those of the answer, for a turn with an id.

        Raises:
            TurnError: A function of `Turn.before_save` returned no `Kept`, or nothing.
            TurnNotSaved: The turn could not be stored, or came too late.
        """
        changed = self._changed(kept) if self.turn.before_save else kept
        if record.turn_id is not None or record.shape == UNANSWERED:
            key = await self.store.turn_key()
            is_changed = changed.input != kept.input
            text = self._fingerprints.of(self._input, key, is_changed=is_changed)
            inputs = 0 if record.answers else len(changed.input)
            record = record._replace(fingerprint=text, inputs=inputs)
        if pieces is not None:
            moved = places_after(kept.new_items, changed.new_items)
            shape = written_pieces(pieces, len(changed.new_items), moved)
            record = record._replace(shape=shape)
        if self.turn.metadata or self.turn.usage is not None:
            record = noted(record, self.turn.metadata, self.turn.usage)
        items = changed.new_items if record.answers else [*changed.input, *changed.new_items]
        if items:
            if self.turn.run.cut is not None:
                record = record._replace(marks=self.turn.run.cut.text)
            done, watch = self._commit(without_marks(items), record), self.turn.run.watch
            await (done if watch is None else watch("commit", done))

    def _changed(self, kept: Kept) -> Kept:
        """Return what `Turn.before_save` makes of *kept*, without hidden data of edited items."""
        # What a function changes in place is nobody else's.
        kept = Kept(copy_known(kept.input), copy_known(kept.new_items))
        for index, change in enumerate(self.turn.before_save):
            before = kept
            kept = applied(change, kept, "before_save", self.turn, index)
            if any(before) and not any(kept):
                raise TurnError(
                    f"{hook_name(change, 'before_save', self.turn, index)} left nothing of the"
                    " turn to store; call the agent with session=None for a turn without memory"
                )
            kept = Kept(*(settled(items, is_slice=False) for items in kept))
        return kept

    async def _commit(self, items: list[Item], record: TurnRecord) -> None:
        for pause in _PAUSES:
            try:
                self.saved = await self.store.commit_turn(self.opened, items, record)
                break
            except ConversionError:  # no store can keep them
                raise
            except Exception as exc:  # noqa: BLE001  (a store may raise anything)
                failure = self._failed(items, record, exc)
            if pause is None:
                raise failure
            await asyncio.sleep(pause)
        if not self.saved:
            raise self._too_late(items)

    async def end(self) -> None:
        """Release the turn's own lease, unless the commit has done so."""
        self._timer.cancel()
        if not self.saved:
            try:
                await self.store.release_turn(self.opened)
            except Exception as exc:  # noqa: BLE001  (the lease runs out by itself)
                _log.warning(
                    "session %r: the lease could not be given back (%s)",
                    self.turn.session_id,
                    type(exc).__name__,
                )

    def _schedule(self) -> None:
        assert self.opened.lease is not None  # noqa: S101
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self.opened.lease / 3, self._renew)

    def _renew(self) -> None:
        self._renewal = asyncio.ensure_future(self.store.renew_turn(self.opened))
        self._renewal.add_done_callback(self._renewed)

    def _renewed(self, renewal: asyncio.Task[None]) -> None:
        if not renewal.cancelled() and renewal.exception() is not None:
            _log.warning("session %r: the lease could not be renewed", self.turn.session_id)
        if self.turn.run.opened is self.opened:
            self._schedule()

    def _too_late(self, items: list[Item]) -> TurnNotSaved:
        kind, why = (
            (HistoryChanged, "the history has changed since the turn began")
            if self.opened.lease_token is None and self.opened.head is not None
            else (LeaseLost, "the session was cleared, or taken over by another process")
        )

        async def retry() -> None:
            raise error

        error = kind(
            f"session {self.turn.session_id!r}: the agent answered, but {why}; nothing was stored,"
            " and the error has the answer as .result",
            result=result_of(self.turn),
            items=items,
            retry=retry,
        )
        return error

    def _failed(self, items: list[Item], record: TurnRecord, error: Exception) -> TurnNotSaved:
        async def retry() -> None:
            if not self.saved:
                await self._commit(items, record)

        failure = TurnNotSaved(
            f"session {self.turn.session_id!r}: the agent answered, but the turn could not be"
            f" stored ({type(error).__name__}); the error has the answer as .result, and"
            " `await error.retry()` stores the turn",
            result=result_of(self.turn),
            items=items,
            retry=retry,
        )
        failure.__cause__ = as_cause(error)
        return failure
