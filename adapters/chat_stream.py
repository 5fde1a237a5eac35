"""The chunks of Chat Completions, added up to messages as dicts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from memwrap.adapters.streams import Accumulator
from memwrap.exceptions import ConversionError

__all__ = ["ChatStream"]

Message = dict[str, Any]

# Strings that come in pieces, which may be alike. Others come whole, and some servers repeat them.
_PIECES = frozenset(
    {
        *("arguments", "content", "data", "input", "reasoning", "reasoning_content", "refusal"),
        *("text", "thinking", "transcript"),
    }
)
_WHOLE = frozenset({"id", "role", "type"})


class ChatStream(Accumulator[Message, Message]):
    """Adds up chunks; completions give their message, and messages pass."""

    def __init__(self) -> None:
        self._message: Message = {}
        self._has_ended = False
        self._calls: list[Message] = []
        self._newest: dict[Any, Message] = {}  # by index; None is the newest of all

    def add(self, event: Message) -> Iterable[Message]:
        """Take a chunk, a completion or a message."""
        if "choices" not in event:
            is_chunk = event.get("object") == "chat.completion.chunk"  # of usage, say
            return [] if is_chunk else [*self.rest(), event]
        messages: list[Message] = []
        for choice in event["choices"] or []:
            if choice.get("index"):
                continue  # only the first choice is stored
            if "message" in choice:
                messages += [*self.rest(), choice["message"]]
                continue
            if "text" in choice:
                raise ConversionError("completions without messages are not of this API")
            self._add_delta(choice.get("delta") or {})
            if choice.get("finish_reason"):
                messages += self._taken(is_finished=True)
        return messages

    def rest(self) -> list[Message]:
        """Return the message under way, if it has said anything."""
        return self._taken(is_finished=False)

    def _add_delta(self, delta: Message) -> None:
        for call in delta.get("tool_calls") or []:
            if (total := self._call_of(call)) is None:
                self._calls.append(total := {})
            self._newest[call.get("index")] = self._newest[None] = total
            _add_up(total, call)
        _add_up(self._message, {key: delta[key] for key in delta if key != "tool_calls"})

    def _call_of(self, delta: Message) -> Message | None:
        """Return the call that a delta goes on with; None if it begins one.

        Some servers leave out the index, or give all calls the same.
        """
        index, call_id = delta.get("index"), delta.get("id")
        newest = self._newest.get(index)
        is_whole = index is None and (delta.get("function") or {}).get("name")
        if newest is None or is_whole or (call_id and newest.get("id") not in (None, call_id)):
            return None
        return newest

    def _taken(self, *, is_finished: bool) -> list[Message]:
        message, calls = self._message, self._calls
        self._message, self._calls, self._newest = {}, [], {}
        if calls:
            calls.sort(key=lambda call: call.get("index", 0))
            message["tool_calls"] = [
                {key: call[key] for key in call if key != "index"} for call in calls
            ]
        # A finished message may be empty; what comes behind it and says nothing is none.
        is_one = is_finished and ("role" in message or not self._has_ended)
        says = is_one or any(value for key, value in message.items() if key != "role")
        self._has_ended = is_finished
        return [{"role": "assistant"} | message] if message and says else []


def _add_up(total: Message, delta: Message) -> None:
    for key, value in delta.items():
        if isinstance(value, dict):
            _add_up(total.setdefault(key, {}), value)
        elif isinstance(value, list):
            total.setdefault(key, []).extend(value)
        elif not isinstance(value, str) or key in _WHOLE:
            if value is not None and value != "":
                total[key] = value
        elif key in _PIECES or value != total.get(key):
            total[key] = total.get(key, "") + value
