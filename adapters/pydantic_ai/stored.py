"""A conversation as it is stored: its current history, its record, and the branches it has left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from pydantic import TypeAdapter
from pydantic_ai.conversation_store import ConversationRecord

from memwrap.adapters.pydantic_ai.entries import Entry, entries_of, with_entry
from memwrap.adapters.pydantic_ai.items_to_message import UNKNOWN_TIME
from memwrap.items import Item

__all__ = ["State", "record_item", "said", "state_of"]

_RECORD, _LEFT = "conversation_record", "conversation_entry"

_RECORDS: Final[TypeAdapter[ConversationRecord]] = TypeAdapter(ConversationRecord)


@dataclass(frozen=True, slots=True)
class State:
    """A conversation as it is stored.

    Attributes:
        record: The record, with what others have done since; None if there is no conversation.
        line: The entries of the current history.
        left: The entries of branches, by their ids, each with that of the entry before it.
    """

    record: ConversationRecord | None
    line: list[Entry]
    left: Mapping[str, tuple[str | None, Entry]]

    def chain(self, head_id: str | None) -> list[Entry]:
        """Return the entries up to that one.

        Raises:
            LookupError: There is no such entry.
        """
        places = {entry.id: place for place, entry in enumerate(self.line)}
        found: list[Entry] = []
        while head_id is not None:
            if head_id in places:
                return [*self.line[: places[head_id] + 1], *found[::-1]]
            head_id, entry = self.left[head_id]
            found.append(entry)
        return found[::-1]

    def shared(self, chain: Sequence[Entry]) -> int:
        """Return how many entries the current history and another begin with in common."""
        places = range(min(len(self.line), len(chain)))
        return next((n for n in places if self.line[n].id != chain[n].id), len(places))

    def left_behind(self, kept: int) -> list[Item]:
        """Return the items that keep the entries behind the first *kept* ones, as a branch."""
        parent = self.line[kept - 1].id if kept else None
        items: list[Item] = []
        for entry in self.line[kept:]:
            if entry.id not in self.left:
                own = with_entry(entry.items, entry.id)
                items.append({"type": _LEFT, "id": entry.id, "parent_id": parent, "items": own})
            parent = entry.id
        return items


def state_of(conversation_id: str, items: Sequence[Item], beside: Sequence[Item]) -> State:
    """Return the conversation that the items of its session, and those beside it, tell of."""
    line = entries_of(items, conversation_id)
    left: dict[str, tuple[str | None, Entry]] = {}
    stored: Item | None = None
    for item in beside:
        if item.get("type") == _RECORD:
            stored = item
        elif item.get("type") == _LEFT:
            entry = entries_of(item["items"], conversation_id)[-1]
            left[item["id"]] = item["parent_id"], replace(entry, id=item["id"])
    return State(_record_of(conversation_id, stored, line, len(items)), line, left)


def record_item(record: ConversationRecord) -> Item:
    """Return the item that keeps a record."""
    return {"type": _RECORD, "record": _RECORDS.dump_python(record, mode="json")}


def _record_of(
    conversation_id: str, stored: Item | None, line: Sequence[Entry], size: int
) -> ConversationRecord | None:
    """Return a stored record with what others have done to the history since."""
    head_id = line[-1].id if line else None
    if stored is None:
        if head_id is None:
            return None
        return ConversationRecord(
            conversation_id=conversation_id,
            head_id=head_id,
            revision=f"items/{size}",
            updated_at=UNKNOWN_TIME,
        )
    record = _RECORDS.validate_python(stored["record"])
    if record.head_id == head_id:
        return record
    if head_id is None:
        return None  # somebody has deleted the session
    return replace(
        record,
        head_id=head_id,
        deferred_tool_requests=None,
        revision=f"{record.revision}/{size}",
    )


def said(entries: Sequence[Entry]) -> list[Item]:
    """Return the items of entries, with their ids."""
    return [item for entry in entries for item in with_entry(entry.items, entry.id)]
