"""The fields of LangChain's messages, and messages made of fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_core import messages
from pydantic import ValidationError

from memwrap.adapters.langchain.message_to_items import role_of

__all__ = ["IDENTITY", "fields_of", "identified", "message_of_fields"]

IDENTITY = ("class", "id", "name", "role", "status", "usage_metadata")
"""What identifies a message. These fields survive an edit of the text, and never refer to it."""

_SPOKEN = frozenset(
    {
        field
        for kind in (messages.AIMessageChunk, messages.ChatMessage, messages.ToolMessage)
        for field in kind.model_fields
    }
)
_NO_SPEAKERS = ("tool", "function")  # roles that a message which names its own cannot have

_COMMON: dict[str, Any] = {
    "additional_kwargs": {},
    "response_metadata": {},
    "name": None,
    "id": None,
}
_DEFAULTS: dict[str, dict[str, Any]] = {
    "AIMessage": _COMMON | {"tool_calls": [], "invalid_tool_calls": [], "usage_metadata": None},
}


def message_of_fields(name: Any, fields: dict[str, Any]) -> Any:
    """Return a message with exactly these fields, also if its constructor knows better.

    Raises:
        LookupError: LangChain has no such class.
        ValueError: The class cannot do without a field that it does not take.
    """
    kind = _class_of(name)
    message, fields = _valid(kind, _spoken_by(kind, fields))
    if fields_of(message)[1] == fields:
        return message
    # It filled in or took out calls, say; but the types are as it wants them.
    for key, value in fields.items():
        now = getattr(message, key, value)
        fields[key] = value if type(value) is type(now) else now
    return kind.model_construct(**fields)


def _spoken_by(kind: Any, fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields without those by which a message of another class speaks.

    Raises:
        ValueError: With these a message speaks as another class than its own.
    """
    if kind.model_fields.keys() >= {"role"} and fields.get("role") in _NO_SPEAKERS:
        raise ValueError("role")
    beside = fields.get("additional_kwargs")
    role = beside.get("__openai_role__") if isinstance(beside, dict) else None
    if issubclass(kind, messages.SystemMessage) and role not in (None, "system", "developer"):
        raise ValueError("__openai_role__")
    if issubclass(kind, messages.ChatMessage):  # of any type that somebody has stored
        return fields
    return {key: fields[key] for key in fields if key in kind.model_fields or key not in _SPOKEN}


def _valid(kind: Any, fields: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Return a message of those of these fields that its class takes, and them.

    Raises:
        ValueError: It cannot do without one that it does not take.
    """
    while True:
        try:
            return kind(**fields), fields
        except ValidationError as exc:
            errors = exc.errors(include_url=False, include_context=False, include_input=False)
            refused = {error["loc"][0] for error in errors if error["loc"]}
            if refused.isdisjoint(fields):
                raise
            fields = {key: fields[key] for key in fields if key not in refused}


def identified(message: Any, identity: Mapping[str, Any], *, keep_class: bool) -> Any:
    """Return a message with the class and the fields that identify another.

    Args:
        message: What it says.
        identity: What identifies it, by the names of `IDENTITY`.
        keep_class: Leave the class as it is; not every provider takes every one.

    Raises:
        Exception: Any, if nobody here wrote the identity.
    """
    fields = fields_of(message)[1] | {key: identity[key] for key in identity if key != "class"}
    kind = type(message) if keep_class else _class_of(identity.get("class"))
    known = {key: fields[key] for key in fields if key in kind.model_fields}
    return _valid(kind, _spoken_by(kind, known))[0]


def fields_of(message: Any) -> tuple[str, dict[str, Any]]:
    """Return the name of a message's class in langchain-core and the fields that say something."""
    fields = {**message.__dict__, **(message.model_extra or {})}
    name = _name_of(type(message))
    if name.startswith("Base"):  # derived from no class that has a role
        name, fields["role"] = "ChatMessage", role_of(message)
    defaults = _DEFAULTS.get(name, _COMMON)
    return name, {
        key: value
        for key, value in fields.items()
        if key != "type" and not (key in defaults and _is_default(value, defaults[key]))
    }


def _is_default(value: Any, default: Any) -> bool:
    """Tell whether a field says nothing. It is not compared: arrays refuse that."""
    return type(value) is type(default) and not value


def _name_of(kind: type) -> str:
    """Return the class of langchain-core that a message's class is, or is derived from."""
    return next(
        base.__name__ for base in kind.__mro__ if base.__module__.startswith("langchain_core.")
    )


def _class_of(name: Any) -> Any:
    """Return a class of messages by its name; nothing else, whatever the name says.

    Raises:
        LookupError: There is no such class.
    """
    kind = getattr(messages, name) if name in messages.__all__ else None
    is_message = isinstance(kind, type) and issubclass(kind, messages.BaseMessage)
    if not is_message or name.startswith("Base"):
        raise LookupError(name)
    return kind
