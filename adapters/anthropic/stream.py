"""The events of Anthropic's streams, added up to messages."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from memwrap.adapters.anthropic.blocks import Block, as_block
from memwrap.adapters.streams import failed_stream

__all__ = ["MessageStream", "is_event"]

_EVENTS = frozenset(
    {
        *("message_start", "message_delta", "message_stop", "ping", "error"),
        *("content_block_start", "content_block_delta", "content_block_stop"),
        # what the package's helper adds to these
        *("citation", "signature", "input_json"),
    }
)
_PIECES = {
    "text_delta": "text",
    "thinking_delta": "thinking",
    "signature_delta": "signature",
    "input_json_delta": "partial_json",
}


def is_event(value: Any) -> bool:
    """Tell whether a dict is an event of a stream, raw or of the package's helper."""
    if not isinstance(value, dict):
        return False
    return value.get("type") in _EVENTS or (
        value.get("type") in ("text", "thinking") and "snapshot" in value
    )


class _Open:
    """A block under way."""

    def __init__(self, block: Block) -> None:
        self.block = block
        self.pieces: dict[str, list[str]] = {}
        self.citations: list[Any] = []

    def hear(self, delta: Block) -> None:
        key = _PIECES.get(str(delta.get("type")))
        if key is not None and isinstance(piece := delta.get(key), str):
            self.pieces.setdefault(key, []).append(piece)
        elif delta.get("type") == "citations_delta":
            self.citations.append(delta.get("citation"))

    def whole(self) -> Block | None:
        """Return the block as far as it has come; None for a call whose input is cut."""
        block = dict(self.block)
        told = {key: "".join(pieces) for key, pieces in self.pieces.items()}
        arguments = told.pop("partial_json", "")
        if arguments:
            try:
                block["input"] = json.loads(arguments)
            except ValueError:
                return None
        for key, text in told.items():
            block[key] = (block.get(key) or "") + text
        if self.citations:
            block["citations"] = [*(block.get("citations") or ()), *self.citations]
        return block


class MessageStream:
    """Adds events up to the messages that they tell of; what is no event passes."""

    def __init__(self) -> None:
        self._blocks: dict[Any, _Open] = {}
        self._texts: list[str] = []  # of a helper's events without the raw ones
        self._is_open = False

    def add(self, event: Any) -> Iterable[Any]:
        """Take an event, or something else; return what is whole with it."""
        value = as_block(event)
        if not is_event(value):
            return [*self.rest(), value]
        kind = value["type"]
        if kind == "error":
            raise failed_stream((value.get("error") or {}).get("type"))
        if kind == "message_start":
            done = self.rest()
            self._is_open = True
            return done
        if kind == "content_block_start":
            self._blocks[value.get("index")] = _Open(dict(value["content_block"]))
        elif kind == "content_block_delta" and (block := self._blocks.get(value.get("index"))):
            block.hear(value["delta"])
        elif kind == "text" and not self._is_open:
            self._texts.append(str(value.get("text")))
        elif kind == "message_stop":
            return self.rest()
        return []

    def rest(self) -> list[Any]:
        """Return the message under way, as far as it has come."""
        found = (block.whole() for block in self._blocks.values())
        blocks = [block for block in found if block is not None]
        text = "".join(self._texts)
        self._blocks, self._texts, self._is_open = {}, [], False
        if text:
            blocks.append({"type": "text", "text": text})
        blocks = [block for block in blocks if block.get("type") != "text" or block.get("text")]
        return [{"role": "assistant", "content": blocks}] if blocks else []
