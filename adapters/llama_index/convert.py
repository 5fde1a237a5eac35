"""LlamaIndex's chat messages, whatever form they come in, as items, and back."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from llama_index.core.base.llms.types import BaseContentBlock, ChatMessage
from workflows.handler import WorkflowHandler

from memwrap.adapters import chat
from memwrap.adapters.dispatch import clear_errors, convert, one_by_one, unknown
from memwrap.adapters.foreign import foreign_projected
from memwrap.adapters.llama_index.events import Told, without_steps
from memwrap.adapters.llama_index.shape import lossless
from memwrap.adapters.streams import added_up
from memwrap.adapters.targets import LLAMA_INDEX
from memwrap.exceptions import ConversionError
from memwrap.items import Item

__all__ = ["from_items", "to_items"]


@clear_errors
def to_items(messages: Any, /, *, role: str = "user") -> list[Item]:
    """Turn LlamaIndex's messages into items; see the table in `memwrap.adapters.llama_index`.

    Raises:
        ConversionError: There is something else among them.
    """
    return convert(messages, role, sys.modules["memwrap.adapters.llama_index"], _items_of)


@clear_errors
def from_items(items: Sequence[Item], /) -> list[ChatMessage]:
    """Turn items into chat messages; see the table in `memwrap.adapters.llama_index`."""
    converter, _ = lossless()
    return list(converter.from_items(foreign_projected(items, LLAMA_INDEX)))


def _items_of(messages: list[Any], role: str) -> list[Item]:
    converter, shape = lossless()

    def read(message: Any, last: list[Item]) -> list[Item]:
        if isinstance(message, dict) and "blocks" not in message:
            return chat.to_items(message, role=role)
        own = _message(message, role)
        shape.pair(own)
        return converter.message_to_items(own, last)

    return one_by_one(added_up(without_steps(messages), Told()), read)


def _message(value: Any, role: str) -> ChatMessage:
    if isinstance(value, ChatMessage):
        return value
    if isinstance(value, dict):
        if not isinstance(value.get("role"), str):
            raise ConversionError("a chat message of LlamaIndex has a `role` and `blocks`")
        return ChatMessage.model_validate(value)
    if isinstance(value, BaseContentBlock):
        return ChatMessage(role=role, blocks=[value])
    if isinstance(value, WorkflowHandler):
        raise ConversionError(
            "the agent gave the handler of a run that has not ended: await it, or yield its"
            " events; or wrap the agent of LlamaIndex itself"
        )
    raise unknown(value, role)
