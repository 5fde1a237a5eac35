"""The chunks of Chat Completions, added up to messages as dicts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from memwrap.adapters.chat_calls import StreamedCalls
from memwrap.adapters.fragments import add_up, piece_key
from memwrap.adapters.streams import Accumulator
from memwrap.exceptions import ConversionError

__all__ = ["ChatStream"]

Message = dict[str, Any]


class ChatStream(Accumulator[Message, Message]):
    """Adds up chunks; completions give their message, and messages pass.

    Of several choices the first is taken. What comes behind an end belongs to the message, until
    one with another id or a role of its own begins.
    """

    def __init__(self) -> None:
        self._under_way: _Streamed | None = None

    def add(self, event: Message) -> Iterable[Message]:
        """Take a chunk, a completion or a message."""
        if "choices" not in event:
            is_chunk = event.get("object") == "chat.completion.chunk"  # of usage, say
            return [] if is_chunk else [*self.rest(), event]
        found = _first_choice(event["choices"] or [])
        if found is None:
            return []
        place, choice = found
        if isinstance(choice.get("message"), dict):
            return self._whole({"role": "assistant"} | choice["message"])
        if "delta" not in choice and choice.get("text") is not None:
            raise ConversionError("completions without messages are not of this API")
        return self._add_delta(place, event.get("id"), choice)

    def rest(self) -> list[Message]:
        """Return the message under way, if it has said anything."""
        last, self._under_way = self._under_way, None
        return last.taken() if last else []

    def _whole(self, message: Message) -> list[Message]:
        """Return a message; some servers send it behind its own pieces."""
        pieces = self.rest()
        return [message] if pieces and _says_the_same(pieces[-1], message) else [*pieces, message]

    def _add_delta(self, place: int, event_id: Any, choice: Message) -> list[Message]:
        delta = choice.get("delta") or {}
        last, messages = self._under_way, list[Message]()
        if last is not None and place > last.place:
            return []
        if last is None or place < last.place:
            last = _Streamed(place)
        elif not last.goes_on_with(event_id, delta):
            messages = last.taken()
            is_told = event_id and event_id not in last.ids
            last = _Streamed(place, may_be_empty=bool(is_told))
        self._under_way = last
        last.add(event_id, delta)
        last.has_ended = last.has_ended or bool(choice.get("finish_reason"))
        return messages


class _Streamed:
    """A message in pieces.

    Attributes:
        place: That of its choice.
        ids: Those of its chunks.
        has_ended: Whether a chunk has told its end.
    """

    def __init__(self, place: int, *, may_be_empty: bool = True) -> None:
        self.place = place
        self.ids: set[Any] = set()
        self.has_ended = False
        self._may_be_empty = may_be_empty
        self._roles = 0
        self._message: Message = {}
        self._calls = StreamedCalls()
        self._key: str | None = None
        self._pieces: list[str] = []  # joined at once: one by one takes the square of the time

    def add(self, event_id: Any, delta: Message) -> None:
        if event_id:
            self.ids.add(event_id)
        self._roles += bool(delta.get("role"))
        key = piece_key(self._message, delta)
        if key is None or key != self._key:
            self._join()
        if key is not None:
            self._key = key
            self._pieces.append(delta[key])
            return
        self._calls.add(delta.get("tool_calls") or [])
        add_up(self._message, {key: delta[key] for key in delta if key != "tool_calls"})

    def _join(self) -> None:
        if self._key is not None:
            add_up(self._message, {self._key: "".join(self._pieces)})
            self._key, self._pieces = None, []

    def goes_on_with(self, event_id: Any, delta: Message) -> bool:
        """Tell whether a chunk belongs to this message.

        Ids that differ from chunk to chunk tell nothing, nor does a role in each of them.
        """
        if not self.has_ended:
            return True
        if event_id and event_id not in self.ids and len(self.ids) == 1:
            return False
        return not delta.get("role") or self._roles > 1

    def taken(self) -> list[Message]:
        """Return the message, unless it said nothing and has not ended."""
        self._join()
        message, calls = self._message, self._calls.whole()
        if calls:
            message["tool_calls"] = calls
        says = any(value for key, value in message.items() if key != "role")
        is_one = says or (self.has_ended and self._may_be_empty)
        return (
            [message | {"role": message.get("role") or "assistant"}] if message and is_one else []
        )


def _first_choice(choices: Sequence[Message]) -> tuple[int, Message] | None:
    """Return the choice with the lowest index, and that; choices without one are in order."""
    places = [
        place if choice.get("index") is None else int(choice["index"])
        for place, choice in enumerate(choices)
    ]
    return min(zip(places, choices, strict=True), key=lambda pair: pair[0], default=None)


def _says_the_same(one: Message, other: Message) -> bool:
    calls = [[call.get("id") for call in m.get("tool_calls") or []] for m in (one, other)]
    return (one.get("content") or "") == (other.get("content") or "") and calls[0] == calls[1]
