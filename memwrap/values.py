"""Results that are no messages, such as numbers, tuples, dataclasses and models, as JSON text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import msgspec

from memwrap.dialects import belongs_to_a_dialect
from memwrap.exceptions import ConversionError
from memwrap.items import Item, assistant

__all__ = ["is_value", "message_of"]


@runtime_checkable
class _Model(Protocol):
    def model_dump_json(self) -> str: ...


def is_value(result: Any) -> bool:
    """Tell whether an agent's result is no message of any dialect, and JSON can say what it is.

    A list is one value if a part of it is, and none of its parts is a message.
    """
    if result is None or isinstance(result, (str, bytes, dict)) or belongs_to_a_dialect(result):
        return False
    if isinstance(result, (list, tuple)) and any(map(_is_message, result)):
        return False
    if isinstance(result, list) and not any(map(is_value, result)):
        return False
    try:
        _json_text(result)
    except ConversionError:
        return False
    return True


def message_of(value: Any) -> Item:
    """Return the assistant's message that says a value as JSON.

    Raises:
        ConversionError: JSON cannot say what it is.
    """
    return assistant(_json_text(value))


def _is_message(part: Any) -> bool:
    is_item = isinstance(part, dict) and bool(part.keys() & {"role", "type"})
    return is_item or belongs_to_a_dialect(part)


def _json_text(value: Any) -> str:
    try:
        if isinstance(value, _Model):
            return value.model_dump_json()
        return msgspec.json.encode(value, enc_hook=_plain).decode()
    except Exception as exc:  # noqa: BLE001  (a model may raise anything, and quote its content)
        name, kind = type(value).__qualname__, type(exc).__name__
    raise ConversionError(f"no JSON can be made of {name} ({kind})")


def _plain(value: Any) -> Any:
    """Return what stands for a part of a value that msgspec does not know."""
    if isinstance(value, _Model):
        return msgspec.Raw(value.model_dump_json().encode())
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence):
        return list(value)
    raise TypeError(type(value).__name__)
