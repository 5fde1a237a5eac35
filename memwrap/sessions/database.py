"""A session over any back end: checks here, items in rows, rows in a `Backend`."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Hashable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from memwrap.codec import encode_items
from memwrap.exceptions import StoreError
from memwrap.hidden.data import for_others
from memwrap.items import Item
from memwrap.marks import marks_from
from memwrap.sessions.backend import Backend, Claim, Held, RecordedRows, Rows
from memwrap.sessions.base import Promises
from memwrap.sessions.checks import as_runners_take, check_id, check_limit, check_settings
from memwrap.sessions.leases import is_dead, leave_stand, take_stand
from memwrap.sessions.own import enter, own_turns
from memwrap.sessions.past import Past, read_items, read_window, rows_of
from memwrap.sessions.rows import (
    damage,
    decode_each,
    decode_row,
    decode_soon,
    is_readable,
    report,
)
from memwrap.sessions.turns import STOPPED, UNANSWERED, OpenTurn, StoredTurn, TurnRecord
from memwrap.sessions.undoing import undo_rows
from memwrap.window import Windows

__all__ = ["DatabaseSession"]


class DatabaseSession:
    """A session over a back end.

    Args:
        session_id: Names the conversation.
        backend: Where its rows are.
        session_settings: ``SessionSettings(limit=...)`` or a dict of it.
        strict: Raise `StoreError` for damaged rows, instead of leaving them out with a warning.

    Attributes:
        session_id: Names the conversation.
        damaged_items: How many items the newest reading left out, since they are damaged.
    """

    _is_changed = False  # whether a subclass has methods of its own: then they must be used

    def __init__(
        self,
        session_id: str,
        backend: Backend,
        session_settings: Any = None,
        *,
        strict: bool = False,
    ) -> None:
        self.session_id = check_id(session_id)
        self._settings = check_settings(session_settings)
        self.damaged_items = 0
        self._backend = backend
        self._strict = strict

    def __init_subclass__(cls) -> None:
        four = ("get_items", "add_items", "pop_item", "clear_session")
        cls._is_changed = any(getattr(cls, m) is not getattr(DatabaseSession, m) for m in four)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.session_id!r})"

    if TYPE_CHECKING:
        session_settings: Any  # as runners' own protocol has it, which takes no property
    else:

        @property
        def session_settings(self) -> Any:
            """What ``get_items()`` reads when it is called without a limit; None for all."""
            self._settings = as_runners_take(self._settings)
            return self._settings

        @session_settings.setter
        def session_settings(self, settings: Any) -> None:
            self._settings = check_settings(settings)

    @property
    def promises(self) -> Promises:
        """What the back end holds to."""
        known = self._backend.promises
        if self._is_changed:
            return replace(known, isolated=False, settles=False, turns=False)
        return known

    @property
    def identity(self) -> Hashable:
        """The same for all objects that stand for this session."""
        return self._backend.identity(self.session_id)

    @property
    def backend(self) -> Backend:
        """Where its rows lie."""
        return self._backend

    async def get_items(self, limit: int | None = None, *, wrapper: Any = None) -> list[Any]:
        """Return the items, oldest first.

        The four methods take a *wrapper* since runners of other programs tell by it that it is
        they who call.

        Args:
            limit: Return the newest that many; None means the ``limit`` of the session's
                settings, and without one all.
            wrapper: The context of the run that reads the items; it is shown no hidden data, as
                models refuse keys that they do not know.

        Raises:
            ConfigurationError: The limit is negative or no whole number.
            StoreError: The back end failed.
        """
        if limit is None and self._settings is not None:
            limit = self._settings.limit
        limit = check_limit(limit)
        if limit == 0:
            return []
        rows = await self._backend.get(self.session_id, limit, joined=True)
        self.damaged_items = 0
        items = decode_soon(rows)
        if items is None:
            past = await read_items(self._backend, self.session_id, rows, limit)
            self._tell_damage(past)
            items = past.items
        return items if wrapper is None else for_others(items)

    def _tell_damage(self, past: Past) -> None:
        self.damaged_items = len(past.bad)
        if past.bad:
            report(self._place, past.bad, strict=self._strict)

    @property
    def _place(self) -> str:
        return self._backend.place(self.session_id)

    async def add_items(self, items: list[Any], *, wrapper: Any = None) -> None:  # noqa: ARG002
        """Append *items* in their order, all of them or none.

        Raises:
            ConversionError: They are no list of items, or JSON cannot hold one exactly.
            StoreError: The back end failed; nothing was stored.
        """
        rows = encode_items(items)
        if rows:
            await self._backend.add(self.session_id, rows)

    async def pop_item(self, *, wrapper: Any = None) -> Any:  # noqa: ARG002
        """Remove and return the newest item; None if there is none.

        Raises:
            StoreError: The back end failed, or the newest row is damaged; then it stays.
        """
        popped = await self._backend.pop(self.session_id, is_readable, own_turns(self.identity))
        if popped is None:
            return None
        row_id, row = popped
        item = decode_row(row)
        if item is None:
            raise damage(self._place, f"the newest row, {row_id}, is damaged and was not removed")
        return item

    async def clear_session(self, *, wrapper: Any = None) -> None:  # noqa: ARG002
        """Remove the session with all its items.

        A turn that runs meanwhile is not stored. One that does the clearing itself is.

        Raises:
            StoreError: The back end failed.
        """
        await self._backend.clear(self.session_id, own_turns(self.identity))

    async def begin_turn(
        self, token: str, *, lease: float | None, windows: Windows | None = None
    ) -> OpenTurn | None:
        """Take the lease and load the history or its window; see `TurnSession`."""
        limit = None if self._settings is None else self._settings.limit
        taken = lease if self._backend.promises.shared else None
        stand = None if taken is None else take_stand(token)
        args = self.session_id, token, taken, rows_of(windows, limit)
        try:
            rows = await self._backend.begin(*args)
            if isinstance(rows, Held) and is_dead(rows.holder):
                rows = await self._backend.begin(*args, dead=rows.holder)
        except BaseException:
            leave_stand(token)  # nobody has to wait for a lease that may have been taken
            raise
        if isinstance(rows, Held):
            return None
        turn = OpenTurn([], rows.head, token, lease, life=rows.life, stand=stand)
        if taken is not None:
            turn.lease_token = token
        elif lease is not None:
            turn.head = None
        try:
            await self._load(turn, rows, windows, limit)
        except BaseException:
            if taken is not None:
                with contextlib.suppress(StoreError):
                    await self._backend.release(self.session_id, token)
            raise
        enter(self.identity, turn)
        return turn

    async def _load(
        self, turn: OpenTurn, rows: Rows, windows: Windows | None, limit: int | None
    ) -> None:
        """Give the turn its history."""
        self.damaged_items = 0
        if not rows.ids:
            return
        if windows is None:
            if (items := decode_soon(rows)) is not None:
                turn.history, turn.numbers = items, rows.ids
                return
            past = await read_items(self._backend, self.session_id, rows, limit)
        else:
            turn.marks = marks_from(rows.marks)
            past = await read_window(
                *(self._backend, self.session_id, rows, turn.marks), windows=windows, limit=limit
            )
        turn.history, turn.numbers = past.items, past.numbers
        self._tell_damage(past)

    async def find_turn(self, turn_id: str) -> StoredTurn | None:
        """Return the turn of that id, answered or stopped; see `TurnSession`."""
        found = await self._backend.find(self.session_id, turn_id)
        if found is None or not _is_whole(found) or found.record.shape == UNANSWERED:
            return None
        record = found.record
        place = 0 if record.shape == STOPPED else record.answers + record.inputs
        rows = Rows(found.rows.ids[place:], found.rows.data[place:])
        items, bad = decode_each(rows)
        if bad:
            raise damage(self._place, f"rows {bad}, of a stored turn's answer, are damaged")
        return _stored(found, list(items.values()))

    async def newest_turn(self) -> StoredTurn | None:
        """Return the turn that ends with the newest item; see `TurnSession`."""
        found = await self._backend.newest(self.session_id)
        if found is None or not _is_whole(found):
            return None
        items, bad = decode_each(found.rows)
        if bad:
            return None  # the history has no item for each of its rows
        return _stored(found, list(items.values()))

    async def turn_key(self) -> bytes:
        """Return the secret of the store; see `TurnSession`."""
        return await self._backend.key()

    async def renew_turn(self, turn: OpenTurn) -> None:
        """Let the lease begin anew; see `TurnSession`."""
        if turn.lease is not None and self._backend.promises.shared:
            await self._backend.renew(self.session_id, turn.token, turn.lease)

    async def commit_turn(self, turn: OpenTurn, items: list[Item], record: TurnRecord) -> bool:
        """Append the items with their record; see `TurnSession`."""
        rows = encode_items(items)
        lease = turn.lease_token
        head = turn.head if lease is None else None
        claim = Claim(turn.token, lease, head, turn.attempted, turn.life)
        turn.attempted = True
        record = TurnRecord(*record[:-1], time.monotonic() - turn.began)  # faster than _replace
        return await self._backend.commit(self.session_id, rows, record, claim)

    async def release_turn(self, turn: OpenTurn) -> None:
        """Give the lease back; see `TurnSession`."""
        if turn.stand is not None and not turn.stand.is_here:
            return  # collected: nothing can be waited for, and the lease ends with the turn
        if turn.lease is not None:
            if self._backend.promises.shared:
                life = turn.life if turn.attempted else None
                try:
                    await self._backend.release(self.session_id, turn.token, life)
                except StoreError:
                    leave_stand(turn.token)
                    raise
            turn.lease_token = None

    async def undo_turns(self, turns: int) -> list[list[Item]]:
        """Remove the newest turns, all or none; see `TurnSession`."""
        return await undo_rows(self._backend, self.session_id, turns)


def _is_whole(found: RecordedRows) -> bool:
    return len(found.rows.ids) == found.size


def _stored(found: RecordedRows, items: list[Item]) -> StoredTurn:
    """Return a turn, of which *items* are all there are, or only those that the agent added."""
    record, size = found.record, found.size
    inputs = record.answers + record.inputs - (size - len(items))
    return StoredTurn(record.fingerprint, record.shape, items[inputs:], size, items[:inputs])
