"""What the back ends of LangChain's chat histories hold of a message, in their several forms."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from langchain_core.messages import ChatMessage, messages_from_dict

from memwrap.exceptions import ConfigurationError, ConversionError

__all__ = [
    "TYPES",
    "UNREADABLE",
    "entries_of",
    "is_reduced",
    "message_of",
    "name_of",
    "pair_of",
    "reason_of",
]

_PLAIN = ("ai", "chat", "function", "human", "remove", "system", "tool")
_CHUNKS = ("AI", "Chat", "Function", "Human", "System", "Tool")

TYPES = frozenset(_PLAIN) | {f"{kind}MessageChunk" for kind in _CHUNKS}
"""The types that LangChain has a class for."""

UNREADABLE = (
    *(ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError),
    Warning,
)
"""What making a message and its items may raise; a warning where warnings are errors."""

# What langchain-redis has beside a message, of which it keeps a few fields only.
_REDIS = frozenset({"message_id", "session_id", "timestamp"})


def pair_of(value: Any) -> tuple[Any, Any]:
    """Return what a source gave as the id and the row.

    Raises:
        ConfigurationError: It is no pair.
    """
    try:
        if not isinstance(value, (str, bytes, Mapping)):
            session_id, row = value
            return session_id, row
    except (TypeError, ValueError):
        pass
    raise ConfigurationError(
        "a source gives pairs (session id, row): SELECT these two columns, in this order, and have"
        " them as tuples"
    )


def name_of(session_id: Any) -> tuple[str, bool]:
    """Return an id as a string and True; the name of its type and False if it is none."""
    if isinstance(session_id, (bytes, bytearray, memoryview)):  # the keys of Redis
        session_id = bytes(session_id).decode(errors="surrogateescape")  # no store takes the rest
    if isinstance(session_id, (str, int, UUID)) and not isinstance(session_id, bool):
        try:
            return str(session_id), True
        except ValueError:  # Python writes no integer of so many digits
            pass
    return type(session_id).__name__, False


def entries_of(row: Any) -> Sequence[Any]:
    """Return the messages in a row: one, or those of a list."""
    if isinstance(row, (str, bytes, bytearray, memoryview)):
        try:
            row = json.loads(bytes(row) if isinstance(row, memoryview) else row)
        except (ValueError, RecursionError):
            return [None]
    return row if isinstance(row, (list, tuple)) else [row]


def message_of(entry: Any) -> Any:
    """Return the message of what ``message_to_dict`` made, or of its ``data`` alone.

    Its class is one of LangChain's: nothing else is looked for because stored data says so.
    """
    kind: str = entry["type"]
    data = entry["data"] if "data" in entry else _without(entry, _REDIS)
    if kind not in TYPES:
        fields = _without(data, {"type"})
        if "role" in fields:  # of its own: it stays as a field of another name
            fields["stored_role"] = fields["role"]
        fields["role"] = kind
        return ChatMessage(**fields)
    if kind == "tool" and is_reduced(entry):
        data = {"tool_call_id": ""} | data  # langchain-redis did not keep it before 0.2
    return messages_from_dict([{"type": kind, "data": data}])[0]


def is_reduced(entry: Mapping[str, Any]) -> bool:
    """Tell whether a message has been stored by langchain-redis."""
    if "data" in entry:
        return not _REDIS.isdisjoint(entry)
    return "response_metadata" not in entry


def reason_of(entry: Any, exc: Exception) -> str:
    """Return in a few words why a message cannot be read, and nothing of what it says."""
    if isinstance(exc, ConversionError):
        return "no item can hold it"
    return "not a message" if isinstance(entry, dict) else "not a JSON object"


def _without(fields: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if key not in keys}
