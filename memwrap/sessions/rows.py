"""The items in rows: decoded here, and nowhere else, for every back end.

A row that is no JSON object is damaged. What is read without it is reported with its place, and
never with its content.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import cast

from memwrap.codec import decode, decode_array
from memwrap.exceptions import StoreError
from memwrap.items import Item
from memwrap.sessions.backend import Rows

__all__ = ["damage", "decode_each", "decode_row", "decode_whole", "is_readable", "report"]


def decode_whole(rows: Rows) -> list[Item] | None:
    """Return the items of *rows* in one pass; None if a row is damaged."""
    ids, data, _ = rows
    array = data if isinstance(data, bytes) else b"[" + b",".join(data) + b"]"
    return decode_array(array, len(ids))


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
