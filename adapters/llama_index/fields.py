"""The fields of LlamaIndex's chat messages, and messages made of fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from llama_index.core.base.llms import types
from pydantic import AnyUrl, BaseModel

from memwrap.adapters.llama_index.parts import encoded

__all__ = ["fields_of", "message_of_fields"]

_KINDS: Mapping[str, Any] = {
    kind.model_fields["block_type"].default: kind
    for kind in vars(types).values()
    if isinstance(kind, type)
    and issubclass(kind, types.BaseContentBlock)
    and "block_type" in kind.model_fields
}
_DATA = ("audio", "data", "image", "video")
_EMPTY = ("additional_information", "tool_kwargs")  # fields that are empty unless somebody says so


def fields_of(message: types.ChatMessage) -> dict[str, Any]:
    """Return the fields of a message that say something, as values that JSON can express."""
    fields: dict[str, Any] = {
        "role": message.role.value,
        "blocks": [_fields_of_block(block) for block in message.blocks],
    }
    if message.additional_kwargs:
        fields["additional_kwargs"] = _plain(message.additional_kwargs)
    return fields


def _fields_of_block(block: Any) -> dict[str, Any]:
    values = ((name, getattr(block, name)) for name in _kind_of(block).model_fields)
    return {
        name: _value(name, value)
        for name, value in values
        if value is not None and not (name in _EMPTY and value == {})
    }


def _kind_of(block: Any) -> Any:
    """Return the class of LlamaIndex's that a block's class is, or is derived from."""
    return _KINDS[block.block_type]


def _value(name: str, value: Any) -> Any:
    if name in _DATA:
        text = encoded(value)
        return value if text is None else text
    if isinstance(value, Path):
        return {"path": str(value)}
    if isinstance(value, AnyUrl):
        return str(value)
    if isinstance(value, types.BaseContentBlock):
        return _fields_of_block(value) if hasattr(value, "block_type") else value.model_dump()
    if isinstance(value, list):
        return [_fields_of_block(member) for member in value]
    return _plain(value)


def _plain(value: Any) -> Any:
    """Return a value with dicts in place of models, as LlamaIndex itself writes it."""
    if isinstance(value, BaseModel):
        return _plain(value.model_dump())
    if isinstance(value, dict):
        return {key: _plain(member) for key, member in value.items()}
    if type(value) in (list, tuple):
        return type(value)(map(_plain, value))
    return value


def message_of_fields(fields: Mapping[str, Any]) -> types.ChatMessage:
    """Return a message with exactly these fields.

    Raises:
        Exception: Any, if nobody dumped them.
    """
    beside = fields.get("additional_kwargs", {})
    if type(beside) is not dict:
        raise TypeError("additional_kwargs")
    # Not by the constructor, which would add the pictures in additional_kwargs once more.
    return types.ChatMessage.model_construct(
        role=types.MessageRole(fields["role"]),
        additional_kwargs=beside,
        blocks=[_block_of(block) for block in fields["blocks"]],
    )


def _block_of(fields: Mapping[str, Any]) -> Any:
    kind = _KINDS[fields["block_type"]]
    exact = {name: _field(kind, name, fields[name]) for name in fields if name != "block_type"}
    # A file need not lie on this machine any more, and bytes need not be base64.
    unchecked = {name for name in exact if name in _DATA or name == "path"}
    block = kind(**{name: exact[name] for name in exact if name not in unchecked})
    for name in kind.model_fields:
        if name in exact or (name != "block_type" and name not in _EMPTY):
            value = exact.get(name)
            if getattr(block, name) != value:
                setattr(block, name, value)
    return block


def _field(kind: Any, name: str, value: Any) -> Any:
    if name == "content" and not isinstance(value, list):  # of a thought
        return value
    make = _MAKERS.get(name)
    if name == "url" and kind is types.DocumentBlock:
        make = None
    return value if make is None else make(value)


def _data_of(value: Any) -> Any:
    return value.encode("ascii") if isinstance(value, str) else value


_MAKERS: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(_DATA, _data_of),
    "cache_control": lambda value: types.CacheControl(**value),
    "cited_content": _block_of,
    "content": lambda value: [_block_of(member) for member in value],
    "path": lambda value: Path(value["path"]) if isinstance(value, dict) else value,
    "url": AnyUrl,
}
"""What makes the value of a field of what stands for it."""
