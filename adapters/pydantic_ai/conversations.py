"""Sessions as a conversation store of Pydantic AI.

The current history of a conversation is the items of the session of its id, each message with the
id of its entry. Beside it, in a session named ``memwrap.pydantic_ai/<id>``, lie the records, the
newest last, and the entries of branches that the conversation has left.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from pydantic_ai.conversation_store import (
    ConversationConflict,
    ConversationEntry,
    ConversationRecord,
    ConversationStore,
)

from memwrap.adapters.pydantic_ai.entries import Entry, entry_of
from memwrap.adapters.pydantic_ai.stored import State, record_item, said, state_of
from memwrap.exceptions import ConfigurationError
from memwrap.items import Item
from memwrap.memory.held import held
from memwrap.sessions.base import Session, StoreLike
from memwrap.sessions.popping import maybe, pop_items
from memwrap.sessions.resolve import resolve
from memwrap.sessions.turns import OpenTurn, TurnRecord, TurnSession

__all__ = ["MemwrapConversationStore"]

_BESIDE = "memwrap.pydantic_ai/"
_MOST_HOMES = 10_000


class MemwrapConversationStore(ConversationStore):
    """Keeps conversations in the sessions of a store, where other agents find and continue them.

    What others append to a session is in the next `load` of its conversation, and a conversation
    that was loaded before is refused with `ConversationConflict`. A session that only others have
    written can be loaded and continued too. `delete` removes all entries of a conversation.

    Args:
        store: Where ids of conversations become sessions. To list conversations, it has a method
            ``sessions()``, as memwrap's stores have.
    """

    def __init__(self, store: StoreLike) -> None:
        self._store = store
        self._homes: dict[str, str] = {}  # the conversations of the newest entries

    async def read_record(self, conversation_id: str) -> ConversationRecord | None:
        """Return the record of a conversation; None if there is none."""
        return (await self._state(conversation_id)).record

    async def read_records(
        self, *, scope: str | None = None, limit: int | None = None
    ) -> Sequence[ConversationRecord]:
        """Return the records, or those of a scope, those saved last first."""
        found = [
            record
            for conversation_id in await self._ids()
            if (record := await self.read_record(conversation_id)) is not None
            and (scope is None or record.scope == scope)
        ]
        found.sort(key=lambda record: record.updated_at, reverse=True)
        return found[:limit]

    async def read_history(
        self, head_id: str | None, *, limit: int | None = None
    ) -> list[ConversationEntry]:
        """Return the entries up to that one, oldest first, or the newest of them."""
        if head_id is None:
            return []
        chain = (await self._state_with(head_id)).chain(head_id)
        ids = [None, *(entry.id for entry in chain)]
        entries = [
            ConversationEntry(id=entry.id, parent_id=ids[place], message=entry.message)
            for place, entry in enumerate(chain)
        ]
        return entries if limit is None else entries[max(len(entries) - limit, 0) :]

    async def read_entry(self, entry_id: str) -> ConversationEntry:
        """Return the entry of that id."""
        return (await self.read_history(entry_id))[-1]

    async def write_record(
        self,
        record: ConversationRecord,
        *,
        new_entries: Sequence[ConversationEntry] = (),
        expected_revision: str | None,
    ) -> None:
        """Store a record and new entries, in place of the record of that revision.

        Raises:
            ConversationConflict: There is another record, or no such head.
        """
        conversation_id = record.conversation_id
        session = self._session(conversation_id)
        async with held(session) as (turns, opened):
            state = await self._state(conversation_id, opened.history)
            known = None if state.record is None else state.record.revision
            if known != expected_revision:
                raise ConversationConflict(conversation_id)
            if state.record is None:  # what was deleted leaves nothing
                await maybe(self._beside(conversation_id).clear_session())
            chain = await self._chain(record, new_entries, state)
            kept = state.shared(chain)
            is_longer = kept == len(state.line)
            if is_longer:
                await _append(turns, opened, chain[kept:], conversation_id)
            else:
                await self._add(conversation_id, state.left_behind(kept))
            await self._add(conversation_id, [record_item(record)])
            if not is_longer:
                await _rewrite(session, opened.history, state.line[:kept], chain[kept:])
        self._remember(record)

    async def delete_record(self, conversation_id: str, *, expected_revision: str) -> None:
        """Delete a conversation with all its entries.

        Raises:
            ConversationConflict: There is another record, or none.
        """
        session = self._session(conversation_id)
        async with held(session) as (_, opened):
            state = await self._state(conversation_id, opened.history)
            if state.record is None or state.record.revision != expected_revision:
                raise ConversationConflict(conversation_id)
            await maybe(session.clear_session())
            await maybe(self._beside(conversation_id).clear_session())

    # What is stored

    def _session(self, session_id: str) -> Session:
        found = resolve(session_id, self._store)
        assert found is not None  # noqa: S101  (a string names a session)
        return found

    def _beside(self, conversation_id: str) -> Session:
        return self._session(_BESIDE + conversation_id)

    async def _add(self, conversation_id: str, items: list[Item]) -> None:
        if items:
            await maybe(self._beside(conversation_id).add_items(items))

    async def _state(self, conversation_id: str, items: list[Item] | None = None) -> State:
        beside: list[Item] = await maybe(self._beside(conversation_id).get_items())
        if items is None:
            items = list(await maybe(self._session(conversation_id).get_items()))
        state = state_of(conversation_id, items, beside)
        if state.record is not None:
            self._remember(state.record)
        return state

    async def _chain(
        self, record: ConversationRecord, new: Sequence[ConversationEntry], state: State
    ) -> list[Entry]:
        """Return the entries of the history that a record ends.

        Raises:
            ConversationConflict: Nobody has the entry that they go on from.
        """
        entries = {entry.id: entry for entry in new}
        behind: list[Entry] = []
        head_id = record.head_id
        while head_id in entries:
            entry = entries[head_id]
            behind.append(entry_of(entry.id, entry.message))
            head_id = entry.parent_id
        with suppress(LookupError):
            return [*state.chain(head_id), *behind[::-1]]
        with suppress(LookupError):
            if record.forked_from is not None:
                source = await self._state(record.forked_from)
                return [*source.chain(head_id), *behind[::-1]]
        raise ConversationConflict(record.conversation_id)

    # Where entries are

    def _remember(self, record: ConversationRecord) -> None:
        for entry_id in (record.head_id, *record.branches):
            if entry_id is not None:
                self._homes.pop(entry_id, None)
                self._homes[entry_id] = record.conversation_id
        while len(self._homes) > _MOST_HOMES:
            del self._homes[next(iter(self._homes))]

    async def _state_with(self, entry_id: str) -> State:
        """Return the conversation with that entry.

        Raises:
            LookupError: There is none.
        """
        home = self._homes.get(entry_id)
        homes = [] if home is None else [home]
        for conversation_id in homes or await self._ids():
            state = await self._state(conversation_id)
            if entry_id in state.left or any(entry.id == entry_id for entry in state.line):
                return state
        raise LookupError("no conversation has such an entry")

    async def _ids(self) -> list[str]:
        """Return the ids of all conversations that have a record."""
        sessions: Any = getattr(self._store, "sessions", None)
        if sessions is None:
            raise ConfigurationError(
                "to list conversations, MemwrapConversationStore needs a store with a method"
                " sessions(), as SQLiteStore and InMemoryStore have; this one only finds sessions"
                " by their ids"
            )
        return [info.session_id.removeprefix(_BESIDE) for info in await sessions(prefix=_BESIDE)]


async def _append(
    turns: TurnSession, opened: OpenTurn, entries: Sequence[Entry], conversation_id: str
) -> None:
    items = said(entries)
    if items and not await turns.commit_turn(opened, items, TurnRecord()):
        raise ConversationConflict(conversation_id)


async def _rewrite(
    session: Session, history: list[Item], kept: Sequence[Entry], new: Sequence[Entry]
) -> None:
    """Replace the entries of a session behind those that are kept."""
    size = sum(len(entry.items) for entry in kept)
    await pop_items(session, history[size:])
    if new:
        await maybe(session.add_items(said(new)))
