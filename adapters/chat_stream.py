"""The chunks of Chat Completions, added up to messages as dicts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from memwrap.adapters.streams import Accumulator

__all__ = ["ChatStream"]

Message = dict[str, Any]

_NOT_PIECES = {"id", "role", "type"}  # whole in each delta that has them


class ChatStream(Accumulator[Message, Message]):
    """Adds up chunks; completions give their message, and messages pass."""

    def __init__(self) -> None:
        self._message: Message = {}
        self._calls: dict[int, Message] = {}

    def add(self, event: Message) -> Iterable[Message]:
        """Take a chunk, a completion or a message."""
        if "choices" not in event:
            return [*self.rest(), event]
        messages: list[Message] = []
        for choice in event["choices"] or []:
            if choice.get("index"):
                continue  # only the first choice is stored
            if "message" in choice:
                messages += [*self.rest(), choice["message"]]
                continue
            self._add_delta(choice["delta"])
            if choice.get("finish_reason"):
                messages += self._taken(is_finished=True)
        return messages

    def rest(self) -> list[Message]:
        """Return the message under way, if it has said anything."""
        return self._taken(is_finished=False)

    def _add_delta(self, delta: Message) -> None:
        for call in delta.get("tool_calls") or []:
            index = call.get("index")
            # Some servers leave out the index, and send each call whole.
            key = len(self._calls) if index is None else index
            _add_up(self._calls.setdefault(key, {}), call)
        _add_up(self._message, {key: delta[key] for key in delta if key != "tool_calls"})

    def _taken(self, *, is_finished: bool) -> list[Message]:
        message, calls = self._message, self._calls
        self._message, self._calls = {}, {}
        if calls:
            message["tool_calls"] = [calls[index] for index in sorted(calls)]
        # A stray delta behind the last says nothing; a finished message may be empty.
        says = is_finished or any(value for key, value in message.items() if key != "role")
        return [{"role": "assistant"} | message] if message and says else []


def _add_up(total: Message, delta: Message) -> None:
    for key, value in delta.items():
        if isinstance(value, dict):
            _add_up(total.setdefault(key, {}), value)
        elif isinstance(value, str) and key not in _NOT_PIECES:
            total[key] = total.get(key, "") + value
        elif isinstance(value, list):
            total.setdefault(key, []).extend(value)
        elif value is not None and key != "index":
            total[key] = value
