"""What a back end keeps beside the rows of a session: of the session, and of each of its turns."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple, TypedDict

from memwrap.sessions.turns import TurnRecord

__all__ = [
    "Changes",
    "Erased",
    "Exported",
    "Forked",
    "Found",
    "MovedTurn",
    "SearchQuery",
    "SessionQuery",
    "SessionRow",
    "TurnRow",
]

Forked = Literal["forked", "missing", "taken"]
"""What became of a fork: made, or there already; no such session or turn; another session."""


class Changes(TypedDict, total=False):
    """What to change of a session; what is left out stays as it is.

    Attributes:
        owner: Whose it is: text as of ids (see `SessionRow`); None for nobody.
        tags: All tags from now on, each once, texts as of ids, sorted.
        title: JSON text; None for none.
        metadata: JSON text; None for none.
    """

    owner: str | None
    tags: Sequence[str]
    title: str | None
    metadata: str | None


class SessionRow(NamedTuple):
    """A session as a back end lists it.

    Ids, owners and tags are texts of up to 1 KiB of UTF-8 without surrogates, in which any other
    character may be, NUL too; they are compared as they are, code point by code point. Title and
    metadata are JSON texts in ASCII, up to 64 KiB, which no back end reads or changes.

    Attributes:
        session_id: Its id.
        created_at: When its first item was stored (UTC).
        updated_at: When its newest items were stored (UTC); of a session without items, when
            what is known of it was.
        items: How many rows it has.
        turns: How many recorded turns it has that are not removed.
        expires_at: When it expires unless it is written to; None for never.
        owner: Whose it is, or None.
        tags: Its tags, sorted.
        title: JSON text, or None.
        metadata: JSON text, or None.
        usage: The sums of `TurnRecord.usage` over all turns that were committed, those that have
            been undone since too; empty if no turn had any.
        parent: The id of the session that it was forked from, or None.
        parent_turn: The number of the newest turn that it has from there; None if it has none.
        cursor: Place in the list, for `SessionQuery.after`: the text that the back end needs to
            go on behind this session though it be written to, or removed, in between.
    """

    session_id: str
    created_at: datetime
    updated_at: datetime
    items: int
    turns: int = 0
    expires_at: datetime | None = None
    owner: str | None = None
    tags: Sequence[str] = ()
    title: str | None = None
    metadata: str | None = None
    usage: Sequence[int] = ()
    parent: str | None = None
    parent_turn: int | None = None
    cursor: str = ""


class SessionQuery(NamedTuple):
    """Which sessions are listed, those with the newest rows first.

    Attributes:
        prefix: Only ids that begin with it, by code points.
        session_id: Only the session of that id.
        owner: Only sessions of that owner.
        tag: Only sessions with that tag.
        limit: At most that many, at least one; None for all.
        after: Go on behind this place: ``(session id, cursor)``. Without a cursor (an empty text)
            the session is looked up, and is an error (`no_such_page`) if it is not there.
        empty: List sessions without rows too, of which an owner, tags, a title, metadata or a
            parent is known.
        expired: List sessions too that have expired, and are not removed yet.
    """

    prefix: str = ""
    session_id: str | None = None
    owner: str | None = None
    tag: str | None = None
    limit: int | None = None
    after: tuple[str, str] | None = None
    empty: bool = False
    expired: bool = False


class TurnRow(NamedTuple):
    """A recorded turn as a back end lists it.

    Attributes:
        record: What was stored beside its rows.
        number: Its place among the session's recorded turns: one more than that of the turn
            stored before it, 1 for the first. A number comes again only after an undo.
        first: The number of its first row, of the question that it answers too.
        last: The number of its last row.
        size: How many rows it had when it was stored.
        stored_at: When it was stored (UTC).
    """

    record: TurnRecord
    number: int
    first: int
    last: int
    size: int
    stored_at: datetime


class SearchQuery(NamedTuple):
    """What to search for.

    Attributes:
        terms: What has to be in a row, each as the beginning of one of its `words.terms_of`; at
            least one. They hold ``a`` to ``z`` and ``0`` to ``9`` only.
        prefix: Only sessions whose ids begin with it.
        owner: Only sessions of that owner; None for all.
        limit: At most that many rows, at least one.
    """

    terms: Sequence[str]
    prefix: str
    owner: str | None
    limit: int


class Found(NamedTuple):
    """A row that was searched for.

    Attributes:
        session_id: Its session.
        number: Its number.
        row: Its bytes.
        turn: The number of the recorded turn that it is of; None for none.
        turn_id: The id of that turn, or None.
    """

    session_id: str
    number: int
    row: bytes
    turn: int | None
    turn_id: str | None


class Erased(NamedTuple):
    """What was erased of one session.

    Attributes:
        items: How many rows.
        turns: How many recorded turns.
    """

    items: int
    turns: int


class Exported(NamedTuple):
    """A stretch of a session on its way into another store.

    Attributes:
        ids: The numbers of the rows, oldest first.
        rows: Their bytes.
        turns: The recorded turns whose last row is among them, and which have all their rows.
    """

    ids: Sequence[int]
    rows: Sequence[bytes]
    turns: Sequence[TurnRow]


class MovedTurn(NamedTuple):
    """A recorded turn on its way into another store, where rows have other numbers.

    Attributes:
        record: What is stored beside its rows.
        number: Its number, which stays.
        end: The place of its last row among the rows that come with it, from 0.
        size: How many rows it has, which may have come before, too; there are none between.
        stored_at: When it was stored first.
    """

    record: TurnRecord
    number: int
    end: int
    size: int
    stored_at: datetime
