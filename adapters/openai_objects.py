"""Objects of the `openai` package, and dicts of the same fields."""

from __future__ import annotations

from typing import Any

__all__ = ["as_dict", "field", "has_parts_of_items", "is_chat_only", "is_readable"]

# The parts that only items have; audio and refusals have one form in all dialects.
_PARTS = ("input_text", "input_image", "input_file", "output_text")

# What only messages of the Chat Completions API have.
_CHAT_PARTS = ("text", "image_url", "file")
_OF_CHAT = {"tool_calls", "tool_call_id", "function_call"}


def is_readable(value: Any) -> bool:
    """Tell whether *value* is a dict, or an object of the `openai` package's types."""
    if isinstance(value, dict):
        return True
    bases = type(value).__mro__
    return hasattr(value, "model_dump") and any(
        base.__module__.startswith("openai.types.") for base in bases
    )


def has_parts_of_items(message: dict[str, Any]) -> bool:
    """Tell whether a dict without a type is an item by the parts of its content."""
    content = message.get("content")
    parts = content if isinstance(content, list) else ()
    return any(isinstance(part, dict) and part.get("type") in _PARTS for part in parts)


def is_chat_only(message: Any) -> bool:
    """Tell whether a dict can only be of the Chat Completions API: a message, or what it sends."""
    if not isinstance(message, dict):
        return False
    kind = message.get("object")
    if isinstance(kind, str) and kind.startswith("chat.completion"):
        return True
    if message.get("type") is not None or not isinstance(message.get("role"), str):
        return False
    content = message.get("content")
    parts = content if isinstance(content, list) else ()
    return (
        message["role"] in ("tool", "function")
        or bool(message.keys() & _OF_CHAT)
        or any(isinstance(part, dict) and part.get("type") in _CHAT_PARTS for part in parts)
    )


def field(value: Any, name: str) -> Any:
    """Return a readable value's field, or None."""
    return value.get(name) if isinstance(value, dict) else getattr(value, name, None)


def as_dict(value: Any) -> dict[str, Any]:
    """Return a readable value as a dict."""
    if isinstance(value, dict):
        return value
    # Only what the API sent, under its own names: defaults were not said, and what the package
    # parsed out of the text the API does not take back.
    dumped: dict[str, Any] = value.model_dump(
        mode="json",
        by_alias=True,
        exclude_unset=True,
        exclude=getattr(value, "__api_exclude__", None),
        warnings=False,
    )
    return dumped
