"""What a back end implements: rows of bytes, by session id.

A back end hands out the bytes that it was given, and knows nothing of what they mean. So one back
end can stand around another, as one that encrypts does.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, NamedTuple, Protocol

from memwrap.sessions.base import Promises, SessionInfo
from memwrap.sessions.turns import OpenTurn, TurnRecord

__all__ = ["LINGER_SECONDS", "Backend", "Claim", "Pages", "RecordedRows", "RowWindow", "Rows"]

LINGER_SECONDS = 1.0
"""How long what nobody uses stays open for who comes next."""


class Pages(list[bytes]):
    """Rows that are joined page by page, oldest first: so many that they are not made one piece."""


class Rows(NamedTuple):
    """Rows of one session, oldest first.

    Attributes:
        ids: The number of each row. Numbers rise, and none is given twice. Beside the joined data
            of all rows only their count means anything.
        data: The bytes of each row, or of all rows as `memwrap.sessions.rows.joined` joins them, in
            one piece or in `Pages`.
        head: Version of the session's rows, which every append changes; None if it was not
            looked at.
        life: What the back end tells by whether the session has been cleared since.
        marks: What the newest recorded turn that has marks says of them; None if it was not
            looked for, or there is none.
    """

    ids: Sequence[int]
    data: Sequence[bytes] | bytes
    head: int | None = None
    life: Any = None
    marks: str | None = None


class RowWindow(NamedTuple):
    """Which rows a turn reads.

    Attributes:
        limit: The newest that many; None for all.
        names: Names of marks. If the marks of the session have them all, the rows from the
            smallest ``first`` of these on are read instead, and those that they have ``kept``.
        most: How many rows the session shows at most: of the others none is read. None for all.
    """

    limit: int | None = None
    names: Sequence[str] = ()
    most: int | None = None


class RecordedRows(NamedTuple):
    """A recorded turn.

    Attributes:
        record: What was stored beside its rows.
        rows: Those of its rows that are still there, not joined; the question that it answers
            belongs to it.
        size: How many rows it had when it was stored.
    """

    record: TurnRecord
    rows: Rows
    size: int


class Claim(NamedTuple):
    """The right of a turn to be stored.

    Attributes:
        token: Names the turn.
        lease: Token of the lease that has to be held; None for none.
        head: Version that the session's rows must still have; None if it is not checked.
        again: Whether the turn may be stored already, since a commit of it was tried.
        life: That of `Rows` when the turn began: the session must not have been cleared since.
            None if it is not checked.
    """

    token: str
    lease: str | None
    head: int | None
    again: bool
    life: Any = None


class Backend(Protocol):
    """Rows of bytes, by session id. Each method does all of its work or none.

    Attributes:
        promises: What it holds to. Without ``turns`` only the first methods are used, up to
            `close`. Without ``shared`` no lease is asked for.
    """

    promises: Promises

    def identity(self, session_id: str) -> Hashable:
        """Return the same value for all objects that stand for that session."""
        ...

    def place(self, session_id: str) -> str:
        """Name the session for an error: the kind of store, where it is, the id."""
        ...

    async def add(self, session_id: str, rows: Sequence[bytes]) -> None:
        """Append *rows*, all or none; there is at least one."""
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
        """Remove the session with all its rows, and end the right of its turns to be stored.

        Args:
            session_id: The session.
            own: Turns that do the clearing themselves: they go on.
        """
        ...

    async def sessions(
        self, prefix: str, limit: int | None, after: str | None
    ) -> list[SessionInfo]:
        """List sessions, the one with the newest rows first."""
        ...

    async def close(self, linger: float = LINGER_SECONDS) -> None:
        """Free what is held open, if nobody else uses it; a later call opens it again.

        Args:
            linger: Seconds for which it may stay open for who comes next.
        """
        ...

    async def begin(
        self, session_id: str, token: str, lease: float | None, window: RowWindow
    ) -> Rows | None:
        """Take a lease of that many seconds, if any, and return the rows of the window.

        They come with their head, the life of the session and, if names of marks are asked for,
        with its marks.

        Returns:
            The rows, joined or not; None if another holder has a lease that has not ended.
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
        as 0. A turn of the same id whose shape is `STOPPED` is removed with its rows.

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

    async def cut(self, session_id: str, first: int, last: int, count: int) -> bool:
        """Remove the rows with numbers from *first* to *last*, and the turns that they were of.

        Returns:
            Whether they are removed; False, and nothing is, when there are not *count* of them.
        """
        ...

    async def key(self) -> bytes:
        """Return the store's secret: 32 random bytes, made at first use, the same ever after."""
        ...
