"""Strands' messages as the shared mechanism sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from memwrap.adapters.grouping import joins
from memwrap.adapters.lossless import Group, Lossless
from memwrap.adapters.projection import Target
from memwrap.adapters.strands.items_to_message import message_of
from memwrap.adapters.strands.media import Block
from memwrap.adapters.strands.message_to_items import NAME, items_of
from memwrap.items import Item

__all__ = ["LOSSLESS", "Message", "is_message"]

Message = dict[str, Any]

_ROLES = ("user", "assistant")
_OWN = "own"
_ID = "tracking_id"


def is_message(value: Any) -> bool:
    """Tell whether a dict is a message of Strands, whose blocks have no type."""
    content = value.get("content")
    return (
        value.get("role") in _ROLES
        and isinstance(content, list)
        and all(isinstance(block, dict) and "type" not in block for block in content)
    )


class _Shape:
    """Strands' messages.

    A message with calls, or with blank text, always has a sidecar: by that its ids and texts are
    known to be Strands' own, which go back as they came.
    """

    name = NAME
    identity = (_ID,)
    unsaid = (_ID, _OWN)

    def dump(self, message: Message) -> dict[str, Any]:
        is_own = not message["content"] or any(map(_is_own, message["content"]))
        dumped = {key: message[key] for key in (_ID,) if key in message}
        dumped["message"] = {key: message[key] for key in message if key != _ID}
        return dumped | ({_OWN: True} if is_own else {})

    def load(self, data: dict[str, Any]) -> Message:
        message: Message = data["message"] | {key: data[key] for key in (_ID,) if key in data}
        if not is_message(message):
            raise ValueError("no message")
        return message

    def show(self, message: Message) -> list[Item]:
        return items_of(message)

    def say(self, items: Sequence[Item], target: Target, identity: Mapping[str, Any]) -> Message:  # noqa: ARG002
        return message_of(items) | dict(identity)

    def joins(self, item: Item, group: Group, target: Target) -> bool:  # noqa: ARG002
        return joins(item, group)


def _is_own(block: Block) -> bool:
    text = block.get("text")
    is_blank = isinstance(text, str) and not text.strip()
    return is_blank or "toolUse" in block or "toolResult" in block


LOSSLESS: Lossless[Message] = Lossless(_Shape())
