"""Sessions and stores for programs without an event loop: `sync` gives them plain methods."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from types import EllipsisType
from typing import Any, Protocol, Self, TypeVar, cast, overload

from memwrap.exceptions import ConfigurationError
from memwrap.items import Item
from memwrap.memory.undo import undo
from memwrap.private_loop import wait_for
from memwrap.sessions.base import Durability, Session
from memwrap.sessions.database_store import DatabaseStore
from memwrap.sessions.info import ItemPage, Receipt, SearchHit, SessionInfo, TurnInfo
from memwrap.sessions.popping import maybe
from memwrap.sessions.resolve import check_session

__all__ = ["ListingStore", "SyncConversations", "SyncSession", "SyncStore", "sync"]

T = TypeVar("T")


class ListingStore(Protocol):
    """A store that lists and deletes its sessions, as memwrap's do."""

    def session(self, session_id: str, /) -> Session:
        """Return the session of that id."""
        ...

    async def sessions(
        self, *, prefix: str = "", limit: int | None = None, after: str | None = None
    ) -> list[SessionInfo]:
        """List the sessions, those with the newest items first."""
        ...

    async def delete(self, session_id: str) -> None:
        """Remove the session with all its items."""
        ...

    async def close(self) -> None:
        """Free what is held open."""
        ...


class SyncSession:
    """A session whose methods return what they do, without an event loop.

    Each may raise what the session's own method of that name raises, and `ConfigurationError` where
    an event loop runs in this thread.

    Attributes:
        session_id: Names the conversation.
    """

    def __init__(self, session: Session) -> None:
        self._session = check_session(session, "sync()")
        self.session_id = session.session_id

    def __repr__(self) -> str:
        return f"sync({self._session!r})"

    def get_items(self, limit: int | None = None) -> list[Any]:
        """Return the items, oldest first; with *limit* the newest that many."""
        return _done("get_items", lambda: maybe(self._session.get_items(limit)))

    def add_items(self, items: list[Any]) -> None:
        """Append *items* in their order, all of them or none."""
        _done("add_items", lambda: maybe(self._session.add_items(items)))

    def pop_item(self) -> Any:
        """Remove and return the newest item; None if there is none."""
        return _done("pop_item", lambda: maybe(self._session.pop_item()))

    def clear_session(self) -> None:
        """Remove all items."""
        _done("clear_session", lambda: maybe(self._session.clear_session()))

    def undo(self, turns: int = 1, *, secret: bytes = b"") -> list[list[Item]]:
        """Remove the newest whole turns and return them, as `memwrap.undo` does."""
        return _done("undo", lambda: undo(self._session, turns, secret=secret))


class SyncStore:
    """A store whose methods return what they do, without an event loop; see `SyncSession`."""

    def __init__(self, store: ListingStore) -> None:
        self._store = store

    def __repr__(self) -> str:
        return f"sync({self._store!r})"

    def session(self, session_id: str, /) -> SyncSession:
        """Return the session of that id; nothing is stored until items are added."""
        return SyncSession(self._store.session(session_id))

    def sessions(
        self, *, prefix: str = "", limit: int | None = None, after: str | None = None
    ) -> list[SessionInfo]:
        """List the sessions, those with the newest items first.

        Args:
            prefix: Only ids that begin with it.
            limit: At most that many.
            after: The id of the last session of the page before.
        """
        return _done(
            "sessions", lambda: self._store.sessions(prefix=prefix, limit=limit, after=after)
        )

    def delete(self, session_id: str) -> None:
        """Remove the session with all its items; an unknown id does nothing."""
        _done("delete", lambda: self._store.delete(session_id))

    def close(self) -> None:
        """Free what is held open; a store that is used again opens again."""
        _done("close", self._store.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class SyncConversations(SyncStore):
    """A store of memwrap whose methods return what they do, without an event loop.

    Each does, and raises, what the store's own method of that name does; see `SyncSession`.
    """

    def __init__(self, store: DatabaseStore) -> None:
        super().__init__(store)
        self._conversations = store

    def sessions(
        self,
        *,
        prefix: str = "",
        limit: int | None = None,
        after: str | SessionInfo | None = None,
        owner: str | None = None,
        tag: str | None = None,
    ) -> list[SessionInfo]:
        """List the sessions that hold items, those with the newest items first."""
        return _done(
            "sessions",
            lambda: self._conversations.sessions(prefix, limit, after, owner=owner, tag=tag),
        )

    def info(self, session_id: str) -> SessionInfo | None:
        """Return what is known of a session; None if that is nothing."""
        return _done("info", lambda: self._conversations.info(session_id))

    def update(
        self,
        session_id: str,
        *,
        title: str | EllipsisType | None = ...,
        tags: Sequence[str] | EllipsisType = ...,
        owner: str | EllipsisType | None = ...,
        metadata: Mapping[str, Any] | EllipsisType | None = ...,
    ) -> None:
        """Change what is known of a session; what is left out stays as it is."""
        _done(
            "update",
            lambda: self._conversations.update(
                session_id, title=title, tags=tags, owner=owner, metadata=metadata
            ),
        )

    def turns(
        self, session_id: str, *, limit: int | None = None, before: TurnInfo | int | None = None
    ) -> list[TurnInfo]:
        """Return the newest turns of a session, oldest first."""
        return _done(
            "turns", lambda: self._conversations.turns(session_id, limit=limit, before=before)
        )

    def get_items(
        self, session_id: str, *, limit: int | None = None, before: int | None = None
    ) -> ItemPage:
        """Return the newest items of a session, oldest first, and where older ones go on."""
        return _done(
            "get_items",
            lambda: self._conversations.get_items(session_id, limit=limit, before=before),
        )

    def fork(
        self, session: str, new_id: str, *, at: TurnInfo | int | str | None = None
    ) -> SyncSession:
        """Return a new session that begins with the turns of another, which stays as it is."""
        made = _done("fork", lambda: self._conversations.fork(session, new_id, at=at))
        return SyncSession(made)

    def search(
        self, text: str, *, prefix: str = "", owner: str | None = None, limit: int = 20
    ) -> list[SearchHit]:
        """Return the items that hold all words of a text, those that fit best first."""
        return _done(
            "search",
            lambda: self._conversations.search(text, prefix=prefix, owner=owner, limit=limit),
        )

    def purge(
        self,
        older_than: float | timedelta | None = None,
        *,
        keep_turns: int | None = None,
        dry_run: bool = False,
    ) -> int:
        """Remove what has expired or is old; return how many sessions."""
        return _done(
            "purge",
            lambda: self._conversations.purge(older_than, keep_turns=keep_turns, dry_run=dry_run),
        )

    def erase(self, *, owner: str | None = None, session_id: str | None = None) -> Receipt:
        """Remove all of an owner, or of a session; return what tells of it."""
        return _done("erase", lambda: self._conversations.erase(owner=owner, session_id=session_id))

    def setup(self) -> None:
        """Make what the sessions lie in, or check it."""
        _done("setup", self._conversations.setup)

    def durability(self) -> Durability:
        """Return what acknowledged items survive, as it is set up now."""
        return _done("durability", self._conversations.durability)


@overload
def sync(of: DatabaseStore, /) -> SyncConversations: ...
@overload
def sync(of: ListingStore, /) -> SyncStore: ...
@overload
def sync(of: Session, /) -> SyncSession: ...
def sync(of: Session | ListingStore | DatabaseStore, /) -> SyncSession | SyncStore:
    """Return a session or store with the same methods, for programs without an event loop.

    Args:
        of: A session, with the four methods at least; or a store that lists its sessions.

    Raises:
        ConfigurationError: It is neither.
    """
    if isinstance(of, DatabaseStore):
        return SyncConversations(of)
    if all(callable(getattr(of, name, None)) for name in ("session", "sessions", "delete")):
        return SyncStore(cast("ListingStore", of))
    return SyncSession(cast("Session", of))


def _done(name: str, work: Callable[[], Awaitable[T]]) -> T:
    """Return the result of *work*, which the private loop runs."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        result: T = wait_for(cast("Any", work))
        return result
    raise ConfigurationError(
        f"sync(...).{name}() would block the event loop that runs in this thread; without sync()"
        f" the method is asynchronous: `await ....{name}()`"
    )
