"""What a store tells of its conversations: sessions, turns, pages of items, and what was found."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from memwrap.items import Item
from memwrap.sessions.checks import json_text
from memwrap.sessions.records import SessionRow, TurnRow
from memwrap.sessions.turns import TurnRecord
from memwrap.usage import Usage

__all__ = [
    "ItemPage",
    "Receipt",
    "SearchHit",
    "SessionInfo",
    "TurnInfo",
    "noted",
    "session_info",
    "turn_info",
]


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """One line of the list of sessions.

    Attributes:
        session_id: Its id.
        created_at: When its first item was stored (UTC).
        updated_at: When its newest items were stored (UTC).
        item_count: How many items it holds.
        turn_count: How many turns it holds that were stored as turns.
        expires_at: When it expires if nothing is written to it (UTC); None for never.
        title: Its title, or None.
        tags: Its tags, sorted.
        owner: Whose it is, or None.
        metadata: What the application keeps with it: a JSON object.
        usage: The tokens that its turns cost, those that were undone too, as far as layers have
            noted them; None if none has.
        parent: The id of the session that it was forked from, or None.
        parent_turn: The number of the newest turn that it has from there, or None.
        cursor: Its place in the list, for programs that go on behind it.
    """

    session_id: str
    created_at: datetime
    updated_at: datetime
    item_count: int
    turn_count: int = 0
    expires_at: datetime | None = None
    title: str | None = None
    tags: tuple[str, ...] = ()
    owner: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict, hash=False)
    usage: Usage | None = None
    parent: str | None = None
    parent_turn: int | None = None
    cursor: str = field(default="", repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class TurnInfo:
    """One turn of a session.

    Attributes:
        session_id: The session that it is of.
        id: The caller's name for it, or None.
        number: Its place among the turns of the session, from 1.
        started_at: When it began (UTC).
        stored_at: When it was stored (UTC).
        first_item: The number of its first item, as `ItemPage.before` counts them.
        last_item: The number of its last item.
        item_count: How many items it had when it was stored.
        usage: The tokens that it cost, or None if no layer has noted them.
        metadata: What layers noted in ``turn.metadata``.
    """

    session_id: str
    id: str | None
    number: int
    started_at: datetime
    stored_at: datetime
    first_item: int
    last_item: int
    item_count: int
    usage: Usage | None = None
    metadata: dict[str, Any] = field(default_factory=dict, hash=False)


class ItemPage(list[Item]):
    """Items of a session, oldest first, with where to go on.

    Attributes:
        before: What to pass as ``before=`` for the page of older items; None if there is none.
        numbers: The number of each item.
        damaged: The numbers of rows that cannot be read, and are left out.
    """

    def __init__(
        self,
        items: Sequence[Item],
        before: int | None,
        numbers: Sequence[int] = (),
        damaged: Sequence[int] = (),
    ) -> None:
        super().__init__(items)
        self.before = before
        self.numbers = numbers
        self.damaged = damaged


@dataclass(frozen=True, slots=True)
class SearchHit:
    """An item that was found.

    Attributes:
        session_id: The session that it is in.
        turn: The number of the turn that it is of, for `fork` and `turns`; None for none.
        turn_id: The id of that turn, or None.
        number: The number of the item, as `ItemPage.before` counts them.
        snippet: The words around the first place that fits.
        item: The item.
    """

    session_id: str
    turn: int | None
    turn_id: str | None
    number: int
    snippet: str = field(repr=False)
    item: Item = field(repr=False, hash=False)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was erased, without any content.

    Attributes:
        erased_at: When (UTC).
        sessions: How many sessions.
        turns: How many turns that were stored as turns.
        items: How many items.
        digests: Of each session's id a digest (HMAC with SHA-256, in hex) that only who has the
            store's secret can make again, sorted.
        owner: The digest of the owner; None if one session was erased by its id.
    """

    erased_at: datetime
    sessions: int
    turns: int
    items: int
    digests: tuple[str, ...]
    owner: str | None = None


def session_info(row: SessionRow) -> SessionInfo:
    """Return what a caller sees of a session."""
    return SessionInfo(
        row.session_id,
        row.created_at,
        row.updated_at,
        row.items,
        row.turns,
        row.expires_at,
        None if row.title is None else json.loads(row.title),
        tuple(row.tags),
        row.owner,
        {} if row.metadata is None else json.loads(row.metadata),
        _usage(row.usage),
        row.parent,
        row.parent_turn,
        row.cursor,
    )


def turn_info(session_id: str, row: TurnRow) -> TurnInfo:
    """Return what a caller sees of a turn."""
    record = row.record
    return TurnInfo(
        session_id,
        record.turn_id,
        row.number,
        row.stored_at - timedelta(seconds=record.seconds),
        row.stored_at,
        row.first,
        row.last,
        row.size,
        _usage(record.usage),
        json.loads(record.metadata) if record.metadata else {},
    )


def noted(record: TurnRecord, metadata: dict[str, Any], usage: Usage | None) -> TurnRecord:
    """Return a turn's record with what layers note of the turn.

    Raises:
        ConfigurationError: JSON cannot hold the metadata.
    """
    text = json_text(metadata, "turn.metadata") if metadata else ""
    return record._replace(metadata=text, usage=() if usage is None else _numbers(usage))


def _numbers(usage: Usage) -> tuple[int, ...]:
    return (
        usage.input_tokens,
        usage.output_tokens,
        usage.cache_read_tokens,
        usage.cache_creation_tokens,
        usage.reasoning_tokens,
    )


def _usage(numbers: Sequence[int]) -> Usage | None:
    if not numbers:
        return None
    input_tokens, output_tokens, cache_read, cache_creation, reasoning = numbers
    return Usage(input_tokens, output_tokens, cache_read, cache_creation, reasoning)
