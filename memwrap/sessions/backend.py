"""What a back end implements: rows of bytes, by session id.

A back end hands out the bytes that it was given, and knows nothing of what they mean. So one back
end can stand around another, as one that encrypts does.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, Protocol

from memwrap.sessions.base import Durability, Promises
from memwrap.sessions.records import (
    Changes,
    Erased,
    Exported,
    Forked,
    Found,
    MovedTurn,
    SearchQuery,
    SessionQuery,
    SessionRow,
    TurnRow,
)
from memwrap.sessions.stretches import Claim, Held, RecordedRows, Rows, RowWindow
from memwrap.sessions.turns import OpenTurn, TurnRecord

__all__ = ["LINGER_SECONDS", "Backend", "Claim", "Held", "RecordedRows", "RowWindow", "Rows"]

LINGER_SECONDS = 1.0
"""How long what nobody uses stays open for who comes next."""


class Backend(Protocol):
    """Rows of bytes, by session id. Each method does all of its work or none.

    Each is one round trip to a server. What fails is a `StoreError`; `Lost` if nobody can know
    whether it was done. None tries again by itself when an answer was lost, or ends before it is
    cancelled: `SteadyBackend` stands around a back end on a network, and does both for all.

    A session that has expired has no rows, no turns and nothing else to any method but those that
    say otherwise. The next add, commit, update, fork or insert into it begins it anew.
    """

    @property
    def promises(self) -> Promises:
        """What it holds to; what it does not promise (turns, leases, search) is not called."""
        ...

    def identity(self, session_id: str) -> Hashable:
        """Return the same value for all objects that stand for that session."""
        ...

    def place(self, session_id: str) -> str:
        """Name the session for an error: the kind of store, where it is, the id."""
        ...

    async def setup(self) -> None:
        """Make what the rows lie in, or check it, as the first other call does; by many at once.

        Raises:
            StoreError: A newer version made it, or it is something else; it is untouched.
        """
        ...

    async def durability(self) -> Durability:
        """Return what acknowledged rows survive, as it is set up now; never more than it holds.

        One on a network reads it from the server, and has ``"none"`` in its promises until then.
        """
        ...

    async def add(
        self, session_id: str, rows: Sequence[bytes], token: str = "", *, again: bool = False
    ) -> None:
        """Append *rows*, all or none; there is at least one.

        Args:
            session_id: The session.
            rows: The rows.
            token: Names this append, unlike any other, so that it can be done again: a back end
                that may raise `Lost` remembers it for a minute at least. Empty otherwise.
            again: Whether an append of that token may have been done: then it is not done twice.
        """
        ...

    async def get(
        self, session_id: str, limit: int | None, *, joined: bool, before: int | None = None
    ) -> Rows:
        """Return the newest *limit* rows.

        Args:
            session_id: The session.
            limit: How many; positive, or None for all.
            joined: Whether the data may come in one piece, where that is faster.
            before: Only rows with smaller numbers; such rows are not joined.
        """
        ...

    async def pop(
        self, session_id: str, readable: Callable[[bytes], bool], own: Sequence[OpenTurn] = ()
    ) -> tuple[int, bytes] | None:
        """Remove the newest row, unless it is not *readable*.

        Args:
            session_id: The session.
            readable: Tells whether the data of a row can be read; from any thread.
            own: Turns that do it themselves: they go on, whatever they remove.

        Returns:
            The newest row's number and data, removed or not; None if there is none.
        """
        ...

    async def clear(self, session_id: str, own: Sequence[OpenTurn] = ()) -> None:
        """Remove all rows and turns of the session, and end the right of its turns to be stored.

        What is known of it goes too, its owner apart: what is added later is still theirs.

        Args:
            session_id: The session.
            own: Turns that do the clearing themselves: they go on.
        """
        ...

    async def sessions(self, query: SessionQuery) -> list[SessionRow]:
        """List sessions, the one with the newest rows first; see `SessionQuery`."""
        ...

    async def close(self, linger: float = LINGER_SECONDS) -> None:
        """Free what is held open, if nobody else uses it; a later call opens it again.

        Args:
            linger: Seconds for which it may stay open for who comes next.
        """
        ...

    async def begin(
        self,
        session_id: str,
        token: str,
        lease: float | None,
        window: RowWindow,
        dead: str | None = None,
    ) -> Rows | Held:
        """Take a lease of that many seconds, if any, and return the rows of the window.

        They come with their head, the life of the session and, if names of marks are asked for,
        with its marks. A lease that is the token's already is taken again.

        Args:
            session_id: The session.
            token: Names the turn.
            lease: Seconds, by the clock of the back end; None for no lease.
            window: The rows to return.
            dead: A holder whose lease counts for nothing, since it can never be given back.

        Returns:
            The rows, joined or not, or who holds the session by a lease that has not ended.
        """
        ...

    async def renew(self, session_id: str, token: str, lease: float) -> None:
        """Let the lease begin anew, unless somebody else has it."""
        ...

    async def release(self, session_id: str, token: str, life: Any = None) -> None:
        """Give the lease back; with a *life*, so that the turn may still be stored later."""
        ...

    async def commit(
        self, session_id: str, rows: Sequence[bytes], record: TurnRecord, claim: Claim
    ) -> bool:
        """Append *rows* with their record and give the turn's own lease back.

        If ``record.answers`` is the size of the newest recorded turn, and that ends with the
        newest row, the two become one turn under this record; otherwise ``answers`` is stored
        as 0. A turn of the same id whose shape is `STOPPED` is removed with its rows. The turn's
        number is one more than that of the newest recorded turn, and its usage is added to the
        session's.

        Returns:
            Whether the turn is stored; False when its claim does not hold.
        """
        ...

    async def find(self, session_id: str, turn_id: str) -> RecordedRows | None:
        """Return the newest recorded turn of that id."""
        ...

    async def newest(self, session_id: str) -> RecordedRows | None:
        """Return the recorded turn that ends with the session's newest row, if one does."""
        ...

    async def ranges(self, session_id: str, first: int = 0) -> Sequence[tuple[int, int]]:
        """Return the first and the last row's number of each recorded turn, in order.

        Args:
            session_id: The session.
            first: Only turns with rows from this number on.
        """
        ...

    async def cut(self, session_id: str, first: int, last: int, count: int | None) -> bool:
        """Remove the rows with numbers from *first* to *last*, and the turns that they were of.

        Args:
            session_id: The session.
            first: The smallest number.
            last: The greatest number.
            count: How many there have to be; None for any number.

        Returns:
            Whether they are removed; False, and nothing is, when there are not *count* of them.
        """
        ...

    async def turns(
        self, session_id: str, limit: int | None, before: int | None = None
    ) -> list[TurnRow]:
        """Return the newest recorded turns, oldest first.

        Args:
            session_id: The session.
            limit: How many; positive, or None for all.
            before: Only turns with smaller numbers, those of `TurnRow.number`.
        """
        ...

    async def update(self, session_id: str, changes: Changes) -> None:
        """Change what is known of a session, with rows or without; its place in the list stays.

        Of a session without rows, owner, tags, title and metadata nothing is left.
        """
        ...

    async def fork(self, session_id: str, new_id: str, at: int | str | None) -> Forked:
        """Make a session of the rows and turns of another; that one stays as it is.

        The new session has the old one's owner, tags, title and metadata, its turns' records with
        their ids, numbers and times, but no marks (these name rows by numbers) and no usage, and
        the old session and its newest copied turn as its parent. Its times are those of the fork.

        Args:
            session_id: The session to begin with.
            new_id: The id of the new one.
            at: The newest turn to take, by its number or its id, with all rows before it; None
                for all rows.

        Returns:
            ``"forked"`` if the new session is there with that parent and that turn (any, with *at*
            None), made now or earlier, whatever was added since; ``"missing"`` if the old one has
            no rows or no such turn; ``"taken"`` if *new_id* has rows or a parent otherwise.
            Nothing is changed unless it is made now.
        """
        ...

    async def search(self, query: SearchQuery) -> list[Found]:
        """Return the rows that hold all terms, those that fit best first.

        A row is found from when it is stored until it is removed, whoever does so. What is kept for
        the search goes with the row.
        """
        ...

    async def purge(self, older_than: float | None, limit: int, *, count_only: bool = False) -> int:
        """Remove sessions that have expired, whole, unless a turn of theirs holds a lease.

        Args:
            older_than: Remove those too that were not written to for that many seconds.
            limit: At most that many; the caller asks again until there are fewer.
            count_only: Remove nothing, and count all, without the limit.

        Returns:
            How many sessions are, or would be, removed.
        """
        ...

    async def erase(self, session_id: str) -> Erased | None:
        """Remove all that there is of a session, expired or not, its owner too.

        The right of its turns to be stored ends, whoever they are.

        Returns:
            What was removed; None if nothing was known of the session.
        """
        ...

    async def export(self, session_id: str, after: int, limit: int) -> Exported:
        """Return the oldest rows with numbers greater than *after*, at most *limit*."""
        ...

    async def insert(
        self,
        session_id: str,
        place: int,
        rows: Sequence[bytes],
        turns: Sequence[MovedTurn],
        about: SessionRow,
    ) -> bool:
        """Append rows from another store with their turns, if the session has *place* rows now.

        Args:
            session_id: The session.
            place: How many rows the session has to have.
            rows: The rows; there may be none.
            turns: The recorded turns whose last rows are among them.
            about: What is stored of the session: all of it but the counts. Its times are kept;
                a back end with a time to live sets its own, another keeps ``expires_at``.

        Returns:
            Whether it is done; False, and nothing is, if there are more rows or fewer.
        """
        ...

    async def key(self) -> bytes:
        """Return the store's secret: 32 random bytes, made at first use, the same ever after."""
        ...
