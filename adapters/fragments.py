"""Fragments of a streamed message, added up to what the whole answer would have said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["add_up", "piece_key"]

Message = dict[str, Any]

# Strings that come in pieces, which may be alike. Others come whole, and some servers repeat them.
_PIECES = frozenset(
    {
        *("arguments", "content", "data", "input", "reasoning", "reasoning_content", "refusal"),
        *("reasoning_text", "summary", "text", "thinking", "transcript"),
    }
)
_WHOLE = frozenset({"format", "id", "role", "type"})


def add_up(total: Message, delta: Mapping[str, Any]) -> None:
    """Add the fields of a delta to those of a message, in place; what is empty says nothing."""
    for key, value in delta.items():
        if value is not None:
            total[key] = _sum(key, total.get(key), value)


def piece_key(total: Mapping[str, Any], delta: Mapping[str, Any]) -> str | None:
    """Return the key of the one text in pieces that a delta adds to a message; None if more is."""
    found = None
    for key, value in delta.items():
        if value is None or value == "" or (key == "role" and value == total.get(key)):
            continue
        if found is not None or key not in _PIECES or not isinstance(value, str):
            return None
        found = key
    return found


def _sum(key: str, before: Any, value: Any) -> Any:
    if isinstance(value, list) or (isinstance(before, list) and isinstance(value, str)):
        parts: list[Any] = before if isinstance(before, list) else _parts(before)
        _add_parts(parts, _parts(value))
        return parts
    if isinstance(value, dict):
        fields: Message = before if isinstance(before, dict) else {}
        add_up(fields, value)
        return fields
    if not isinstance(value, str):
        return value
    if key in _WHOLE or not isinstance(before, str):
        return value or before
    return before + value if key in _PIECES or value != before else before


def _parts(content: Any) -> list[Any]:
    """Return a content as a list of parts."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return content if isinstance(content, list) else []


def _add_parts(parts: list[Any], pieces: Sequence[Any]) -> None:
    for piece in pieces:
        if not isinstance(piece, dict):
            parts.append(piece)
            continue
        part = _part_of(piece, parts)
        if part is None:
            parts.append(part := {})
        add_up(part, piece)


def _part_of(piece: Message, parts: Sequence[Any]) -> Message | None:
    """Return the part that a piece goes on with; None if it begins one.

    It has the same index, or is the last one where servers send none.
    """
    index = piece.get("index")
    if index is None:
        part: Any = parts[-1] if parts else None
        goes_on = isinstance(part, dict) and not part.get("signature") and _has_pieces(piece)
        return part if goes_on and _agree(part, piece) else None
    for part in reversed(parts):
        if isinstance(part, dict) and part.get("index") == index and _agree(part, piece):
            return part
    return None


def _has_pieces(piece: Message) -> bool:
    return any(key in _PIECES and isinstance(piece[key], (str, list)) for key in piece)


def _agree(part: Message, piece: Message) -> bool:
    """Tell whether nothing that comes whole differs."""
    return all(not part.get(key) or not piece.get(key) or part[key] == piece[key] for key in _WHOLE)
