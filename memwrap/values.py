"""Results that are no messages, such as numbers, tuples and models: as JSON text, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import is_dataclass
from typing import Any, Protocol, runtime_checkable
from weakref import WeakValueDictionary

import msgspec

from memwrap.dialects import belongs_to_a_dialect, loaded
from memwrap.exceptions import ConversionError
from memwrap.items import Item, assistant

__all__ = ["is_value", "message_of", "type_name", "value_of"]

# What a class may raise that is to be filled with something else.
_UNFIT = (TypeError, ValueError, ArithmeticError, AttributeError, NameError, RecursionError)

_PLAIN = {kind.__name__: kind for kind in (tuple, int, float, bool, set, frozenset)}

# Classes in functions cannot be found by their name.
_local: WeakValueDictionary[str, type] = WeakValueDictionary()


@runtime_checkable
class _Model(Protocol):
    def model_dump_json(self) -> str: ...


@runtime_checkable
class _Validating(Protocol):
    @classmethod
    def model_validate_json(cls, value: str, /) -> Any: ...


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


def type_name(value: Any) -> str:
    """Return the full name of the type of *value*, by which `value_of` finds it again.

    Of a list whose parts have one type, it is that of the parts in brackets.
    """
    if type(value) is list and value and len(set(map(type, value))) == 1:
        return f"[{type_name(value[0])}]"
    kind = type(value)
    name = f"{kind.__module__}.{kind.__qualname__}"
    if "<locals>" in name:
        _local[name] = kind
    return name.removeprefix("builtins.")


def value_of(text: str, name: str) -> Any:
    """Return the value whose JSON is *text*: of the type of that name, where it is found.

    Where it is not, or takes the JSON no more, the value is what the JSON says.
    """
    try:
        data = msgspec.json.decode(text)
    except (ValueError, RecursionError):  # a layer changed it
        return text
    return _made(data, name)


def _made(data: Any, name: str) -> Any:
    if name.startswith("[") and isinstance(data, list):
        return [_made(part, name[1:-1]) for part in data]
    kind: Any = _type_of(name)
    try:
        if isinstance(kind, _Validating):
            return kind.model_validate_json(msgspec.json.encode(data).decode())
        return data if kind is None else msgspec.convert(data, kind)
    except _UNFIT:
        return data


def _type_of(name: str) -> type | None:
    """Return the class of that name, if it is one of values; nothing is imported for it."""
    found: Any = _PLAIN.get(name) or _local.get(name) or loaded(name)
    if not isinstance(found, type):
        return None
    kind: type = found
    is_value = is_dataclass(kind) or hasattr(kind, "model_validate_json")
    return kind if is_value or issubclass(kind, (*_PLAIN.values(), msgspec.Struct)) else None


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
