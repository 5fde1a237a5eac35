"""The fields of Agent Framework's messages as plain values, and messages made of them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from agent_framework import Content, Message

from memwrap.hidden.sidecar import MAX_DEPTH

__all__ = ["IDENTITY", "fields_of", "message_of_fields"]

IDENTITY = ("role", "author_name", "message_id")
"""What identifies a message, and outlives an edit of what it says."""

# Contents lie within contents, at places where any value may lie: they are told by this key.
_CONTENT = "~content"
_DICT = "~dict"  # a dict that has such a key itself

# A provider's own objects, which the framework does not serialize either.
_RAW = "raw_representation"


def fields_of(message: Message) -> dict[str, Any]:
    """Return what a message holds, but for what goes without saying."""
    found: dict[str, Any] = {
        "role": message.role,
        "contents": [_dumped(content) for content in message.contents],
    }
    beside = {
        "author_name": message.author_name,
        "message_id": message.message_id,
        "additional_properties": _dumped(message.additional_properties) or None,
    }
    return found | {key: value for key, value in beside.items() if value is not None}


def message_of_fields(fields: dict[str, Any]) -> Message:
    """Return the message of fields.

    Raises:
        Exception: Any, if nobody dumped them.
    """
    message = Message(
        fields["role"],
        author_name=fields.get("author_name"),
        message_id=fields.get("message_id"),
        additional_properties=_loaded(fields.get("additional_properties")),
    )
    message.contents = [_loaded(content) for content in fields["contents"]]
    if not all(isinstance(content, Content) for content in message.contents):
        raise TypeError("a message consists of contents")
    return message


def _dumped(value: Any, depth: int = MAX_DEPTH) -> Any:
    if not depth:
        return value  # the template says that it is lost
    if isinstance(value, Content):
        return {_CONTENT: {"type": value.type} | _fields_of_content(value, depth)}
    if isinstance(value, Mapping):
        members = {key: _dumped(member, depth - 1) for key, member in value.items()}
        return {_DICT: members} if _CONTENT in members or _DICT in members else members
    if type(value) in (list, tuple):
        return type(value)(_dumped(member, depth - 1) for member in value)
    return value


def _fields_of_content(content: Content, depth: int) -> dict[str, Any]:
    defaults = _defaults_of(content.type)
    fields = {
        key: _dumped(value, depth - 1)
        for key, value in vars(content).items()
        if key in defaults and key != _RAW and not _is_default(value, defaults[key])
    }
    if isinstance(fields.get("annotations"), (list, tuple)):
        fields["annotations"] = [_bare(annotation) for annotation in fields["annotations"]]
    return fields


def _bare(annotation: Any) -> Any:
    if not isinstance(annotation, dict):
        return annotation
    return {key: value for key, value in annotation.items() if key != _RAW}


def _loaded(value: Any) -> Any:
    if isinstance(value, dict):
        if value.keys() == {_CONTENT}:
            return _content_of(value[_CONTENT])
        members = value[_DICT] if value.keys() == {_DICT} else value
        return {key: _loaded(member) for key, member in members.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(map(_loaded, value))
    return value


def _content_of(fields: dict[str, Any]) -> Content:
    """Return a content with exactly these fields, also if its constructor knows better."""
    content = Content(fields["type"])
    for key, value in fields.items():
        if key not in vars(content):
            raise LookupError(key)
        setattr(content, key, _loaded(value))
    return content


@lru_cache(maxsize=256)
def _defaults_of(kind: Any) -> dict[str, Any]:
    return vars(Content(kind))


def _is_default(value: Any, default: Any) -> bool:
    return type(value) is type(default) and (value is default or value in ("", False, {}))
