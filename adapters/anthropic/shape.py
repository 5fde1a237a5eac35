"""Anthropic's messages as the shared mechanism sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from memwrap.adapters.anthropic.items_to_message import message_of
from memwrap.adapters.anthropic.message_to_items import NAME, items_of
from memwrap.adapters.grouping import joins
from memwrap.adapters.lossless import Group, Lossless
from memwrap.adapters.projection import Target
from memwrap.items import Item

__all__ = ["LOSSLESS", "Message", "is_message"]

Message = dict[str, Any]

_ROLES = ("user", "assistant", "system")
_OWN = "own"
_OWN_KINDS = ("tool_use", "tool_result", "thinking", "redacted_thinking")

# Parts of other dialects' messages, whose roles and contents look the same.
_OTHERS = frozenset(
    {
        *("input_text", "output_text", "refusal", "input_image", "input_file", "input_audio"),
        *("image_url", "file", "summary_text", "reasoning_text"),
    }
)


def is_message(value: Any) -> bool:
    """Tell whether a dict is a message of Anthropic, or says the same as one."""
    if not isinstance(value, dict) or value.get("role") not in _ROLES or "type" in value:
        return False
    content = value.get("content")
    if isinstance(content, str):
        return not value.keys() & {"tool_calls", "tool_call_id", "refusal", "audio", "name"}
    return isinstance(content, list) and all(
        isinstance(block, dict)
        and isinstance(kind := block.get("type"), str)
        and kind not in _OTHERS
        for block in content
    )


class _Shape:
    """Anthropic's messages.

    A message with calls, outputs or thoughts always has a sidecar: by that they are known to be of
    this dialect, and go back as they came.
    """

    name = NAME
    identity = ()
    unsaid = (_OWN,)

    def dump(self, message: Message) -> dict[str, Any]:
        content = message["content"]
        blocks = content if isinstance(content, list) else []
        is_own = message["role"] == "system" or any(
            isinstance(block, dict) and block.get("type") in _OWN_KINDS for block in blocks
        )
        return {"message": dict(message)} | ({_OWN: True} if is_own else {})

    def load(self, data: dict[str, Any]) -> Message:
        message: Message = data["message"]
        if not is_message(message):
            raise ValueError("no message")
        return message

    def show(self, message: Message) -> list[Item]:
        return items_of(message)

    def say(
        self,
        items: Sequence[Item],
        target: Target,  # noqa: ARG002
        identity: Mapping[str, Any],  # noqa: ARG002
    ) -> Message:
        return message_of(items)

    def joins(self, item: Item, group: Group, target: Target) -> bool:  # noqa: ARG002
        return joins(item, group)


LOSSLESS: Lossless[Message] = Lossless(_Shape())
