"""The entries of a conversation: messages that a conversation store has numbered, and the others.

The id of an entry lies with what identifies its message, so that it outlives an edit. What others
have appended has no ids: its messages are known by their place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from pydantic_ai.messages import ModelMessage

from memwrap.adapters.pydantic_ai.convert import noted, restored
from memwrap.adapters.pydantic_ai.message_to_items import NAME
from memwrap.adapters.pydantic_ai.shape import LOSSLESS
from memwrap.answers import with_accepted
from memwrap.hidden.data import data_of, with_data
from memwrap.hidden.sidecar import Sidecar, has_sidecar, hide, sidecar_of, spans
from memwrap.items import Item, repaired, user

__all__ = ["Entry", "entries_of", "entry_of", "with_entry"]

_ENTRY = "entry"
_END = user("")


@dataclass(frozen=True, slots=True)
class Entry:
    """A message of a conversation, and the items that say it.

    Attributes:
        id: The id of the entry.
        message: The message.
        items: Its items, as they are stored, and those beside it that no message shows.
    """

    id: str
    message: ModelMessage
    items: list[Item]


def entry_of(entry_id: str, message: ModelMessage) -> Entry:
    """Return the entry of a message that is to be stored."""
    return Entry(entry_id, message, with_entry(LOSSLESS.message_to_items(message), entry_id))


def with_entry(items: Sequence[Item], entry_id: str) -> list[Item]:
    """Return the items of a message with the id of its entry in them."""
    numbered = list(items)
    if not has_sidecar(numbered, NAME):
        numbered = hide(numbered, NAME, identity={}, data=None)
    for place, item in enumerate(numbered):
        if sidecar_of(item, NAME) is not None:
            hidden = data_of(item, NAME) or {}
            identity = {**hidden.get("id", {}), _ENTRY: entry_id}
            numbered[place] = with_data(item, NAME, {**hidden, "id": identity})
    return numbered


def entries_of(items: Sequence[Item], conversation_id: str) -> list[Entry]:
    """Return the entries of a session's items, in order.

    Of what others have appended, calls without outputs, outputs without calls and reasoning of
    other models are left out, as the framework would not take them.
    """
    entries: list[Entry] = []
    unshown: list[Item] = []
    shown = noted(items)
    taken = {id(item) for item in repaired(with_accepted([*items, _END]))}
    for begin, end, sidecar in _parts(items):
        entry_id = None if sidecar is None else sidecar.id.get(_ENTRY)
        is_numbered = isinstance(entry_id, str)
        places = [
            place
            for place in range(begin, end)
            if is_numbered
            or (
                id(items[place]) in taken
                # Reasoning in no message of the framework's is of another model.
                and (sidecar is not None or items[place].get("type") != "reasoning")
            )
        ]
        messages = list(restored([shown[place] for place in places]))
        unshown += items[begin:end]
        if messages:
            known = entry_id if isinstance(entry_id, str) else f"{conversation_id}/{begin}"
            entries.append(Entry(known, messages[-1], unshown))
            unshown = []
    if unshown and entries:
        entries[-1] = replace(entries[-1], items=[*entries[-1].items, *unshown])
    return entries


def _parts(items: Sequence[Item]) -> Iterator[tuple[int, int, Sidecar | None]]:
    """Yield where each message begins and ends, and its sidecar."""
    _, whole = spans(items, NAME)
    place = 0
    for start in [*sorted(whole), len(items)]:
        for group in LOSSLESS.groups(items[place:start]):
            yield place, place + len(group), None
            place += len(group)
        if start in whole:
            place, sidecar = whole[start]
            yield start, place, sidecar
