"""The items in rows: decoded here, and nowhere else, for every back end.

A row that is no JSON object is damaged. What is read without it is reported with its place, and
never with its content.
"""

from __future__ import annotations

import asyncio
import secrets
import warnings
from collections.abc import Iterator, Sequence
from typing import Any, cast

import msgspec

from memwrap.codec import decode
from memwrap.exceptions import StoreError
from memwrap.items import Item
from memwrap.sessions.backend import Rows
from memwrap.sessions.stretches import Pages

__all__ = [
    "BETWEEN",
    "damage",
    "decode_each",
    "decode_each_slowly",
    "decode_row",
    "decode_slowly",
    "decode_soon",
    "decode_whole",
    "is_long",
    "is_readable",
    "joined",
    "report",
]

# Between the rows stands a number that no file knows; a small one costs the least. Were it a comma
# alone, two damaged rows could add up to items that nobody stored.
_BETWEEN = 10 + secrets.randbelow(90)
BETWEEN = b",%d," % _BETWEEN
"""What stands between the rows of data in one piece."""

_PIECE = 256 * 1024  # decoded in about a millisecond

_decode = msgspec.json.Decoder().decode


def joined(rows: Sequence[bytes]) -> bytes:
    """Return the data of all *rows* in one piece."""
    return b"[" + BETWEEN.join(rows) + b"]"


def decode_whole(rows: Rows) -> list[Item] | None:
    """Return the items of *rows* in one pass; None if a row is damaged."""
    data = rows.data
    items = _decode_piece(data if isinstance(data, bytes) else joined(data))
    return items if items is not None and len(items) == len(rows.ids) else None


def decode_soon(rows: Rows) -> list[Item] | None:
    """Return the items of few rows; None if they are long, or a row is damaged."""
    return None if is_long(rows) else decode_whole(rows)


def _decode_piece(piece: bytes) -> list[Item] | None:
    try:
        found: list[Any] = _decode(piece)
    except (ValueError, RecursionError, msgspec.MsgspecError):
        return None
    items: list[Item] = found[::2]
    if len(found) - len(items) != found[1::2].count(_BETWEEN) or (found and not len(found) % 2):
        return None
    for item in items:
        if type(item) is not dict:
            return None
    return items


def is_long(rows: Rows) -> bool:
    """Tell whether the data is so long that its decoding would hold the event loop up."""
    data = rows.data
    if isinstance(data, Pages):
        return True
    return (len(data) if isinstance(data, bytes) else sum(map(len, data))) > _PIECE


async def decode_slowly(rows: Rows) -> list[Item] | None:
    """Return the items as `decode_whole` does, and let others work in between."""
    items: list[Item] = []
    for piece in _pieces(rows.data):
        found = _decode_piece(piece)
        if found is None:
            return None
        items += found
        await asyncio.sleep(0)
    return items if len(items) == len(rows.ids) else None


def _pieces(data: Sequence[bytes] | bytes) -> Iterator[bytes]:
    """Yield rows, joined, in pieces that are soon decoded."""
    if isinstance(data, bytes):
        begin, end = 1, len(data) - 1
        while begin < end:
            stop = data.find(BETWEEN, begin + _PIECE)
            stop = end if stop < 0 else stop
            yield b"[%b]" % data[begin:stop]
            begin = stop + len(BETWEEN)
    elif isinstance(data, Pages):
        for page in data:
            yield from _pieces(page)
    else:
        begin = size = 0
        for place, row in enumerate(data, 1):
            size += len(row)
            if size >= _PIECE or place == len(data):
                yield joined(data[begin:place])
                begin, size = place, 0


async def decode_each_slowly(rows: Rows) -> tuple[dict[int, Item], list[int]]:
    """Return what `decode_each` does, and let others work in between."""
    items: dict[int, Item] = {}
    bad: list[int] = []
    begin = size = 0
    data = cast("Sequence[bytes]", rows.data)
    for place, row in enumerate(data, 1):
        size += len(row)
        if size >= _PIECE or place == len(data):
            found, damaged = decode_each(Rows(rows.ids[begin:place], data[begin:place]))
            items |= found
            bad += damaged
            begin, size = place, 0
            await asyncio.sleep(0)
    return items, bad


def decode_each(rows: Rows) -> tuple[dict[int, Item], list[int]]:
    """Return the items of rows that are not joined, by number, and the damaged rows' numbers."""
    items: dict[int, Item] = {}
    bad = []
    for row_id, row in zip(rows.ids, cast("Sequence[bytes]", rows.data), strict=True):
        item = decode_row(row)
        if item is None:
            bad.append(row_id)
        else:
            items[row_id] = item
    return items, bad


def decode_row(row: bytes) -> Item | None:
    """Return the item of one row; None if the row is damaged."""
    try:
        return decode(row)
    except ValueError:
        return None


def is_readable(row: bytes) -> bool:
    """Tell whether a row has an item."""
    return decode_row(row) is not None


def damage(place: str, what: str) -> StoreError:
    """Return the error for damaged rows at *place*."""
    return StoreError(f"{place}: {what}")


def report(place: str, bad: Sequence[int], *, strict: bool) -> None:
    """Warn of damaged rows that a reading leaves out.

    Raises:
        StoreError: The reading is *strict*.
    """
    if strict:
        raise damage(place, f"rows {bad} are damaged")
    warnings.warn(str(damage(place, f"rows {bad} are damaged and left out")), stacklevel=3)
