"""A store over any back end: sessions by id, listed and deleted."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from memwrap.sessions.backend import LINGER_SECONDS, Backend
from memwrap.sessions.base import Promises, SessionInfo
from memwrap.sessions.checks import SessionSettings, check_id, check_limit
from memwrap.sessions.database import DatabaseSession

__all__ = ["DatabaseStore"]


class DatabaseStore:
    """Sessions by id, over a back end.

    Args:
        backend: Where the rows are.
        strict: Raise `StoreError` for damaged rows, instead of leaving them out with a warning.
    """

    def __init__(self, backend: Backend, *, strict: bool = False) -> None:
        self._backend = backend
        self._strict = strict

    @property
    def promises(self) -> Promises:
        """What the back end holds to."""
        return self._backend.promises

    def session(self, session_id: str, /, *, limit: int | None = None) -> DatabaseSession:
        """Return the session of that id; nothing is stored until items are added.

        Args:
            session_id: Names the conversation.
            limit: How many of the newest items its turns load, and ``get_items()`` returns
                without a limit; None for all.

        Raises:
            ConfigurationError: The id is no string, empty, or too long, or the limit is negative
                or no whole number.
        """
        settings = None if limit is None else SessionSettings(limit=check_limit(limit))
        return DatabaseSession(session_id, self._backend, settings, strict=self._strict)

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
        return [] if limit == 0 else await self._backend.sessions(prefix, limit, after)

    async def delete(self, session_id: str) -> None:
        """Remove the session with all its items; an unknown id does nothing.

        A turn that runs meanwhile is not stored, not even one that does it itself.

        Raises:
            ConfigurationError: The id is no string, empty, or too long.
            StoreError: The back end failed.
        """
        await self._backend.clear(check_id(session_id))

    async def close(self, *, linger: float = LINGER_SECONDS) -> None:
        """Give back the store's share in what is held open; used again, it takes one again.

        The end of an ``async with`` block closes at once, unless somebody else uses the same.

        Args:
            linger: Seconds for which what nobody uses stays open for who comes next.
        """
        await self._backend.close(linger)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close(linger=0)
