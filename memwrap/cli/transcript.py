"""How items look in a terminal: a message in full, tool calls and thoughts in a line."""

from __future__ import annotations

import json
from datetime import UTC

from memwrap.cli.output import clean, cut, dim, line, number
from memwrap.cli.reading import Entry
from memwrap.items import Item, text_of
from memwrap.pairing import output_key
from memwrap.sessions.info import TurnInfo

__all__ = ["Transcript", "said_by"]

_WIDTH = 96
_MARGIN = 12


class Transcript:
    """Writes entries of a session, with a line where a turn begins.

    Args:
        full: Whether arguments, outputs and thoughts are written in full.
        session: Whether the line of a turn names the session.
    """

    def __init__(self, *, full: bool = False, session: bool = False) -> None:
        self._full = full
        self._session = session
        self._last: tuple[str, int | None] | None = None

    def name(self, session_id: str, entry: Entry) -> None:
        """Write the id of the session alone, once for each turn."""
        place = (session_id, None if entry.turn is None else entry.turn.number)
        if place != self._last:
            self._last = place
            line(clean(session_id))

    def write(self, session_id: str, entry: Entry) -> None:
        """Write an item."""
        turn = entry.turn
        place = (session_id, None if turn is None else turn.number)
        if place != self._last:
            self._last = place
            name = f"{clean(session_id)} · " if self._session else ""
            line(dim(_rule(name + _head(turn))))
        if entry.item is None:
            line(f"{'damaged':<{_MARGIN}}row {entry.number} cannot be read")
            return
        who, text = self._told(entry.item)
        first, *rest = text.split("\n")
        line(f"{cut(who, _MARGIN - 1):<{_MARGIN}}{first}")
        for more in rest:
            line(f"{'':<{_MARGIN}}{more}".rstrip())

    def _told(self, item: Item) -> tuple[str, str]:
        """Return who says something, and what, both clean."""
        kind = item.get("type", "message")
        if kind == "message":
            return clean(str(item.get("role", "?"))), clean(_message(item), lines=True)
        if kind == "reasoning":
            return "reasoning", self._folded("▸ ", text_of(item) or _texts(item.get("summary")))
        if output_key(item) is not None:
            output = item.get("output", item)
            return "", self._folded("→ ", output if isinstance(output, str) else _json(output))
        name = str(item.get("name", kind))
        arguments = item.get("arguments", item.get("input", ""))
        text = arguments if isinstance(arguments, str) else _json(arguments)
        return "", self._folded(f"▸ {name} ", text)

    def _folded(self, mark: str, text: str) -> str:
        if self._full:
            return clean(f"{mark}{text}", lines=True)
        short = clean(f"{mark}{text}"[: 2 * _WIDTH])
        shown = cut(short, _WIDTH - _MARGIN - 24)
        if shown == clean(f"{mark}{text}"):
            return shown
        size = number(len(text.encode(errors="replace")))
        return f"{shown}  {dim(f'{size}B, --full')}"


def said_by(item: Item, role: str) -> str | None:
    """Return the text of a message of that role; None if the item is none."""
    is_message = item.get("type", "message") == "message" and item.get("role") == role
    return _message(item) if is_message else None


def _message(item: Item) -> str:
    """Return the text of a message; what is no text stands in brackets."""
    content = item.get("content")
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n".join(_part(part) for part in parts)


def _part(part: object) -> str:
    if not isinstance(part, dict):
        return f"[{type(part).__name__}]"
    for name in ("text", "refusal"):
        if isinstance(part.get(name), str):
            return str(part[name])
    return f"[{part.get('type', 'part')}]"


def _texts(parts: object) -> str:
    return " ".join(map(_part, parts)) if isinstance(parts, list) else ""


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _head(turn: TurnInfo | None) -> str:
    if turn is None:
        return "no turn"
    parts = [f"turn {turn.number}", turn.stored_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")]
    seconds = (turn.stored_at - turn.started_at).total_seconds()
    if seconds > 0:
        parts.append(f"{seconds:.1f} s")
    if turn.usage is not None:
        parts.append(f"{turn.usage.input_tokens:,} → {turn.usage.output_tokens:,} tokens")
    if turn.id is not None:
        parts.append(f"id {cut(clean(turn.id), 40)}")
    return " · ".join(parts)


def _rule(text: str) -> str:
    return f"── {text} ".ljust(_WIDTH, "─")
