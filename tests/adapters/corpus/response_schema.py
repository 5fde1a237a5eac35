"""Whether an item is what the types of the `openai` package want, no key less and none more."""

import typing
from collections.abc import Iterable
from functools import cache
from typing import NotRequired, Required

from openai.types.responses.response_input_item_param import ResponseInputItemParam
from typing_extensions import is_typeddict


def fault_of(value, kind, path):
    """Return the first thing wrong with a value of such a type; an empty text if nothing is."""
    return _wrong(value, kind, path)


def problems(item):
    """Return what is wrong with an item, for the type that it says it has."""
    kinds = [
        kind
        for kind in typing.get_args(ResponseInputItemParam)
        if item.get("type", "message") in _literals(_fields(kind)["type"][0])
    ]
    found = [_wrong(item, kind, item.get("type", "message")) for kind in kinds]
    return [] if "" in found else found or [f"no type {item.get('type')!r}"]


@cache
def _fields(kind):
    """Return the type of each key of a TypedDict, and whether it must be there."""
    fields = {}
    for key, hint in typing.get_type_hints(kind, include_extras=True).items():
        required = typing.get_origin(hint) is Required
        if typing.get_origin(hint) in (Required, NotRequired):
            (hint,) = typing.get_args(hint)
        fields[key] = hint, required
    return fields


def _literals(hint):
    """Return the literals of a type, those in a union too."""
    if typing.get_origin(hint) is typing.Literal:
        return typing.get_args(hint)
    return [one for part in typing.get_args(hint) for one in _literals(part)]


def _wrong(value, kind, path):
    """Return the first thing wrong with a value; an empty text if it is of that type."""
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if is_typeddict(kind):
        return _wrong_dict(value, kind, path)
    if origin is typing.Union or str(origin) == "<class 'types.UnionType'>":
        found = [_wrong(value, arg, path) for arg in args]
        return "" if "" in found else " / ".join(found)
    if origin is typing.Literal:
        return "" if value in args else f"{path}: {value!r} is none of {args}"
    if origin is not dict and isinstance(origin, type) and issubclass(origin, Iterable):
        if not isinstance(value, list):
            return f"{path}: no list"
        found = (_wrong(one, args[0], f"{path}[{n}]") for n, one in enumerate(value))
        return next(filter(None, found), "")
    if origin is dict:
        if not isinstance(value, dict):
            return f"{path}: no object"
        found = (_wrong(one, args[1], f"{path}.{key}") for key, one in value.items())
        return next(filter(None, found), "")
    if kind in (object, typing.Any):
        return ""
    expected = (int, float) if kind is float else kind
    right = isinstance(value, expected) and (kind is bool or not isinstance(value, bool))
    return "" if right else f"{path}: {value!r} is no {kind}"


def _wrong_dict(value, kind, path):
    if not isinstance(value, dict):
        return f"{path}: no {kind.__name__}"
    fields = _fields(kind)
    missing = [key for key, (_, required) in fields.items() if required and key not in value]
    unknown = [key for key in value if key not in fields]
    if missing or unknown:
        return f"{path}: {kind.__name__} lacks {missing} and does not know {unknown}"
    found = (_wrong(value[key], fields[key][0], f"{path}.{key}") for key in value)
    return next(filter(None, found), "")
