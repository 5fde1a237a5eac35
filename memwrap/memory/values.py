"""Answers that are values: numbers, tuples, dataclasses and models, stored as their JSON."""

from __future__ import annotations

import json
from dataclasses import is_dataclass
from typing import Any, Protocol, runtime_checkable
from weakref import WeakValueDictionary

import msgspec

from memwrap.dialects import loaded

__all__ = ["is_value_of", "type_name", "value_of"]

# What a class may raise that is to be filled with something else.
_UNFIT = (TypeError, ValueError, ArithmeticError, AttributeError, NameError, RecursionError)

_PLAIN = {kind.__name__: kind for kind in (tuple, int, float, bool)}

# Classes in functions cannot be found by their name.
_local: WeakValueDictionary[str, type] = WeakValueDictionary()


@runtime_checkable
class _Model(Protocol):
    @classmethod
    def model_validate(cls, value: Any, /) -> Any: ...


def type_name(value: Any) -> str:
    """Return the full name of the type of *value*, by which `value_of` finds it again."""
    kind = type(value)
    name = f"{kind.__module__}.{kind.__qualname__}"
    if "<locals>" in name:
        _local[name] = kind
    return name.removeprefix("builtins.")


def is_value_of(value: Any, text: str) -> bool:
    """Tell whether *text* is the JSON of *value*, from which it can be made again."""
    if isinstance(value, (str, list, dict)):
        return False
    try:
        data = json.loads(text)
        return _is_plain(type(value)) or bool(_made(data, type(value)) == value)
    except _UNFIT:
        return False


def value_of(text: str, name: str) -> Any:
    """Return the value whose JSON is *text*: of the type of that name, where it is found.

    Where it is not, or takes the JSON no more, the value is what the JSON says.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):  # a layer changed it
        return text
    kind = _type_of(name)
    if kind is None:
        return data
    try:
        return _made(data, kind)
    except _UNFIT:
        return data


def _made(data: Any, kind: type) -> Any:
    if isinstance(kind, _Model):
        return kind.model_validate(data)
    if kind is tuple:
        return tuple(data)
    return msgspec.convert(data, kind)


def _is_plain(kind: type) -> bool:
    return kind in _PLAIN.values() or is_dataclass(kind)


def _type_of(name: str) -> type | None:
    """Return the class of that name, if it is one of values; nothing is imported for it."""
    if name in _local:
        return _local[name]
    if name in _PLAIN:
        return _PLAIN[name]
    found: Any = loaded(name)
    is_value = is_dataclass(found) or isinstance(found, _Model)
    return found if isinstance(found, type) and (is_value or issubclass(found, tuple)) else None
