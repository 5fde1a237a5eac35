"""Items as JSON text and back, exactly or not at all.

msgspec encodes, and replaces values that are no JSON (NaN by null, bytes by base64). So each
encoding is read back and compared, which costs less than a check of every value in Python. An
item that comes back unequal is checked value by value and refused with its path.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Mapping, Sequence
from typing import cast

import msgspec

from memwrap.exceptions import ConversionError
from memwrap.items import Item

__all__ = [
    "MAX_DEPTH",
    "MAX_ITEM_BYTES",
    "copy_items",
    "copy_known",
    "decode",
    "decode_array",
    "decode_rows",
    "encode",
    "encode_items",
]

MAX_DEPTH = 200
"""How deep values may nest. Python's own JSON reader gives up at its recursion limit."""

MAX_ITEM_BYTES = 16 * 1024 * 1024
"""How long the JSON of one item may be."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode

# What encoding or comparing a value may raise: numpy arrays, for one, refuse `==`.
_STRINGS = frozenset({str})
_INEXACT = (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def encode(item: Item, index: int | None = None) -> bytes:
    """Return the JSON of *item*; the index is its place in a list, for the error.

    Raises:
        ConversionError: The item is no dict, JSON cannot hold it, or it is beyond a limit.
    """
    row, exact = b"", False
    try:
        row = _encode(item)
        exact = _decode(row) == item and type(item) is dict
    except _INEXACT:
        pass
    if exact and _is_shallow(row) and len(row) <= MAX_ITEM_BYTES:
        return row
    path = "$" if index is None else f"$[{index}]"
    if not exact or not _is_shallow(row):
        if not isinstance(item, dict):
            raise ConversionError(f"an item is a dict, not {_type_name(item)}", path=path)
        _check(item, path, 1)
        row = json.dumps(item, separators=(",", ":")).encode()
    if len(row) > MAX_ITEM_BYTES:
        raise ConversionError(
            f"the item has {len(row)} bytes of JSON; at most {MAX_ITEM_BYTES} are kept", path=path
        )
    return row


def encode_items(items: Sequence[Item]) -> list[bytes]:
    """Return the JSON of each item.

    Raises:
        ConversionError: *items* is no list, or one of the items cannot be kept.
    """
    if not isinstance(items, Sequence) or isinstance(items, (str, bytes, bytearray)):
        raise ConversionError(
            f"items come as a list of dicts, not as {_type_name(items)};"
            ' one message is [{"role": "user", "content": "..."}]'
        )
    return [encode(item, index) for index, item in enumerate(items)]


def decode(row: bytes | str) -> Item:
    """Return the item of one row.

    Raises:
        ValueError: The row is damaged: no JSON, or no JSON object.
    """
    try:
        item = _decode(row)
    except (ValueError, RecursionError, msgspec.MsgspecError):
        # Other writers' NaN and lone surrogates: valid to Python's reader only.
        try:
            item = json.loads(row)
        except RecursionError:
            raise ValueError("nested too deeply") from None
    if type(item) is not dict:
        raise ValueError("not a JSON object")
    return item


def decode_rows(rows: Sequence[bytes]) -> list[Item]:
    """Return the items of rows that `encode` made."""
    items = decode_array(b"[" + b",".join(rows) + b"]", len(rows))
    return [decode(row) for row in rows] if items is None else items


def decode_array(array: bytes, length: int) -> list[Item] | None:
    """Return the items of rows joined to a JSON array; None unless it holds *length* objects.

    One pass is faster than many. After None, `decode` of each row finds the damaged one.
    """
    try:
        items = _decode(array)
    except (ValueError, RecursionError, msgspec.MsgspecError):
        return None
    if len(items) != length:
        return None
    for item in items:
        if type(item) is not dict:
            return None
    return cast("list[Item]", items)


def copy_items(items: Sequence[Item]) -> list[Item]:
    """Return a deep copy of *items*, of dicts, lists and JSON's own values only.

    Raises:
        ConversionError: As for `encode_items`.
    """
    if type(items) is list:
        if not items:
            return []
        try:
            array = _encode(items)
            copies = decode_array(array, len(items))
            if (
                copies is not None
                and copies == items
                and _is_shallow(array)
                and len(array) <= MAX_ITEM_BYTES
            ):
                return copies
        except _INEXACT:
            pass
    return decode_rows(encode_items(items))


def copy_known(items: list[Item]) -> list[Item]:
    """Return a deep copy of items that have been checked before."""
    for item in items:
        if type(item) is not dict or not _STRINGS.issuperset(map(type, item.values())):
            return _deep_copy(items)
    return [item.copy() for item in items]  # enough for items whose values are all strings


def _deep_copy(items: list[Item]) -> list[Item]:
    try:
        copies: list[Item] = _decode(_encode(items))
    except _INEXACT:
        return copy_items(items)
    return copies


def _is_shallow(row: bytes) -> bool:
    """Tell whether *row* has too few opening brackets to nest beyond the limit."""
    return len(row) <= MAX_DEPTH or row.count(b"{") + row.count(b"[") <= MAX_DEPTH


def _check(value: object, path: str, depth: int) -> None:
    """Raise for the first value that JSON cannot hold."""
    if value is None or isinstance(value, (str, bool)):
        return
    if isinstance(value, (int, float)):
        _check_number(value, path)
    elif not isinstance(value, (dict, list, tuple)):
        raise ConversionError(f"JSON cannot hold {_type_name(value)}", path=path)
    elif depth > MAX_DEPTH:
        raise ConversionError(f"nested deeper than {MAX_DEPTH} levels", path=path)
    elif isinstance(value, dict):
        for key, member in value.items():
            if not isinstance(key, str):
                raise ConversionError(f"a key is a string, not {_type_name(key)}", path=path)
            _check(member, path + _step(key), depth + 1)
    else:
        for index, member in enumerate(value):
            _check(member, f"{path}[{index}]", depth + 1)


def _check_number(value: float, path: str) -> None:
    if isinstance(value, int):
        try:
            int.__repr__(value)
        except ValueError:
            raise ConversionError(
                f"Python writes no integer of more than {sys.get_int_max_str_digits()} digits",
                path=path,
            ) from None
    elif not math.isfinite(value):
        raise ConversionError("JSON has no infinities and no NaN", path=path)


def _step(key: str) -> str:
    return f".{key}" if _NAME.match(key) else f"[{json.dumps(key)}]"


def _type_name(value: object) -> str:
    """Return the name of the type of *value* with its article, for an error."""
    if value is None:
        return "None"
    cls = type(value)
    name = cls.__qualname__
    if cls.__module__ != "builtins":
        name = f"{cls.__module__}.{name}"
    if isinstance(value, Mapping):
        return f"a {name} (pass dict(...) of it)" if not isinstance(value, dict) else f"a {name}"
    return f"a {name}" if name[0] not in "aeiou" else f"an {name}"
