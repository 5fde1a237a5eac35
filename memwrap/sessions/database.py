"""The sessions and stores of this package: checks and JSON here, rows in a `Database`."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Protocol, Self, TypeAlias

from memwrap.codec import encode_items
from memwrap.items import Item
from memwrap.sessions.base import Promises, SessionInfo
from memwrap.sessions.checks import check_id, check_limit, check_settings
from memwrap.sessions.turns import OpenTurn, StoredTurn, TurnRecord

__all__ = ["Damaged", "Database", "DatabaseSession", "DatabaseStore"]

Damaged: TypeAlias = Callable[[int], None]
"""Is told how many rows were left out of a reading, if any, because nobody can read them."""


class Database(Protocol):
    """What a back end implements: rows of JSON, by session id."""

    promises: Promises

    def identity(self, session_id: str) -> Hashable:
        """Return the same value for all objects that stand for that session."""
        ...

    async def add(self, session_id: str, rows: Sequence[bytes]) -> None:
        """Append *rows*, all or none; there is at least one."""
        ...

    async def get(self, session_id: str, limit: int | None, damaged: Damaged) -> list[Item]:
        """Return the newest *limit* items, oldest first; the limit is positive."""
        ...

    async def pop(self, session_id: str) -> Item | None:
        """Remove and return the newest item; None if there is none."""
        ...

    async def clear(self, session_id: str) -> None:
        """Remove the session with all its items."""
        ...

    async def sessions(
        self, prefix: str, limit: int | None, after: str | None
    ) -> list[SessionInfo]:
        """List sessions, the one with the newest items first."""
        ...

    async def close(self) -> None:
        """Free what is held open; a later call opens it again."""
        ...

    async def begin(
        self,
        session_id: str,
        token: str,
        lease: float | None,
        limit: int | None,
        damaged: Damaged,
    ) -> OpenTurn | None:
        """Take a lease and load the history; None if another holder has one."""
        ...

    async def renew(self, session_id: str, token: str, lease: float) -> None:
        """Let the lease begin anew."""
        ...

    async def release(self, session_id: str, token: str) -> None:
        """Give the lease back."""
        ...

    async def find(self, session_id: str, turn_id: str) -> StoredTurn | None:
        """Return the stored turn of that id."""
        ...

    async def commit(
        self, session_id: str, turn: OpenTurn, rows: Sequence[bytes], record: TurnRecord
    ) -> bool:
        """Append *rows* with their record and give the lease back, if the turn still may."""
        ...

    async def undo(self, session_id: str, turns: int) -> list[list[Item]]:
        """Remove the newest turns and return them, oldest first."""
        ...


class DatabaseSession:
    """A session in a database.

    Attributes:
        session_id: Names the conversation.
        session_settings: What ``get_items()`` reads when it is called without a limit.
        damaged_items: How many items the newest reading left out, since they are damaged.
    """

    _is_changed = False  # whether a subclass has methods of its own: then they must be used

    def __init__(self, session_id: str, database: Database, session_settings: Any = None) -> None:
        self.session_id = check_id(session_id)
        self.session_settings = check_settings(session_settings)
        self.damaged_items = 0
        self._database = database

    def __init_subclass__(cls) -> None:
        four = ("get_items", "add_items", "pop_item", "clear_session")
        cls._is_changed = any(getattr(cls, m) is not getattr(DatabaseSession, m) for m in four)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.session_id!r})"

    @property
    def promises(self) -> Promises:
        """What the back end holds to."""
        known = self._database.promises
        if self._is_changed:
            return replace(known, isolated=False, settles=False, turns=False)
        return known

    @property
    def identity(self) -> Hashable:
        """The same for all objects that stand for this session."""
        return self._database.identity(self.session_id)

    async def get_items(self, limit: int | None = None) -> list[Any]:
        """Return the items, oldest first.

        Args:
            limit: Return the newest that many; None means the ``limit`` of the session's
                settings, and without one all.

        Raises:
            ConfigurationError: The limit is negative or no whole number.
            StoreError: The back end failed.
        """
        if limit is None and self.session_settings is not None:
            limit = self.session_settings.limit
        limit = check_limit(limit)
        if limit == 0:
            return []
        self.damaged_items = 0
        return await self._database.get(self.session_id, limit, self._damaged)

    def _damaged(self, count: int) -> None:
        self.damaged_items = count

    async def add_items(self, items: list[Any]) -> None:
        """Append *items* in their order, all of them or none.

        Raises:
            ConversionError: They are no list of items, or JSON cannot hold one exactly.
            StoreError: The back end failed; nothing was stored.
        """
        rows = encode_items(items)
        if rows:
            await self._database.add(self.session_id, rows)

    async def pop_item(self) -> Any:
        """Remove and return the newest item; None if there is none.

        Raises:
            StoreError: The back end failed.
        """
        return await self._database.pop(self.session_id)

    async def clear_session(self) -> None:
        """Remove the session with all its items.

        Raises:
            StoreError: The back end failed.
        """
        await self._database.clear(self.session_id)

    async def begin_turn(self, token: str, *, lease: float | None) -> OpenTurn | None:
        """Take the lease and load the history; see `TurnSession`."""
        limit = None if self.session_settings is None else self.session_settings.limit
        self.damaged_items = 0
        return await self._database.begin(self.session_id, token, lease, limit, self._damaged)

    async def find_turn(self, turn_id: str) -> StoredTurn | None:
        """Return the stored turn of that id; see `TurnSession`."""
        return await self._database.find(self.session_id, turn_id)

    async def renew_turn(self, turn: OpenTurn) -> None:
        """Let the lease begin anew; see `TurnSession`."""
        if turn.lease is not None:
            await self._database.renew(self.session_id, turn.token, turn.lease)

    async def commit_turn(self, turn: OpenTurn, items: list[Item], record: TurnRecord) -> bool:
        """Append the items with their record; see `TurnSession`."""
        return await self._database.commit(self.session_id, turn, encode_items(items), record)

    async def release_turn(self, turn: OpenTurn) -> None:
        """Give the lease back; see `TurnSession`."""
        if turn.lease is not None:
            await self._database.release(self.session_id, turn.token)
            turn.lease_token = None

    async def undo_turns(self, turns: int) -> list[list[Item]]:
        """Remove the newest turns; see `TurnSession`."""
        return await self._database.undo(self.session_id, turns)


class DatabaseStore:
    """Sessions by id, in a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def promises(self) -> Promises:
        """What the back end holds to."""
        return self._database.promises

    def session(self, session_id: str, /) -> DatabaseSession:
        """Return the session of that id; nothing is stored until items are added.

        Raises:
            ConfigurationError: The id is no string, empty, or too long.
        """
        return DatabaseSession(session_id, self._database)

    async def sessions(
        self, *, prefix: str = "", limit: int | None = None, after: str | None = None
    ) -> list[SessionInfo]:
        """List the sessions, those with the newest items first.

        Args:
            prefix: Only ids that begin with it.
            limit: At most that many.
            after: The id of the last session of the page before; the list goes on behind it.

        Raises:
            ConfigurationError: The prefix is no text, the limit negative or no whole number, or
                there is no session *after*.
            StoreError: The back end failed.
        """
        limit = check_limit(limit)
        prefix = check_id(prefix, "a prefix") if prefix != "" else ""
        after = None if after is None else check_id(after, "after")
        return [] if limit == 0 else await self._database.sessions(prefix, limit, after)

    async def delete(self, session_id: str) -> None:
        """Remove the session with all its items; an unknown id does nothing.

        Raises:
            ConfigurationError: The id is no string, empty, or too long.
            StoreError: The back end failed.
        """
        await self._database.clear(check_id(session_id))

    async def close(self) -> None:
        """Free what is held open; a store that is used again opens again."""
        await self._database.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()
