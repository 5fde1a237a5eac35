"""memwrap's own format, which keeps everything: lines of JSON.

| line                            | what it holds                                              |
|---------------------------------|------------------------------------------------------------|
| ``{"memwrap": 1, "session": …}``| the beginning of a conversation, and what is known of it   |
| ``{"item": …}``                 | an item, as it is stored, hidden data included             |
| ``{"turn": …}``                 | behind its last item, a turn: number, id, times, usage ... |

Whoever loads such a file trusts it as a store: hidden data comes along, which restores messages.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from memwrap.exceptions import ConversionError
from memwrap.formats.conversation import Answered, Conversation
from memwrap.formats.documents import as_line, values_of
from memwrap.sessions.info import SessionInfo, TurnInfo
from memwrap.usage import Usage

__all__ = ["dump", "load"]

_VERSION = 1
_WRONG = (LookupError, TypeError, ValueError, AttributeError)


def dump(conversation: Conversation) -> Iterator[str]:
    """Yield the lines of a conversation."""
    known = {} if conversation.info is None else _told(conversation.info)
    yield as_line({"memwrap": _VERSION, "session": conversation.id, **known}, is_exact=True)
    places = conversation.places()
    ends = {places[turn.last_item]: turn for turn in conversation.turns if turn.last_item in places}
    for place, item in enumerate(conversation.items):
        yield as_line({"item": item}, is_exact=True)
        if place in ends:
            yield as_line({"turn": _turn(conversation, ends[place])}, is_exact=True)


def load(lines: Iterable[str]) -> Iterator[Conversation]:
    """Yield the conversations in lines of text.

    Raises:
        ConversionError: The text is not of this format, or of a newer version of it.
    """
    conversation: Conversation | None = None
    answered: dict[int, Answered] = {}
    for number, value in values_of(lines):
        path = f"line {number}"
        if not isinstance(value, dict):
            raise ConversionError("a line is an object of JSON", path=path)
        if "memwrap" in value:
            if conversation is not None:
                yield conversation
            answered = {}
            conversation = _begun(value, path)
            conversation.answered = answered
        elif conversation is None:
            raise ConversionError('the first line has "memwrap" and "session"', path=path)
        elif isinstance(value.get("item"), dict):
            conversation.items.append(value["item"])
        elif isinstance(value.get("turn"), dict):
            _add_turn(conversation, answered, value["turn"], path)
        else:
            raise ConversionError('a line has an "item" or a "turn"', path=path)
    if conversation is not None:
        yield conversation


def _told(info: SessionInfo) -> dict[str, Any]:
    told = {
        "created_at": info.created_at.isoformat(),
        "updated_at": info.updated_at.isoformat(),
        "expires_at": None if info.expires_at is None else info.expires_at.isoformat(),
        "title": info.title,
        "tags": [*info.tags],
        "owner": info.owner,
        "metadata": info.metadata,
        "usage": _usage(info.usage),
        "parent": info.parent,
        "parent_turn": info.parent_turn,
    }
    return {name: value for name, value in told.items() if value not in (None, [], {})}


def _turn(conversation: Conversation, turn: TurnInfo) -> dict[str, Any]:
    known = conversation.answered.get(turn.number)
    told = {
        "number": turn.number,
        "id": turn.id,
        "items": turn.item_count,
        "started_at": turn.started_at.isoformat(),
        "stored_at": turn.stored_at.isoformat(),
        "usage": _usage(turn.usage),
        "metadata": turn.metadata,
        "answered": None if known is None else asdict(known),
    }
    return {name: value for name, value in told.items() if value not in (None, {})}


def _usage(usage: Usage | None) -> dict[str, Any] | None:
    if usage is None:
        return None
    return {name: value for name, value in asdict(usage).items() if value is not None}


def _begun(value: Mapping[str, Any], path: str) -> Conversation:
    """Return the conversation that a first line tells of."""
    if value["memwrap"] != _VERSION:
        raise ConversionError("a newer version of memwrap has written it", path=path)
    try:
        id: str = value["session"]
        if "created_at" not in value:
            return Conversation(id, [])
        info = SessionInfo(
            id,
            _time(value["created_at"]),
            _time(value["updated_at"]),
            0,
            expires_at=_time(value["expires_at"]) if "expires_at" in value else None,
            title=value.get("title"),
            tags=tuple(value.get("tags", ())),
            owner=value.get("owner"),
            metadata=value.get("metadata", {}),
            usage=_counted(value.get("usage")),
            parent=value.get("parent"),
            parent_turn=value.get("parent_turn"),
        )
    except _WRONG:
        pass
    else:
        return Conversation(id, [], info=info)
    raise ConversionError("what the line tells of a session is damaged", path=path)


def _add_turn(
    conversation: Conversation,
    answered: dict[int, Answered],
    told: Mapping[str, Any],
    path: str,
) -> None:
    try:
        last, count = len(conversation.items), told["items"]
        turn = TurnInfo(
            conversation.id,
            told.get("id"),
            told["number"],
            _time(told["started_at"]),
            _time(told["stored_at"]),
            last - count + 1,
            last,
            count,
            _counted(told.get("usage")),
            told.get("metadata", {}),
        )
        if not 0 < count <= last or not isinstance(turn.number, int):
            raise ValueError
        if "answered" in told:
            answered[turn.number] = Answered(**told["answered"])
    except _WRONG:
        pass
    else:
        conversation.turns.append(turn)
        return
    raise ConversionError("what the line tells of a turn is damaged", path=path)


def _time(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError
    return time


def _counted(told: Mapping[str, Any] | None) -> Usage | None:
    return None if told is None else Usage(**told)
