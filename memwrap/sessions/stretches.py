"""Stretches of a session's rows, as back ends are asked for them and hand them out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from memwrap.sessions.turns import TurnRecord

__all__ = ["Claim", "Held", "Pages", "RecordedRows", "RowWindow", "Rows"]


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


class Held(NamedTuple):
    """The answer to a turn that cannot begin: another has the session.

    Attributes:
        holder: The token of the lease that has not ended.
    """

    holder: str


class Claim(NamedTuple):
    """The right of a turn to be stored.

    Attributes:
        token: Names the turn.
        lease: Token of the lease that has to be held; None for none.
        head: Version that the session's rows must still have; None if it is not checked.
        again: Whether the turn may be stored already, since a commit of it was tried.
        life: That of `Rows` when the turn began: the session must not have been cleared since.
            None if it is not checked. A back end whose leases can get lost (in a crash, with a
            failover) keeps in it what tells that nobody has written since, and takes a turn then
            whose lease is gone and was given to nobody else.
    """

    token: str
    lease: str | None
    head: int | None
    again: bool
    life: Any = None
