"""LlamaIndex's chat messages as the shared mechanism sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from llama_index.core.base.llms.types import (
    ChatMessage,
    MessageRole,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)

from memwrap.adapters.llama_index.fields import fields_of, message_of_fields
from memwrap.adapters.llama_index.items_to_message import joins, message_of
from memwrap.adapters.llama_index.message_to_items import NAME, TOOLS, items_of, output_id
from memwrap.adapters.lossless import Group, Lossless
from memwrap.adapters.projection import Target
from memwrap.items import Item

__all__ = ["lossless"]

_OWN = "own"
_CALL_ID = "call_id"


class _Shape:
    """The messages of one conversion, which pairs outputs without an id with calls without one.

    A message with reasoning, calls or blank text, or of a tool, always has a sidecar: by that its
    ids and texts are known to be the framework's own, which go back as they came.
    """

    name = NAME
    identity = ("role",)
    unsaid = (_OWN, _CALL_ID)

    def __init__(self) -> None:
        self._open: list[str] = []
        self._call_ids: dict[int, tuple[ChatMessage, str]] = {}

    def pair(self, message: ChatMessage) -> None:
        """Note which call a message answers that does not tell: calls are answered in order."""
        if message.role in TOOLS:
            if not output_id(message) and self._open:
                self._call_ids[id(message)] = message, self._open.pop(0)
        elif any(isinstance(b, ToolCallBlock) and not b.tool_call_id for b in message.blocks):
            named = {b.tool_call_id for b in message.blocks if isinstance(b, ToolCallBlock)}
            shown = (item.get("call_id") for item in items_of(message))
            self._open = [one for one in shown if isinstance(one, str) and one not in named]

    def dump(self, message: ChatMessage) -> dict[str, Any]:
        fields = fields_of(message)
        if message.role in TOOLS and not output_id(message):
            fields[_CALL_ID] = self._call_id(message)
        is_own = message.role in TOOLS or any(map(_is_own, message.blocks))
        return fields | {_OWN: True} if is_own else fields

    def load(self, data: dict[str, Any]) -> ChatMessage:
        message = message_of_fields(data)
        if isinstance(call_id := data.get(_CALL_ID), str):
            self._call_ids[id(message)] = message, call_id
        return message

    def show(self, message: ChatMessage) -> list[Item]:
        return items_of(message, self._call_id(message))

    def say(
        self,
        items: Sequence[Item],
        target: Target,  # noqa: ARG002  (projected already)
        identity: Mapping[str, Any],
    ) -> ChatMessage:
        message = message_of(items)
        if "role" in identity:
            message.role = MessageRole(identity["role"])
        return message

    def joins(self, item: Item, group: Group, target: Target) -> bool:  # noqa: ARG002
        return joins(item, group)

    def _call_id(self, message: ChatMessage) -> str:
        return self._call_ids.get(id(message), (message, ""))[1]


def _is_own(block: Any) -> bool:
    is_blank = isinstance(block, TextBlock) and not block.text.strip()
    return is_blank or isinstance(block, (ThinkingBlock, ToolCallBlock))


def lossless() -> tuple[Lossless[ChatMessage], _Shape]:
    """Return what converts the messages of one conversation, and its memory of their calls."""
    shape = _Shape()
    return Lossless(shape), shape
