"""A store over any back end: conversations by id, listed, described, branched, found, removed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import EllipsisType, TracebackType
from typing import Any, Self

from memwrap.exceptions import ConfigurationError
from memwrap.sessions.backend import LINGER_SECONDS, Backend
from memwrap.sessions.base import Durability, Promises
from memwrap.sessions.checks import (
    SessionSettings,
    check_changes,
    check_count,
    check_id,
    check_limit,
    check_seconds,
)
from memwrap.sessions.database import DatabaseSession
from memwrap.sessions.forking import forked
from memwrap.sessions.info import (
    ItemPage,
    Receipt,
    SearchHit,
    SessionInfo,
    TurnInfo,
    session_info,
    turn_info,
)
from memwrap.sessions.past import page_of
from memwrap.sessions.queries import search_query, session_query
from memwrap.sessions.records import SessionQuery
from memwrap.sessions.retention import erase_all, erase_one, keep_newest, purge_all
from memwrap.sessions.snippets import hits_of

__all__ = ["DatabaseStore"]


class DatabaseStore:
    """Conversations by id, over a back end.

    Args:
        backend: Where the rows are.
        strict: Raise `StoreError` for damaged rows, instead of leaving them out with a warning.
    """

    def __init__(self, backend: Backend, *, strict: bool = False) -> None:
        self._backend = backend
        self._strict = strict

    @property
    def backend(self) -> Backend:
        """Where the rows are, for what works on whole stores."""
        return self._backend

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
            ConfigurationError: The id is no string, empty, or too long, or the limit can be none.
        """
        settings = None if limit is None else SessionSettings(limit=check_limit(limit))
        return DatabaseSession(session_id, self._backend, settings, strict=self._strict)

    async def sessions(
        self,
        prefix: str = "",
        limit: int | None = None,
        after: str | SessionInfo | None = None,
        *,
        owner: str | None = None,
        tag: str | None = None,
    ) -> list[SessionInfo]:
        """List the sessions that hold items, those with the newest items first.

        Args:
            prefix: Only ids that begin with it.
            limit: At most that many.
            after: The last session of the page before: its line, behind which the list goes on
                though it be written to or deleted meanwhile, or its id, for where it is now.
            owner: Only sessions of that owner.
            tag: Only sessions with that tag.

        Raises:
            ConfigurationError: An argument can be none, or there is no session *after*.
            StoreError: The back end failed.
        """
        query = session_query(prefix, limit, after, owner, tag)
        rows = [] if limit == 0 else await self._backend.sessions(query)
        return [session_info(row) for row in rows]

    async def info(self, session_id: str) -> SessionInfo | None:
        """Return what is known of a session; None if that is nothing.

        Raises:
            ConfigurationError: The id is no string, empty, or too long.
            StoreError: The back end failed.
        """
        query = SessionQuery(session_id=check_id(session_id), limit=1, empty=True)
        rows = await self._backend.sessions(query)
        return session_info(rows[0]) if rows else None

    async def update(
        self,
        session_id: str,
        *,
        title: str | EllipsisType | None = ...,
        tags: Sequence[str] | EllipsisType = ...,
        owner: str | EllipsisType | None = ...,
        metadata: Mapping[str, Any] | EllipsisType | None = ...,
    ) -> None:
        """Change what is known of a session; what is left out stays as it is.

        The session need not have items yet.

        Args:
            session_id: The session.
            title: Its title, up to 64 KiB of JSON; None for none.
            tags: All its tags, each a string of up to 1 KiB.
            owner: Whose it is, a string of up to 1 KiB; None for nobody.
            metadata: All its metadata, a JSON object of up to 64 KiB.

        Raises:
            ConfigurationError: The id or one of the values can be none.
            StoreError: The back end failed.
        """
        session_id = check_id(session_id)
        changes = check_changes(title=title, tags=tags, owner=owner, metadata=metadata)
        if changes:
            await self._backend.update(session_id, changes)

    async def turns(
        self, session_id: str, *, limit: int | None = None, before: TurnInfo | int | None = None
    ) -> list[TurnInfo]:
        """Return the newest turns of a session, oldest first.

        Items that were appended by ``add_items`` are of no turn.

        Args:
            session_id: The session.
            limit: At most that many; None for all.
            before: Only turns before that one: a turn or its number.

        Raises:
            ConfigurationError: The id can be none, or the limit or number is no whole number.
            StoreError: The back end failed.
        """
        session_id, limit = check_id(session_id), check_limit(limit)
        if before is not None:
            before = check_count(getattr(before, "number", before), "before")
        found = [] if limit == 0 else await self._backend.turns(session_id, limit, before)
        return [turn_info(session_id, row) for row in found]

    async def get_items(
        self, session_id: str, *, limit: int | None = None, before: int | None = None
    ) -> ItemPage:
        """Return the newest items of a session, oldest first, and where older ones go on.

        Args:
            session_id: The session.
            limit: At most that many; None for all.
            before: ``before`` of the page behind, or ``first_item`` of a turn.

        Raises:
            ConfigurationError: The id can be none, or the limit or number is no whole number.
            StoreError: The back end failed, or a row is damaged and the store strict.
        """
        session_id, limit = check_id(session_id), check_limit(limit)
        if before is not None:
            before = check_count(before, "before")
        if limit == 0:
            return ItemPage([], before)
        return await page_of(self._backend, session_id, limit, before, strict=self._strict)

    async def fork(
        self, session: Any, new_id: str, *, at: TurnInfo | int | str | None = None
    ) -> DatabaseSession:
        """Return a new session that begins with the turns of another, which stays as it is.

        Doing it again returns the same session, with what was added since. It has the owner, tags,
        title and metadata of the other.

        Args:
            session: The session, of this store, or its id.
            new_id: The id of the new session.
            at: The newest turn that it has: a turn, its number, or its id; None for all items.

        Raises:
            ConfigurationError: The session is of another store or has no items or no such turn, or
                the new id is none or that of another session.
            StoreError: The back end failed; nothing was changed.
        """
        new_id = check_id(new_id, "the new session's id")
        await forked(self._backend, session, new_id, at)
        return self.session(new_id)

    async def search(
        self, text: str, *, prefix: str = "", owner: str | None = None, limit: int = 20
    ) -> list[SearchHit]:
        """Return the items that hold all words of a text, those that fit best first.

        Words are compared without case and accents, and a word finds those that begin with it. In
        scripts without spaces any part of a text is found. Without letter or digit nothing is.

        Args:
            text: What to look for; no sign in it has a meaning of its own.
            prefix: Only sessions whose ids begin with it.
            owner: Only sessions of that owner.
            limit: At most that many, up to 1000.

        Raises:
            ConfigurationError: The store offers no search, or an argument can be none.
            StoreError: The back end failed.
        """
        if not self.promises.searches:
            raise ConfigurationError(
                f"{type(self).__name__} offers no search; stores that can do, with search=True"
            )
        query = search_query(text, prefix, owner, limit)
        return await hits_of(self._backend, query, text)

    async def purge(
        self,
        older_than: float | timedelta | None = None,
        *,
        keep_turns: int | None = None,
        dry_run: bool = False,
    ) -> int:
        """Remove what has expired or is old, except with a running turn; return how many sessions.

        Args:
            older_than: Seconds or a timedelta: sessions to which nothing was written for that
                long are removed too.
            keep_turns: Instead of being removed for its age, a session keeps that many of its
                newest turns; without *older_than* each does.
            dry_run: Remove nothing, and return how many sessions it would be.

        Raises:
            ConfigurationError: A time or number is not more than 0.
            StoreError: The back end failed; some may have been removed.
        """
        seconds = check_seconds(older_than, "older_than")
        if keep_turns is None:
            return await purge_all(self._backend, seconds, dry_run=dry_run)
        turns = check_count(keep_turns, "keep_turns")
        count = await purge_all(self._backend, None, dry_run=dry_run)
        return count + await keep_newest(self._backend, turns, seconds, dry_run=dry_run)

    async def erase(self, *, owner: str | None = None, session_id: str | None = None) -> Receipt:
        """Remove all of an owner, or of a session, running turns too; return what tells of it.

        Raises:
            ConfigurationError: Both are given, neither is, or one can be none.
            StoreError: The back end failed; some may have been removed.
        """
        if (owner is None) is (session_id is None):
            raise ConfigurationError("erase() takes one of owner= and session_id=")
        if owner is not None:
            return await erase_all(self._backend, check_id(owner, "an owner"))
        return await erase_one(self._backend, check_id(session_id))

    async def delete(self, session_id: str) -> None:
        """Remove all that there is of a session; an unknown id does nothing.

        A turn that runs meanwhile is not stored, not even one that does it itself.

        Raises:
            ConfigurationError: The id is no string, empty, or too long.
            StoreError: The back end failed.
        """
        await self._backend.erase(check_id(session_id))

    async def setup(self) -> None:
        """Make what the sessions lie in, or check it, as the first call does otherwise.

        Raises:
            StoreError: The back end failed, or a newer version made it.
        """
        await self._backend.setup()

    async def durability(self) -> Durability:
        """Return what acknowledged items survive, as it is set up now.

        Raises:
            StoreError: The back end failed.
        """
        return await self._backend.durability()

    async def close(self, *, linger: float = LINGER_SECONDS) -> None:
        """Give back the store's share in what is held open; used again, it takes one again.

        An ``async with`` block closes at its end, unless somebody else uses the same.

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
