"""Agent Framework's messages as the shared mechanism sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agent_framework import Content, Message

from memwrap.adapters.agent_framework.fields import IDENTITY, fields_of, message_of_fields
from memwrap.adapters.agent_framework.items_to_message import message_of
from memwrap.adapters.agent_framework.message_to_items import NAME, items_of
from memwrap.adapters.grouping import joins
from memwrap.adapters.lossless import Group, Lossless
from memwrap.adapters.projection import Target
from memwrap.items import Item

__all__ = ["LOSSLESS"]

_OWN = "own"
_CALLS = ("function_call", "function_result")


class _Shape:
    """Agent Framework's messages.

    A message with calls, or with blank text, always has a sidecar: by that its ids and texts are
    known to be the framework's own, which go back as they came.
    """

    name = NAME
    identity = IDENTITY
    unsaid = ("author_name", "message_id", "additional_properties", _OWN)

    def dump(self, message: Message) -> dict[str, Any]:
        fields = fields_of(message)
        is_own = not message.contents or any(map(_is_own, message.contents))
        return fields | {_OWN: True} if is_own else fields

    def load(self, data: dict[str, Any]) -> Message:
        return message_of_fields(data)

    def show(self, message: Message) -> list[Item]:
        return items_of(message)

    def say(self, items: Sequence[Item], target: Target, identity: Mapping[str, Any]) -> Message:  # noqa: ARG002
        message = message_of(items)
        message.role = identity.get("role", message.role)
        message.author_name = identity.get("author_name")
        message.message_id = identity.get("message_id")
        return message

    def joins(self, item: Item, group: Group, target: Target) -> bool:  # noqa: ARG002
        return joins(item, group)


def _is_own(content: Content) -> bool:
    is_blank = content.type == "text" and not str(content.text).strip()
    return is_blank or content.type in _CALLS


LOSSLESS: Lossless[Message] = Lossless(_Shape())
