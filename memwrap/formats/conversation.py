"""One conversation outside of a store: its items, its turns, and what is known of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from memwrap.codec import encode_items
from memwrap.exceptions import ConfigurationError
from memwrap.items import Item
from memwrap.sessions.backend import Backend, Rows
from memwrap.sessions.checks import check_changes, check_id
from memwrap.sessions.copying import copy_session
from memwrap.sessions.database_store import DatabaseStore
from memwrap.sessions.info import SessionInfo, TurnInfo, noted, session_info, turn_info
from memwrap.sessions.memory_backend import MemoryBackend
from memwrap.sessions.records import MovedTurn, SessionQuery, SessionRow
from memwrap.sessions.rows import decode_each_slowly, report
from memwrap.sessions.turns import TurnRecord, fingerprint, made_with

__all__ = ["Answered", "Conversation", "read_conversation", "write_conversation"]

_PAGE = 1000  # rows that are read at once


@dataclass(frozen=True, slots=True)
class Answered:
    """What a turn has besides `TurnInfo`, so that its id is answered elsewhere too.

    Attributes:
        shape: What kind of answer the caller got.
        inputs: How many of its items are input.
        is_input_kept: Whether the input was stored as the caller passed it.
    """

    shape: str
    inputs: int
    is_input_kept: bool


@dataclass(slots=True)
class Conversation:
    """One conversation.

    Attributes:
        id: The id of its session.
        items: Its items, oldest first.
        turns: Its recorded turns, oldest first.
        info: What is known of it; None for nothing.
        numbers: The number of each item, as `TurnInfo` counts them; empty for 1, 2 and so on.
        answered: What else is stored of turns, by their numbers.
    """

    id: str
    items: list[Item]
    turns: list[TurnInfo] = field(default_factory=list)
    info: SessionInfo | None = None
    numbers: Sequence[int] = ()
    answered: Mapping[int, Answered] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.id!r}, {len(self.items)} items)"

    def places(self) -> Mapping[int, int]:
        """Return the place of each item by its number."""
        return {number: place for place, number in enumerate(self._numbers())}

    def items_of(self, turn: TurnInfo) -> list[Item]:
        """Return the items of a turn."""
        pairs = zip(self._numbers(), self.items, strict=True)
        return [item for number, item in pairs if turn.first_item <= number <= turn.last_item]

    def _numbers(self) -> Sequence[int]:
        return self.numbers or range(1, len(self.items) + 1)


async def read_conversation(
    store: DatabaseStore, session_id: str, *, strict: bool = False
) -> Conversation | None:
    """Return a whole conversation of a store; None if the store knows nothing of it.

    Args:
        store: The store.
        session_id: The session.
        strict: Raise `StoreError` for damaged items, instead of leaving them out with a warning.

    Raises:
        ConfigurationError: The id is no string, empty, or too long.
        StoreError: The store failed, or an item is damaged and the reading is *strict*.
    """
    backend = store.backend
    query = SessionQuery(session_id=check_id(session_id), limit=1, empty=True)
    known = await backend.sessions(query)
    if not known:
        return None
    key = await backend.key()
    items: dict[int, Item] = {}
    damaged: list[int] = []
    conversation = Conversation(session_id, [], info=session_info(known[0]))
    answered: dict[int, Answered] = {}
    records: dict[int, TurnRecord] = {}
    after = 0
    while (found := await backend.export(session_id, after, _PAGE)).ids:
        whole, bad = await decode_each_slowly(Rows(found.ids, found.rows))
        items |= whole
        damaged += bad
        for turn in found.turns:
            conversation.turns.append(turn_info(session_id, turn))
            records[turn.number] = turn.record
        after = found.ids[-1]
    if damaged:
        report(backend.place(session_id), damaged, strict=strict)
    conversation.items, conversation.numbers = list(items.values()), list(items)
    for one in conversation.turns:
        record = records[one.number]
        input = conversation.items_of(one)[: record.inputs]
        stored, made_by = made_with(record.fingerprint, key)
        is_kept = stored in (fingerprint(input, made_by), fingerprint(input, b""))
        answered[one.number] = Answered(record.shape, record.inputs, is_kept)
    conversation.answered = answered
    return conversation


async def write_conversation(
    store: DatabaseStore, conversation: Conversation, *, id: str | None = None
) -> int:
    """Store a conversation with its turns and what is known of it; return how many items are new.

    Writing it again adds nothing, and completes what was interrupted. A turn that the conversation
    tells whole keeps its answered id: the same call again gets the stored answer.

    Args:
        store: Where to.
        conversation: The conversation.
        id: The id of the session; that of the conversation without.

    Raises:
        ConfigurationError: The id is no string, empty, or too long.
        ConversionError: An item can not be stored.
        StoreError: The store failed, or has other items under that id; they are left alone.
    """
    session_id = check_id(conversation.id if id is None else id)
    target = store.backend
    known = await target.sessions(SessionQuery(session_id=session_id, limit=1, empty=True))
    about = _about(session_id, conversation, known[0] if known else None)
    source = MemoryBackend()
    rows = encode_items(conversation.items)
    moved = await _moved(conversation, source)
    if not await source.insert(session_id, 0, rows, moved, about):
        raise ConfigurationError(f"{conversation!r} can not be stored")
    return (await copy_session(source, target, about)).items


async def _moved(conversation: Conversation, source: Backend) -> list[MovedTurn]:
    """Return the turns on their way into a store, without those that lack items."""
    key = await source.key()
    places = conversation.places()
    moved = []
    for turn in conversation.turns:
        items = conversation.items_of(turn)
        if len(items) != turn.item_count or turn.last_item not in places:
            continue
        seconds = (turn.stored_at - turn.started_at).total_seconds()
        record = TurnRecord(turn_id=turn.id, seconds=max(seconds, 0.0))
        known = conversation.answered.get(turn.number)
        if known is not None:
            record = record._replace(shape=known.shape, inputs=known.inputs)
            if known.is_input_kept:
                record = record._replace(fingerprint=fingerprint(items[: known.inputs], key))
        record = noted(record, turn.metadata, turn.usage)
        end = places[turn.last_item]
        moved.append(MovedTurn(record, turn.number, end, turn.item_count, turn.stored_at))
    return moved


def _about(session_id: str, conversation: Conversation, known: SessionRow | None) -> SessionRow:
    """Return what is stored of the session: what the conversation tells, or what is there."""
    info = conversation.info
    if info is None:
        now = datetime.now(UTC)
        return known or SessionRow(session_id, now, now, 0)
    usage = noted(TurnRecord(), {}, info.usage).usage
    told = check_changes(
        title=info.title, tags=info.tags, owner=info.owner, metadata=info.metadata or None
    )
    return SessionRow(
        session_id,
        info.created_at,
        info.updated_at,
        len(conversation.items),
        len(conversation.turns),
        info.expires_at,
        told.get("owner"),
        told.get("tags", ()),
        told.get("title"),
        told.get("metadata"),
        usage,
        info.parent,
        info.parent_turn,
    )
