"""Objects of the `openai` package, and dicts and objects of the same fields."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from memwrap.adapters.usages import usage_of
from memwrap.usage import Usage

__all__ = [
    "as_dict",
    "field",
    "has_parts_of_items",
    "is_chat_only",
    "is_readable",
    "looks_like_chat",
    "looks_like_response",
    "usages_in",
]

# The parts that only items have; audio and refusals have one form in all dialects.
_PARTS = ("input_text", "input_image", "input_file", "output_text")

# What only messages of the Chat Completions API have.
_CHAT_PARTS = ("text", "image_url", "file")
_OF_MESSAGE = {"role", "content", "tool_calls"}
_OF_CHOICE = {"delta", "message"}
_OF_CHAT = {"tool_calls", "tool_call_id", "function_call"}


def is_readable(value: Any) -> bool:
    """Tell whether *value* is a dict, an object of the `openai` package's types, or like one."""
    if isinstance(value, dict) or _is_of_openai(value):
        return True
    return looks_like_chat(value) or looks_like_response(value)


def looks_like_chat(value: Any) -> bool:
    """Tell whether an object has the fields of a completion, a chunk of one, or its message.

    Packages for other servers have classes of their own for them.
    """
    fields = _fields(value)
    if fields.keys() >= _OF_MESSAGE:
        return isinstance(fields["role"], str)
    choices = fields.get("choices")
    if not isinstance(choices, list):
        return False
    if choices:
        return all(not _OF_CHOICE.isdisjoint(_fields(choice)) for choice in choices)
    return str(getattr(value, "object", None)).startswith("chat.completion")


def looks_like_response(value: Any) -> bool:
    """Tell whether an object has the fields of a response, or of an event of its stream."""
    fields = _fields(value)
    if fields.get("object") == "response":
        return isinstance(fields.get("output"), list)
    kind = fields.get("type")
    return isinstance(kind, str) and kind.startswith("response.")


def _is_of_openai(value: Any) -> bool:
    return hasattr(value, "model_dump") and any(
        base.__module__.startswith("openai.types.") for base in type(value).__mro__
    )


def _fields(value: Any) -> dict[str, Any]:
    """Return the fields of an object, also those that its class does not declare."""
    if not _is_object(value):
        return {}
    extra = value.model_extra if hasattr(type(value), "model_extra") else None
    declared: dict[str, Any] = vars(value)
    return {**declared, **extra} if isinstance(extra, dict) else declared


def _is_object(value: Any) -> bool:
    """Tell whether *value* is an object with fields; classes, modules and the like are none."""
    return hasattr(value, "__dict__") and not isinstance(value, (dict, str, type, ModuleType))


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


def usages_in(event: Any, /) -> list[Usage]:
    """Return the usage that a response, a completion or an event of their streams reports."""
    if not is_readable(event):
        return []
    whole = field(event, "response") or event
    found = usage_of(field(whole, "usage"), field(whole, "model"))
    return [] if found is None else [found]


def as_dict(value: Any) -> dict[str, Any]:
    """Return a readable value as a dict."""
    if isinstance(value, dict):
        return value
    if not hasattr(value, "model_dump"):
        return {key: _plain(member) for key, member in vars(value).items()}
    # Only what the API sent, under its own names: defaults were not said, and what the package
    # parsed out of the text the API does not take back. Other packages say the role by default.
    is_exact = _is_of_openai(value)
    dumped: dict[str, Any] = value.model_dump(
        mode="json",
        by_alias=True,
        exclude_unset=is_exact,
        exclude_none=not is_exact,
        exclude=getattr(value, "__api_exclude__", None),
        warnings=False,
    )
    return dumped


def _plain(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_plain(member) for member in value]
    return as_dict(value) if _is_object(value) else value
